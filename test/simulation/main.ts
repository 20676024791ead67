/**
 * `npm run simulate -- --seed B --seeds N`: the worlds B to B+N-1 on all cores; the last line of output is the summary.
 * Ends with status 1 when one of them failed, or when so many worlds did not meet every fault and every edge of the state
 * table often enough.
 */

import { parseArgs } from 'node:util';
import { runWorlds } from './fleet.ts';
import { type Outcome, runWorld } from './run.ts';
import { shrink } from './shrink.ts';
import { Tally } from './tally.ts';

const help = `  --seed B       the first world (default 1)
  --seeds N      how many (default 50)
  --threads N    at one time (default: all cores)
  --trace        prints every message at the edges, of a single world
  --no-shrink    a failure is told as it is
  --help         this text
`;

/** Failures that are shrunk; the rest is named. */
const shrunkAtMost = 3;

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const { values } = parseArgs({
  options: { seed: text, seeds: text, threads: text, trace: flag, 'no-shrink': flag, help: flag },
});

function wholeNumber(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`--${name}: a whole number from 1 up`);
  return number;
}

function tell(outcome: Outcome): void {
  const { seed, hash, transactions, approved, virtualMs, findings } = outcome;
  const what = findings.length === 0 ? 'clean' : `${findings.length} findings`;
  console.log(
    `seed ${seed} hash ${hash} ${transactions} transactions, ${approved} approved, ${Math.round(virtualMs / 1000)} s: ${what}`,
  );
  for (const { rule, subject, detail } of findings.slice(0, 10)) console.log(`  ${rule}: ${subject}: ${detail}`);
}

async function showShrunk(outcome: Outcome): Promise<void> {
  const shrunk = await shrink(outcome);
  console.log(
    `seed ${outcome.seed} shrunk in ${shrunk.runs} runs to ${shrunk.items} wishes and ${shrunk.faults} faults:`,
  );
  for (const line of shrunk.outcome.trace) console.log(line);
  for (const { rule, subject, detail } of shrunk.outcome.findings) console.log(`  ${rule}: ${subject}: ${detail}`);
}

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const seed = wholeNumber('seed', values.seed) ?? 1;
  const count = wholeNumber('seeds', values.seeds) ?? 50;
  const threads = wholeNumber('threads', values.threads);
  const tally = new Tally();
  const failures: Outcome[] = [];
  const done = (outcome: Outcome): void => {
    tally.add(outcome);
    tell(outcome);
    if (outcome.findings.length > 0) failures.push(outcome);
  };
  if (values.trace) {
    const outcome = await runWorld({ seed, keepTrace: true });
    for (const line of outcome.trace) console.log(line);
    done(outcome);
  } else {
    const seeds = Array.from({ length: count }, (_, i) => seed + i);
    await runWorlds(seeds, done, threads);
  }
  if (!values['no-shrink']) for (const failure of failures.slice(0, shrunkAtMost)) await showShrunk(failure);
  console.log(tally.table());
  const { missing } = tally;
  if (missing.length > 0) console.log(`too seldom: ${missing.join(', ')}`);
  if (failures.length > 0) console.log(`failed: ${failures.map(({ seed }) => seed).join(' ')}`);
  const { user, system } = process.cpuUsage();
  const bad = failures.length > 0 || missing.length > 0;
  if (bad) process.exitCode = 1;
  console.log(
    `${bad ? 'FAILED' : 'passed'}: ${tally.worlds} worlds from seed ${seed}, ${failures.length} failed, ` +
      `${tally.transactions} transactions, ${((user + system) / 1000 / tally.worlds).toFixed(0)} ms of CPU a world`,
  );
}

await main();
