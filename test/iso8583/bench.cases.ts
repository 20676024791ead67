/** The benchmark's own machinery: what it measures is right, and it notices when that changes. No time is judged. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { asciiOperations, asciiProblems, comparedSpec, makeRequests } from '../../bench/codec-ascii.ts';
import { makePurchases, posOperations, posProblems } from '../../bench/codec-pos.ts';
import { ratios, targets } from '../../bench/codec-report.ts';
import { bytesPerOperation } from '../../bench/support/allocation.ts';
import { compare, readBaseline, writeBaseline } from '../../bench/support/baseline.ts';
import { judge } from '../../bench/support/figures.ts';
import { thisMachine } from '../../bench/support/machine.ts';
import { measure, operationOn } from '../../bench/support/measure.ts';
import { medianOf } from '../../bench/support/median.ts';
import { readOptions } from '../../bench/support/options.ts';
import { Random } from '../../bench/support/random.ts';
import { writeBetweenMarkers } from '../../bench/support/readme.ts';
import { table } from '../../bench/support/table.ts';
import { compile, cupPos } from '../../iso8583/index.ts';

const SHORT = { rounds: 2, sampleMs: 1, warmUpMs: 3 };
const pos = compile(cupPos);
const ascii = compile(comparedSpec);

t.test('the purchases are distinct, of 25 fields with IC data, and come back as they were drafted', async t => {
  const purchases = makePurchases(pos, new Random(1), 64);
  t.equal(new Set(purchases.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size, 64);
  const message = pos.unpack(purchases[0]?.bytes ?? new Uint8Array());
  t.equal(message.fields().length, 25);
  t.equal(message.content(55)?.length, 145);
  t.same(posProblems(pos, purchases), []);
  t.same(makePurchases(pos, new Random(1), 64), purchases, 'the seed decides');
});

t.test('both libraries read equal values and write equal bytes, and a difference is named', async t => {
  const requests = makeRequests(ascii, new Random(1), 32);
  t.equal(ascii.unpack(requests[0]?.body ?? new Uint8Array()).fields().length, 19);
  t.same(asciiProblems(ascii, requests), []);
  const [request] = requests;
  if (request === undefined) return;
  const other = { ...request, values: { ...request.values, 41: 'ANOTHER1' } };
  t.match(asciiProblems(ascii, [other]), [/^request 0: field 41 of ours, field 41 of iso_8583, bytes of iso_8583/]);
});

t.test('operations that do the same have the same checksum, whoever does it', async t => {
  const operations = [
    ...posOperations(pos, makePurchases(pos, new Random(1), 16)),
    ...asciiOperations(ascii, makeRequests(ascii, new Random(1), 16)),
  ];
  const timings = measure(operations, SHORT);
  t.strictSame(
    timings.map(({ name }) => name),
    operations.map(({ name }) => name),
  );
  const checksum = (name: string) => timings.find(timing => timing.name === name)?.checksum;
  t.type(checksum('ascii: pack'), 'number');
  t.equal(checksum('ascii: pack'), checksum('iso_8583: pack'));
  t.equal(checksum('ascii: unpack, all 19 read'), checksum('iso_8583: unpack, all 19 read'));
  const measured = timings.map(timing => ({ ...timing, bytes: 0 }));
  t.equal(judge(measured, targets).length, 6, 'every target has its operation');
  t.equal(ratios(measured).length, 3);
});

t.test('a result that changes between laps is refused', async t => {
  let calls = 0;
  const restless = operationOn([1, 2], 'restless', () => calls++);
  t.throws(() => measure([restless], SHORT), /^restless: the checksum differs/);
});

t.test('memory is counted, on the heap and outside of it', async t => {
  const kept: unknown[] = [];
  const inputs = Array.from({ length: 64 }, (_, index) => index);
  const outside = operationOn(inputs, 'outside', index => {
    kept[index] = new Uint8Array(10_000);
    return index;
  });
  const inside = operationOn(inputs, 'inside', index => {
    kept[index] = new Array(1000).fill(index);
    return index;
  });
  t.ok(bytesPerOperation(outside) >= 10_000);
  t.ok(bytesPerOperation(inside) >= 4000);
});

t.test('a baseline is kept beside others, and compared in yardsticks', async t => {
  const file = join(t.testdir({ 'baseline.json': '{"other":{"machine":{},"operations":{}}}' }), 'baseline.json');
  const of = (yardsticks: number, bytes: number) => {
    const one = { median: 100, spread: 0.01 };
    return { name: 'a', cpuNs: one, wallNs: one, yardsticks: { median: yardsticks, spread: 0 }, checksum: 1, bytes };
  };
  writeBaseline(file, 'codec', thisMachine(), [of(2, 500)]);
  t.ok(readBaseline(file, 'other'));
  t.equal(readBaseline(file, 'missing'), undefined);
  const baseline = readBaseline(file, 'codec');
  if (baseline === undefined) throw new Error('no baseline');
  const [compared, added] = compare([of(1, 400), { ...of(1, 1), name: 'b' }], baseline);
  t.match(compared, { time: 0.5, bytes: -100 });
  t.equal(added?.time, undefined);
});

t.test('figures are put between markers, and nothing else of the file changes', async t => {
  const file = join(t.testdir({ 'README.md': 'a\n<!-- x -->\nold\n<!-- /x -->\nb\n' }), 'README.md');
  writeBetweenMarkers(file, 'x', 'new');
  t.equal(readFileSync(file, 'utf8'), 'a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n');
  writeFileSync(file, 'no markers');
  t.throws(() => writeBetweenMarkers(file, 'x', 'new'), /no place/);
});

t.test('medians, tables and options', async t => {
  t.strictSame(medianOf([5, 1, 3, 2, 4]), { median: 3, spread: 1 / 3 });
  const columns = [
    { title: 'name', align: 'left' },
    { title: 'ns', align: 'right' },
  ] as const;
  t.equal(table(columns, [['a', '1']]), '| name |  ns |\n| ---- | --: |\n| a    |   1 |');
  t.match(readOptions(['--rounds', '3', '--only', 'pos']), { effort: { rounds: 3 }, only: 'pos', json: false });
  t.throws(() => readOptions(['--rounds', '0']), /--rounds/);
  t.throws(() => readOptions(['--quick', '--write']), /--write/);
  t.equal(readOptions(['--help']), null);
});
