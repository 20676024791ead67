/**
 * The kinds of message of UnionPay POS and their fields (cup-pos §3): what the table there gives a message is allowed,
 * what every terminal sends of it is mandatory, all else is forbidden. Fields 12 and 13 are allowed in requests beside
 * it, because captured messages have them.
 *
 * Mail and telephone orders (field 25 = 08 or 18) have the fields of their base transaction and are taken for it.
 */

import type { Condition, MessageSpec } from '../spec.ts';
import { cupPosManagement } from './cup-pos-management.ts';

/** Field 39 of an answer that a terminal treats as a success. */
const APPROVED: Condition = { field: 39, begins: ['00', '10', '11', 'A2', 'A4', 'A5', 'A6'] };
/** Field 22 where a card was there: manual, magnetic, chip, contactless, fallback. 03 is a code on a screen. */
const CARD: Condition = { field: 22, begins: ['01', '02', '05', '07', '80', '91', '95', '96', '98'] };
const CHIP: Condition = { field: 22, begins: ['05', '07'] };
const PIN: Condition = { field: 52, present: true };

const REQUEST = [3, 11, 22, 25, 41, 42, 49, 60];
const REQUEST_OPTIONAL = [12, 13, 14, 23, 32, 35, 36, 59, 62];
const REQUEST_CONDITIONAL: NonNullable<MessageSpec['conditional']> = [
  { field: 2, when: [{ field: 35, present: false }, CARD] },
  { field: 26, when: [PIN], otherwise: 'forbidden' },
  // Without a PIN it is allowed too: it also says how keys and tracks are encrypted (§5.2).
  { field: 53, when: [PIN] },
  { field: 55, when: [CHIP] },
];

/** What a terminal checks of every answer; the MAC only of a success. */
const ANSWER = [3, 11, 39, 41, 42];
const ANSWER_OPTIONAL = [2, 14, 15, 23, 25, 32, 44, 49, 53, 55, 60, 63];
const ANSWER_CONDITIONAL: NonNullable<MessageSpec['conditional']> = [12, 13, 37, 64].map(field => ({
  field,
  when: [APPROVED],
}));

interface Likeness {
  /** Mandatory in the request beside what every request has. */
  readonly request: readonly number[];
  readonly requestOptional: readonly number[];
  readonly answer: readonly number[];
  readonly answerOptional: readonly number[];
}

const purchase: Likeness = {
  request: [4, 64],
  requestOptional: [52, 57, 63],
  answer: [4],
  answerOptional: [38, 54, 59],
};
const voids: Likeness = {
  request: [4, 61, 64],
  requestOptional: [37, 38, 52, 57, 63],
  answer: [4],
  answerOptional: [38, 59],
};
const refunds: Likeness = { ...voids, answerOptional: [59] };
/** Completion and void of a pre-authorisation: they give its authorisation code. */
const completions: Likeness = {
  request: [4, 38, 61, 64],
  requestOptional: [52, 57, 63],
  answer: [4],
  answerOptional: [38, 54, 59],
};
const completionVoids: Likeness = { ...completions, request: [4, 61, 64], requestOptional: [37, 38, 52, 57, 63] };
/** Authorised before it is sent. Whether an upload has a MAC is not certain [?]. */
const uploads: Likeness = {
  request: [4],
  requestOptional: [37, 38, 57, 61, 63, 64],
  answer: [4],
  answerOptional: [38, 59],
};

const offlineSettlements: Likeness = { ...uploads, request: [4, 64], requestOptional: [37, 38, 57, 61, 63] };

/** Name, message type, field 3, field 60.1, what it is like, and field 25 where others differ in nothing else. */
type Kind = readonly [string, string, string, readonly string[], Likeness, (readonly string[])?];

const KINDS: readonly Kind[] = [
  ['instalment purchase', '0200', '000000', ['22'], purchase, ['64']],
  ['points purchase', '0200', '000000', ['22'], purchase, ['65']],
  ['reservation purchase', '0200', '000000', ['54'], purchase, ['67']],
  ['purchase', '0200', '000000', ['22'], purchase],
  ['instalment purchase void', '0200', '200000', ['23'], voids, ['64']],
  ['points purchase void', '0200', '200000', ['23'], voids, ['65']],
  ['reservation purchase void', '0200', '200000', ['53'], voids, ['67']],
  ['purchase void', '0200', '200000', ['23'], voids],
  ['refund', '0220', '200000', ['25'], refunds],
  ['additional pre-authorisation', '0100', '030000', ['10'], purchase, ['60']],
  ['pre-authorisation', '0100', '030000', ['10'], purchase],
  ['pre-authorisation void', '0100', '200000', ['11'], completions],
  ['completion', '0200', '000000', ['20'], completions],
  ['completion advice', '0220', '000000', ['24'], completions],
  ['completion void', '0200', '200000', ['21'], completionVoids],
  ['offline sale upload', '0200', '000000', ['36'], uploads],
  ['offline IC refund', '0220', '200000', ['27'], refunds],
  ['e-cash load, designated account', '0200', '600000', ['45'], purchase],
  ['e-cash load, other account', '0200', '620000', ['47'], purchase],
  ['e-cash load, cash', '0200', '630000', ['46'], purchase],
  ['e-cash load, cash void', '0200', '170000', ['51'], voids],
  ['settlement adjustment', '0220', '000000', ['32'], voids],
  ['tip adjustment', '0220', '000000', ['34'], voids],
  ['offline settlement', '0220', '000000', ['30'], offlineSettlements],
];

