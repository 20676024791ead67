/** Nothing from the wire is half accepted: it is refused with the codec's own error, or it packs again. */

import t from 'tap';
import {
  binary2,
  type Codec,
  compile,
  cupPos,
  ERROR_CODES,
  type FieldValue,
  type Iso8583Error,
  iso87Binary,
  type Message,
  unframe,
} from '../../iso8583/index.ts';
import { refusalOrNone } from './refusal.ts';
import { cupPosSample, cupPosSamples, fromHex, iso87Sample, toHex } from './vectors.ts';

const pos: Codec = compile(cupPos);
const bank: Codec = compile(iso87Binary);
const corpus: readonly { codec: Codec; name: string; bytes: Uint8Array }[] = [
  ...cupPosSamples().map(({ id, hex }) => ({ codec: pos, name: id, bytes: fromHex(hex) })),
  { codec: bank, name: 'S3', bytes: fromHex(iso87Sample().hex) },
  { codec: bank, name: '0800 with both bitmaps', bytes: networkMessage() },
];

function networkMessage(): Uint8Array {
  const into = new Uint8Array(200);
  const original = `0200${'123456'}0929101112${'00000049820'.padStart(11, '0')}${'00000049820'}`;
  const fields = { 7: '0929101112', 11: '000007', 70: '301', 90: original, 128: 'A1B2C3D4E5F60718' };
  return into.slice(0, bank.pack({ mti: '0800', fields }, into));
}

function valuesOf(message: Message): Record<number, FieldValue | undefined> {
  const values: Record<number, FieldValue | undefined> = {};
  for (const field of message.fields()) values[field] = message.text(field);
  return values;
}

function packed(codec: Codec, message: Message): Uint8Array {
  const headers: Record<string, Uint8Array> = {};
  for (const { name } of codec.spec.headers ?? []) headers[name] = message.header(name) ?? new Uint8Array();
  const into = new Uint8Array(message.bytes.length + 16);
  return into.subarray(0, codec.pack({ mti: message.mti, headers, fields: valuesOf(message) }, into));
}

t.test('a message cut anywhere is refused as truncated', async t => {
  for (const { codec, name, bytes } of corpus) {
    let refused = 0;
    for (let end = 0; end < bytes.length; end++) {
      // The rest stays in the buffer: the end that is given counts, not the end of the memory.
      if (refusalOrNone(() => codec.unpack(bytes, 0, end))?.code === 'truncated') refused++;
    }
    t.equal(refused, bytes.length, name);
  }
});

t.test('bytes after the last field are refused', async t => {
  for (const { codec, name, bytes } of corpus) {
    const longer = new Uint8Array(bytes.length + 3);
    longer.set(bytes);
    const error = refusalOrNone(() => codec.unpack(longer));
    t.match(error, { code: 'trailing-bytes', offset: bytes.length }, name);
  }
});

t.test('a message is read from the middle of a buffer, with offsets counted from its start', async t => {
  const bytes = fromHex(cupPosSample('E1').hex);
  const buffer = new Uint8Array(bytes.length + 20).fill(0xff);
  buffer.set(bytes, 9);
  const message = pos.unpack(buffer, 9, 9 + bytes.length);
  t.equal(toHex(message.bytes), toHex(bytes));
  t.strictSame(valuesOf(message), valuesOf(pos.unpack(bytes)));
  t.throws(() => pos.unpack(buffer, 9, buffer.length + 1), RangeError);
  buffer[9 + 11] = 0xa2;
  t.match(
    refusalOrNone(() => pos.unpack(buffer, 9, 9 + bytes.length)),
    { code: 'bad-mti', offset: 11 },
  );
});

const ALL = Array.from({ length: 256 }, (_, value) => value);
/** A chip purchase and a network message, byte by byte in full; the others only near what they hold. */
const everyValue = new Set(['E1', '0800 with both bitmaps']);

/** The byte itself, each of its bits turned, and the values at which rules change. */
function nearby(byte: number): number[] {
  const edges = [0x00, 0x09, 0x0a, 0x0f, 0x20, 0x30, 0x39, 0x3a, 0x3d, 0x99, 0x9a, 0xa0, 0xd0, 0xf0, 0xff];
  return [byte, ...[1, 2, 4, 8, 16, 32, 64, 128].map(bit => byte ^ bit), ...edges];
}

