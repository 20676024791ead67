/** `npm run demo`, as a person types it: embedded Postgres and Redis, real processes, and the ways a demo ends. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { isAlive, waitUntil } from '../../src/embedded/server.ts';
import { root } from '../house/source.ts';

interface Book {
  readonly count: number;
  readonly sumMinor: number;
  readonly heldMinor: number;
}

/** The last line of standard output. */
interface Result {
  readonly sent: number;
  readonly approved: number;
  readonly declined: number;
  readonly timedOut: number;
  readonly unanswered: number;
  readonly advised: number;
  readonly reversed: number;
  readonly tps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly audit: {
    readonly terminals: Book;
    readonly journal: Book;
    readonly bank: Book;
    readonly untold: Book;
    readonly differences: number;
    readonly cases: number;
    readonly unfinished: number;
  };
}

/** A demo under way, in a process group of its own like a command at a terminal. */
class Demo {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  readonly #said: string[] = [];
  readonly #exited: Promise<number | null>;

  constructor(t: Test, ...options: readonly string[]) {
    const { DATABASE_URL: _database, REDIS_URL: _redis, ...env } = process.env;
    this.#child = spawn('npm', ['run', '-s', 'demo', '--', ...options, '--json'], {
      cwd: root,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('both are pipes');
    createInterface({ input: stdout }).on('line', line => this.#output.push(line));
    createInterface({ input: stderr }).on('line', line => this.#said.push(line));
    this.#exited = new Promise(resolve => this.#child.once('close', code => resolve(code)));
    t.teardown(() => this.#killGroup());
  }

  /** The exit status of the whole command, once everything that holds its output has ended. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  /** What it said to people, for a failing test. */
  get said(): string {
    return this.#said.join('\n');
  }

  get result(): Result {
    return JSON.parse(this.#output.at(-1) ?? 'null') as Result;
  }

  /** The process of the demo itself, below npm. */
  get pid(): number {
    return Number(readFileSync(join(root, '.data', 'demo', 'demo.pid'), 'utf8'));
  }

  /** How many processes name the folder of this run in their command line. */
  get runningInFolder(): number {
    const folder = this.#said.flatMap(line => /^books and logs: (.*)$/.exec(line)?.[1] ?? [])[0];
    if (folder === undefined) throw new Error('the demo is not up yet');
    const commands = execFileSync('ps', ['-A', '-ww', '-o', 'command='], { encoding: 'utf8' });
    return commands.split('\n').filter(command => command.includes(folder)).length;
  }

  /** The switch processes. */
  get switches(): number[] {
    return this.#said.flatMap(line => Number(/^switch \(pid (\d+)\)/.exec(line)?.[1] ?? Number.NaN) || []);
  }

  async says(what: RegExp, times = 1): Promise<boolean> {
    const said = () => this.#said.filter(line => what.test(line)).length >= times;
    await waitUntil(() => said() || this.#child.exitCode !== null, 120_000);
    return said();
  }

  /** Waits until customers have been served for some seconds. */
  async underWay(): Promise<boolean> {
    return await this.says(/approved [1-9]/, 2);
  }

  /** As Ctrl-C at a terminal does: every process of the foreground group is told. */
  interruptGroup(): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGINT');
  }

  /** What a failed test leaves. */
  #killGroup(): void {
    try {
      process.kill(-(this.#child.pid ?? Number.NaN), 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  }

  /** As a supervisor does that knows of npm alone. */
  interruptNpm(): void {
    this.#child.kill('SIGINT');
  }
}

t.setTimeout(600_000);

/** Each that was sent has its end, and the three books are equal. */
function isSound(t: Test, { sent, approved, declined, timedOut, unanswered, audit }: Result): void {
  t.equal(sent, approved + declined + timedOut + unanswered, 'each that was sent has its end');
  t.match(audit, { differences: 0, cases: 0, unfinished: 0 });
  const { terminals, untold, journal, bank } = audit;
  const known = {
    count: terminals.count + untold.count,
    sumMinor: terminals.sumMinor + untold.sumMinor,
    heldMinor: terminals.heldMinor + untold.heldMinor,
  };
  t.same([known, bank], [journal, journal], 'three equal books');
}

t.test('a run of 15 seconds: over a thousand approvals, timeouts and reversals, equal books', async t => {
  const demo = new Demo(t, '--seconds', '15', '--terminals', '20', '--rate', '100');
  t.equal(await demo.exited, 0, 'exit status', { said: demo.said });
  const { result } = demo;
  isSound(t, result);
  t.ok(result.approved > 1000, `approved ${result.approved}`);
  t.ok(result.advised > 0, `advices taken: ${result.advised}`);
  t.ok(result.timedOut > 0, `timed out ${result.timedOut}`);
  t.ok(result.reversed > 0, `reversed ${result.reversed}`);
  t.ok(result.tps > 60, `${result.tps} a second`);
  t.ok(result.p50Ms > 0 && result.p99Ms >= result.p50Ms, `p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms`);
  const { count, sumMinor } = result.audit.journal;
  t.ok(count > 900 && count <= result.approved, `${count} purchases stand`);
  t.ok(sumMinor > count * 100, `and come to ${sumMinor}`);
});

t.test('a demo that was killed leaves nothing that stops the next one', async t => {
  const killed = new Demo(t, '--seconds', '60', '--terminals', '20', '--rate', '100');
  t.ok(await killed.underWay(), 'customers are served', { said: killed.said });
  const switches = killed.switches;
  t.same(switches.map(isAlive), [true, true], 'two switch processes run');
  t.equal(killed.runningInFolder, 2, 'a bank and a fleet too');
  process.kill(killed.pid, 'SIGKILL');
  t.not(await killed.exited, 0, 'the command failed');

  const next = new Demo(t, '--seconds', '3', '--terminals', '5', '--rate', '20');
  t.equal(await next.exited, 0, 'exit status', { said: next.said });
  isSound(t, next.result);
  t.ok(next.result.sent > 0 && next.result.sent < 200, `${next.result.sent} sent, all of its own`);
  const gone = () => !switches.some(isAlive) && killed.runningInFolder === 0;
  t.ok(await waitUntil(gone, 30_000), 'the processes of the one that was killed have ended');
});

const interrupts: readonly [string, (demo: Demo) => void][] = [
  ['Ctrl-C at a terminal, which every process of the command gets', demo => demo.interruptGroup()],
  ['SIGINT to npm alone, which passes it on', demo => demo.interruptNpm()],
  ['SIGINT to the demo alone', demo => process.kill(demo.pid, 'SIGINT')],
];

for (const [name, interrupt] of interrupts) {
  t.test(`${name}: ends the load, drains, and says so with status 0`, async t => {
    const demo = new Demo(t, '--seconds', '60', '--terminals', '10', '--rate', '50');
    t.ok(await demo.underWay(), 'customers are served', { said: demo.said });
    const { switches } = demo;
    interrupt(demo);
    t.equal(await demo.exited, 0, 'exit status', { said: demo.said });
    isSound(t, demo.result);
    t.ok(demo.result.sent > 0 && demo.result.sent < 1500, `${demo.result.sent} sent, not the whole load`);
    t.notOk(switches.some(isAlive), 'no switch process is left');
  });
}

t.test('Ctrl-C before it is up: it ends with nothing left behind', async t => {
  const demo = new Demo(t, '--terminals', '10', '--rate', '50');
  t.ok(await demo.says(/^starting bank simulator/), 'half of it is up', { said: demo.said });
  demo.interruptGroup();
  t.equal(await demo.exited, 130, 'exit status', { said: demo.said });
  t.notOk(demo.switches.some(isAlive), 'no switch process is left');
});
