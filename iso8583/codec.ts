/** A dialect, ready for use. */

import type { Asked } from './conditions.ts';
import { FieldSet, type Fields } from './fields.ts';
import { type Layout, layoutOf } from './layout.ts';
import { type Message, Unpacked } from './message.ts';
import { valueFrom } from './message-parts.ts';
import { packMessage } from './pack.ts';
import type { PartsJson } from './parts/part.ts';
import { relayMessage } from './relay.ts';
import { type Spec, SpecError } from './spec.ts';
import { problemsOf } from './spec-check.ts';
import { unpackMessage } from './unpack.ts';
import { type Verdict, validateMessage } from './validate.ts';
import type { FieldValue } from './values.ts';

/** Headers by their name in the spec. */
export type Headers = Readonly<Record<string, Uint8Array>>;

/** The numbers of a spec's fields: literal ones where it was written as a literal and takes no unknown fields. */
export type FieldNumber<S extends Spec> = S extends { readonly unknown: object } ? number : keyof S['fields'] & number;

/** Those of them that take bytes as well as text: packed digits do not. */
export type BytesField<S extends Spec> = {
  [F in FieldNumber<S>]: S['fields'][F] extends { readonly encoding: 'bcd' } ? never : F;
}[FieldNumber<S>];

/** The fields of a message to be packed, by number, in any order; undefined means absent. */
export type DraftFields<F extends number = number, B extends number = F> = {
  readonly [N in F]?: (N extends B ? FieldValue : string) | undefined;
};

/** A message to be packed. */
export interface Draft<F extends number = number, B extends number = F> {
  /** Four digits. */
  readonly mti: string;
  /** Every header of the spec. */
  readonly headers?: Headers | undefined;
  readonly fields: DraftFields<F, B> | Fields<F, B>;
}

/** What `relay` does differently from a copy. */
export interface Changes<F extends number = number, B extends number = F> {
  readonly mti?: string | undefined;
  readonly headers?: Headers | undefined;
  /** A value replaces or adds a field, null removes it, undefined leaves it. */
  readonly fields?:
    | { readonly [N in F]?: (N extends B ? FieldValue : string) | null | undefined }
    | Fields<F, B>
    | undefined;
}

/** `F` are the numbers of the fields, `B` those that take bytes; `Codec` alone is one for any numbers. */
export interface Codec<F extends number = number, B extends number = F> {
  readonly spec: Spec;
  /**
   * Reads a message: one pass finds where the fields are and checks the form of every byte. Throws `Iso8583Error`.
   *
   * `bytes` from `start` to `end` is what the length prefix of the frame counts (headers first). The message keeps a
   * reference to `bytes`: they must not be written to while it lives.
   */
  unpack(bytes: Uint8Array, start?: number, end?: number): Message<F>;
  /**
   * Writes a message into `into` from `at` and gives the offset after its last byte. Fields are written ascending.
   * Throws `Iso8583Error` (a value does not fit its field, the buffer is too small); `into` then holds part of a
   * message.
   */
  pack(message: Draft<F, B>, into: Uint8Array, at?: number): number;
  /**
   * Copies a message that this codec unpacked, with some parts replaced, and gives the offset after its last byte.
   * Untouched fields stay as received, byte for byte. `into` must not overlap the message. Throws as `pack` does.
   */
  relay(source: Message<F>, changes: Changes<F, B>, into: Uint8Array, at?: number): number;
  /**
   * Which of the fields that the spec asks for are missing, and which are there that it forbids, by kind of message.
   * Form was checked by `unpack`, which takes any message type.
   */
  validate(message: Message<F>): Verdict;
  /**
   * The value of a field from its parts, in the form that `partsToJson` gives. Which structure it has may depend on the
   * rest of the message, so that is given as well. Throws `Iso8583Error` with the path of a part that does not fit.
   */
  build(field: F, parts: PartsJson, of: Draft<F, B>): FieldValue;
  /** For `pack` and `relay` where it matters how fast they are: reusable, see `Fields`. */
  fields(): Fields<F, B>;
}

/**
 * Compiles a spec. Throws `SpecError` with a line for each mistake in it. From a spec that is a literal the compiler
 * knows the fields: a number that the dialect does not have is a type error.
 */
