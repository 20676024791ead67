/**
 * `npm run demo`: a whole acquirer on this machine, with terminals that shop. See README.md.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BookTotal } from '../audit/index.ts';
import { packageRoot } from '../postgres/assets.ts';
import { startFleet } from './stack/fleet.ts';
import { lockFolder } from './stack/lock.ts';
import { settleAndAudit } from './stack/settle.ts';
import { type Stack, startStack } from './stack/stack.ts';
import type { FleetProgress, FleetSummary } from './terminal/figures.ts';

const help = `A working acquirer on this machine: Postgres, Redis, HSM, bank, two switch processes, and terminals that shop.

  npm run demo -- [options]

  --seconds N    how long customers come; 0: until Ctrl-C (default 0)
  --terminals N  terminals (default 20)
  --rate N       customers each second, of all terminals together (default 50)
  --switches N   switch processes (default 2)
  --json         one JSON object on the last line of standard output
  --help         this text

Ctrl-C ends the load, sends what is owed, drains, audits and stops. A second Ctrl-C ends at once.
DATABASE_URL and REDIS_URL, when set, are used instead of the embedded servers.
Exit status: 0 when something was sent and the three books agree without a case; otherwise 1.`;

const settleSeconds = 60;
/** Customers who void, refund, pre-authorise, pay offline, or leave a tip. */
const linkedShare = 0.2;
const samePressMs = 500;
/** Folders and databases of demos; each start clears those of the ones before. */
const runPrefix = 'demo_';
const progressLine = (p: FleetProgress): string =>
  `${String(p.tps).padStart(6)} tx/s | sent ${p.sent} | approved ${p.approved} | declined ${p.declined} | ` +
  `timed out ${p.timedOut} | unanswered ${p.unanswered} | p50 ${p.p50Ms} ms | p99 ${p.p99Ms} ms`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '0' },
      terminals: { type: 'string', default: '20' },
      rate: { type: 'string', default: '50' },
      switches: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const number = (name: 'seconds' | 'terminals' | 'rate' | 'switches', least: number): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < least) throw new Error(`--${name} must be a whole number from ${least} up`);
    return value;
  };
  const options = {
    seconds: number('seconds', 0),
    terminals: number('terminals', 1),
    rate: number('rate', 1),
    switches: number('switches', 1),
  };
  // With --json the last line of standard output is for machines; what people read goes beside it.
  const say = (line: string): void => {
    (values.json ? process.stderr : process.stdout).write(`${line}\n`);
  };

  const root = packageRoot(fileURLToPath(import.meta.url));
  const dataDir = join(root, '.data', 'demo');
  const release = await lockFolder(dataDir, 'demo', 'demo.js');
  for (const earlier of readdirSync(dataDir)) {
    if (earlier.startsWith(runPrefix)) rmSync(join(dataDir, earlier), { recursive: true });
  }
  const interrupts = new Interrupts(say);
  try {
    const stack = await startStack({
      dataDir,
      run: runPrefix + Date.now().toString(36),
      dropPrefix: runPrefix,
      switches: options.switches,
      terminals: options.terminals,
      databaseUrl: process.env.DATABASE_URL,
      redisUrl: process.env.REDIS_URL,
      onStep: what => say(`starting ${what} ...`),
    }).catch((error: Error) => {
      // A part that is just being born is still in our group, and Ctrl-C ends it with the start.
      if (interrupts.happened) return null;
      throw error;
    });
    if (stack === null) return 130;
    try {
      for (const { child, terminals, httpUrl } of stack.switches) {
        say(`switch (pid ${child.pid}): terminals on ${terminals}, ${httpUrl}/readyz`);
      }
      say(`books and logs: ${stack.folder}`);
      if (interrupts.happened) return 130;
      const summary = await shop(stack, options, interrupts, say);
      say('waiting for the last reversals ...');
      const report = await settleAndAudit(stack, settleSeconds * 1000);
      await stack.stopProcesses();
      const { reversed, ...audit } = report;
      const { sent, approved, declined, timedOut, unanswered, advised, tps, p50Ms, p99Ms } = summary;
      const result = { sent, approved, declined, timedOut, unanswered, advised, reversed, tps, p50Ms, p99Ms, audit };
      for (const difference of audit.named) say(`difference: ${JSON.stringify(difference)}`);
      say(
        `terminals ${total(audit.terminals)} and ${total(audit.untold)} that they could not be told of, ` +
          `journal ${total(audit.journal)}, bank ${total(audit.bank)} (count / sum / held, in minor units): ` +
          `${audit.differences} differences, ${audit.cases} cases, ${audit.unfinished} unfinished`,
      );
      process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : '');
      const clean = audit.differences === 0 && audit.cases === 0 && audit.unfinished === 0;
      return clean && sent > 0 ? 0 : 1;
    } finally {
      await stack.stop();
    }
  } finally {
    release();
  }
}

function total({ count, sumMinor, heldMinor }: BookTotal): string {
  return `${count} / ${sumMinor} / ${heldMinor}`;
}

/** Runs the fleet until its summary. */
async function shop(
  stack: Stack,
  options: { readonly seconds: number; readonly rate: number },
  interrupts: Interrupts,
  say: (line: string) => void,
): Promise<FleetSummary> {
  const fleet = await startFleet(stack, {
    ...options,
    settleSeconds,
    args: ['--linked-share', String(linkedShare)],
    onProgress: line => say(progressLine(line)),
  });
  interrupts.onFirst(() => fleet.child.kill('SIGTERM'));
  return fleet.summary;
}

/**
 * Ctrl-C once: end in order. Twice: at once; the next start clears what that leaves. One key press may come twice: from the
 * terminal, which tells every process of the command, and from npm, which passes on what it was told.
 */
class Interrupts {
  #firstAtMs: number | null = null;
  #first: () => void = () => {};

  constructor(say: (line: string) => void) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (this.#firstAtMs === null) {
          this.#firstAtMs = performance.now();
          say('ending; what is owed is still sent ...');
          this.#first();
        } else if (performance.now() - this.#firstAtMs > samePressMs) process.exit(130);
      });
    }
  }

  get happened(): boolean {
    return this.#firstAtMs !== null;
  }

  onFirst(run: () => void): void {
    this.#first = run;
    if (this.happened) run();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
