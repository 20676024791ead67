/**
 * `npm run bench:codec`: how fast the codec is, over chip purchases in the POS dialect, and over a 0200 of 19 fields in
 * ASCII beside npm's `iso_8583`. Nothing is printed before it has been seen that what is measured is right, and that
 * both libraries read equal values and write equal bytes.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Codec, compile, cupPos } from '../iso8583/index.ts';
import { packageRoot } from '../src/postgres/assets.ts';
import { asciiOperations, asciiProblems, comparedSpec, makeRequests } from './codec-ascii.ts';
import { makePurchases, posOperations, posProblems } from './codec-pos.ts';
import {
  describeMessages,
  figuresTable,
  judge,
  type MessageKind,
  type Messages,
  ratios,
  ratiosTable,
} from './codec-report.ts';
import { bytesPerOperation } from './support/allocation.ts';
import { compare, comparisonTable, readBaseline, writeBaseline } from './support/baseline.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { measure, type Operation } from './support/measure.ts';
import { type BenchOptions, optionsHelp, readOptions } from './support/options.ts';
import { Random } from './support/random.ts';
import { writeBetweenMarkers } from './support/readme.ts';

const help = `Measures the codec of ISO 8583 in this process, alone and beside npm's iso_8583.

  npm run bench:codec -- [options]

${optionsHelp}
Exit status 1 when a result is wrong, the libraries differ, or a checksum changes; never because of the speed.
`;

const KEY = 'codec';
const MARKER = 'bench:codec';
const SEED = 8583;
const MESSAGES = 1024;
/** More than this would say nothing new. */
const PROBLEMS_SHOWN = 5;

interface Prepared {
  readonly operations: readonly Operation[];
  /** What is wrong with the results: a line for each message. */
  readonly problems: readonly string[];
  readonly messages: Messages;
}

function prepare(): Prepared {
  const random = new Random(SEED);
  const pos = compile(cupPos);
  const ascii = compile(comparedSpec);
  const purchases = makePurchases(pos, random, MESSAGES);
  const requests = makeRequests(ascii, random, MESSAGES);
  return {
    operations: [...posOperations(pos, purchases), ...asciiOperations(ascii, requests)],
    problems: [...posProblems(pos, purchases), ...asciiProblems(ascii, requests)],
    messages: {
      pos: kindOf(
        pos,
        purchases.map(({ bytes }) => bytes),
      ),
      ascii: kindOf(
        ascii,
        requests.map(({ body }) => body),
      ),
    },
  };
}

function kindOf(codec: Codec, messages: readonly Uint8Array[]): MessageKind {
  const [first = new Uint8Array()] = messages;
  const bytes = Math.round(messages.reduce((sum, { length }) => sum + length, 0) / messages.length);
  return { count: messages.length, fields: codec.unpack(first).fields().length, bytes };
}

function main(options: BenchOptions): number {
  const machine = thisMachine();
  const { operations, problems, messages } = prepare();
  if (problems.length > 0) {
    for (const problem of problems.slice(0, PROBLEMS_SHOWN)) say(process.stderr, `wrong: ${problem}`);
    say(process.stderr, `bench:codec: ${problems.length} messages with a wrong result; nothing was measured`);
    return 1;
  }
  const chosen = operations.filter(({ name }) => name.includes(options.only));
  if (chosen.length === 0) throw new Error(`no operation has "${options.only}" in its name`);
  const timings = measure(chosen, options.effort);
  const measured = timings.map((timing, index) => {
    return { ...timing, bytes: bytesPerOperation(chosen[index] as Operation) };
  });
  const machineLine = `Machine: ${describeMachine(machine)}.`;
  const parts = [figuresTable(measured), ratiosTable(measured), describeMessages(messages), machineLine];
  const figures = parts.filter(part => part !== '').join('\n\n');
  say(process.stdout, figures);

  const root = packageRoot(fileURLToPath(import.meta.url));
  const baselineFile = join(root, 'bench', 'baseline.json');
  const baseline = options.compare ? readBaseline(baselineFile, KEY) : undefined;
  const compared = baseline && compare(measured, baseline);
  if (compared !== undefined) say(process.stdout, `\n${comparisonTable(compared)}`);
  else if (options.compare) say(process.stdout, '\nThere is no baseline yet: --write makes one.');
  if (options.write) {
    writeBaseline(baselineFile, KEY, machine, measured);
    writeBetweenMarkers(join(root, 'iso8583', 'README.md'), MARKER, figures);
  }
  if (options.json) {
    const judged = { targets: judge(measured), ratios: ratios(measured), compared };
    say(process.stdout, JSON.stringify({ bench: KEY, machine, messages, operations: measured, ...judged }));
  }
  return 0;
}

function say(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${text}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) process.stdout.write(help);
  else process.exitCode = main(options);
} catch (error) {
  process.stderr.write(`bench:codec: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
