/** As much of npm's `iso_8583` 2.6.7 as is measured here; it comes without types. */
declare module 'iso_8583' {
  /** By field number, the message type as `0`; where something is wrong, one key `error` and a sentence. */
  type Values = Readonly<Record<string, string>>;
  /** Where something is wrong. */
  interface Failure {
    readonly error: string;
  }

  export default class Iso8583 {
    constructor(message?: Values);
    /** Reads a message behind a length of two bytes, or one without it. */
    getIsoJSON(message: Buffer, config?: { readonly lenHeader?: boolean }): Values;
    /** The message behind a length of two bytes. */
    getBufferMessage(): Buffer | Failure;
    /** The message alone. */
    getRawMessage(): Buffer | Failure;
  }
}
