/** ISO 8583: dialects as data, a codec for each, and framing. Pure: no I/O, no dependency. */

export {
  type BytesField,
  type Changes,
  type Codec,
  compile,
  type Draft,
  type DraftFields,
  type FieldNumber,
  fieldNumbers,
  type Headers,
} from './codec.ts';
export { type DescribeOptions, describe } from './describe.ts';
export { ERROR_CODES, type ErrorDetail, Iso8583Error, type Iso8583ErrorCode } from './errors.ts';
export type { Fields } from './fields.ts';
export {
  binary2,
  FRAMINGS,
  type Framing,
  FramingError,
  type FramingName,
  frame,
  largestBody,
  prefixBytes,
  unframe,
  writePrefix,
} from './framing.ts';
export {
  answerCupsHeader,
  answerHeader,
  answerVisaHeader,
  type CupsHeader,
  type PosHeader,
  readCupsHeader,
  readPosHeader,
  readTpdu,
  readVisaHeader,
  swapTpdu,
  type Tpdu,
  type VisaHeader,
  writeCupsHeader,
  writePosHeader,
  writeTpdu,
  writeVisaHeader,
} from './headers.ts';
export { type MessageJson, messageToJson } from './json.ts';
export { jsonToDraft, packToBytes } from './json-draft.ts';
export { type MaskOptions, maskParts, maskText } from './mask.ts';
export type { Message } from './message.ts';
export type { ParsedParts } from './parts/parse.ts';
export { type Part, type Parts, type PartsJson, partsToJson } from './parts/part.ts';
export type { ShowOptions } from './shown.ts';
export {
  type BerTlvSpec,
  type BitmapEncoding,
  type BitmapPartsSpec,
  type BitmapSpec,
  type Condition,
  type Content,
  type DatasetsSpec,
  type Encoding,
  type FieldSpec,
  type HeaderSpec,
  type MessageSpec,
  type PartsSpec,
  type PositionalPart,
  type PositionalSpec,
  type PrefixSpec,
  type Sensitive,
  type SequenceSpec,
  type Spec,
  SpecError,
  type TagSpec,
  type TextTlvSpec,
  type Track2Spec,
} from './spec.ts';
export * from './specs/index.ts';
export { FrameSplitter } from './splitter.ts';
export type { Problem, Verdict } from './validate.ts';
export type { FieldValue } from './values.ts';
