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
import { drive } from './drive.ts';
import { judge } from './judge.ts';
import type { Command, Phase, PhaseResult, Reply, Start } from './protocol.ts';
import { spreadOver, Till } from './till.ts';

const together = 20;

let tills: Till[] = [];
let records: RecordBook | null = null;
let cards = Number.POSITIVE_INFINITY;
let cardsUsed = 0;

async function start({ terminalsFile, recordsFile, terminals, skipped = 0, switches, ...more }: Start): Promise<void> {
  cards = more.cards ?? cards;
  records = await RecordBook.open(recordsFile);
  const known = parseTerminals(JSON.parse(readFileSync(terminalsFile, 'utf8'))).slice(skipped);
  const open = async (at: number): Promise<Till> => {
    const terminal = known.length < terminals ? undefined : known[spreadOver(known.length, terminals, at)];
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
  if (records === null) throw new Error('not started');
  const taking = tills.slice(0, phase.terminals);
  for (const till of taking) {
    till.codes = new Set(['00', ...(phase.declines ?? [])]);
    till.build(phase.perTerminal, cardsUsed, cards);
    cardsUsed += phase.perTerminal;
  }
  say({ kind: 'loading' });
  const window = await drive(taking, phase, {
    opens: () => say({ kind: 'window-opens' }),
    ends: () => say({ kind: 'window-ends' }),
  });
  return judge(taking, phase, window, records);
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
