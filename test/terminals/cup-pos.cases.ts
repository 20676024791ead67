import t from 'tap';
import type { FinancialRequest, TerminalAnswer, TerminalRequest } from '../../src/switch/ports.ts';
import { type Reading, readCupPos } from '../../src/terminals/cup-pos/read.ts';
import { cupPosSample, cupPosSamples, fromHex, toHex } from '../iso8583/vectors.ts';
import { type Fields, mac, message, purchase, purchaseFields, unframed } from './support.ts';

const times = { receivedAtMs: 1_000, deadlineMs: 51_000 };

function read(bytes: Uint8Array, settings: Partial<{ tpduAnswer: 'swap' | 'echo' }> = {}): Reading {
  return readCupPos(bytes, times, { tpduAnswer: 'swap', acquirerId: '00000001', ...settings });
}

function request(bytes: Uint8Array): TerminalRequest {
  const reading = read(bytes);
  if (reading.kind !== 'request') throw new Error(reading.reason);
  return reading.request;
}

/** A reading in a few words. */
function verdict(bytes: Uint8Array): string {
  const reading = read(bytes);
  if (reading.kind === 'unanswerable') return `unanswerable: ${reading.reason}`;
  const { request } = reading;
  switch (request.kind) {
    case 'refused':
      return `${request.responseCode} ${request.reason}`;
    case 'sign-on':
      return `sign-on ${request.form} ${request.batch}`;
    default:
      return request.kind;
  }
}

t.test('the captured samples', async t => {
  const expected: Record<string, string> = {
    A1: 'sign-on double 000172',
    A2: 'unanswerable: an answer, not a request',
    A3: '14 bad-pan',
    B1: '40 unsupported-0800',
    B2: 'unanswerable: an answer, not a request',
    C1: '40 unsupported-0800',
    C2: 'unanswerable: an answer, not a request',
    D: '40 encrypted-track',
    E1: 'purchase',
    E2: 'unanswerable: an answer, not a request',
    F: 'purchase',
    G: 'sign-on double 000001',
    H: 'sign-on single 000001',
    I: 'sign-on double 000001',
    J: 'sign-on double 000001',
  };
  const found = Object.fromEntries(cupPosSamples().map(sample => [sample.id, verdict(fromHex(sample.hex))]));
  t.same(found, expected);
});

t.test('a purchase, field by field', async t => {
  const sample = fromHex(cupPosSample('F').hex);
  const found = request(sample) as FinancialRequest;
  t.match(found, {
    kind: 'purchase',
    ...times,
    merchantId: '850100082410002',
    terminalId: '10000019',
    identity: {
      merchantId: '850100082410002',
      terminalId: '10000019',
      batch: '000024',
      trace: '000403',
      messageClass: 'request',
    },
    processingCode: '000000',
    typeCode: '22',
    conditionCode: '00',
    amountMinor: 1,
    currency: '156',
    entryMode: '071',
    cardSequence: '000',
    expiry: '2806',
    pinCaptureCode: '12',
    securityControl: '2600000000000000',
    partialApproval: false,
    mac: '3846363531423236',
  });
  t.equal(found.pan.reveal(), '6224242900000113');
  t.equal(found.track2?.reveal(), '6224242900000113=28062013949031013');
  t.equal(found.pinBlock?.reveal(), 'D1EEF419D0AE2609');
  t.equal(found.iccData?.reveal().length, 139);
  t.equal(toHex(found.macInput.reveal()), toHex(sample.subarray(11, -8)), 'the MAC covers MTI to the byte before DE64');

  const partial = request(purchase({ 60: '22000024000601' })) as FinancialRequest;
  t.equal(partial.partialApproval, true);
  const fromTrack = request(purchase({ 2: undefined })) as FinancialRequest;
  t.equal(fromTrack.pan.reveal(), '6224242900000113', 'PAN from track 2');
  const noPin = request(purchase({ 52: '0000000000000000' }));
  t.equal((noPin as FinancialRequest).pinBlock, undefined, 'a block of zeros is no PIN');
  const unsigned = request(purchase({ 64: undefined })) as FinancialRequest;
  t.equal(unsigned.mac, undefined);
  t.equal(toHex(unsigned.macInput.reveal()), toHex(purchase({ 64: undefined }).subarray(11)));
  for (const control of ['22000024', '22000024000', '2200002400060', '220000240006000', '22000024000600000']) {
    t.equal(verdict(purchase({ 60: control })), 'purchase', `DE60 of ${control.length} digits`);
  }
});

