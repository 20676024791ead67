/** Whatever the framing and wherever the network cuts: the same frames, the same words. */

import fc from 'fast-check';
import t, { type Test } from 'tap';
import {
  binary2,
  type Framing,
  FramingError,
  frame,
  largestBody,
  prefixBytes,
  writePrefix,
} from '../../iso8583/framing.ts';
import { FrameSplitter } from '../../iso8583/splitter.ts';
import { toHex } from './vectors.ts';

const everyFraming: readonly Framing[] = ([1, 2, 3, 4, 5, 6] as const).flatMap(lengthBytes =>
  (['binary', 'bcd', 'ascii', 'hex'] as const).flatMap(encoding =>
    [false, true].flatMap(inclusive =>
      ([undefined, 0, 1, 2, 3, 4] as const).map(zeroBytes =>
        zeroBytes === undefined
          ? { lengthBytes, encoding, inclusive }
          : { lengthBytes, encoding, inclusive, zeroBytes },
      ),
    ),
  ),
);

/** The same cases in every run. */
const settings = { seed: 8583, numRuns: 500 };

function holds<T>(t: Test, property: fc.IProperty<T>): void {
  t.equal(fc.defaultReportMessage(fc.check(property, settings)), undefined);
}

/** A prefix as it should be, made another way than the code under test makes it. */
function expectedPrefix({ lengthBytes, encoding, inclusive, zeroBytes = 0 }: Framing, body: number): string {
  const length = inclusive ? body + lengthBytes + zeroBytes : body;
  const digits = length.toString(encoding === 'binary' || encoding === 'hex' ? 16 : 10).toUpperCase();
  const isPacked = encoding === 'binary' || encoding === 'bcd';
  const padded = digits.padStart(isPacked ? 2 * lengthBytes : lengthBytes, '0');
  return (isPacked ? padded : toHex(Buffer.from(padded, 'latin1'))) + '00'.repeat(zeroBytes);
}

/** Bodies that a framing can carry; some of them longer than what is copied together. */
function bodies(framing: Framing): fc.Arbitrary<Uint8Array[]> {
  const size = (from: number, to: number): fc.Arbitrary<number> =>
    fc.integer({ min: Math.min(from, largestBody(framing)), max: Math.min(to, largestBody(framing)) });
  const sizes = fc.oneof(
    { weight: 4, arbitrary: size(0, 12) },
    { weight: 4, arbitrary: size(100, 700) },
    { weight: 1, arbitrary: size(3900, 9000) },
  );
  const body = fc
    .tuple(sizes, fc.nat(255))
    .map(([length, seed]) => Uint8Array.from({ length }, (_, i) => seed + 7 * i));
  return fc.array(body, { maxLength: 12 });
}

const streams = fc
  .constantFrom(...everyFraming)
  .chain(framing => fc.record({ framing: fc.constant(framing), bodies: bodies(framing) }));

/** Where a stream is cut: shares of its length, so that they shrink with it. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

function cut(stream: Uint8Array, shares: readonly number[]): readonly Uint8Array[] {
  const at = [0, ...shares.map(share => Math.round(share * stream.length)), stream.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => stream.subarray(at[index], end));
}

interface Seen {
  readonly frames: readonly string[];
  readonly buffered: number;
  readonly error: string | undefined;
}

/** What a splitter makes of these chunks, each in a buffer that is overwritten as soon as `push` returns. */
function split(framing: Framing, chunks: readonly Uint8Array[], max = Math.min(largestBody(framing), 10_000)): Seen {
  const frames: Uint8Array[] = [];
  const splitter = new FrameSplitter(framing, max, 0);
  let error: string | undefined;
  try {
    for (const chunk of chunks) {
      const reused = Buffer.from(chunk);
      splitter.push(reused, body => frames.push(body));
      reused.fill(0xee);
    }
  } catch (thrown) {
    if (!(thrown instanceof FramingError)) throw thrown;
    error = thrown.message;
  }
  return { frames: frames.map(toHex), buffered: splitter.buffered, error };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}

t.test('every framing writes its largest length, and refuses one more', async t => {
  for (const framing of everyFraming) {
    const largest = largestBody(framing);
    const bytes = new Uint8Array(prefixBytes(framing)).fill(0xee);
    writePrefix(framing, bytes, 0, largest);
    if (toHex(bytes) !== expectedPrefix(framing, largest)) t.fail(`${JSON.stringify(framing)}: ${toHex(bytes)}`);
    t.throws(() => writePrefix(framing, bytes, 0, largest + 1), FramingError);
  }
});

t.test('property: every framing gives the same frames however its stream is cut', async t => {
  holds(
    t,
    fc.property(streams, cuts, ({ framing, bodies }, shares) => {
      const stream = join(bodies.map(body => frame(framing, body)));
      const expected = bodies.map(body => expectedPrefix(framing, body.length) + toHex(body)).join('');
      const { frames, buffered, error } = split(framing, cut(stream, shares));
      return toHex(stream) === expected && error === undefined && buffered === 0 && same(frames, bodies.map(toHex));
    }),
  );
});

t.test('property: a stream that ends early gives the whole frames and keeps the rest', async t => {
  holds(
    t,
    fc.property(streams, cuts, fc.double({ min: 0, max: 1, noNaN: true }), ({ framing, bodies }, shares, share) => {
      const frames = bodies.map(body => frame(framing, body));
      const stream = join(frames);
      const end = Math.round(share * stream.length);
      let whole = 0;
      let used = 0;
      for (; whole < frames.length; whole++) {
        const { length = 0 } = frames[whole] ?? {};
        if (used + length > end) break;
        used += length;
      }
      const seen = split(framing, cut(stream.subarray(0, end), shares));
      const expected = bodies.slice(0, whole).map(toHex);
      return seen.error === undefined && seen.buffered === end - used && same(seen.frames, expected);
    }),
  );
});

t.test('property: a bad length gives the frames before it and the same words however the stream is cut', async t => {
  const prefix = fc.uint8Array({ minLength: 10, maxLength: 10 });
  holds(
    t,
    fc.property(streams, cuts, prefix, ({ framing, bodies }, shares, bytes) => {
      const max = Math.min(largestBody(framing), 9000);
      const bad = bytes.subarray(0, prefixBytes(framing));
      const stream = join([...bodies.map(body => frame(framing, body)), bad]);
      const whole = split(framing, [stream], max);
      const pieces = split(framing, cut(stream, shares), max);
      return (
        same(whole.frames, pieces.frames) &&
        whole.error === pieces.error &&
        whole.buffered === pieces.buffered &&
        whole.frames.length >= bodies.length
      );
    }),
  );
});

t.test('frames that arrive together are apart: one can be changed or kept without the others', async t => {
  const seen: Uint8Array[] = [];
  const splitter = new FrameSplitter(binary2, 9000);
  const sizes = [381, 381, 5000, 1, 2000, 2000, 2000];
  splitter.push(join(sizes.map((size, index) => frame(binary2, new Uint8Array(size).fill(index)))), body => {
    body.fill(body[0] === undefined ? 0 : body[0] + 100);
    seen.push(body);
  });
  t.strictSame(
    seen.map(body => body.length),
    sizes,
  );
  seen.forEach((body, index) => {
    if (!body.every(byte => byte === 100 + index)) t.fail(`frame ${index} was changed by another`);
    if (body.buffer.byteLength > Math.max(4096, body.length)) t.fail(`frame ${index} keeps too much alive`);
  });
});