export function compile<const S extends Spec>(spec: S): Codec<FieldNumber<S>, BytesField<S>> {
  const problems = problemsOf(spec);
  if (problems.length > 0) throw new SpecError(typeof spec?.name === 'string' ? spec.name : 'without a name', problems);
  const codec: Codec = new CompiledCodec(spec);
  // That only the spec's own numbers come out of it and go into it is what the layout sees to.
  return codec as unknown as Codec<FieldNumber<S>, BytesField<S>>;
}

/** Field numbers by the names in a spec: `fieldNumbers(cupPos).amount` is 4, and known to the compiler as 4. */
export function fieldNumbers<const S extends Spec>(
  spec: S,
): { readonly [F in keyof S['fields'] & number as S['fields'][F]['name']]: F } {
  const numbers = Object.entries(spec.fields).map(([field, { name }]) => [name, Number(field)]);
  return Object.fromEntries(numbers);
}

class CompiledCodec implements Codec {
  readonly spec: Spec;
  readonly #layout: Layout;
  /** What fields in an object are taken over into, for the time of one call; undefined meanwhile. */
  #spare: FieldSet | undefined;

  constructor(spec: Spec) {
    this.spec = spec;
    this.#layout = layoutOf(spec);
  }

  unpack(bytes: Uint8Array, start = 0, end = bytes.length): Message {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`unpack: ${start} to ${end} is not within ${bytes.length} bytes`);
    }
    return unpackMessage(this.#layout, bytes, start, end);
  }

  pack({ mti, headers, fields }: Draft, into: Uint8Array, at = 0): number {
    checkOffset(at, into);
    if (fields instanceof FieldSet) return packMessage(this.#mine(fields), mti, headers, into, at);
    const own = this.#borrow();
    try {
      return packMessage(own.setAll(fields as DraftFields), mti, headers, into, at);
    } finally {
      this.#spare = own.clear();
    }
  }

  relay(source: Message, { mti, headers, fields }: Changes, into: Uint8Array, at = 0): number {
    checkOffset(at, into);
    if (!(source instanceof Unpacked) || source.layout !== this.#layout) {
      throw new TypeError(`relay: the message was not unpacked by this codec (${this.spec.name})`);
    }
    if (fields instanceof FieldSet) return relayMessage(source, this.#mine(fields), mti, headers, into, at);
    const own = this.#borrow();
    try {
      if (fields !== undefined) own.setAll(fields as DraftFields);
      return relayMessage(source, own, mti, headers, into, at);
    } finally {
      this.#spare = own.clear();
    }
  }

  /** A getter in the object that is taken over may pack a message of its own. */
  #borrow(): FieldSet {
    const spare = this.#spare ?? new FieldSet(this.#layout);
    this.#spare = undefined;
    return spare;
  }

  validate(message: Message): Verdict {
    return validateMessage(this.spec, message, message.fields());
  }

  build(field: number, parts: PartsJson, { mti, fields }: Draft): FieldValue {
    return valueFrom(this.#layout, new DraftedMessage(mti, fields), field, parts);
  }

  fields(): Fields {
    return new FieldSet(this.#layout);
  }

  #mine(fields: FieldSet): FieldSet {
    if (fields.layout === this.#layout) return fields;
    throw new TypeError(`these fields were made by another codec than this one (${this.spec.name})`);
  }
}

function checkOffset(at: number, into: Uint8Array): void {
  if (!(at >= 0 && at <= into.length)) throw new RangeError(`${at} is not within ${into.length} bytes`);
}

/** A message that is not packed yet, as far as conditions ask it: fields of bytes are not looked into. */
class DraftedMessage implements Asked {
  readonly mti: string;
  readonly #values: { readonly [field: number]: FieldValue | null | undefined };

  constructor(mti: string, fields: Draft['fields']) {
    this.mti = mti;
    this.#values = fields instanceof FieldSet ? fields.values : (fields as DraftFields);
  }

  has(field: number): boolean {
    const value = this.#values[field];
    return value !== undefined && value !== null;
  }

  text(field: number): string | undefined {
    const value = this.#values[field];
    return typeof value === 'string' ? value : undefined;
  }
}
