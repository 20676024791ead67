/**
 * The headers in front of the MTI whose bytes mean something. The codec carries them as they are; these functions read
 * them, make new ones, and make the one that an answer carries. Where a header repeats the length of its message, the
 * codec writes and checks that: it is left out of what is read here, and zero in what is made.
 *
 * All throw `Iso8583Error` with `bad-header` for bytes or values that do not have the form. What was found is not in
 * it: where a sender leaves the header out, a message stands in its place.
 */

import { badHeader, type Part, readParts, writeParts } from './header-parts.ts';

/** In front of everything a terminal sends. Each part as its digits. Source: cup-pos §1, iso8583-fields §7. */
export interface Tpdu {
  /** `60`; `68` for network management, which is uncertain. */
  readonly id: string;
  /** Four digits: the network (NII) that the message goes to. */
  readonly destination: string;
  /** Four digits. */
  readonly source: string;
}

/** The header of UnionPay POS messages, behind the TPDU. Each part as its digits. Source: cup-pos §1.1. */
export interface PosHeader {
  /**
   * `60` magnetic financial, `61` IC financial, `62` magnetic value-added, `63` IC value-added, `65` script POS, `66`
   * telephone POS, `67` mPOS, `68` personal payment terminal.
   */
  readonly applicationClass: string;
  /** Two digits: `30` of 2009, `31` of 2010, `32` unified, and others. */
  readonly softwareVersion: string;
  /** `0` normal, `1` test mode. */
  readonly terminalStatus: string;
  /**
   * What the host wants of the terminal, one hex digit: `0` nothing, `1` download magnetic parameters, `2` upload the
   * terminal's status, `3` sign on again, `4` update CA public keys, `5` download IC parameters, `6` TMS download, `7`
   * card-BIN blacklist, `8` exchange rates, `9` contactless parameters, `B` no-PIN BIN table, `C` no-PIN BIN blacklist.
   */
  readonly processingRequest: string;
  /** Six hex digits: two of the standard, four of the vendor, who may use letters (`31FFF1` has been seen). */
  readonly subVersion: string;
}

/** Visa BASE I: 22 bytes, or 26 in front of a message that Visa rejects. Source: iso8583-fields §7. */
export interface VisaHeader {
  /** Flags and format: 1. Bit 80 (hex) says that another header follows, as in a reject (one implementation only). */
  readonly format: number;
  /** 2. */
  readonly textFormat: number;
  /** Station, six digits. */
  readonly destination: string;
  /** Station, six digits. */
  readonly source: string;
  /** 8 bits. */
  readonly roundTripControl: number;
  /** 16 bits. */
  readonly flags: number;
  /** 24 bits. */
  readonly status: number;
  /** 0 to 255. */
  readonly batch: number;
  /** 24 bits. */
  readonly reserved: number;
  /** 8 bits. */
  readonly userInformation: number;
  /** In a reject only. Four hex digits each; the code is decimal. */
  readonly reject?: { readonly bitmap: string; readonly code: string };
}

/** The network side of UnionPay (CUPS): 46 bytes. Source: cup-pos §10; spaces and test bit from one implementation. */
export interface CupsHeader {
  /** Flag and version: 2. Bit 80 (hex) marks test traffic (one implementation only). */
  readonly version: number;
  /** Institution: 1 to 11 letters and digits, filled up with spaces on the wire. */
  readonly destination: string;
  /** As `destination`. */
  readonly source: string;
  /** 24 bits. */
  readonly reserved: number;
  /** 0 to 255. */
  readonly batch: number;
  /** Up to 8 characters of one byte each (latin1), filled up with spaces on the wire. */
  readonly transactionInformation: string;
  /** 8 bits. */
  readonly userInformation: number;
  /** Five digits, `00000` in all but a message that the network rejects. */
  readonly rejectCode: string;
}

/** As errors name them. */
const TPDU = 'header.tpdu';
const POS = 'header.header';
const VISA = 'header.visa';
const CUPS = 'header.cups';

/** The character `0`. */
const ZERO = 0x30;

const digits = { as: 'hex', form: /^[0-9]*$/, words: 'decimal digits' } as const;
const institution = { size: 22, as: 'text', form: /^[0-9A-Za-z]+$/, words: '1 to 11 letters and digits' } as const;

const tpduParts = {
  id: { at: 0, size: 2, ...digits },
  destination: { at: 2, size: 4, ...digits },
  source: { at: 6, size: 4, ...digits },
} as const satisfies Readonly<Record<keyof Tpdu, Part>>;

const posParts = {
  applicationClass: { at: 0, size: 2, ...digits },
  softwareVersion: { at: 2, size: 2, ...digits },
  terminalStatus: { at: 4, size: 1, ...digits },
  processingRequest: { at: 5, size: 1, as: 'hex' },
  subVersion: { at: 6, size: 6, as: 'hex' },
} as const satisfies Readonly<Record<keyof PosHeader, Part>>;

const visaParts = {
  format: { at: 2, size: 2, as: 'number' },
  textFormat: { at: 4, size: 2, as: 'number' },
  destination: { at: 10, size: 6, ...digits },
  source: { at: 16, size: 6, ...digits },
  roundTripControl: { at: 22, size: 2, as: 'number' },
  flags: { at: 24, size: 4, as: 'number' },
  status: { at: 28, size: 6, as: 'number' },
  batch: { at: 34, size: 2, as: 'number' },
  reserved: { at: 36, size: 6, as: 'number' },
  userInformation: { at: 42, size: 2, as: 'number' },
} as const satisfies Readonly<Record<keyof Omit<VisaHeader, 'reject'>, Part>>;

