/**
 * `npm run bench:hsm`: the commands that a purchase needs of the HSM, from the pool of a switch to the HSM simulator and back:
 * the MAC of the request verified, the PIN block translated, the MAC of the answer made. Keys, messages, PIN blocks and
 * what must come of each are made beforehand, by the terminal's own cryptography, which shares nothing with the HSM's.
 */

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../src/embedded/server.ts';
import { generateAndExportKey, KeyType } from '../src/hsm/commands.ts';
import { simulatorZmk } from '../src/hsm/known-keys.ts';
import { hsmAddress } from '../src/hsm/options.ts';
import { HsmPool } from '../src/hsm/pool.ts';
import { TerminalCrypto } from '../src/hsm/terminal-crypto.ts';
import { Child } from '../src/simulators/stack/child.ts';
import { cupMac, DesKey, pinBlock, simulatorTransportKey } from '../src/simulators/terminal/index.ts';
import { Pan, Secret } from '../src/switch/ports.ts';
import { microsOf } from './path/processes.ts';
import { assertRight, type Load, load, ownCpu } from './support/load.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { runBench, say, tell } from './support/main.ts';
import { loadOptionsHelp, readLoadOptions } from './support/options.ts';
import { Random } from './support/random.ts';
import { newBenchRun } from './support/stack.ts';
import { count, left, right, table } from './support/table.ts';

const help = `Measures MAC verification (M8), PIN translation (CA) and MAC generation (M6) at the HSM simulator, each by itself and
all three as a purchase needs them, with 1, 16 and 64 commands under way.

  npm run bench:hsm -- [options]

${loadOptionsHelp}
Exit status 1, and no figures, when an outcome is wrong; never because of the speed.
`;

const underWay = [1, 16, 64];
const terminals = 200;
/** As many as the switch has, with its settings as they come. */
const connections = 4;
const messageBytes = 250;
/** So long that no command fails for it on a busy machine. */
const patienceMs = 30_000;

/** A key under the LMK, and the same in the clear: it was exported under the simulators' published key. */
interface Key {
  readonly underLmk: string;
  readonly clear: DesKey;
}

/** A purchase as far as the HSM sees it, and what must come of it. */
interface Input {
  readonly tak: string;
  readonly tpk: string;
  readonly request: Uint8Array;
  readonly mac: string;
  readonly pinBlock: Secret<string>;
  readonly accountDigits: string;
  readonly translated: string;
  readonly answer: Uint8Array;
  readonly answerMac: string;
}

/** With fewer connections than it is to have, a pool refuses commands that it would else take. */
async function allUp(pool: HsmPool): Promise<void> {
  for (const endMs = performance.now() + patienceMs; pool.load.up < connections; await sleep(10)) {
    if (performance.now() > endMs) throw new Error('the HSM simulator does not answer on every connection');
  }
}

async function makeKey(pool: HsmPool, type: KeyType): Promise<Key> {
  const command = generateAndExportKey(type, 'double', { kind: 'zmk', key: simulatorZmk });
  const made = await pool.run(command, Date.now() + patienceMs);
  if (made.kind !== 'done') throw new Error(`a key of type ${type} was not made: ${made.kind}`);
  const transport = new DesKey(Buffer.from(simulatorTransportKey, 'hex'));
  return { underLmk: made.value.key, clear: new DesKey(transport.decrypt(Buffer.from(made.value.exported, 'hex'))) };
}

async function makeInputs(pool: HsmPool, zpk: Key, inputs: number): Promise<Input[]> {
  const keysOf = async (): Promise<{ tak: Key; tpk: Key }> => {
    const [tak, tpk] = await Promise.all([makeKey(pool, KeyType.tak), makeKey(pool, KeyType.tpk)]);
    return { tak, tpk };
  };
  const keys = await Promise.all(Array.from({ length: terminals }, keysOf));
  const random = new Random(9564);
  const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();
  return Array.from({ length: inputs }, (_, index) => {
    const { tak, tpk } = keys[index % terminals] as (typeof keys)[number];
    const [request, answer] = [randomBytes(messageBytes), randomBytes(messageBytes)];
    const [pan, pin] = [`622424${random.digits(10)}`, random.digits(6)];
    return {
      ...{ tak: tak.underLmk, tpk: tpk.underLmk, request, answer },
      ...{ mac: hex(cupMac(tak.clear, request)), answerMac: hex(cupMac(tak.clear, answer)) },
      pinBlock: new Secret(hex(pinBlock(tpk.clear, pin, pan))),
      accountDigits: new Pan(pan).accountDigits,
      translated: hex(pinBlock(zpk.clear, pin, pan)),
    };
  });
}

/** Asks the HSM for one thing about an input and tells whether the answer was right. */
type Ask = (input: Input) => Promise<boolean>;

interface Operation {
  readonly name: string;
  /** They take turns. */
  readonly asks: readonly Ask[];
}

