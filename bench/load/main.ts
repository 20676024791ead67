/**
 * The load generator, a process of its own so that its CPU time is its own. It builds a phase's messages, sends them, and
 * only then verifies the answers and writes the terminals' book.
 */

import { readFileSync } from 'node:fs';
import {
  parseTerminals,
  RecordBook,
  simulatorTransportKey,
  unwrapMasterKey,
} from '../../src/simulators/terminal/index.ts';
import { drive, type Window } from './drive.ts';
import type { Command, Phase, PhaseResult, Reply, Start } from './protocol.ts';
import { Till } from './till.ts';

/** Beyond the numbers of the seed's cards, whose PINs are others. */
const firstCard = 1_000_000;
const together = 20;

let tills: Till[] = [];
let records: RecordBook | null = null;
let cardsUsed = 0;

async function start({ terminalsFile, recordsFile, terminals, skipped = 0, switches }: Start): Promise<void> {
  const book = await RecordBook.open(recordsFile);
  records = book;
  const known = parseTerminals(JSON.parse(readFileSync(terminalsFile, 'utf8'))).slice(skipped, skipped + terminals);
  const open = async (at: number): Promise<Till> => {
    const terminal = known[at];
    const address = switches[at % switches.length];
    if (terminal === undefined || address === undefined) throw new Error(`fewer than ${terminals} terminals`);
    return Till.open({ ...terminal, tmk: unwrapMasterKey(terminal, simulatorTransportKey) }, address);
  };
  for (let at = 0; at < terminals; at += together) {
    const size = Math.min(together, terminals - at);
    tills = tills.concat(await Promise.all(Array.from({ length: size }, (_, i) => open(at + i))));
  }
}

async function run(phase: Phase): Promise<PhaseResult> {
  const taking = tills.slice(0, phase.terminals);
  for (const till of taking) {
    till.build(phase.perTerminal, firstCard + cardsUsed);
    cardsUsed += phase.perTerminal;
  }
  say({ kind: 'loading' });
  const window = await drive(taking, phase, {
    opens: () => say({ kind: 'window-opens' }),
    ends: () => say({ kind: 'window-ends' }),
  });
  return judge(taking, phase, window);
}

function judge(taking: readonly Till[], phase: Phase, { fromMs, toMs, due }: Window): PhaseResult {
  const flaws = new Set(taking.flatMap(till => [...till.flaws]));
  const sent = taking.reduce((sum, till) => sum + till.sent, 0);
  const [rrns, micros, lateMicros]: [number[], number[], number[]] = [[], [], []];
  const pinBlocks = new BigUint64Array(sent);
  const macs = new BigUint64Array(sent);
  const traces = new Set<string>();
  let [approved, answered, lastMs, place] = [0, 0, toMs, 0];
  for (const till of taking) {
    for (let at = 0; at < till.sent; at++) {
      const { pinBlock, mac, trace } = till.secrets(at);
      pinBlocks[place] = pinBlock;
      macs[place++] = mac;
      traces.add(`${till.name}/${trace}`);
      const rrn = record(till, at, flaws);
      if (rrn === null) continue;
      approved++;
      const [dueMs = 0, sentMs = 0, answeredMs = 0] = [till.dueMs[at], till.sentMs[at], till.answeredMs[at]];
      lastMs = Math.max(lastMs, answeredMs);
      if (answeredMs >= fromMs && answeredMs < toMs) answered++;
      if (dueMs < fromMs || dueMs >= toMs) continue;
      rrns.push(rrn);
      micros.push((answeredMs - dueMs) * 1000);
      lateMicros.push((sentMs - dueMs) * 1000);
    }
  }
  return {
    ...{ due, sent, approved, answered, flaws: [...flaws] },
    ranOut: phase.rate === 0 && taking.some(till => !till.hasMore),
    tps: answered / phase.windowSeconds,
    seconds: (lastMs - fromMs) / 1000,
    ...{ rrns: Float64Array.from(rrns), micros: Float64Array.from(micros) },
    lateMicros: Float64Array.from(lateMicros),
    ...{ pinBlocks: different(pinBlocks), macs: different(macs), traces: traces.size },
  };
}

/** Writes what a terminal knows of a purchase into its book; the RRN when it was approved. */
function record(till: Till, at: number, flaws: Set<string>): number | null {
  const { key, ...purchase } = till.purchase(at);
  const atMs = Math.round(performance.timeOrigin + (till.sentMs[at] ?? 0));
  records?.append({ t: 'sent', key, kind: 'purchase', ...purchase, atMs, to: 'switch' });
  if (at >= till.answered) {
    flaws.add('no answer');
    records?.append({ t: 'no-answer', key, why: 'timeout' });
    return null;
  }
  const answer = till.check(at);
  if (answer.kind === 'invalid') {
    flaws.add(answer.what);
    records?.append({ t: 'no-answer', key, why: answer.why });
    return null;
  }
  const { code, rrn, authCode, amountMinor } = answer;
  records?.append({ t: 'answer', key, code, rrn, authCode, amountMinor, atMs });
  if (code === '00') return Number(rrn);
  flaws.add(`code ${code}`);
  return null;
}

function different(values: BigUint64Array): number {
  values.sort();
  let count = 0;
  for (let at = 0; at < values.length; at++) if (at === 0 || values[at] !== values[at - 1]) count++;
  return count;
}

function say(reply: Reply): void {
  process.send?.(reply);
}

async function obey(command: Command): Promise<void> {
  try {
    if (command.do === 'start') {
      await start(command);
      say({ kind: 'started' });
    } else {
      say({ kind: 'done', result: await run(command) });
    }
  } catch (error) {
    say({ kind: 'failed', why: error instanceof Error ? error.message : String(error) });
  }
}

process.on('message', (command: Command) => void obey(command));
process.on('disconnect', () => {
  for (const till of tills) till.close();
  records?.close();
});
