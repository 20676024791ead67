import t from 'tap';
import { TextHeap } from '../../src/simulators/bank/text-heap.ts';

t.test('each place leads to its text, across the ends of chunks and in every script', async t => {
  const heap = new TextHeap();
  const texts = Array.from({ length: 20_000 }, (_, at) => `${at} 商户 ${'x'.repeat(at % 300)}`);
  texts.push('', 'x'.repeat(2 ** 20 - 4));
  const places = texts.map(text => heap.add(text));
  t.equal(new Set(places).size, texts.length);
  t.ok(
    places.every((place, at) => heap.at(place) === texts[at]),
    'each is as it was',
  );
  t.throws(() => heap.add('x'.repeat(2 ** 20)), RangeError);
  t.throws(() => new TextHeap().at(0), RangeError);
});
