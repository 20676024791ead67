import t from 'tap';
import { drive, type Sender } from '../../../bench/load/drive.ts';
import type { Phase } from '../../../bench/load/protocol.ts';

/** Answers each message so many milliseconds after it was sent. */
class SlowTerminal implements Sender {
  readonly #answerMs: number;
  readonly #messages: number;
  readonly dueMs: number[] = [];
  readonly sentMs: number[] = [];
  underWay = 0;
  mostUnderWay = 0;
  onAnswer = (): void => {};

  constructor(answerMs: number, messages: number) {
    this.#answerMs = answerMs;
    this.#messages = messages;
  }

  get sent(): number {
    return this.sentMs.length;
  }

  get hasMore(): boolean {
    return this.sent < this.#messages;
  }

  send(dueMs: number): void {
    this.dueMs.push(dueMs);
    this.sentMs.push(performance.now());
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    setTimeout(() => {
      this.underWay--;
      this.onAnswer();
    }, this.#answerMs);
  }
}

const marks = { opens: () => {}, ends: () => {} };
const phase: Omit<Phase, 'do' | 'rate'> = { terminals: 1, leadSeconds: 0, windowSeconds: 0.2, perTerminal: 100 };

t.test('at a rate, what waits for a slow terminal is counted from when it was due, and all of it is sent', async t => {
  const terminal = new SlowTerminal(30, 100);
  const { due } = await drive([terminal], { do: 'phase', ...phase, rate: 100 }, marks);
  t.equal(due, 20);
  t.equal(terminal.sent, due, 'what was due in the window is sent, also after it');
  t.equal(terminal.mostUnderWay, 1);
  for (const [at, dueMs] of terminal.dueMs.entries()) {
    t.ok(Math.abs(dueMs - (terminal.dueMs[0] ?? 0) - at * 10) < 0.001, 'no answer moves the schedule');
  }
  const late = (terminal.sentMs.at(-1) ?? 0) - (terminal.dueMs.at(-1) ?? 0);
  t.ok(late > 19 * 19, 'each message waits some 20 ms longer than the one before it');
});

t.test('at a rate, a message goes to the terminal that has been free for longest', async t => {
  const terminals = [new SlowTerminal(1, 100), new SlowTerminal(1, 100)];
  await drive(terminals, { do: 'phase', ...phase, rate: 50 }, marks);
  t.same(
    terminals.map(({ sent }) => sent),
    [5, 5],
  );
});

t.test('in a closed loop each terminal sends when it is answered, until the window is over', async t => {
  const terminals = [new SlowTerminal(10, 100), new SlowTerminal(10, 3)];
  const seen: string[] = [];
  const told = { opens: () => seen.push('opens'), ends: () => seen.push('ends') };
  const { due, fromMs, toMs } = await drive(terminals, { do: 'phase', ...phase, rate: 0 }, told);
  t.same(seen, ['opens', 'ends']);
  t.equal(terminals[1]?.sent, 3, 'one that has nothing left stops');
  t.equal(due, (terminals[0]?.sent ?? 0) + 3);
  t.equal(Math.round(toMs - fromMs), 200);
  t.ok((terminals[0]?.sentMs.at(-1) ?? 0) < toMs);
});

t.test('after its window a load goes on at another rate, without a pause', async t => {
  const terminals = [new SlowTerminal(1, 100), new SlowTerminal(1, 100)];
  const after = { rate: 20, seconds: 0.2 };
  const { due, toMs } = await drive(terminals, { do: 'phase', ...phase, rate: 100, after }, marks);
  t.equal(due, 24);
  const dueMs = terminals.flatMap(terminal => terminal.dueMs).sort((a, b) => a - b);
  t.same(
    dueMs.slice(-5).map(ms => Math.round(ms - toMs)),
    [-10, 0, 50, 100, 150],
  );
});
