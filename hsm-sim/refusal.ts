/**
 * The error codes this HSM answers, by what they mean (payShield codes; a few commands give 02 to 06 and 09 a meaning of
 * their own, which is kept here under the name of the field they complain about).
 */
export const ErrorCode = {
  none: '00',
  /** A check said no (MAC, PVV, CVV); or an imported key had even parity, was corrected, and its data follows. */
  notVerified: '01',
  parityCorrected: '01',
  mode: '02',
  inputFormat: '03',
  componentCount: '03',
  macAlgorithm: '04',
  outputFormat: '04',
  keyTypeOfCheckValue: '04',
  keyTypeOfData: '05',
  keyLengthFlag: '05',
  messageLength: '06',
  padding: '09',
  sourceParity: '10',
  destinationParity: '11',
  allZeroKey: '11',
  lmkId: '13',
  pinUnderLmk: '14',
  inputData: '15',
  pinBlock: '20',
  account: '22',
  pinBlockFormat: '23',
  pinLength: '24',
  keyScheme: '26',
  keyLength: '27',
  keyType: '28',
  internal: '41',
  commandDisabled: '68',
  pinBlockFormatDisabled: '69',
  dataLength: '80',
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/**
 * Ends a command from whatever depth it was found out, with the code the host is told. It is thrown because a command is
 * a dozen fields deep and each of them can refuse; only `engine.ts` catches it. Answers that are daily business (a wrong
 * MAC, a wrong PVV) are returned, not thrown.
 */
export class Refusal extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(`refused with ${code}`);
    this.code = code;
  }
}
