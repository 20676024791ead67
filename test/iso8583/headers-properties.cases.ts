/** Any header: what is written is read, what is read is written. Expected bytes come from the generator. */

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { Iso8583Error } from '../../iso8583/errors.ts';
import {
  answerCupsHeader,
  answerHeader,
  answerVisaHeader,
  readCupsHeader,
  readPosHeader,
  readTpdu,
  readVisaHeader,
  swapTpdu,
  writeCupsHeader,
  writePosHeader,
  writeTpdu,
  writeVisaHeader,
} from '../../iso8583/headers.ts';
import { ascii, fromHex, toHex, visa, visaReject } from './vectors.ts';

const cups = `2E02${ascii('000000010000   03052900   ')}00000001${ascii('00000000')}00${ascii('00000')}`;

function holds<T>(t: Test, property: fc.IProperty<T>): void {
  t.equal(fc.defaultReportMessage(fc.check(property, { seed: 8583, numRuns: 500 })), undefined);
}

const digits = (length: number): fc.Arbitrary<string> =>
  fc.array(fc.nat(9), { minLength: length, maxLength: length }).map(each => each.join(''));
const hexDigits = (length: number): fc.Arbitrary<string> =>
  fc.nat(16 ** length - 1).map(value => value.toString(16).toUpperCase().padStart(length, '0'));
const byte = fc.nat(0xff);
const institution = fc.stringMatching(/^[0-9A-Za-z]{1,11}$/);
const bits24 = fc.nat(0xffffff);

function hex(value: number, bytes: number): string {
  const digits = value.toString(16).toUpperCase();
  return digits.padStart(2 * bytes, '0');
}

const visaHeader = fc.record({
  ...{ format: byte, textFormat: byte, destination: digits(6), source: digits(6), roundTripControl: byte },
  ...{ flags: fc.nat(0xffff), status: bits24, batch: byte, reserved: bits24, userInformation: byte },
});
const cupsHeader = fc.record({
  ...{ version: byte, destination: institution, source: institution, reserved: bits24, batch: byte },
  transactionInformation: fc.stringMatching(/^[\x21-\xff]{0,8}$/),
  ...{ userInformation: byte, rejectCode: digits(5) },
});

/** What `run` makes, or undefined where the header is refused; no other error may come. */
function unlessRefused<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof Iso8583Error && error.code === 'bad-header') return undefined;
    throw error;
  }
}

t.test('property: a header holds what was written into it, where it belongs', async t => {
  const tpdu = fc.record({ id: digits(2), destination: digits(4), source: digits(4) });
  holds(
    t,
    fc.property(tpdu, value => {
      const bytes = writeTpdu(value);
      const turned = { ...value, destination: value.source, source: value.destination };
      return (
        toHex(bytes) === value.id + value.destination + value.source &&
        isDeepStrictEqual(readTpdu(bytes), { ...value }) &&
        isDeepStrictEqual(readTpdu(swapTpdu(bytes)), turned)
      );
    }),
  );
  const pos = fc.record({
    ...{ applicationClass: digits(2), softwareVersion: digits(2), terminalStatus: digits(1) },
    ...{ processingRequest: hexDigits(1), subVersion: hexDigits(6) },
  });
  holds(
    t,
    fc.property(pos, hexDigits(1), (value, processingRequest) => {
      const bytes = writePosHeader(value);
      const front = value.applicationClass + value.softwareVersion + value.terminalStatus;
      return (
        toHex(bytes) === front + value.processingRequest + value.subVersion &&
        isDeepStrictEqual(readPosHeader(bytes), { ...value }) &&
        isDeepStrictEqual(readPosHeader(answerHeader(bytes, processingRequest)), { ...value, processingRequest })
      );
    }),
  );
  const reject = fc.record({ bitmap: hexDigits(4), code: hexDigits(4) });
  holds(
    t,
    fc.property(visaHeader, fc.option(reject, { nil: undefined }), (value, rejected) => {
      const bytes = writeVisaHeader(rejected === undefined ? value : { ...value, reject: rejected });
      const expected = [
        ...[rejected === undefined ? '16' : '1A', hex(value.format, 1), hex(value.textFormat, 1), '0000'],
        ...[value.destination, value.source, hex(value.roundTripControl, 1), hex(value.flags, 2)],
        ...[hex(value.status, 3), hex(value.batch, 1), hex(value.reserved, 3), hex(value.userInformation, 1)],
        ...(rejected === undefined ? [] : [rejected.bitmap, rejected.code]),
      ];
      const read = readVisaHeader(bytes);
      const turned = { ...value, destination: value.source, source: value.destination };
      return (
        toHex(bytes) === expected.join('') &&
        isDeepStrictEqual(read, { ...value, ...(rejected === undefined ? {} : { reject: { ...rejected } }) }) &&
        (rejected !== undefined || isDeepStrictEqual(readVisaHeader(answerVisaHeader(bytes)), turned))
      );
    }),
  );
  holds(
    t,
    fc.property(cupsHeader, value => {
      const bytes = writeCupsHeader(value);
      const expected = [
        ...['2E', hex(value.version, 1), ascii('0000'), ascii(value.destination.padEnd(11))],
        ...[ascii(value.source.padEnd(11)), hex(value.reserved, 3), hex(value.batch, 1)],
        ...[ascii(value.transactionInformation.padEnd(8)), hex(value.userInformation, 1), ascii(value.rejectCode)],
      ];
      const request = { ...value, rejectCode: '00000' };
      const turned = { ...request, destination: value.source, source: value.destination };
      return (
        toHex(bytes) === expected.join('') &&
        isDeepStrictEqual(readCupsHeader(bytes), { ...value }) &&
        isDeepStrictEqual(readCupsHeader(answerCupsHeader(writeCupsHeader(request))), turned)
      );
    }),
  );
});

t.test('property: what is read is written again to the same bytes, and all else is refused', async t => {
  const kinds: readonly { valid: string; again: (bytes: Uint8Array) => Uint8Array; total: [number, number] }[] = [
    { valid: '6000030512', again: bytes => writeTpdu(readTpdu(bytes)), total: [0, 0] },
    { valid: '603110310000', again: bytes => writePosHeader(readPosHeader(bytes)), total: [0, 0] },
    { valid: visa, again: bytes => writeVisaHeader(readVisaHeader(bytes)), total: [3, 5] },
    { valid: visaReject, again: bytes => writeVisaHeader(readVisaHeader(bytes)), total: [3, 5] },
    { valid: cups, again: bytes => writeCupsHeader(readCupsHeader(bytes)), total: [2, 6] },
  ];
  const changes = fc.array(fc.tuple(fc.nat(45), byte), { minLength: 1, maxLength: 2 });
  const lengths = fc.option(fc.nat(60), { nil: undefined, freq: 8 });
  const accepted = new Set<string>();
  holds(
    t,
    fc.property(fc.constantFrom(...kinds), changes, lengths, ({ valid, again, total }, changed, length) => {
      const bytes = fromHex(valid);
      for (const [at, value] of changed) bytes[at % bytes.length] = value;
      const given = bytes.slice(0, length);
      const before = toHex(given);
      const made = unlessRefused(() => again(given));
      if (toHex(given) !== before) return false;
      if (made === undefined) return true;
      accepted.add(valid);
      const [from, to] = total;
      given.set(fromHex(valid).subarray(from, to), from);
      return toHex(made) === toHex(given);
    }),
  );
  t.equal(accepted.size, kinds.length, 'some of each kind are accepted');
});
