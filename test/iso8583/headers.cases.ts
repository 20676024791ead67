/**
 * Headers are read, made and turned round for the answer. Expected bytes are written out or come from the generator.
 */

import t from 'tap';
import type { Iso8583Error } from '../../iso8583/errors.ts';
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
import { refusalOrNone } from './refusal.ts';
import { ascii, cupPosSamples, fromHex, toHex, visa, visaReject } from './vectors.ts';

const cups = cupsHex('00010000', '03052900');

function cupsHex(destination: string, source: string): string {
  const ids = ascii(destination.padEnd(11)) + ascii(source.padEnd(11));
  return `2E02${ascii('0000')}${ids}00000000${ascii('00000000')}00${ascii('00000')}`;
}

/** The error of a header that is refused, undefined for one that is not. */
function refusal(run: () => unknown): Iso8583Error | undefined {
  return refusalOrNone(run, 'bad-header');
}

t.test('every captured message has a TPDU and a header that are read and made again', async t => {
  for (const { tpdu, header, id } of cupPosSamples()) {
    t.equal(toHex(writeTpdu(readTpdu(fromHex(tpdu)))), tpdu, `${id} TPDU`);
    t.equal(toHex(writePosHeader(readPosHeader(fromHex(header)))), header, `${id} header`);
  }
});

t.test('a TPDU is turned round for the answer', async t => {
  const tpdu = fromHex('6000030512');
  t.strictSame(readTpdu(tpdu), { id: '60', destination: '0003', source: '0512' });
  t.equal(toHex(swapTpdu(tpdu)), '6005120003');
  t.equal(toHex(tpdu), '6000030512', 'the one of the request stays as it is');
  t.equal(toHex(swapTpdu(fromHex('60ABCDEF01'))), '60EF01ABCD', 'also when it is not decimal');
  t.match(
    refusal(() => readTpdu(fromHex('600003051A'))),
    { path: 'header.tpdu', expected: '4 decimal digits in source' },
  );
  t.equal(refusal(() => swapTpdu(fromHex('60000305')))?.message, 'bad-header: header.tpdu: expected 5 bytes, found 4');
});

t.test('a POS header keeps all but digit 6 in the answer', async t => {
  const header = fromHex('603110310000');
  t.strictSame(readPosHeader(header), {
    ...{ applicationClass: '60', softwareVersion: '31', terminalStatus: '1' },
    ...{ processingRequest: '0', subVersion: '310000' },
  });
  t.equal(toHex(answerHeader(header, '3')), '603113310000');
  t.equal(toHex(answerHeader(fromHex('6031153100AB'), 'B')), '60311B3100AB', 'what is not decimal is echoed too');
  t.equal(toHex(answerHeader(fromHex('603115310000'))), '603110310000', 'without one, nothing is asked for');
  t.equal(toHex(header), '603110310000');
  for (const wrong of ['', '10', 'G', 'b'])
    t.ok(
      refusal(() => answerHeader(header, wrong)),
      `digit 6 "${wrong}"`,
    );
  t.match(
    refusal(() => readPosHeader(fromHex('60A110310000'))),
    { expected: '2 decimal digits in softwareVersion' },
  );
  t.match(
    refusal(() => readPosHeader(fromHex('6031'))),
    { expected: '6 bytes', found: '2' },
  );
});

t.test('a Visa header is read, made and answered', async t => {
  const header = readVisaHeader(fromHex(visa.replace('020000', '020123')));
  t.strictSame(header, {
    ...{ format: 1, textFormat: 2, destination: '123456', source: '065432', roundTripControl: 10, flags: 0x0102 },
    ...{ status: 0x030405, batch: 6, reserved: 0x070809, userInformation: 255 },
  });
  t.equal(toHex(writeVisaHeader(header)), visa, 'the length of the message is zero');
  t.equal(
    toHex(writeVisaHeader({ destination: '000000', source: '123456' })),
    '16010200000000001234560000000000000000000000',
  );
  const answer = answerVisaHeader(fromHex(visa.replace('020000', '020123')));
  t.equal(toHex(answer), visa.replace('123456065432', '065432123456'));
});

