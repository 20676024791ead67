/** A stream is cut into the same frames however the network has cut it, and refused in words when it is none. */

import t from 'tap';
import {
  binary2,
  FRAMINGS,
  type Framing,
  FramingError,
  frame,
  largestBody,
  prefixBytes,
  unframe,
  writePrefix,
} from '../../iso8583/framing.ts';
import { FrameSplitter } from '../../iso8583/splitter.ts';
import { cupPosSamples, fromHex, toHex } from './vectors.ts';

const everyFraming: readonly Framing[] = ([1, 2, 3, 4, 5, 6] as const).flatMap(lengthBytes =>
  (['binary', 'bcd', 'ascii', 'hex'] as const).flatMap(encoding =>
    [false, true].flatMap(inclusive => [
      { lengthBytes, encoding, inclusive },
      { lengthBytes, encoding, inclusive, zeroBytes: 2 } as const,
    ]),
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

function throwsFramingError(run: () => unknown): boolean {
  try {
    run();
  } catch (error) {
    return error instanceof FramingError;
  }
  return false;
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
  for (const framing of everyFraming) {
    const largest = largestBody(framing);
    for (const length of [1, 9, 10, 93, 95, 97, 99, 100, 250, 253, 255, 256, 9995, 9999, 65533, 65535]) {
      const { lengthBytes, encoding, inclusive, zeroBytes } = framing;
      const name = `${lengthBytes} ${encoding} ${inclusive} ${zeroBytes}: ${length}`;
      if (length > largest) {
        if (!throwsFramingError(() => frame(framing, new Uint8Array(length)))) t.fail(`${name} is too long`);
        continue;
      }
      const bytes = frame(framing, new Uint8Array(1).fill(7), new Uint8Array(length - 1).fill(7));
      if (bytes.length !== prefixBytes(framing) + length) t.fail(`${name} is ${bytes.length} bytes`);
      const seen: number[] = [];
      new FrameSplitter(framing, Math.min(largest, 65535)).push(bytes, body => {
        if (body.every(byte => byte === 7)) seen.push(body.length);
      });
      if (seen.length !== 1 || seen[0] !== length) t.fail(`${name} was split into ${seen}`);
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
  t.equal(prefix({ encoding: 'hex', lengthBytes: 4 }, 170), '30304141');
  t.equal(prefix({ zeroBytes: 2 }, 381), '017D0000');
  t.equal(prefix({ zeroBytes: 2, inclusive: true }, 381), '01810000');
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

t.test('a length out of bounds is refused in words in the other framings too', async t => {
  const { ascii4, ascii6, bcd2, binary4, hex4, 'visa-vap': vap } = FRAMINGS;
  t.match(complaint('4100'), /^length prefix 16640 looks like little-endian: 65 /);
  t.match(complaint('3041'), /looks like ASCII hex: "0A" /);
  t.match(complaint('30303431', binary4), /looks like ASCII: "0041" /);
  t.match(complaint('00410000', binary4), /looks like 2 bytes of length and 2 zero bytes: 65 /);
  t.match(complaint('41000000', binary4), /looks like little-endian: 65 /);
  t.match(
    complaint('00000041', vap),
    /^length prefix is not followed by 2 zero bytes looks like 4 bytes of length: 65 /,
  );
  t.match(complaint('41000000', vap), /looks like little-endian: 65 /);
  t.equal(
    complaint('00416000', vap),
    'length prefix is not followed by 2 zero bytes (bytes 00 41 60 00; allowed are 1 to 2048)',
  );
  t.match(complaint('60000300', vap), /looks like a TPDU without a length in front/);
  t.match(complaint('6000', bcd2), /^length prefix 6000 looks like a TPDU without a length in front/);
  t.match(complaint('30304141', ascii4), /^length prefix is no ascii length looks like HEX: 170 /);
  t.match(complaint('32303438', hex4), /^length prefix 8264 looks like ASCII: 2048 /);
  t.match(complaint('47455420', ascii4), /looks like an HTTP request/);
  t.match(complaint('48545450', hex4), /looks like an HTTP request/);
  t.match(complaint('16030100', ascii4), /looks like a TLS handshake/);
  t.match(complaint('49534F30', ascii4), /looks like text without a length in front/);
  t.match(complaint('39393939', ascii4), /^length prefix 9999 \(/);
  t.equal(
    complaint('343131313131', ascii6),
    'length prefix 411111 (bytes 34 31 31 31 ..; allowed are 1 to 2048)',
    'a stream that is out of step shows little of what it carries',
  );
  t.equal(complaint('30306161', hex4), 'accepted, 4 buffered', 'hex digits in lower case are read');
});

t.test('the usual framings have names', async t => {
  t.equal(FRAMINGS.binary2, binary2);
  const prefixes = Object.entries(FRAMINGS).map(([name, framing]) => {
    const bytes = frame(framing, new Uint8Array(123));
    t.equal(unframe(framing, bytes).length, 123);
    return `${name} ${toHex(bytes.subarray(0, bytes.length - 123))}`;
  });
  t.strictSame(prefixes, [
    'binary2 007B',
    'binary2-inclusive 007D',
    'binary3 00007B',
    'binary4 0000007B',
    'binary4-inclusive 0000007F',
    'bcd2 0123',
    'bcd2-inclusive 0125',
    'ascii3 313233',
    'ascii4 30313233',
    'ascii4-inclusive 30313237',
    'ascii5 3030313233',
    'ascii6 303030313233',
    'hex4 30303742',
    'visa-vap 007B0000',
  ]);
});

t.test('one whole frame is unwrapped, and anything else refused', async t => {
  t.equal(toHex(unframe(binary2, fromHex('0002AABB'))), 'AABB');
  t.equal(unframe(binary2, fromHex('0000')).length, 0);
  t.throws(() => unframe(binary2, fromHex('0002AA')), /^length prefix says 2 bytes, 1 bytes follow$/);
  t.throws(() => unframe(binary2, fromHex('0002AABBCC')), /says 2 bytes, 3 bytes follow/);
  t.throws(() => unframe(binary2, fromHex('00')), /length prefix of 2 bytes, found 1/);
  t.throws(() => unframe(FRAMINGS.bcd2, fromHex('00AB')), FramingError);
  t.throws(() => unframe(FRAMINGS['visa-vap'], fromHex('00010100AA')), FramingError);
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
  // What other tests have left behind is in both figures.
  const before = process.memoryUsage().arrayBuffers;
  const many = Array.from({ length: 2000 }, () => {
    const one = new FrameSplitter(binary2, 65535);
    one.push(fromHex('FFFF01'), () => t.fail('no frame'));
    return one;
  });
  const reserved = process.memoryUsage().arrayBuffers - before;
  t.equal(many.length, 2000);
  t.ok(reserved < 2000 * 4096, `${reserved} bytes for 2000 promises of 64 KB`);
});
