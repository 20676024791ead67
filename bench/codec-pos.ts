/**
 * Chip purchases with PIN in the China UnionPay POS dialect, as a terminal sends them: the fields of the request column
 * of cup-pos §3 with time and date (sample D has them), values in the form of samples D and E1, tags of DE55 as in
 * §2.3.
 */

import { type Codec, type FieldValue, Iso8583Error, type Message } from '../iso8583/index.ts';
import { Unpacked } from '../iso8583/message.ts';
import { type Operation, operationOn } from './support/measure.ts';
import { Random } from './support/random.ts';
import { inOnePiece, middleOf, sampleOf } from './support/sum.ts';

export interface Purchase {
  readonly fields: Readonly<Record<number, FieldValue>>;
  /** The same, to be set one by one: the values of the fields in `NUMBERS`. */
  readonly values: readonly FieldValue[];
  /** The message with these fields. */
  readonly bytes: Uint8Array;
  /** What a switch writes into it when it passes it on. */
  readonly onward: { readonly trace: string; readonly reference: string };
}

/** Room for any message of these. */
const ROOM = 2048;
const PREFIX = 2;
const headers = { tpdu: hex('6000030000'), header: hex('603100310100') };

export function makePurchases(codec: Codec, random: Random, count: number): Purchase[] {
  const into = new Uint8Array(ROOM);
  return Array.from({ length: count }, () => {
    const fields = valuesOf(random);
    const bytes = into.slice(0, codec.pack({ mti: '0200', headers, fields }, into));
    const onward = { trace: inOnePiece(random.digits(6)), reference: inOnePiece(random.digits(12)) };
    const values = Object.values(fields);
    return { fields, values, bytes, onward };
  });
}

function valuesOf(random: Random): Record<number, FieldValue> {
  const pan = random.pick('621797', '622848', '622202') + random.digits(random.pick(10, 13, 13));
  const expiry = random.number(27, 35, 2) + random.number(1, 12, 2);
  const amount = random.number(1, 500_000, 12);
  const date = random.number(1, 12, 2) + random.number(1, 28, 2);
  const time = random.number(0, 23, 2) + random.number(0, 59, 2) + random.number(0, 59, 2);
  const trace = random.digits(6);
  const text = inOnePiece;
  return {
    2: text(pan),
    3: '000000',
    4: text(amount),
    11: text(trace),
    12: text(time),
    13: text(date),
    14: text(expiry),
    22: '051',
    23: text(random.number(0, 2, 3)),
    25: '00',
    26: random.pick('06', '12'),
    32: text(`0${random.digits(7)}`),
    35: text(`${pan}=${expiry}201${random.digits(10)}`),
    41: text(random.digits(8)),
    42: text(random.digits(15)),
    49: '156',
    52: random.bytes(8),
    53: '2600000000000000',
    55: iccOf(random, amount, date),
    57: '0808V0.0.3.0',
    59: text(random.digits(12)),
    60: text(`22${random.digits(6)}00060`),
    62: latin1(`\xff\x02\x21460|0|${random.digits(5)}|${random.digits(8)}`),
    63: text(`${random.number(1, 99, 2)} `),
    64: latin1(Buffer.from(random.bytes(4)).toString('hex').toUpperCase()),
  };
}

function iccOf(random: Random, amount: string, date: string): Uint8Array {
  const bytes = (length: number): string => Buffer.from(random.bytes(length)).toString('hex');
  const before = `9F2608${bytes(8)}9F2701809F101307020103A0A80601${bytes(7)}${bytes(4)}9F3704${bytes(4)}9F3602${bytes(2)}`;
  const terminal = `9505008004E0009A0326${date}9C01009F0206${amount}5F2A02015682027C009F1A0201569F0306000000000000`;
  const optional = `9F3303E0E1C89F34034203009F3501229F1E0831323334353637388408A0000003330101019F090200309F4104${random.digits(8)}`;
  return hex(before + terminal + optional);
}

