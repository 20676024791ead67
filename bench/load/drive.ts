/** The two ways of loading: as fast as answers come, and at a rate that does not wait for them. */

import type { Phase } from './protocol.ts';

/** How long the last answers are waited for after the window. */
const patienceMs = 20_000;

/** A terminal with messages to send, one under way at a time. */
export interface Sender {
  readonly sent: number;
  readonly hasMore: boolean;
  /** Called with each answer. */
  onAnswer: () => void;
  /** Sends its next message, which was due at `dueMs`. */
  send(dueMs: number): void;
}

/** When the window opened and ended: `performance.now()`. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** How many purchases were to be sent. */
  readonly due: number;
}

/** Called at the moment itself. */
export interface Marks {
  opens(): void;
  ends(): void;
}

/** Settles when the last answer came, or when it was waited for in vain. */
export async function drive(tills: readonly Sender[], phase: Phase, marks: Marks): Promise<Window> {
  const startMs = performance.now();
  const fromMs = startMs + phase.leadSeconds * 1000;
  const toMs = fromMs + phase.windowSeconds * 1000;
  const timers = [setTimeout(() => marks.opens(), fromMs - startMs), setTimeout(() => marks.ends(), toMs - startMs)];
  const after = phase.after ?? { rate: 1, seconds: 0 };
  const patience = toMs + after.seconds * 1000 + patienceMs;
  // Of the seconds and not of the moments: a difference of those may be a hair less.
  const firstDue = Math.floor((phase.leadSeconds + phase.windowSeconds) * phase.rate);
  const due = firstDue + Math.floor(after.rate * after.seconds);
  const dueMs = (i: number): number =>
    i < firstDue ? startMs + (i * 1000) / phase.rate : toMs + ((i - firstDue) * 1000) / after.rate;
  if (phase.rate === 0) await closedLoop(tills, toMs, patience);
  else await openLoop(tills, { dueMs, due }, patience);
  // A load that ran out of messages ends before its window does.
  await new Promise(resume => setTimeout(resume, Math.max(0, toMs - performance.now()) + 1));
  for (const timer of timers) clearTimeout(timer);
  for (const till of tills) till.onAnswer = () => {};
  return { fromMs, toMs, due: phase.rate === 0 ? tills.reduce((sum, till) => sum + till.sent, 0) : due };
}

interface Schedule {
  /** When purchase i is due. */
  readonly dueMs: (i: number) => number;
  readonly due: number;
}

function closedLoop(tills: readonly Sender[], toMs: number, patience: number): Promise<void> {
  return new Promise(resolve => {
    let busy = tills.length;
    const tooLate = setTimeout(resolve, patience - performance.now());
    const next = (till: Sender): void => {
      const now = performance.now();
      if (now < toMs && till.hasMore) {
        till.send(now);
      } else if (--busy === 0) {
        clearTimeout(tooLate);
        resolve();
      }
    };
    for (const till of tills) {
      till.onAnswer = () => next(till);
      till.send(performance.now());
    }
  });
}

/**
 * A purchase that is due goes to the terminal that has been free for longest; when none is free it
 * waits, and its time is counted from when it was due: a stall is charged to everybody whom it kept waiting. All that was
 * due is sent, also after the window.
 */
function openLoop(tills: readonly Sender[], { dueMs, due }: Schedule, patience: number): Promise<void> {
  return new Promise(resolve => {
    const free = [...tills];
    let next = 0;
    let answered = 0;
    const tooLate = setTimeout(() => finish(), patience - performance.now());
    const tick = setInterval(() => sendDue(), 1);
    const finish = (): void => {
      clearTimeout(tooLate);
      clearInterval(tick);
      resolve();
    };
    const sendDue = (): void => {
      const now = performance.now();
      while (next < due && dueMs(next) <= now) {
        const till = free.shift();
        if (till === undefined) return;
        till.send(dueMs(next++));
      }
    };
    for (const till of tills) {
      till.onAnswer = () => {
        answered++;
        if (till.hasMore) free.push(till);
        if (answered === due) finish();
        else sendDue();
      };
    }
    sendDue();
  });
}
