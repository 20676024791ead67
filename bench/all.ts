/**
 * `npm run bench`: the benchmarks one after the other, each a process of its own, and a table of what each of them is to
 * reach.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Target, targetsTable } from './path/targets.ts';
import { describeMachine, thisMachine } from './support/machine.ts';

const help = `Runs the benchmarks of the latency-critical path, and sums up what they are to reach.

  npm run bench -- [options]

  --only A,B       of: codec, routing, hsm, admit, journal, switch, http, overload, soak, scale
                   (default: all but soak and scale, which take long; less than 15 minutes)
  --quick          short runs: figures are rough
  --compare        beside the figures kept in bench/baseline.json, where a benchmark keeps some
  --json           the last line of standard output is one JSON object
  --help           this text

Exit status 1 when one of them found a wrong result; never because of the speed.
`;

interface Part {
  readonly name: string;
  /** Left out unless it is asked for by name. */
  readonly long?: true;
  readonly compares?: true;
  /** It has no `--quick`; what it is given instead. */
  readonly quickly?: readonly string[];
}

const parts: readonly Part[] = [
  { name: 'codec', compares: true },
  { name: 'routing', compares: true },
  { name: 'hsm' },
  { name: 'admit' },
  { name: 'journal' },
  { name: 'switch', compares: true },
  { name: 'http', quickly: ['--seconds', '3', '--connections', '8'] },
  { name: 'overload' },
  { name: 'soak', long: true },
  { name: 'scale', long: true },
];

interface Outcome {
  readonly name: string;
  readonly status: number;
  readonly seconds: number;
  readonly result: { readonly targets?: readonly Partial<Target>[] } | null;
}

async function run({ name, compares, quickly }: Part, quick: boolean, compare: boolean): Promise<Outcome> {
  const args = ['--json', ...(quick ? (quickly ?? ['--quick']) : []), ...(compare && compares ? ['--compare'] : [])];
  const script = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const startedMs = performance.now();
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  const lines = text.trimEnd().split('\n');
  const last = lines.at(-1) ?? '';
  const result = last.startsWith('{') ? (JSON.parse(last) as Outcome['result']) : null;
  process.stdout.write(`\n## ${name}\n\n${(result === null ? lines : lines.slice(0, -1)).join('\n')}\n`);
  return { name, status: status ?? 1, seconds: (performance.now() - startedMs) / 1000, result };
}

/** Those of its targets that a table can show: a value, and what it is to reach. */
function targetsOf({ name, result }: Outcome): Target[] {
  return (result?.targets ?? []).flatMap(target => {
    const { value, reach, aim } = target;
    if (target.name === undefined || value === undefined || reach === undefined || aim === undefined) return [];
    const { least = value, most = value } = target;
    return [{ name: `${name}: ${target.name}`, value, least, most, reach, aim }];
  });
}

async function main(): Promise<number> {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: { only: { type: 'string' }, quick: flag, compare: flag, json: flag, help: flag },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const only = values.only?.split(',');
  const unknown = only?.find(name => !parts.some(part => part.name === name));
  if (unknown !== undefined) throw new RangeError(`--only: there is no benchmark "${unknown}"`);
  const chosen = parts.filter(({ name, long }) => (only === undefined ? !long : only.includes(name)));
  const machine = thisMachine();
  process.stdout.write(`${describeMachine(machine)}\n`);
  const outcomes: Outcome[] = [];
  for (const part of chosen) outcomes.push(await run(part, values.quick, values.compare));
  const targets = outcomes.flatMap(targetsOf);
  const failed = outcomes.filter(({ status }) => status !== 0).map(({ name }) => name);
  const times = outcomes.map(({ name, seconds }) => `${name} ${Math.round(seconds)} s`).join(', ');
  const table = targets.length === 0 ? [] : [targetsTable(targets)];
  process.stdout.write(`\n## summary\n\n${[...table, times].join('\n\n')}\n`);
  if (failed.length > 0) process.stdout.write(`wrong results: ${failed.join(', ')}\n`);
  if (values.json) {
    const results = Object.fromEntries(outcomes.map(({ name, status, result }) => [name, { status, ...result }]));
    process.stdout.write(`${JSON.stringify({ bench: 'all', machine, targets, failed, results })}\n`);
  }
  return failed.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
