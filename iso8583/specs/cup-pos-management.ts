/**
 * The kinds of message of UnionPay POS that move no money: sign-on, downloads, settlement, upload (cup-pos §2.2, §3, §4).
 * None has a MAC, but for the signature image.
 */

import type { Condition, MessageSpec } from '../spec.ts';

/** Codes of 60.3. */
const SIGN_ON = ['001', '003', '004', '006', '401'];
/** The host of sample B2 answers its own 005 with 011. */
const PRIVATE_SIGN_ON = ['005', '011'];
const ACTIVATION = ['101', '420'];
const DOWNLOADS = [
  ...['360', '370', '371', '372', '373', '380', '381', '382'],
  ...['800', '390', '391', '394', '395', '396', '397', '398', '399'],
];
const STATUS_UPLOAD = ['362'];
/** Vendors send these as 0800 or as 0820. */
const SIGN_OFF = ['002'];
const ECHO = ['301'];

/** The settlement upload ends with the records of IC cards; 000 is an offline sale. */
const RECORDS = ['201', '202', '207'];
const IC_RECORDS = ['000', '203', '204', '205', '206'];

const SUCCESS: Condition = { field: 39, begins: ['00'] };

function code(begins: readonly string[]): Condition {
  return { field: 60, part: '3', begins };
}

interface Lists {
  readonly mandatory: readonly number[];
  readonly conditional?: MessageSpec['conditional'];
  readonly optional: readonly number[];
}

function kind(name: string, mti: string, when: readonly Condition[], lists: Lists): MessageSpec {
  return { name, mti, when, ...lists, forbidden: 'others' };
}

/** A request that may come as 0800 or 0820, and the answers to both. */
function either(name: string, codes: readonly string[], request: Lists, answer: Lists): readonly MessageSpec[] {
  const when = [code(codes)];
  return [
    kind(name, '0800', when, request),
    kind(`${name} answer`, '0810', when, answer),
    kind(name, '0820', when, request),
    kind(`${name} answer`, '0830', when, answer),
  ];
}

const TERMINAL = [41, 42, 60];
const CLOCK_AND_REFERENCE = [12, 13, 37].map(field => ({ field, when: [SUCCESS] }));

export const cupPosManagement: readonly MessageSpec[] = [
  kind('sign-on', '0800', [code(SIGN_ON)], { mandatory: [11, ...TERMINAL], optional: [12, 13, 32, 62, 63] }),
  kind('sign-on answer', '0810', [code(SIGN_ON)], {
    mandatory: [11, 39, ...TERMINAL],
    conditional: [...CLOCK_AND_REFERENCE, { field: 62, when: [SUCCESS] }],
    optional: [32, 56, 63],
  }),
  kind('private sign-on', '0800', [code(PRIVATE_SIGN_ON)], {
    mandatory: [11, ...TERMINAL],
    optional: [32, 46, 53, 62, 63],
  }),
  kind('private sign-on answer', '0810', [code(PRIVATE_SIGN_ON)], {
    mandatory: [11, 39, ...TERMINAL],
    conditional: [...CLOCK_AND_REFERENCE, { field: 62, when: [SUCCESS] }],
    optional: [32, 46, 56, 63],
  }),
  kind('private activation', '0800', [code(ACTIVATION)], { mandatory: TERMINAL, optional: [11, 46, 53, 62, 63] }),
  kind('private activation answer', '0810', [code(ACTIVATION)], {
    mandatory: [39, ...TERMINAL],
    conditional: [{ field: 62, when: [SUCCESS] }],
    optional: [11, 12, 13, 37, 43, 46, 56],
  }),
  ...either(
    'download',
    [...DOWNLOADS, ...STATUS_UPLOAD],
    { mandatory: TERMINAL, optional: [11, 12, 13, 37, 62, 63] },
    { mandatory: [39, ...TERMINAL], optional: [11, 12, 13, 32, 37, 62] },
  ),
  // Before the echo test, which has the same code.
  kind('signature image upload', '0820', [{ field: 60, part: '1', begins: ['07'] }], {
    mandatory: [4, 11, ...TERMINAL, 62, 64],
    optional: [2, 15, 37],
  }),
  kind('signature image upload answer', '0830', [{ field: 60, part: '1', begins: ['07'] }], {
    mandatory: [11, 39, ...TERMINAL],
    optional: [37, 64],
  }),
  ...either(
    'echo test',
    ECHO,
    { mandatory: TERMINAL, optional: [11, 12, 13, 63] },
    { mandatory: [39, ...TERMINAL], optional: [11, 12, 13, 32, 37, 63] },
  ),
  ...either(
    'sign-off',
    SIGN_OFF,
    { mandatory: [11, ...TERMINAL], optional: [12, 13, 63] },
    { mandatory: [11, 39, ...TERMINAL], optional: [12, 13, 32, 37, 63] },
  ),
  {
    name: 'settlement',
    mti: '0500',
    mandatory: [11, ...TERMINAL, 48, 49],
    optional: [12, 13, 63],
    forbidden: 'others',
  },
  {
    name: 'settlement answer',
    mti: '0510',
    mandatory: [11, ...TERMINAL, 48],
    optional: [12, 13, 15, 32, 37, 39, 49, 63],
    forbidden: 'others',
  },
  kind('batch upload', '0320', [code(RECORDS)], { mandatory: [11, ...TERMINAL, 48], optional: [12, 13, 49] }),
  kind('IC record upload', '0320', [code(IC_RECORDS)], {
    mandatory: [2, 4, 11, 22, ...TERMINAL, 49, 55],
    optional: [3, 12, 13, 14, 23, 25, 37, 38, 62, 63],
  }),
  {
    name: 'upload answer',
    mti: '0330',
    mandatory: [11, 39, ...TERMINAL],
    optional: [2, 3, 4, 12, 13, 15, 32, 37, 48, 49],
    forbidden: 'others',
  },
];