/** DE3, DE25, DE37, DE38 and DE60 of a kind (cup-pos §3). */
const kindFields = (type: string, processingCode: string, conditionCode = '00'): Fields => ({
  3: processingCode,
  25: conditionCode,
  37: '632600000001',
  38: '123456',
  60: `${type}000024000600`,
});

const kindCases = (
  [
    ['0200', 'purchase-void', '23', '200000', '00'],
    ['0220', 'refund', '25', '200000', '00'],
    ['0100', 'pre-authorisation', '10', '030000', '06'],
    ['0100', 'additional-pre-authorisation', '10', '030000', '60'],
    ['0100', 'pre-authorisation-void', '11', '200000', '06'],
    ['0200', 'completion', '20', '000000', '06'],
    ['0220', 'completion-advice', '24', '000000', '06'],
    ['0200', 'completion-void', '21', '200000', '06'],
    ['0200', 'offline-sale', '36', '000000', '00'],
    ['0220', 'offline-settlement', '30', '000000', '00'],
    ['0220', 'settlement-adjustment', '32', '000000', '00'],
    ['0220', 'tip-adjustment', '34', '000000', '00'],
  ] as const
).flatMap(([mti, kind, type, processingCode, conditionCode]): (readonly [string, Uint8Array, string])[] => {
  const fields = { ...purchaseFields, ...kindFields(type, processingCode, conditionCode) };
  return [
    [kind, message(mti, { ...fields, 61: '0000240000071122' }), kind],
    [`${kind}, DE61 cut short`, message(mti, { ...fields, 61: '0000240000' }), '30 format-61'],
    [`${kind}, no amount`, message(mti, { ...fields, 4: undefined }), '13 missing-amount'],
  ];
});