function answerTo(mti: string): string {
  return mti.slice(0, 2) + String(Number(mti.charAt(2)) + 1) + mti.slice(3);
}

/** The request of a kind and its answer. */
function both([name, mti, processing, types, like, conditions]: Kind): readonly MessageSpec[] {
  const when: Condition[] = [
    { field: 3, begins: [processing] },
    { field: 60, part: '1', begins: types },
  ];
  if (conditions !== undefined) when.push({ field: 25, begins: conditions });
  return [
    {
      name,
      mti,
      when,
      mandatory: [...REQUEST, ...like.request],
      conditional: REQUEST_CONDITIONAL,
      optional: [...REQUEST_OPTIONAL, ...like.requestOptional],
      forbidden: 'others',
    },
    {
      name: `${name} answer`,
      mti: answerTo(mti),
      when,
      mandatory: [...ANSWER, ...like.answer],
      conditional: ANSWER_CONDITIONAL,
      optional: [...ANSWER_OPTIONAL, ...like.answerOptional],
      forbidden: 'others',
    },
  ];
}

const INQUIRY: readonly Condition[] = [
  { field: 3, begins: ['310000'] },
  { field: 60, part: '1', begins: ['01', '03'] },
];

/** The terminal reads a code off the customer's screen: no card, and the code in field 59 (§8). */
const codePurchase: MessageSpec = {
  name: 'purchase by code',
  mti: '0200',
  when: [
    { field: 3, begins: ['000000'] },
    { field: 22, begins: ['03'] },
    { field: 60, part: '1', begins: ['22'] },
  ],
  mandatory: [...REQUEST, 4, 59, 64],
  conditional: [
    { field: 26, when: [PIN], otherwise: 'forbidden' },
    { field: 53, when: [PIN] },
  ],
  optional: [12, 13, 32, 52, 57, 62, 63],
  forbidden: 'others',
};

const inquiries: readonly MessageSpec[] = [
  {
    name: 'balance inquiry',
    mti: '0200',
    when: INQUIRY,
    mandatory: [...REQUEST, 64],
    conditional: REQUEST_CONDITIONAL,
    optional: [...REQUEST_OPTIONAL, 52],
    forbidden: 'others',
  },
  {
    name: 'balance inquiry answer',
    mti: '0210',
    when: INQUIRY,
    mandatory: ANSWER,
    conditional: [...ANSWER_CONDITIONAL, { field: 54, when: [{ field: 39, begins: ['00'] }] }],
    // Nothing is settled.
    optional: ANSWER_OPTIONAL.filter(field => field !== 15),
    forbidden: 'others',
  },
];

/** Fields 3, 4, 22, 25 and 60 of a reversal are those of its original; no PIN, no track (§4.1). */
const reversals: readonly MessageSpec[] = [
  {
    name: 'reversal',
    mti: '0400',
    mandatory: [3, 4, 11, 22, 25, 39, 41, 42, 49, 60, 64],
    conditional: [{ field: 2, when: [CARD] }],
    optional: [12, 13, 14, 23, 32, 38, 53, 55, 61, 62],
    forbidden: 'others',
  },
  {
    name: 'reversal answer',
    mti: '0410',
    mandatory: [3, 4, 11, 39, 41, 42],
    conditional: ANSWER_CONDITIONAL,
    optional: [2, 14, 15, 23, 25, 32, 44, 49, 53, 55, 60],
    forbidden: 'others',
  },
];

const scriptNotices: readonly MessageSpec[] = [
  {
    name: 'script notice',
    mti: '0620',
    mandatory: [2, 3, 4, 11, 22, 41, 42, 49, 55, 60, 61, 64],
    optional: [12, 13, 23, 32, 37],
    forbidden: 'others',
  },
  {
    name: 'script notice answer',
    mti: '0630',
    mandatory: [3, 11, 39, 41, 42],
    conditional: [{ field: 64, when: [APPROVED] }],
    optional: [2, 12, 13, 15, 22, 23, 32, 38, 49, 55, 60],
    forbidden: 'others',
  },
];

/** Answers that do not repeat field 60, so that their kind is not known. */
const otherAnswers: readonly MessageSpec[] = ['0110', '0210', '0230'].map(mti => ({
  name: 'answer of an unknown kind',
  mti,
  mandatory: ANSWER,
}));

export const cupPosMessages: readonly MessageSpec[] = [
  ...inquiries,
  codePurchase,
  ...KINDS.flatMap(both),
  ...reversals,
  ...scriptNotices,
  ...cupPosManagement,
  ...otherAnswers,
];
