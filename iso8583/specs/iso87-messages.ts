/**
 * The kinds of message of ISO 8583:1987 and the fields that they must have. What interchanges agree on is taken as
 * mandatory and all else is left open, except that an answer never repeats the secrets of its request. Files,
 * reconciliation and administration are so much each network's own that they only need a trace number. Source:
 * iso8583-fields §1, §3.
 */

import type { MessageSpec } from '../spec.ts';

/** A PAN comes by itself or in one of the tracks. */
const PAN_SOMEHOW = [
  {
    field: 2,
    when: [
      { field: 35, present: false },
      { field: 45, present: false },
    ],
  },
] as const;

/** PIN, tracks: they go towards the issuer and do not come back, and a reversal has no use for them. */
const SECRETS = [35, 36, 45, 52];

function request(mti: string, name: string): MessageSpec {
  return {
    name,
    mti,
    mandatory: [3, 4, 7, 11, 22, 25, 41, 42, 49],
    conditional: PAN_SOMEHOW,
    forbidden: [39],
  };
}

function advice(mti: string, name: string): MessageSpec {
  return { name, mti, mandatory: [3, 4, 7, 11, 25, 41, 42, 49], conditional: PAN_SOMEHOW, forbidden: [52] };
}

/** A reversal names its original in field 90. */
function reversal(mti: string, name: string): MessageSpec {
  return { name, mti, mandatory: [3, 4, 7, 11, 90], forbidden: SECRETS };
}

function answer(mti: string, name: string): MessageSpec {
  return { name, mti, mandatory: [3, 7, 11, 39], forbidden: SECRETS };
}

function light(name: string, ...mtis: readonly string[]): MessageSpec[] {
  return mtis.map(mti => ({ name, mti, mandatory: [11] }));
}

function lightAnswer(name: string, ...mtis: readonly string[]): MessageSpec[] {
  return mtis.map(mti => ({ name, mti, mandatory: [11, 39], forbidden: SECRETS }));
}

/** For every dialect with the 1987 dictionary. */
export const iso87Messages: readonly MessageSpec[] = [
  request('0100', 'authorisation request'),
  request('0101', 'authorisation request, repeat'),
  answer('0110', 'authorisation answer'),
  advice('0120', 'authorisation advice'),
  advice('0121', 'authorisation advice, repeat'),
  answer('0130', 'authorisation advice answer'),
  request('0200', 'financial request'),
  request('0201', 'financial request, repeat'),
  answer('0210', 'financial answer'),
  advice('0220', 'financial advice'),
  advice('0221', 'financial advice, repeat'),
  answer('0230', 'financial advice answer'),
  reversal('0400', 'reversal request'),
  reversal('0401', 'reversal request, repeat'),
  answer('0410', 'reversal answer'),
  reversal('0420', 'reversal advice'),
  reversal('0421', 'reversal advice, repeat'),
  answer('0430', 'reversal advice answer'),
  ...light('file update', '0300', '0302', '0320'),
  ...lightAnswer('file update answer', '0310', '0312', '0330'),
  ...light('reconciliation', '0500', '0501', '0520', '0521'),
  ...lightAnswer('reconciliation answer', '0510', '0530'),
  ...light('administrative message', '0600', '0601', '0620', '0621'),
  ...lightAnswer('administrative answer', '0610', '0630'),
  { name: 'network management request', mti: '0800', mandatory: [7, 11, 70], forbidden: [39] },
  { name: 'network management answer', mti: '0810', mandatory: [7, 11, 39, 70] },
  { name: 'network management advice', mti: '0820', mandatory: [7, 11, 70] },
];
