/**
 * The codec's own error, and the only one that a message can cause. Texts say where, what was expected and what was
 * found, and hold no card data: a field that its spec marks as sensitive shows only how much of it there was.
 */

/** Every code with its meaning. The reference page is generated from this table. */
export const ERROR_CODES = {
  truncated: 'The message ends before something that it promised.',
  'bad-header': 'A header is missing, unknown, or not as the spec says, or a part of it does not have its form.',
  'bad-mti': 'The message type is not four decimal digits.',
  'bad-bitmap':
    'Bit 1 is set in a dialect that has only one bitmap, or a bitmap in hex has a character that is no hex digit.',
  'unknown-field': 'The spec has no such field.',
  'bad-length-prefix': 'A length prefix is not decimal, counts half a byte, or is of a form that a TLV cannot have.',
  'too-long': 'A length prefix is larger than the spec allows for the field.',
  'bad-digit': 'A digit is none.',
  'bad-filler': 'The nibble beside an odd number of digits is neither 0 nor F.',
  'bad-character': 'A character does not belong to the content of the field.',
  'bad-sign': 'The sign of an amount is none of those in the spec.',
  'bad-tag': 'A tag of a TLV is malformed, or one that the spec refuses.',
  'bad-part': 'A value does not have the structure that the spec gives it.',
  'trailing-bytes': 'Bytes follow the last field.',
  'value-does-not-fit': 'A value to be packed does not have the form that the spec gives its field.',
  'buffer-too-small': 'The packed message does not fit into the buffer.',
} as const;

export type Iso8583ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** Number of the field, where there is one. */
  readonly field?: number;
  /** `mti`, `bitmap`, `header.tpdu`, the field's number, or a part's path in it: `55.9F26`. */
  readonly path?: string;
  /** Name of the field, for the reader. */
  readonly label?: string;
  /** Bytes from the start of the message (unpack), or from the start of the packed message (pack, relay). */
  readonly offset?: number;
  readonly expected?: string;
  /** Masked for sensitive fields. */
  readonly found?: string;
}

export class Iso8583Error extends Error {
  override readonly name = 'Iso8583Error';
  readonly code: Iso8583ErrorCode;
  readonly field?: number | undefined;
  readonly path?: string | undefined;
  readonly offset?: number | undefined;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;

  constructor(code: Iso8583ErrorCode, detail: ErrorDetail) {
    super(words(code, detail));
    this.code = code;
    this.field = detail.field;
    this.path = detail.path ?? (detail.field === undefined ? undefined : String(detail.field));
    this.offset = detail.offset;
    this.expected = detail.expected;
    this.found = detail.found;
  }
}

function words(code: Iso8583ErrorCode, { field, path, label, offset, expected, found }: ErrorDetail): string {
  let text: string = code;
  if (field !== undefined) text += `: field ${path ?? field}`;
  else if (path !== undefined) text += `: ${path}`;
  if (label !== undefined) text += ` (${label})`;
  if (offset !== undefined) text += ` at byte ${offset}`;
  if (expected !== undefined) text += `: expected ${expected}`;
  if (found !== undefined) text += `${expected === undefined ? ':' : ','} found ${found}`;
  return text;
}
