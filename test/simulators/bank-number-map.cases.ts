import fc from 'fast-check';
import t from 'tap';
import { NumberMap } from '../../src/simulators/bank/number-map.ts';

t.test('numbers lead to what a Map leads to, whatever comes and goes', async () => {
  // Some that are near each other, some that differ above 32 bits only, and the largest that references make.
  const key = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.constantFrom(2 ** 40, 2 ** 41, 1_231_235_959_999_999));
  const step = fc.record({ key, add: fc.boolean(), value: fc.integer({ min: 0, max: 2 ** 32 - 2 }) });
  const same = fc.property(fc.array(step, { maxLength: 600 }), steps => {
    const [numbers, map] = [new NumberMap(), new Map<number, number>()];
    for (const { key, add, value } of steps) {
      if (add) {
        numbers.set(key, value);
        map.set(key, value);
      } else if (numbers.delete(key) !== map.delete(key)) return false;
      if (numbers.get(key) !== map.get(key)) return false;
    }
    return numbers.size === map.size && [...map].every(([key, value]) => numbers.get(key) === value);
  });
  fc.assert(same, { numRuns: 200 });
});

t.test('it holds a hundred thousand that follow each other, and finds none that it was not given', async t => {
  const numbers = new NumberMap();
  const key = (at: number): number => 1_126_120_000_000_000 + at * 1_000_003;
  for (let at = 0; at < 100_000; at++) numbers.set(key(at), at);
  for (let at = 0; at < 100_000; at += 2) numbers.delete(key(at));
  t.equal(numbers.size, 50_000);
  let wrong = 0;
  for (let at = 0; at < 100_000; at++) {
    if (numbers.get(key(at)) !== (at % 2 === 0 ? undefined : at) || numbers.get(key(at) + 1) !== undefined) wrong++;
  }
  t.equal(wrong, 0);
});
