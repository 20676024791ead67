import fc from 'fast-check';
import t from 'tap';
import { ChurnMap } from '../../src/collections/churn-map.ts';

t.test('it holds what a Map holds, whatever comes and goes', async t => {
  const key = fc.oneof(fc.integer({ min: -3, max: 300 }), fc.constantFrom(2 ** 40, 2 ** 40 + 64, 'a', 'b', 'ab', ''));
  const step = fc.record({ key, add: fc.boolean(), value: fc.nat() });
  const same = fc.property(fc.array(step, { maxLength: 600 }), steps => {
    const [churned, map] = [new ChurnMap<string | number, number>(), new Map<string | number, number>()];
    for (const { key, add, value } of steps) {
      if (add) {
        churned.set(key, value);
        map.set(key, value);
      } else if (churned.delete(key) !== map.delete(key)) return false;
      if (churned.get(key) !== map.get(key) || churned.has(key) !== map.has(key)) return false;
    }
    const inOrder = (entries: Iterable<[string | number, number]>) => JSON.stringify([...entries].sort());
    return churned.size === map.size && inOrder(churned.entries()) === inOrder(map);
  });
  fc.assert(same, { numRuns: 200 });
  t.pass();
});