t.test('one byte changed: refused, or packed again to the same values', async t => {
  const codes = new Set<string>();
  let accepted = 0;
  let refused = 0;
  for (const { codec, name, bytes } of corpus) {
    for (let at = 0; at < bytes.length; at++) {
      const original = bytes[at] as number;
      for (const value of everyValue.has(name) ? ALL : nearby(original)) {
        const changed = bytes.slice();
        changed[at] = value;
        let message: Message | undefined;
        const error = refusalOrNone(() => {
          message = codec.unpack(changed);
        });
        if (message === undefined) {
          refused++;
          codes.add(error?.code ?? '');
          if (value === original) t.fail(`${name}: the original was refused`);
          continue;
        }
        accepted++;
        const again = packed(codec, message);
        if (Buffer.compare(again, changed) === 0) continue;
        const second = codec.unpack(again);
        const same =
          second.mti === message.mti && JSON.stringify(valuesOf(second)) === JSON.stringify(valuesOf(message));
        if (!same) t.fail(`${name}: byte ${at} as ${value} does not decode equally after packing`);
        if (Buffer.compare(packed(codec, second), again) !== 0) t.fail(`${name}: byte ${at}: no canonical form`);
      }
    }
  }
  t.comment(`${accepted} accepted, ${refused} refused as ${[...codes].sort().join(', ')}`);
  t.ok(accepted > 50_000 && refused > 20_000, 'both ends were met');
  for (const code of codes) t.ok(Object.hasOwn(ERROR_CODES, code), code);
});

t.test('refusals say where, what was expected and what was found', async t => {
  const request = cupPosSample('E1').hex;
  const broken = (hex: string): Iso8583Error | undefined => refusalOrNone(() => pos.unpack(fromHex(hex)));
  const replaced = (from: string, to: string): Iso8583Error | undefined => {
    t.ok(request.includes(from), `${from} is in the sample`);
    return broken(request.replace(from, to));
  };
  t.equal(
    replaced('000000005588000023', '0000000A5588000023')?.message,
    'bad-digit: field 4 (amount) at byte 38: expected 12 digits, found 0A',
  );
  t.match(replaced('0200702406C0', '02A0702406C0'), { code: 'bad-mti', path: 'mti', offset: 12 });
  t.match(replaced('0200702406C0', '0200F02406C0'), { code: 'bad-bitmap', path: 'bitmap', offset: 13 });
  t.match(replaced('0200702406C0', '0200782406C0'), { code: 'unknown-field', field: 5 });
  t.match(replaced('1962179700', '2062179700'), { code: 'too-long', field: 2, offset: 21, found: '20' });
  t.match(replaced('1962179700', '1A62179700'), { code: 'bad-length-prefix', field: 2, found: '1A' });
  t.match(replaced('00132200', '0D132200'), { code: 'bad-length-prefix', field: 60, found: '0D13' });
  t.match(replaced('23120510', '23120514'), { code: 'bad-filler', field: 22, path: '22', found: '14' });
  t.match(replaced('313536086B', '312D36086B'), { code: 'bad-character', field: 49, found: '2D' });
  t.match(broken(`${request}00`), { code: 'trailing-bytes', found: '1 more' });
  t.match(broken(request.slice(0, 16)), { code: 'truncated', path: 'header.header' });
  t.match(broken(request.slice(0, 24)), { code: 'truncated', path: 'mti' });
  t.match(broken(request.slice(0, 30)), { code: 'truncated', path: 'bitmap' });
  t.equal(
    broken(request.slice(0, -2))?.message,
    'truncated: field 64 (MAC) at byte 264: expected 8 bytes of content, found 7',
  );
  const signed = (sign: string): Uint8Array => fromHex(`02000000001000000000${sign}00000100`);
  t.equal(bank.unpack(signed('44')).text(28), 'D00000100');
  t.match(
    refusalOrNone(() => bank.unpack(signed('45'))),
    { code: 'bad-sign', field: 28, expected: 'one of CD0', found: '45' },
  );
});