function operationsOf(crypto: TerminalCrypto, zpk: Key): Operation[] {
  const deadline = (): number => Date.now() + patienceMs;
  const verify: Ask = async ({ tak, request, mac }) =>
    (await crypto.verifyMac(tak, 'cup-ecb', request, mac, deadline())) === 'right';
  const translate: Ask = async ({ tpk, pinBlock, accountDigits, translated }) => {
    const outcome = await crypto.translatePin(tpk, zpk.underLmk, pinBlock, accountDigits, deadline());
    return outcome.kind === 'translated' && outcome.pinBlock.reveal() === translated;
  };
  const make: Ask = async ({ tak, answer, answerMac }) => {
    const outcome = await crypto.makeMac(tak, 'cup-ecb', answer, deadline());
    return outcome.kind === 'made' && outcome.mac === answerMac;
  };
  return [
    { name: 'MAC verification, M8', asks: [verify] },
    { name: 'PIN translation, CA', asks: [translate] },
    { name: 'MAC generation, M6', asks: [make] },
    { name: 'a purchase, M8 CA M6', asks: [verify, translate, make] },
  ];
}

/** An HSM that calls every MAC right would look fast. */
async function assertJudges(crypto: TerminalCrypto, [first, second]: readonly Input[]): Promise<void> {
  if (first === undefined || second === undefined) throw new Error('no inputs');
  const deadlineMs = Date.now() + patienceMs;
  const judged = await crypto.verifyMac(first.tak, 'cup-ecb', first.request, second.mac, deadlineMs);
  if (judged !== 'wrong') throw new Error(`the MAC of another message is ${judged}; there are no figures`);
}

interface Figures extends Load<'own' | 'hsm'> {
  readonly name: string;
}

async function measure(pool: HsmPool, hsmPid: number, quick: boolean): Promise<Figures[]> {
  const crypto = new TerminalCrypto(pool);
  const zpk = await makeKey(pool, KeyType.zpk);
  const inputs = await makeInputs(pool, zpk, quick ? 20_000 : 100_000);
  await assertJudges(crypto, inputs);
  const meters = { own: ownCpu, hsm: () => microsOf(hsmPid) };
  const run = async ({ name, asks }: Operation, commands: number, seconds: number): Promise<Figures> => {
    const loaded = await load({ underWay: commands, inputs: inputs.length * asks.length, seconds, meters }, index =>
      (asks[index % asks.length] as Ask)(inputs[Math.floor(index / asks.length)] as Input),
    );
    assertRight(`${name}, ${commands} under way`, loaded);
    return { name, ...loaded };
  };
  const operations = operationsOf(crypto, zpk);
  const figures: Figures[] = [];
  for (const operation of operations) await run(operation, 16, quick ? 0.2 : 1);
  for (const operation of operations) {
    for (const commands of underWay) figures.push(await run(operation, commands, quick ? 0.4 : 2));
  }
  return figures;
}

function figuresTable(figures: readonly Figures[]): string {
  const titles = ['under way', 'a second', 'p50 ms', 'p99 ms', 'us CPU here', 'us CPU of the HSM'];
  const rows = figures.map(({ name, perSecond, p50Ms, p99Ms, cpuMicros, ...one }) => [
    ...[name, String(one.underWay), count(perSecond), p50Ms.toFixed(2), p99Ms.toFixed(2)],
    ...[cpuMicros.own.toFixed(1), cpuMicros.hsm.toFixed(1)],
  ]);
  return table([left('commands'), ...titles.map(right)], rows);
}

async function main(args: readonly string[]): Promise<number> {
  const options = readLoadOptions(args);
  if (options === null) {
    process.stdout.write(help);
    return 0;
  }
  const machine = thisMachine();
  const { dataDir, run } = newBenchRun();
  const logFolder = join(dataDir, run);
  mkdirSync(logFolder);
  tell('starting the HSM simulator ...');
  const hsmArgs = ['--port', String(await freePort()), '--lmk', 'test'];
  const hsm = new Child({ name: 'hsm-sim', script: 'hsm-sim/main.js', args: hsmArgs, logFolder });
  const listening = await hsm.start(line => (typeof line.listening === 'string' ? line.listening : undefined));
  const pool = new HsmPool({ ...(hsmAddress(`tcp://${listening}`) ?? { host: '', port: 0 }), connections });
  try {
    await allUp(pool);
    const figures = await measure(pool, hsm.pid ?? 0, options.quick);
    say(figuresTable(figures));
    say(`\n${terminals} terminals, a message of ${messageBytes} bytes under each MAC, each input used once in a load`);
    say(`Machine: ${describeMachine(machine)}.`);
    if (options.json) say(JSON.stringify({ bench: 'hsm', machine, quick: options.quick, figures }));
    return 0;
  } finally {
    pool.close();
    await hsm.stop();
    rmSync(logFolder, { recursive: true });
  }
}

await runBench('hsm', main);
