/**
 * `npm run bench:http`: loads `POST /iso8583` of a whole acquirer of real processes with purchases, by autocannon.
 *
 * Each connection is a terminal of its own that has signed on; its purchases, each another one with a PIN and a valid MAC,
 * are built before the clock starts. Each answer is judged as a terminal judges it. A figure is printed only when every
 * answer was an approval with a right MAC, and the three books agree afterwards.
 */

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { settleAndAudit } from '../src/simulators/stack/settle.ts';
import type { Stack } from '../src/simulators/stack/stack.ts';
import {
  parseCards,
  parseTerminals,
  RecordBook,
  simulatorTransportKey,
  unwrapMasterKey,
} from '../src/simulators/terminal/index.ts';
import { HttpTill, type TillCounts } from './http-till.ts';
import { Generator } from './load/generator.ts';
import { closedLoop } from './path/plan.ts';
import { targetOf, targetsTable } from './path/targets.ts';
import { startBenchStack } from './support/stack.ts';

const help = `Loads POST /iso8583 of a whole acquirer on this machine with purchases, and checks each answer. Without --rate as many
terminals load the same acquirer over TCP for as long, before and after, for comparison.

  npm run bench:http -- [options]

  --connections N  kept connections, each a terminal with one request under way (default 50)
  --seconds N      how long (default 10)
  --rate N         requests a second over all connections, each connection's share at the start of the second;
                   0: as fast as answers come (default 0)
  --messages N     purchases built beforehand (default: enough for the rate, or for 3000 a second)
  --help           this text

The last line of standard output is one JSON object. Exit status 1, and no figures in it, when an answer was missing or
not approved, messages ran out, or the books differ.
`;

const contentType = 'x-ISO-TPDU/x-auth';
const fastest = 3_000;
const settleMs = 60_000;
/** Longer than any answer may take; autocannon's own end would cut requests in flight. */
const patienceSeconds = 60;

interface Options {
  readonly connections: number;
  readonly seconds: number;
  readonly rate: number;
  readonly messages: number;
}

function readOptions(): Options | null {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      connections: text,
      seconds: text,
      rate: text,
      messages: text,
      // The last line is one JSON object anyway.
      ...{ json: { type: 'boolean' }, help: { type: 'boolean' } },
    },
  });
  if (values.help) return null;
  const whole = (name: keyof Options, fallback: number, least: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < least) throw new RangeError(`--${name}: a whole number from ${least} up`);
    return value;
  };
  const seconds = whole('seconds', 10, 1);
  const rate = whole('rate', 0, 0);
  return {
    connections: whole('connections', 50, 1),
    seconds,
    rate,
    messages: whole('messages', Math.ceil((rate || fastest) * seconds * 1.2), 1),
  };
}

/** A terminal for each connection, signed on over HTTP, with its purchases built. */
async function prepare(stack: Stack, records: RecordBook, options: Options): Promise<HttpTill[]> {
  const cards = parseCards(JSON.parse(readFileSync(stack.cardsFile, 'utf8')));
  const terminals = parseTerminals(JSON.parse(readFileSync(stack.terminalsFile, 'utf8')));
  const perTill = Math.ceil(options.messages / options.connections);
  const tills: HttpTill[] = [];
  const httpUrl = addressOf(stack);
  for (const [index, terminal] of terminals.slice(0, options.connections).entries()) {
    const till = new HttpTill({ ...terminal, tmk: unwrapMasterKey(terminal, simulatorTransportKey), records });
    await till.signOn(body => post(httpUrl, body));
    till.build(perTill, cards, index);
    tills.push(till);
  }
  return tills;
}

function addressOf({ switches: [one] }: Stack): string {
  if (one === undefined) throw new Error('the stack has no switch');
  return one.httpUrl;
}

