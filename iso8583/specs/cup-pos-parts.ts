/** Structures within the fields of UnionPay POS (cup-pos §1.1, §2, §4.2, §5.2), but for fields 59 and 62. */

import type { PartsSpec, PositionalSpec } from '../spec.ts';

/** Message types of a host. */
const ANSWERS = ['0110', '0210', '0230', '0330', '0410', '0510', '0630', '0810', '0830'] as const;
/** Message types of a terminal. */
const REQUESTS = ['0100', '0200', '0220', '0320', '0400', '0500', '0620', '0800', '0820'] as const;

/** TPDU. A host answers with source and destination exchanged, or echoes it. */
export const tpdu: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: 'id', name: 'identifier', length: 1 },
    { id: 'destination', name: 'destination address', length: 2 },
    { id: 'source', name: 'source address', length: 2 },
  ],
};

/** The header of 12 digits; the third byte has two digits, the second of which the host sets in answers. */
export const header: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: 'class', name: 'application class', length: 1 },
    { id: 'version', name: 'software total version', length: 1 },
    { id: 'state', name: 'terminal status and processing request', length: 1 },
    { id: 'subVersion', name: 'software sub-version', length: 3 },
  ],
};

/** Field 44. */
export const institutions: PositionalSpec = {
  kind: 'positional',
  when: [{ mti: ANSWERS }],
  atLeast: 1,
  parts: [
    { id: '1', name: 'issuer id', length: 11 },
    { id: '2', name: 'acquirer id', length: 11 },
    { id: '3', name: 'more' },
  ],
};

/** Field 48 of a settlement, of batch records and of the end of an upload. Some terminals send totals of domestic cards alone. */
export const settlementData: readonly PartsSpec[] = [
  {
    kind: 'positional',
    when: [{ mti: ['0500', '0510'] }],
    atLeast: 5,
    parts: [
      { id: '1', name: 'domestic cards, debit amount', length: 12 },
      { id: '2', name: 'domestic cards, debit count', length: 3 },
      { id: '3', name: 'domestic cards, credit amount', length: 12 },
      { id: '4', name: 'domestic cards, credit count', length: 3 },
      { id: '5', name: 'domestic cards, result', length: 1 },
      { id: '6', name: 'foreign cards, debit amount', length: 12 },
      { id: '7', name: 'foreign cards, debit count', length: 3 },
      { id: '8', name: 'foreign cards, credit amount', length: 12 },
      { id: '9', name: 'foreign cards, credit count', length: 3 },
      { id: '10', name: 'foreign cards, result', length: 1 },
    ],
  },
  {
    kind: 'positional',
    when: [{ mti: ['0320', '0330'] }, { field: 60, part: '3', begins: ['201'] }],
    parts: [
      { id: '1', name: 'number of records', length: 2 },
      {
        id: '2',
        name: 'records',
        parts: {
          kind: 'positional',
          repeat: true,
          parts: [
            { id: '1', name: 'card kind', length: 2 },
            { id: '2', name: 'terminal trace', length: 6 },
            { id: '3', name: 'primary account number, zeros in front', length: 20, sensitive: 'pan' },
            { id: '4', name: 'amount', length: 12 },
          ],
        },
      },
    ],
  },
  {
    kind: 'positional',
    when: [{ mti: ['0320', '0330'] }, { field: 60, part: '3', begins: ['202', '207'] }],
    parts: [{ id: '1', name: 'number of records uploaded', length: 4 }],
  },
];

/** Field 53. */
export const securityControl: PositionalSpec = {
  kind: 'positional',
  parts: [
    { id: '1', name: 'PIN block format', length: 1 },
    { id: '2', name: 'algorithm', length: 1 },
    { id: '3', name: 'tracks encrypted', length: 1 },
    { id: '4', name: 'reserved', length: 13 },
  ],
};

/** Field 35. Where field 53 says that it is encrypted in place, its separator may be anywhere or nowhere. */
export const track2: readonly PartsSpec[] = [
  {
    kind: 'positional',
    when: [{ field: 53, part: '3', begins: ['1'] }],
    parts: [{ id: '1', name: 'track 2, encrypted', sensitive: 'track' }],
  },
  { kind: 'track2' },
];

/** Field 60: later parts may be missing. */
export const control: PositionalSpec = {
  kind: 'positional',
  atLeast: 2,
  parts: [
    { id: '1', name: 'transaction type code', length: 2 },
    { id: '2', name: 'batch number', length: 6 },
    { id: '3', name: 'network management code', length: 3 },
    { id: '4', name: 'terminal reading capability', length: 1 },
    { id: '5', name: 'IC condition', length: 1 },
    { id: '6', name: 'partial approval supported', length: 1 },
    // Three digits, but messages of 15 digits in all are seen (§2.2).
    { id: '7', name: 'account type' },
  ],
};

/** Field 61: later parts may be missing. */
export const original: PositionalSpec = {
  kind: 'positional',
  atLeast: 2,
  parts: [
    { id: '1', name: 'original batch number', length: 6 },
    { id: '2', name: 'original terminal trace', length: 6 },
    { id: '3', name: 'original date', length: 4 },
    { id: '4', name: 'authorisation mode', length: 2 },
    { id: '5', name: 'authorising institution', length: 11 },
  ],
};

/** Field 63: an operator or a card brand of 2 or 3 characters in requests, brand and texts in answers. */
export const brandAndTexts: readonly PartsSpec[] = [
  {
    kind: 'positional',
    when: [{ mti: REQUESTS }],
    parts: [{ id: '1', name: 'operator or card brand' }],
  },
  {
    kind: 'positional',
    when: [{ mti: ANSWERS }],
    atLeast: 1,
    parts: [
      { id: '1', name: 'card brand', length: 3 },
      { id: '2', name: 'text of the issuer', length: 20 },
      { id: '3', name: 'text of the network', length: 20 },
      { id: '4', name: 'text of the acquirer', length: 20 },
      { id: '5', name: 'more' },
    ],
  },
];
