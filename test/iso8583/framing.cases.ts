/** A stream is cut into the same frames however the network has cut it, and refused in words when it is none. */

import t from 'tap';
import {
  binary2,
  FrameSplitter,
  type Framing,
  FramingError,
  frame,
  largestBody,
  prefixBytes,
  writePrefix,
} from '../../iso8583/index.ts';
import { cupPosSamples, fromHex, toHex } from './vectors.ts';

const FRAMINGS: readonly Framing[] = ([2, 4] as const).flatMap(lengthBytes =>
  (['binary', 'bcd', 'ascii'] as const).flatMap(encoding =>
    [false, true].map(inclusive => ({ lengthBytes, encoding, inclusive })),
  ),
);

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function complaint(prefix: string, framing: Framing = binary2, max = 2048): string {
  const splitter = new FrameSplitter(framing, max);
  try {
    splitter.push(fromHex(prefix), () => t.fail('no frame'));
  } catch (error) {
    if (error instanceof FramingError) return error.message;
    throw error;
  }
  return `accepted, ${splitter.buffered} buffered`;
}

t.test('frames come out whole at every split point, joined and byte by byte', async t => {
  const bodies = cupPosSamples()
    .slice(0, 4)
    .map(({ hex }) => fromHex(hex));
  const stream = join(bodies.map(body => frame(binary2, body)));
  const run = (chunks: readonly Uint8Array[]): string[] => {
    const frames: Uint8Array[] = [];
    const splitter = new FrameSplitter(binary2, 2048);
    for (const chunk of chunks) {
      const reused = Uint8Array.from(chunk);
      splitter.push(reused, body => frames.push(body));
      reused.fill(0xee);
    }
    if (splitter.buffered !== 0) t.fail(`${splitter.buffered} bytes were left over`);
    return frames.map(toHex);
  };
  const expected = bodies.map(toHex);
  t.strictSame(run([stream]), expected, 'joined');
  t.strictSame(run(Array.from(stream, byte => Uint8Array.of(byte))), expected, 'byte by byte');
  for (let first = 0; first <= stream.length; first++) {
    const second = Math.min(stream.length, first + 1 + (first % 150));
    const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
    if (JSON.stringify(run(chunks)) !== JSON.stringify(expected)) t.fail(`split at ${first} and ${second}`);
  }
});

t.test('every framing announces what it splits, up to its largest', async t => {
  for (const framing of FRAMINGS) {
    const largest = largestBody(framing);
    for (const length of [1, 9, 10, 93, 95, 97, 99, 100, 250, 253, 255, 256, 9995, 9999, 65533, 65535]) {
      if (length > largest) {
        t.throws(() => frame(framing, new Uint8Array(length)), FramingError);
        continue;
      }
      const bytes = frame(framing, new Uint8Array(1).fill(7), new Uint8Array(length - 1).fill(7));
      t.equal(bytes.length, prefixBytes(framing) + length);
      const seen: number[] = [];
      new FrameSplitter(framing, Math.min(largest, 65535)).push(bytes, body => {
        if (body.every(byte => byte === 7)) seen.push(body.length);
      });
      t.strictSame(seen, [length], `${framing.lengthBytes} ${framing.encoding} ${framing.inclusive}: ${length}`);
    }
  }
  const prefix = (framing: Partial<Framing>, length: number): string => {
    const bytes = new Uint8Array(8);
    return toHex(bytes.subarray(1, writePrefix({ ...binary2, ...framing }, bytes, 1, length)));
  };
  t.equal(prefix({}, 381), '017D');
  t.equal(prefix({ inclusive: true }, 381), '017F');
  t.equal(prefix({ encoding: 'bcd' }, 381), '0381');
  t.equal(prefix({ encoding: 'ascii', lengthBytes: 4 }, 381), '30333831');
  t.equal(prefix({ lengthBytes: 4 }, 0x01020304), '01020304');
  t.throws(() => writePrefix(binary2, new Uint8Array(2), 1, 5), RangeError);
  t.throws(() => writePrefix(binary2, new Uint8Array(2), 0, -1), FramingError);
  t.throws(() => new FrameSplitter(binary2, 65536), RangeError);
  t.throws(() => new FrameSplitter(binary2, 10, 11), RangeError);
});