function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** The fields of every purchase. */
const NUMBERS: readonly number[] = Object.keys(valuesOf(new Random(0))).map(Number);

export function posOperations(codec: Codec, purchases: readonly Purchase[]): Operation[] {
  const into = new Uint8Array(ROOM);
  const fields = codec.fields();
  return [
    operationOn(purchases, 'pos: unpack to positions', ({ bytes }) => {
      const message = codec.unpack(bytes);
      return message.has(2) ? positionOf(message, 41) + positionOf(message, 64) : 0;
    }),
    operationOn(purchases, 'pos: unpack, ten fields read', ({ bytes }) => {
      const message = codec.unpack(bytes);
      return (
        middleOf(message.text(2)) +
        middleOf(message.text(3)) +
        middleOf(message.text(4)) +
        middleOf(message.text(11)) +
        middleOf(message.text(22)) +
        middleOf(message.text(25)) +
        middleOf(message.text(41)) +
        middleOf(message.text(42)) +
        middleOf(message.text(49)) +
        middleOf(message.text(60))
      );
    }),
    operationOn(purchases, 'pos: pack', ({ values }) => {
      fields.clear();
      for (let index = 0; index < NUMBERS.length; index++) fields.set(NUMBERS[index] as number, values[index]);
      return sampleOf(into, PREFIX, codec.pack({ mti: '0200', headers, fields }, into, PREFIX));
    }),
    operationOn(purchases, 'pos: pack, from a plain object', ({ fields }) =>
      sampleOf(into, PREFIX, codec.pack({ mti: '0200', headers, fields }, into, PREFIX)),
    ),
    operationOn(purchases, 'pos: relay, four fields changed', ({ bytes, onward }) => {
      const message = codec.unpack(bytes);
      fields.clear().set(11, onward.trace).set(37, onward.reference).set(39, '00').set(52, null);
      return sampleOf(into, PREFIX, codec.relay(message, { mti: '0210', fields }, into, PREFIX));
    }),
    operationOn(purchases, 'pos: relay, from a plain object', purchase =>
      sampleOf(into, PREFIX, passOn(codec, purchase, into)),
    ),
  ];
}

/** Where a field begins: what a router asks for without reading anything. */
function positionOf(message: Message, field: number): number {
  return message instanceof Unpacked ? message.positionOf(field) : -1;
}

function passOn(codec: Codec, { bytes, onward }: Purchase, into: Uint8Array): number {
  const message = codec.unpack(bytes);
  const fields = { 11: onward.trace, 37: onward.reference, 39: '00', 52: null };
  return codec.relay(message, { mti: '0210', fields }, into, PREFIX);
}

/** Whether what is measured is right: a line for each purchase with which it is not. */
export function posProblems(codec: Codec, purchases: readonly Purchase[]): string[] {
  const problems: string[] = [];
  const into = new Uint8Array(ROOM);
  for (const [index, purchase] of purchases.entries()) {
    const { fields, bytes, onward } = purchase;
    const changed = { ...fields, 11: onward.trace, 37: onward.reference, 39: '00', 52: undefined };
    try {
      const passedOn = into.slice(PREFIX, passOn(codec, purchase, into));
      const wrong = [
        ...differences(codec.unpack(bytes), '0200', fields),
        ...differences(codec.unpack(passedOn), '0210', changed),
      ];
      if (wrong.length > 0) problems.push(`purchase ${index}: ${wrong.join(', ')}`);
    } catch (error) {
      if (!(error instanceof Iso8583Error)) throw error;
      problems.push(`purchase ${index}: ${error.message}`);
    }
  }
  return problems;
}

function differences(
  message: Message,
  mti: string,
  fields: Readonly<Record<number, FieldValue | undefined>>,
): string[] {
  const wrong = message.mti === mti ? [] : ['message type'];
  for (let field = 2; field <= 64; field++) {
    if (message.text(field) !== textOf(fields[field])) wrong.push(`field ${field}`);
  }
  return wrong;
}

function textOf(value: FieldValue | undefined): string | undefined {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex').toUpperCase() : value;
}