t.test('what each message is', async t => {
  const inquiry: Fields = { ...purchaseFields, 3: '310000', 4: undefined, 60: '01000024000600' };
  const undo: Fields = { ...purchaseFields, 26: undefined, 35: undefined, 52: undefined, 53: undefined, 39: '98' };
  const terminal: Fields = { 11: '000001', 41: '10000019', 42: '850100082410002' };
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['balance inquiry', message('0200', inquiry), 'balance-inquiry'],
    ['reversal', message('0400', undo), 'reversal'],
    ['reversal of what we do not do yet', message('0400', { ...undo, 3: '030000', 25: '06' }), 'reversal'],
    ['reversal without a reason', message('0400', { ...undo, 39: undefined }), '30 missing-39'],
    ['echo', message('0820', { ...terminal, 60: '00000001301' }), 'echo'],
    ['echo as 0800', message('0800', { ...terminal, 60: '00000001301' }), 'echo'],
    ['e-signature', message('0820', { ...terminal, 60: '07000001301' }), '40 unsupported-0820'],
    ['sign-off', message('0820', { ...terminal, 60: '00000001002' }), 'sign-off'],
    ['sign-off as 0800', message('0800', { ...terminal, 60: '00000001002' }), 'sign-off'],
    ['sign-on with a track key', message('0800', { ...terminal, 60: '00000001004' }), '40 unsupported-0800'],
    ['sign-on as 0820', message('0820', { ...terminal, 60: '00000001003' }), '40 unsupported-0820'],
    ['sign-on without a trace', message('0800', { ...terminal, 11: undefined, 60: '00000001003' }), '30 missing-11'],
    ['sign-on, short DE60', message('0800', { ...terminal, 60: '0000000100' }), '30 format-60'],
    ['sign-on without DE60', message('0800', terminal), '30 missing-60'],
    ...kindCases,
    ['instalments', purchase({ 25: '64' }), '40 unsupported-0200'],
    ['customer code', purchase({ 22: '032', 2: undefined, 35: undefined }), '40 unsupported-0200'],
    ['pre-authorisation as a sale', message('0100', { ...purchaseFields, 3: '030000' }), '40 unsupported-0100'],
    ['settlement', message('0500', { ...terminal, 60: '00000001201' }), '40 unsupported-0500'],
    ['unknown MTI', message('0600', { ...terminal, 60: '00000001201' }), '12 unknown-mti'],
    ['an answer', message('0210', purchaseFields), 'unanswerable: an answer, not a request'],
    ['no terminal', purchase({ 41: undefined }), 'unanswerable: names no terminal'],
    ['no amount', purchase({ 4: undefined }), '13 missing-amount'],
    ['amount zero', purchase({ 4: '000000000000' }), '13 amount-zero'],
    ['no card', purchase({ 2: undefined, 35: undefined }), '14 missing-pan'],
    ['wrong check digit', purchase({ 2: '6224242900000114', 35: undefined }), '14 bad-pan'],
    ['two cards', purchase({ 2: '6224242300000069' }), '14 pan-differs-from-track'],
    ['encrypted tracks', purchase({ 53: '2610000000000000' }), '40 encrypted-track'],
    ['SM4', purchase({ 53: '2300000000000000' }), '40 pin-algorithm'],
    ['PIN block without PAN', purchase({ 53: '1600000000000000' }), '99 pin-format'],
    ['PIN without DE53', purchase({ 53: undefined }), '30 missing-53'],
    ['DE60 too short', purchase({ 60: '2200002' }), '30 format-60'],
    ['DE60 too long', purchase({ 60: '220000240006000000' }), '30 format-60'],
    ...[3, 11, 22, 25, 49, 60].map(
      field => [`no DE${field}`, purchase({ [field]: undefined }), `30 missing-${field}`] as const,
    ),
  ];
  for (const [name, bytes, expected] of cases) t.equal(verdict(bytes), expected, name);
  const named = request(message('0200', { ...purchaseFields, ...kindFields('23', '200000'), 61: '000024000007' }));
  t.match(named, { reference: { batch: '000024', trace: '000007', rrn: '632600000001', authCode: '123456' } });
  const byDate = request(message('0220', { ...purchaseFields, ...kindFields('25', '200000'), 61: '0000000000001122' }));
  t.match(byDate, {
    reference: { batch: undefined, trace: undefined, date: '1122' },
    identity: { messageClass: 'advice' },
  });
  t.equal((request(purchase()) as FinancialRequest).reference, undefined);
});