const visaRejectParts = {
  bitmap: { at: 44, size: 4, as: 'hex' },
  code: { at: 48, size: 4, as: 'hex' },
} as const satisfies Readonly<Record<'bitmap' | 'code', Part>>;

const cupsParts = {
  version: { at: 2, size: 2, as: 'number' },
  destination: { at: 12, ...institution },
  source: { at: 34, ...institution },
  reserved: { at: 56, size: 6, as: 'number' },
  batch: { at: 62, size: 2, as: 'number' },
  transactionInformation: { at: 64, size: 16, as: 'text' },
  userInformation: { at: 80, size: 2, as: 'number' },
  rejectCode: { at: 82, size: 10, as: 'text', form: /^[0-9]{5}$/, words: '5 digits' },
} as const satisfies Readonly<Record<keyof CupsHeader, Part>>;

/** Takes a TPDU of 5 bytes apart. One that is not all decimal digits is refused. */
export function readTpdu(tpdu: Uint8Array): Tpdu {
  return readParts(TPDU, tpduParts, sized(TPDU, tpdu, 5));
}

/** A TPDU of 5 bytes. */
export function writeTpdu(tpdu: Tpdu): Uint8Array {
  return writeParts(TPDU, tpduParts, tpdu, new Uint8Array(5));
}

/** The TPDU of an answer: destination and source change places. Any five bytes are turned round. */
export function swapTpdu(tpdu: Uint8Array): Uint8Array {
  const turned = Uint8Array.from(sized(TPDU, tpdu, 5));
  turned.copyWithin(1, 3);
  turned.set(tpdu.subarray(1, 3), 3);
  return turned;
}

/** Takes a POS header of 6 bytes apart. Its digits 1 to 5 are decimal. */
export function readPosHeader(header: Uint8Array): PosHeader {
  return readParts(POS, posParts, sized(POS, header, 6));
}

/** A POS header of 6 bytes. */
export function writePosHeader(header: PosHeader): Uint8Array {
  return writeParts(POS, posParts, header, new Uint8Array(6));
}

/** The POS header of an answer: digit 6 set to the processing request, the others as they came (cup-pos §1.1). */
export function answerHeader(header: Uint8Array, processingRequest = '0'): Uint8Array {
  const answer = Uint8Array.from(sized(POS, header, 6));
  return writeParts(POS, { processingRequest: posParts.processingRequest }, { processingRequest }, answer);
}

/** Takes a Visa header apart. `header` holds the 22 or 26 bytes that its first byte promises, and no more. */
export function readVisaHeader(header: Uint8Array): VisaHeader {
  sized(VISA, header, header[0] === 26 ? 26 : 22);
  const values = readParts(VISA, visaParts, header);
  return header.length === 22 ? values : { ...values, reject: readParts(VISA, visaRejectParts, header) };
}

/** A Visa header; what is not given is as in an ordinary request. With `reject` it has 26 bytes. */
export function writeVisaHeader(header: Pick<VisaHeader, 'destination' | 'source'> & Partial<VisaHeader>): Uint8Array {
  const usual = { format: 1, textFormat: 2, roundTripControl: 0, flags: 0, status: 0, batch: 0, reserved: 0 };
  const { reject, ...given } = header;
  const bytes = new Uint8Array(reject === undefined ? 22 : 26);
  bytes[0] = bytes.length;
  writeParts(VISA, visaParts, { ...usual, userInformation: 0, ...given }, bytes);
  return reject === undefined ? bytes : writeParts(VISA, visaRejectParts, reject, bytes);
}

/** The header of an answer: the stations change places, the rest is as it came. A reject is not answered. */
export function answerVisaHeader(header: Uint8Array): Uint8Array {
  const answer = Uint8Array.from(sized(VISA, header, 22));
  answer.fill(0, 3, 5);
  answer.copyWithin(5, 8, 11);
  answer.set(header.subarray(5, 8), 8);
  return answer;
}

/** Takes a CUPS header of 46 bytes apart. */
export function readCupsHeader(header: Uint8Array): CupsHeader {
  return readParts(CUPS, cupsParts, sized(CUPS, header, 46));
}

/** A CUPS header; what is not given is as in an ordinary request. */
export function writeCupsHeader(header: Pick<CupsHeader, 'destination' | 'source'> & Partial<CupsHeader>): Uint8Array {
  const bytes = new Uint8Array(46);
  bytes[0] = bytes.length;
  bytes.fill(ZERO, 2, 6);
  const usual = { version: 2, reserved: 0, batch: 0, transactionInformation: '00000000', userInformation: 0 };
  return writeParts(CUPS, cupsParts, { ...usual, rejectCode: '00000', ...header }, bytes);
}

/** The header of an answer: the institutions change places, the rest is as it came. A reject is not answered. */
export function answerCupsHeader(header: Uint8Array): Uint8Array {
  const answer = Uint8Array.from(sized(CUPS, header, 46));
  if (!header.subarray(41).every(byte => byte === ZERO)) throw badHeader(CUPS, 'no reject code');
  answer.fill(ZERO, 2, 6);
  answer.copyWithin(6, 17, 28);
  answer.set(header.subarray(6, 17), 17);
  return answer;
}

/** Visa and CUPS begin with their own length; the other two have a length of which nothing says so. */
function sized(path: string, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw badHeader(path, `${length} bytes`, `${bytes.length}`);
  if (length >= 22 && bytes[0] !== length) throw badHeader(path, `${length} as its first byte`);
  return bytes;
}
