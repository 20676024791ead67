/** ISO 8583: dialects as data, a codec for each, and framing. Pure: no I/O, no dependency. */

export { type Changes, type Codec, compile, type Draft, type Headers } from './codec.ts';
export { ERROR_CODES, type ErrorDetail, Iso8583Error, type Iso8583ErrorCode } from './errors.ts';
export { binary2, type Framing, FramingError, frame, largestBody, prefixBytes, writePrefix } from './framing.ts';
export type { Message } from './message.ts';
export {
  type BitmapSpec,
  type Content,
  type Encoding,
  type FieldSpec,
  type HeaderSpec,
  type PrefixSpec,
  type Sensitive,
  type Spec,
  SpecError,
} from './spec.ts';
export { cupPos } from './specs/cup-pos.ts';
export { iso87Binary } from './specs/iso87-binary.ts';
export { FrameSplitter } from './splitter.ts';
export type { FieldValue } from './values.ts';
