/** What there is to say of a dialect beside its spec, and one message of it: for its page and for tests. */

export interface DialectSample {
  /** Name of the spec. */
  readonly dialect: string;
  /** What the dialect is and what was chosen where sources are silent: lines of Markdown. */
  readonly about: readonly string[];
  /** What the message is. */
  readonly title: string;
  /** Where it comes from: a sentence. */
  readonly source: string;
  /** What the length prefix of the frame counts, in upper-case hex. */
  readonly hex: string;
  readonly mti: string;
  /** In upper-case hex, by name. */
  readonly headers: { readonly [name: string]: string };
  /** By number, as `Message.text` gives them. Written down apart from the codec, so that they can be compared with it. */
  readonly fields: { readonly [field: number]: string };
}
