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
import { describeMessages, type MessageKind, ratios, ratiosTable, targets } from './codec-report.ts';
import { benchOperations, type Prepared } from './support/operations.ts';
import { optionsHelp } from './support/options.ts';
import { Random } from './support/random.ts';
import { writeBetweenMarkers } from './support/readme.ts';

const help = `Measures the codec of ISO 8583 in this process, alone and beside npm's iso_8583.

  npm run bench:codec -- [options]

${optionsHelp}
Exit status 1 when a result is wrong, the libraries differ, or a checksum changes; never because of the speed.
`;

const MARKER = 'bench:codec';
const SEED = 8583;
const MESSAGES = 1024;

function prepare(): Prepared {
  const random = new Random(SEED);
  const pos = compile(cupPos);
  const ascii = compile(comparedSpec);
  const purchases = makePurchases(pos, random, MESSAGES);
  const requests = makeRequests(ascii, random, MESSAGES);
  const messages = {
    pos: kindOf(
      pos,
      purchases.map(({ bytes }) => bytes),
    ),
    ascii: kindOf(
      ascii,
      requests.map(({ body }) => body),
    ),
  };
  return {
    operations: [...posOperations(pos, purchases), ...asciiOperations(ascii, requests)],
    problems: [...posProblems(pos, purchases), ...asciiProblems(ascii, requests)],
    targets,
    text: measured => [ratiosTable(measured), describeMessages(messages)],
    facts: measured => ({ messages, ratios: ratios(measured) }),
  };
}

function kindOf(codec: Codec, messages: readonly Uint8Array[]): MessageKind {
  const [first = new Uint8Array()] = messages;
  const bytes = Math.round(messages.reduce((sum, { length }) => sum + length, 0) / messages.length);
  return { count: messages.length, fields: codec.unpack(first).fields().length, bytes };
}

await benchOperations({
  key: 'codec',
  help,
  prepare,
  keep: figures => {
    const root = packageRoot(fileURLToPath(import.meta.url));
    writeBetweenMarkers(join(root, 'iso8583', 'README.md'), MARKER, figures);
  },
});
