/**
 * `npm run faults`: kills and stops real processes, fills a disk and half-opens a link under load, and judges the books.
 * README.md beside this file says what is done and what is reported.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/postgres/assets.ts';
import { lockFolder } from '../../src/simulators/stack/lock.ts';
import { type RoundReport, reportOf, table } from './report.ts';
import { faultNames, runRound } from './round.ts';
import { runPrefix } from './world.ts';

const help = `Faults on real processes under load: Postgres, Redis, HSM and bank simulators, switches, terminals.

  npm run faults -- [options]

  --rounds N   how often all faults happen, each round in worlds of its own (default 1)
  --only NAME  only this fault; several times: only these
  --json       the report as one JSON object on the last line of standard output
  --help       this text

Faults: ${faultNames.join(', ')}
Exit status: 0 when every fault counted, was proven and was survived, the books are equal, and enough requests were caught
in each state; otherwise 1.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '1' },
      only: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const count = Number(values.rounds);
  if (!Number.isInteger(count) || count < 1) throw new Error('--rounds must be a whole number from 1 up');
  const unknown = values.only?.find(name => !faultNames.includes(name));
  if (unknown !== undefined) throw new Error(`there is no fault ${unknown}; --help lists them`);
  // With --json the last line of standard output is for machines; what people read goes beside it.
  const say = (line: string): void => {
    (values.json ? process.stderr : process.stdout).write(`${line}\n`);
  };

  const dataDir = join(packageRoot(fileURLToPath(import.meta.url)), '.data', 'faults');
  const release = await lockFolder(dataDir, 'faults', 'faults/main.js');
  for (const earlier of readdirSync(dataDir)) {
    if (earlier.startsWith(runPrefix)) rmSync(join(dataDir, earlier), { recursive: true });
  }
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => (ending.signal.aborted ? process.exit(130) : ending.abort(new Error(signal))));
  }
  try {
    const rounds: RoundReport[] = [];
    for (let round = 1; round <= count; round++) {
      say(`round ${round} of ${count}`);
      rounds.push(await runRound({ dataDir, round, only: values.only, say, ending: ending.signal }));
    }
    const report = reportOf(rounds, values.only === undefined);
    say(table(report));
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : '');
    return report.passed ? 0 : 1;
  } finally {
    release();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`faults: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
