/** Messages that others have sent: each decodes to what is listed beside it, and packs back to the same bytes. */

import t from 'tap';
import { type Codec, compile, cupPos, type FieldValue, iso87Binary, type Message } from '../../iso8583/index.ts';
import { cupPosSamples, fromHex, iso87Sample, toHex } from './vectors.ts';

const gbk = new TextDecoder('gbk');

function repack(codec: Codec, message: Message): string {
  const headers: Record<string, Uint8Array> = {};
  for (const { name } of codec.spec.headers ?? []) headers[name] = message.header(name) ?? new Uint8Array();
  const fields: Record<number, FieldValue | undefined> = {};
  // Descending, so that the order on the wire is the codec's own doing.
  for (const field of message.fields().reverse()) fields[field] = message.text(field);
  const into = new Uint8Array(message.bytes.length + 40).fill(0xa5);
  const end = codec.pack({ mti: message.mti, headers, fields }, into, 7);
  return toHex(into.subarray(7, end));
}

t.test('captured cup-pos messages', async t => {
  const codec: Codec = compile(cupPos);
  for (const sample of cupPosSamples()) {
    t.test(`${sample.id}: ${sample.title}`, async t => {
      const bytes = fromHex(sample.hex);
      t.equal(bytes.length, sample.frameLength);
      const message = codec.unpack(bytes);
      t.equal(message.mti, sample.mti);
      t.equal(toHex(message.header('tpdu')), sample.tpdu);
      t.equal(toHex(message.header('header')), sample.header);
      t.strictSame(message.fields(), Object.keys(sample.fields).map(Number));
      for (const [key, { as, value, length }] of Object.entries(sample.fields)) {
        const field = Number(key);
        const content = message.content(field) ?? new Uint8Array();
        if (as === 'gbk') t.equal(gbk.decode(content), value, `field ${field}`);
        else if (as === 'hex') t.equal(toHex(content), value, `field ${field}`);
        else t.equal(message.text(field), value, `field ${field}`);
        const units = as === 'digits' || as === 'track' ? message.text(field)?.length : content.length;
        t.equal(units, length, `length of field ${field}`);
      }
      t.equal(repack(codec, message), sample.hex);
      const copy = new Uint8Array(bytes.length);
      t.equal(codec.relay(message, {}, copy), bytes.length);
      t.same(copy, bytes, 'a relay without changes is a copy');
    });
  }
});

t.test('the public 1987 message with every field from 2 to 64', async t => {
  const codec: Codec = compile(iso87Binary);
  const sample = iso87Sample();
  const message = codec.unpack(fromHex(sample.hex));
  t.equal(message.mti, sample.mti);
  t.strictSame(message.fields(), Object.keys(sample.fields).map(Number));
  for (const [field, value] of Object.entries(sample.fields)) t.equal(message.text(Number(field)), value, field);
  t.equal(repack(codec, message), sample.hex);
});

t.test('the message under the published MAC of cup-pos §6, which has no headers', async t => {
  const codec: Codec = compile({ ...cupPos, headers: [] });
  const data =
    '0200302004C020C0981100000000000000005100183402100006324392260009942820D131210112008439' +
    '3136363838303134303030303030303030303030303031313536ACF46E73838A82F92600000000000000000822000001';
  const message = codec.unpack(fromHex(`${data}3841394539314238`));
  t.equal(toHex(message.coverOf(64)), data, 'the 91 bytes that the MAC covers');
  t.strictSame(Object.fromEntries(message.fields().map(field => [field, message.text(field)])), {
    3: '000000',
    4: '000000000051',
    11: '001834',
    22: '021',
    25: '00',
    26: '06',
    35: '4392260009942820=131210112008439',
    41: '16688014',
    42: '000000000000001',
    49: '156',
    52: 'ACF46E73838A82F9',
    53: '2600000000000000',
    60: '22000001',
    64: '3841394539314238',
  });
  t.equal(repack(codec, message), `${data}3841394539314238`);
});