t.test('a fault behind the terminal’s name is answered 30, one before it is not', async t => {
  const good = purchase({ 55: undefined });
  const at = (field: number, fields: Fields = { ...purchaseFields, 55: undefined }): number => {
    // Where a field begins: the length of the message that ends before it.
    const before = Object.fromEntries(Object.entries(fields).filter(([number]) => Number(number) < field));
    return message('0200', before).length;
  };
  const broken = (offset: number, ...bytes: readonly number[]): Uint8Array => {
    const copy = good.slice();
    copy.set(bytes, offset);
    return copy;
  };
  t.equal(verdict(broken(at(60), 0xff, 0xff)), '30 format-60', 'length prefix of DE60');
  t.equal(verdict(broken(at(60) + 4, 0xab)), '30 format-60', 'a letter among the digits of DE60');
  t.equal(verdict(broken(at(53) + 3, 0xcc)), '30 format-53');
  t.equal(verdict(good.subarray(0, -3)), '30 format-64', 'the message ends within DE64');
  t.equal(verdict(Buffer.concat([good, Buffer.from([0])])), '30 format-trailing-bytes');
  const stranger = good.slice();
  stranger[13 + 5] = (stranger[13 + 5] as number) | 0x08;
  t.equal(verdict(stranger), '30 format-45', 'DE45 is no field of this dialect');
  t.match(verdict(broken(at(4) + 1, 0xdd)), /^unanswerable: format-4, names no terminal$/);
  t.match(verdict(broken(11, 0x0a)), /^unanswerable: bad-mti at mti$/);
  t.match(verdict(broken(13, 0xff)), /^unanswerable: bad-bitmap at bitmap$/);
  t.match(verdict(good.subarray(0, 12)), /^unanswerable: truncated at mti$/);
  t.match(verdict(new Uint8Array(3)), /^unanswerable: truncated at header.tpdu$/);

  const answer = answerTo(request(broken(at(60), 0xff, 0xff)), { responseCode: '30' }, false);
  t.same(answer.fields(), [2, 3, 4, 11, 14, 23, 25, 32, 39, 41, 42, 49, 53]);
  t.equal(answer.text(39), '30');
  // Every message cut at every byte, and with every byte spoiled: never a throw.
  for (const sample of cupPosSamples()) {
    const bytes = fromHex(sample.hex);
    for (let i = 0; i < bytes.length; i++) {
      read(bytes.subarray(0, i));
      const spoiled = bytes.slice();
      spoiled[i] = (spoiled[i] as number) ^ 0xff;
      read(spoiled);
    }
  }
});

function answerTo(request: TerminalRequest, answer: TerminalAnswer, withMac: boolean) {
  const draft = request.reply(answer, withMac);
  return unframed(draft.seal(draft.macInput === undefined ? undefined : mac));
}

const full: TerminalAnswer = {
  responseCode: '00',
  rrn: '632600000001',
  authCode: 'A12345',
  localTime: '101112',
  localDate: '1122',
  settlementDate: '1123',
  acquirerId: '03060001',
  additionalResponse: '03060000   03060001   ',
  balance: '0201156C000000009900',
  iccData: fromHex('910A00112233445566773030'),
};

t.test('answers have the fields of the table', async t => {
  const mti = (wire: string, fields: Fields) => request(message(wire, fields));
  const undo: Fields = { ...purchaseFields, 26: undefined, 35: undefined, 52: undefined, 53: undefined, 39: '98' };
  const terminal: Fields = { 11: '000001', 41: '10000019', 42: '850100082410002' };
  const cases: readonly (readonly [string, TerminalRequest, TerminalAnswer, string, readonly number[]])[] = [
    [
      'purchase',
      request(purchase()),
      full,
      '0210',
      [2, 3, 4, 11, 12, 13, 14, 15, 23, 25, 32, 37, 38, 39, 41, 42, 44, 49, 53, 54, 55, 60, 64],
    ],
    [
      'balance inquiry',
      mti('0200', { ...purchaseFields, 3: '310000', 4: undefined, 60: '01000024000600' }),
      full,
      '0210',
      [2, 3, 11, 12, 13, 14, 23, 25, 32, 37, 39, 41, 42, 44, 49, 53, 54, 55, 60, 64],
    ],
    [
      'reversal',
      mti('0400', undo),
      full,
      '0410',
      [2, 3, 4, 11, 12, 13, 14, 15, 23, 25, 32, 37, 39, 41, 42, 44, 49, 55, 60, 64],
    ],
    [
      'sign-on',
      mti('0800', { ...terminal, 60: '00000001003', 63: '01 ' }),
      { ...full, batch: '000042', workingKeys: new Uint8Array(40) },
      '0810',
      [11, 12, 13, 32, 37, 39, 41, 42, 60, 62],
    ],
    ['echo', mti('0820', { ...terminal, 60: '00000001301' }), full, '0830', [11, 12, 13, 32, 37, 39, 41, 42, 60]],
    [
      'refusal',
      request(purchase({ 25: '64' })),
      { responseCode: '40' },
      '0210',
      [2, 3, 4, 11, 14, 23, 25, 32, 39, 41, 42, 49, 53, 60],
    ],
    [
      'a decline without more',
      request(purchase({ 14: undefined, 23: undefined })),
      { responseCode: '51' },
      '0210',
      [2, 3, 4, 11, 25, 32, 39, 41, 42, 49, 53, 60, 64],
    ],
  ];
  for (const [name, asked, answer, wire, fields] of cases) {
    const found = answerTo(asked, answer, true);
    t.equal(found.mti, wire, name);
    t.same(found.fields(), fields, name);
    t.equal(found.text(39), answer.responseCode, name);
    t.equal(found.text(41), '10000019', name);
    t.equal(found.text(42), '850100082410002', name);
  }
});