t.test('the Visa header of a reject is longer, and is not answered', async t => {
  const header = readVisaHeader(fromHex(visaReject));
  t.strictSame(header.reject, { bitmap: '8000', code: '0012' });
  t.equal(header.format, 0x81);
  t.equal(toHex(writeVisaHeader(header)), visaReject);
  t.match(
    refusal(() => answerVisaHeader(fromHex(visaReject))),
    { expected: '22 bytes', found: '26' },
  );
  t.match(
    refusal(() => readVisaHeader(fromHex(visaReject.slice(0, 44)))),
    { expected: '26 bytes', found: '22' },
  );
  t.match(
    refusal(() => readVisaHeader(fromHex(`16${visaReject.slice(2)}`))),
    { expected: '22 bytes', found: '26' },
  );
  t.match(
    refusal(() => readVisaHeader(new Uint8Array(22))),
    { expected: '22 as its first byte' },
  );
  t.match(
    refusal(() => readVisaHeader(new Uint8Array(0))),
    { path: 'header.visa', found: '0' },
  );
});

t.test('a CUPS header is read, made and answered', async t => {
  t.equal(toHex(writeCupsHeader({ destination: '00010000', source: '03052900' })), cups);
  t.strictSame(readCupsHeader(fromHex(cups.replace('2E0230303030', '2E0230323331'))), {
    ...{ version: 2, destination: '00010000', source: '03052900', reserved: 0, batch: 0 },
    ...{ transactionInformation: '00000000', userInformation: 0, rejectCode: '00000' },
  });
  const answer = answerCupsHeader(fromHex(cups.replace('2E0230303030', '2E8230323331')));
  t.equal(toHex(answer), cupsHex('03052900', '00010000').replace('2E02', '2E82'));
  const rejected = fromHex(cups.slice(0, -10) + ascii('00035'));
  t.equal(readCupsHeader(rejected).rejectCode, '00035');
  t.match(
    refusal(() => answerCupsHeader(rejected)),
    { path: 'header.cups', expected: 'no reject code' },
  );
  t.match(
    refusal(() => readCupsHeader(fromHex(cupsHex('', '03052900')))),
    { expected: /letters and digits in dest/ },
  );
  t.match(
    refusal(() => readCupsHeader(fromHex(cupsHex('1', ' 2')))),
    { expected: /letters and digits in source/ },
  );
});

t.test('values that do not fit are refused, each by its name', async t => {
  const ids = { destination: '123456', source: '123456' };
  const wrong: readonly (readonly [RegExp, () => unknown])[] = [
    [/^4 decimal digits in destination$/, () => writeTpdu({ id: '60', destination: '123', source: '0000' })],
    [/decimal digits in id/, () => writeTpdu({ id: '6A', destination: '1234', source: '0000' })],
    [/a number of 8 bits in batch/, () => writeVisaHeader({ ...ids, batch: 256 })],
    [/a number of 16 bits in flags/, () => writeVisaHeader({ ...ids, flags: -1 })],
    [/a number of 24 bits in status/, () => writeVisaHeader({ ...ids, status: 0.5 })],
    [/4 hex digits in code/, () => writeVisaHeader({ ...ids, reject: { bitmap: '8000', code: '12' } })],
    [/letters and digits in source/, () => writeCupsHeader({ ...ids, source: '123456789012' })],
    [/up to 8 characters in transactionI/, () => writeCupsHeader({ ...ids, transactionInformation: '123456789' })],
    [/up to 8 characters in transactionI/, () => writeCupsHeader({ ...ids, transactionInformation: '\u94f6' })],
    [/5 digits in rejectCode/, () => writeCupsHeader({ ...ids, rejectCode: '' })],
  ];
  for (const [words, run] of wrong) t.match(refusal(run), { expected: words });
});

t.test('a message where a header should be shows nothing of itself', async t => {
  const card = Buffer.from('0200700000000000000016424242424242424212345600000000', 'latin1');
  for (const read of [readTpdu, readPosHeader, readVisaHeader, readCupsHeader]) {
    for (const bytes of [card, card.subarray(0, 46), card.subarray(22, 27), card.subarray(22, 28)]) {
      const message = refusal(() => read(bytes))?.message;
      if (message !== undefined) t.notMatch(message, /4242|3432/);
    }
  }
});