t.test('a length out of bounds is refused before anything is stored, saying what it looks like', async t => {
  t.equal(complaint('3030'), 'length prefix 12336 looks like ASCII: "00" (bytes 30 30; allowed are 1 to 2048)');
  t.match(complaint('4745'), /^length prefix 18245 looks like an HTTP request/);
  t.match(complaint('1603'), /^length prefix 5635 looks like a TLS handshake/);
  t.match(complaint('6000'), /^length prefix 24576 looks like a TPDU without a length in front/);
  t.match(complaint('1536'), /^length prefix 5430 looks like BCD: 1536/);
  t.match(complaint('4869'), /looks like ASCII \(/);
  t.equal(complaint('FFFF'), 'length prefix 65535 (bytes FF FF; allowed are 1 to 2048)');
  t.equal(complaint('0000'), 'length prefix 0 (bytes 00 00; allowed are 1 to 2048)');
  t.equal(
    complaint('00AB', { ...binary2, encoding: 'bcd' }),
    'length prefix is no bcd length looks like BINARY: 171 (bytes 00 AB; allowed are 1 to 2048)',
  );
  t.match(
    complaint('00000041', { lengthBytes: 4, encoding: 'ascii', inclusive: false }),
    /is no ascii length looks like BCD: 41/,
  );
  t.match(complaint('0001', { ...binary2, inclusive: true }), /^length prefix is no binary length/);
  t.equal(complaint('0800'), 'accepted, 2 buffered');
});

t.test('frames before a bad length are handed over; after it the stream is closed for good', async t => {
  const splitter = new FrameSplitter(binary2, 100);
  const seen: string[] = [];
  const keep = (body: Uint8Array): void => void seen.push(toHex(body));
  t.throws(() => splitter.push(fromHex('0001AA0002BBBBFFFF'), keep), /length prefix 65535/);
  t.strictSame(seen, ['AA', 'BBBB']);
  t.throws(() => splitter.push(fromHex('0001AA'), keep), /length prefix 65535/);
  t.equal(seen.length, 2);
});

t.test('an error in the receiver leaves the stream closed, not out of step', async t => {
  const splitter = new FrameSplitter(binary2, 100);
  const fail = (): void => {
    throw new Error('the receiver failed');
  };
  t.throws(() => splitter.push(fromHex('0001AA0001BB'), fail), /the receiver failed/);
  t.throws(() => splitter.push(fromHex('0001CC'), () => t.fail('no frame')), FramingError);
  const nested = new FrameSplitter(binary2, 100);
  t.throws(() => nested.push(fromHex('0001AA'), () => nested.push(fromHex('0001BB'), () => {})), FramingError);
});

t.test('empty frames pass where they are allowed, and a prefix alone reserves no memory', async t => {
  const sizes: number[] = [];
  const splitter = new FrameSplitter(binary2, 65535, 0);
  splitter.push(fromHex('00000001AA0000'), body => sizes.push(body.length));
  t.strictSame(sizes, [0, 1, 0]);
  splitter.push(fromHex('FFFF01'), () => t.fail('no frame'));
  t.equal(splitter.buffered, 3);
  const many = Array.from({ length: 2000 }, () => {
    const one = new FrameSplitter(binary2, 65535);
    one.push(fromHex('FFFF01'), () => t.fail('no frame'));
    return one;
  });
  const reserved = process.memoryUsage().arrayBuffers;
  t.equal(many.length, 2000);
  t.ok(reserved < 2000 * 4096, `${reserved} bytes for 2000 promises of 64 KB`);
});