t.test('the listed traps', async t => {
  const amended = (id: string, from: string, to: string): Message => {
    const { hex } = cupPosSample(id);
    t.ok(hex.includes(from), `${from} is in ${id}`);
    return pos.unpack(fromHex(hex.replace(from, to)));
  };
  const odd = amended('E1', '62179700000000050900', '6217970000000005090F');
  t.equal(odd.text(2), '6217970000000005090', 'an F filler reads as the same number');
  t.equal(toHex(packed(pos, odd)), cupPosSample('E1').hex, 'and is packed in canonical form');
  t.equal(amended('E1', '23120510', '2312051F').text(22), '051');
  for (const digits of [8, 11, 13, 14, 15, 17]) {
    const value = '22000001000500123'.slice(0, digits);
    const into = new Uint8Array(400);
    const end = pos.relay(odd, { fields: { 60: value } }, into);
    t.equal(pos.unpack(into, 0, end).text(60), value, `DE60 of ${digits} digits`);
  }
  const loose = { 14: '0000', 23: '000', 48: '0', 59: 'x'.repeat(999), 62: '00'.repeat(999), 63: '01' };
  const into = new Uint8Array(4000);
  const message = pos.unpack(into, 0, pos.relay(odd, { fields: loose }, into));
  for (const [field, value] of Object.entries(loose)) t.equal(message.text(Number(field)), value, `DE${field}`);
  t.equal(toHex(message.content(23)), '0000');
  // A length that was taken over from the request, although the answer is shorter.
  const answer = fromHex(`0110${cupPosSample('E2').hex}`);
  t.throws(() => unframe(binary2, answer), /length prefix says 272 bytes, 268 bytes follow/);
  t.equal(unframe(binary2, fromHex(`010C${cupPosSample('E2').hex}`)).length, 268);
  // A separator in clear and a D that is ciphertext look the same on the wire, so both read as `=`.
  const cipher = '62242429000001138E6F=854387E00=51';
  const track = pos.unpack(into, 0, pos.relay(odd, { fields: { 35: cipher } }, into));
  t.equal(track.text(35), cipher, 'a track encrypted in place has any nibble');
  t.equal(toHex(track.content(35)), '62242429000001138E6FD854387E00D510');
});

t.test('an error text holds no card number, track, PIN block or key', async t => {
  const { hex } = cupPosSample('F');
  const secrets = ['6224242900000113', '28062013949031013', 'D1EEF419D0AE2609', '95BBE372271DDA7C'];
  const texts: string[] = [];
  const bytes = fromHex(hex);
  for (let at = 0; at < bytes.length; at++) {
    for (const value of [0x00, 0x0a, 0x99, 0xdd, 0xff]) {
      const changed = bytes.slice();
      changed[at] = value;
      const error = refusalOrNone(() => pos.unpack(changed));
      if (error !== undefined) texts.push(JSON.stringify(error), error.message);
    }
  }
  const message = pos.unpack(bytes);
  const values = valuesOf(message);
  const into = new Uint8Array(600);
  for (const field of message.fields()) {
    for (const value of [`${values[field]}X`, `X${values[field]}`, `${values[field]}`.repeat(40)]) {
      const error = refusalOrNone(() => pos.relay(message, { fields: { [field]: value } }, into));
      if (error !== undefined) texts.push(JSON.stringify(error), error.message);
    }
  }
  t.ok(texts.length > 500);
  for (const secret of secrets) {
    for (let at = 0; at + 6 <= secret.length; at++) {
      const part = secret.slice(at, at + 6);
      // Runs such as 000001 are in amounts as well, and tell nothing.
      if (new Set(part).size < 4) continue;
      const leak = texts.find(text => text.includes(part));
      if (leak !== undefined) t.fail(`${part} in: ${leak}`);
    }
  }
});

t.test('random bytes cause nothing but the own error', async t => {
  let state = 0x2545f491;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let round = 0; round < 10_000; round++) {
    const bytes = new Uint8Array(next() % 200);
    for (let at = 0; at < bytes.length; at++) bytes[at] = next();
    refusalOrNone(() => pos.unpack(bytes));
    refusalOrNone(() => bank.unpack(bytes));
  }
  t.pass();
});
