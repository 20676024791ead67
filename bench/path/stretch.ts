import type { Stack } from '../../src/simulators/stack/stack.ts';
import type { Generator } from '../load/generator.ts';
import type { Phase, PhaseResult } from '../load/protocol.ts';
import { tell } from '../support/main.ts';
import { type CpuTimes, cpuBetween, cpuSnapshot, switchMegabytes } from './processes.ts';
import { meanOf, Scrape } from './scrape.ts';
import type { Witness } from './witness.ts';

/** Milliseconds on average, by the switch's own metrics: where the time goes. */
export interface Rooms {
  readonly transactionMs: number;
  readonly hsmCommandMs: number;
  readonly bankMs: number;
  readonly commitMs: number;
  /** Changes in one commit. */
  readonly commitSize: number;
}

/** A phase of load, and what was seen of the processes within its window. */
export interface Stretch {
  readonly name: string;
  readonly phase: Omit<Phase, 'do'>;
  readonly result: PhaseResult;
  /** Microseconds of CPU within the window. */
  readonly cpu: CpuTimes;
  readonly switchMegabytes: number;
  /** Of the switch's event loop. */
  readonly loopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly rooms: Rooms;
}

export interface Bench {
  readonly stack: Stack;
  readonly generator: Generator;
  readonly witness: Witness;
}

async function stretch(bench: Bench, name: string, phase: Omit<Phase, 'do'>, onOpen: () => void): Promise<Stretch> {
  const { generator, stack, witness } = bench;
  const seen: ReturnType<typeof lookAt>[] = [];
  const look = (): void => void seen.push(lookAt(stack, generator, witness));
  const opens = (): void => {
    look();
    onOpen();
  };
  const result = await generator.run(phase, { onOpen: opens, onEnd: look });
  const [before, after] = seen;
  if (before === undefined || after === undefined) throw new Error('the load generator did not mark its window');
  const [from, to] = [await before.scrape, await after.scrape];
  const delay = (word: string): number => to.most(`nodejs_eventloop_lag_${word}_seconds`) * 1000;
  return {
    ...{ name, phase, result },
    cpu: cpuBetween(before.cpu, after.cpu, await after.projecting),
    switchMegabytes: after.megabytes,
    loopDelayMs: { p50: delay('p50'), p99: delay('p99'), max: delay('max') },
    rooms: {
      transactionMs: meanOf(from, to, 'switch_transaction_seconds') * 1000,
      hsmCommandMs: meanOf(from, to, 'switch_hsm_seconds') * 1000,
      bankMs: meanOf(from, to, 'switch_link_seconds') * 1000,
      commitMs: meanOf(from, to, 'switch_journal_flush_seconds') * 1000,
      commitSize: meanOf(from, to, 'switch_journal_batch_size'),
    },
  };
}

/**
 * Says what it does; throws when an answer was missing or not as it should be: then nothing was measured. `onOpen` is told
 * when the window opens.
 */
export async function flawless(
  bench: Bench,
  name: string,
  phase: Omit<Phase, 'do'>,
  onOpen: () => void = () => {},
): Promise<Stretch> {
  tell(`${name} ...`);
  const done = await stretch(bench, name, phase, onOpen);
  const { flaws } = done.result;
  if (flaws.length > 0) throw new Error(`${name}: ${flaws.join(', ')}; nothing was measured`);
  return done;
}

/** What cannot wait is read at once; the rest is asked for. */
function lookAt(stack: Stack, generator: Generator, witness: Witness) {
  const cpu = cpuSnapshot(stack, generator.pid);
  return { cpu, megabytes: switchMegabytes(stack), scrape: Scrape.of(stack), projecting: witness.projecting() };
}