t.test('the values of an answer', async t => {
  const asked = request(purchase());
  const draft = asked.reply({ ...full, processingRequest: '3' }, true);
  const sealed = draft.seal(mac);
  const found = unframed(sealed);
  t.equal(toHex(found.header('tpdu')), '6000010006', 'destination and source swapped');
  t.equal(toHex(found.header('header')), '603103311003', 'digit 6 asks to sign on again, all others are copied');
  t.equal(toHex(draft.macInput), toHex(found.coverOf(64)), 'MTI to the byte before DE64');
  t.equal(found.text(64), mac);
  t.same(
    [2, 3, 4, 11, 15, 37, 38, 44, 54, 55, 60].map(field => found.text(field)),
    [
      '6224242900000113',
      '000000',
      '000000001050',
      '000007',
      '1123',
      '632600000001',
      'A12345',
      full.additionalResponse,
      full.balance,
      '910A00112233445566773030',
      '22000024000600',
    ],
  );
  const echoing = read(purchase(), { tpduAnswer: 'echo' });
  if (echoing.kind !== 'request') throw new Error(echoing.reason);
  t.equal(toHex(unframed(echoing.request.reply({ responseCode: '96' }, false).seal()).header('tpdu')), '6000060001');
  t.equal(unframed(asked.reply({ responseCode: '96' }, false).seal()).has(64), false, 'no MAC unless asked for');
  t.equal(answerTo(asked, { responseCode: '96' }, true).text(32), '00000001', 'our own DE32 where the core names none');
  t.equal(answerTo(request(purchase({ 2: undefined })), full, true).text(2), '6224242900000113', 'DE2 from the track');

  const signOn = request(fromHex(cupPosSample('A1').hex));
  const keys = fromHex(cupPosSample('A2').fields['62']?.value ?? '');
  const signedOn = answerTo(signOn, { responseCode: '00', batch: '000042', workingKeys: keys }, true);
  t.equal(signedOn.text(60), '00000042003', 'the batch is replaced, 60.3 stays');
  t.equal(signedOn.text(62), toHex(keys));
  t.equal(signOn.reply({ responseCode: '00' }, true).macInput, undefined, 'management carries no MAC');
});

t.test('a part of the amount is told as 10, or the terminal would take the answer for none', async t => {
  const asked = request(purchase({ 60: '22000024000601' }));
  const part = answerTo(asked, { ...full, amountMinor: 500 }, true);
  t.equal(part.text(39), '10');
  t.equal(part.text(4), '000000000500');
  t.equal(answerTo(asked, { ...full, amountMinor: 1050 }, true).text(39), '00');
});

t.test('what a bank wrote and does not fit is left out, the outcome is told', async t => {
  const odd = answerTo(request(purchase()), { ...full, authCode: 'TOOLONG', balance: '0'.repeat(500) }, true);
  t.equal(odd.text(39), '00');
  t.same([odd.has(38), odd.has(54), odd.has(55)], [false, false, true]);
  t.throws(() => request(purchase()).reply({ ...full, responseCode: '000' }, true), { code: 'value-does-not-fit' });
});

t.test('a draft cannot leave with a MAC that is none', async t => {
  const asked = request(purchase());
  t.throws(() => asked.reply(full, true).seal(), TypeError);
  t.throws(() => asked.reply(full, true).seal('00'), TypeError);
  t.throws(() => asked.reply(full, false).seal(mac), TypeError);
});