async function post(httpUrl: string, body: Uint8Array): Promise<Uint8Array> {
  const response = await fetch(`${httpUrl}/iso8583`, {
    method: 'POST',
    body: Buffer.from(body),
    headers: { 'content-type': contentType },
  });
  if (response.status !== 200) throw new Error(`sign-on: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Loads for the time asked and lets the last answers come. */
async function load(stack: Stack, tills: readonly HttpTill[], options: Options): Promise<autocannon.Result> {
  const endMs = performance.now() + options.seconds * 1000;
  const free = [...tills];
  return autocannon({
    url: addressOf(stack),
    connections: options.connections,
    duration: options.seconds + patienceSeconds,
    timeout: patienceSeconds,
    // Its correction takes seconds for milliseconds and would invent a thousand slow answers for one.
    ...(options.rate > 0 && { overallRate: options.rate, ignoreCoordinatedOmission: true }),
    method: 'POST',
    requests: [{ method: 'POST', path: '/iso8583', headers: { 'content-type': contentType } }],
    setupClient: client => {
      const till = free.shift();
      if (till === undefined) throw new Error('more connections than terminals');
      till.drive(client, () => performance.now() >= endMs);
    },
  });
}

/** Purchases a second of as many terminals over TCP. */
async function overTcp(generator: Generator, connections: number, seconds: number): Promise<number> {
  const nothing = (): void => {};
  const { tps, flaws } = await generator.run(closedLoop(connections, seconds), { onOpen: nothing, onEnd: nothing });
  if (flaws.length > 0) throw new Error(`over TCP: ${flaws.join(', ')}; nothing was measured`);
  return tps;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) {
    process.stdout.write(help);
    return 0;
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const stack = await startBenchStack({
    switches: 1,
    terminals: 2 * options.connections,
    databaseUrl: process.env.DATABASE_URL,
    redisUrl: process.env.REDIS_URL,
    switchEnv: { MAX_CONNECTIONS: String(options.connections + 100) },
    bankArgs: ['--any-card'],
    onStep: what => say(`starting ${what} ...`),
  });
  const generator = new Generator();
  try {
    const records = await RecordBook.open(stack.recordsFile);
    say('signing on, building messages ...');
    const tills = await prepare(stack, records, options);
    const { connections, seconds, rate } = options;
    const tcp: number[] = [];
    const beside = async (): Promise<void> => {
      if (rate > 0) return;
      say('as many terminals over TCP ...');
      tcp.push(await overTcp(generator, connections, seconds));
    };
    const { terminalsFile, recordsFile } = stack;
    const switches = stack.switches.map(one => one.terminals);
    if (rate === 0) {
      await generator.start({ terminalsFile, recordsFile, terminals: connections, skipped: connections, switches });
    }
    await beside();
    say(`loading for ${seconds} s ...`);
    const startedMs = performance.now();
    const result = await load(stack, tills, options);
    const counts = tills.map(till => till.counts);
    await beside();
    records.close();
    say('comparing the books ...');
    const { reversed, named, ...audit } = await settleAndAudit(stack, settleMs);
    for (const difference of named) say(`difference: ${JSON.stringify(difference)}`);
    return report(options, counts, result, startedMs, tcp, { reversed, ...audit });
  } finally {
    await generator.stop();
    await stack.stop();
  }
}

interface Audited {
  readonly reversed: number;
  readonly differences: number;
  readonly cases: number;
  readonly unfinished: number;
}

function report(
  options: Options,
  counts: readonly TillCounts[],
  result: autocannon.Result,
  startedMs: number,
  tcp: readonly number[],
  audit: Audited,
): number {
  const total = (count: (one: TillCounts) => number): number => counts.reduce((sum, one) => sum + count(one), 0);
  const sent = total(one => one.sent);
  const approved = total(one => one.approved);
  const elapsed = (Math.max(...counts.map(one => one.lastAnswerMs)) - startedMs) / 1000;
  const refusals = [
    sent === 0 && 'nothing was sent',
    approved < sent && `${sent - approved} of ${sent} answers missing or not an approval with a right MAC`,
    result.errors + result.timeouts > 0 && `${result.errors} connection errors, ${result.timeouts} timeouts`,
    counts.some(one => one.ranOut) && 'messages ran out before the time: give more --messages',
    audit.differences + audit.cases + audit.unfinished > 0 && 'the books differ',
    audit.reversed > 0 && `${audit.reversed} reversals`,
  ].filter(reason => reason !== false);
  for (const what of new Set(counts.flatMap(one => [...one.flaws]))) process.stderr.write(`answer: ${what}\n`);
  const { connections, rate } = options;
  const setting = { connections, rate, switches: 1, cpus: cpus().length, cpu: cpus()[0]?.model, node: process.version };
  const { p50, p97_5, p99, max } = result.latency;
  const figures = { tps: Math.round(approved / elapsed), p50Ms: p50, p97_5Ms: p97_5, p99Ms: p99, maxMs: max };
  const targets =
    tcp.length === 0
      ? []
      : [
          targetOf(
            'HTTP / TCP throughput',
            tcp.map(tps => figures.tps / tps),
            0.5,
            0.75,
          ),
        ];
  if (refusals.length === 0 && targets.length > 0) process.stdout.write(`${targetsTable(targets)}\n`);
  const outcome = refusals.length > 0 ? { refusals } : { ...figures, tcpTps: tcp.map(Math.round), targets };
  process.stdout.write(
    `${JSON.stringify({ bench: 'http', ...setting, sent, approved, seconds: Number(elapsed.toFixed(2)), ...outcome, audit })}\n`,
  );
  return refusals.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench:http: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
