/** A dialect, ready for use. */

import { type Layout, layoutOf } from './layout.ts';
import { type Message, Unpacked } from './message.ts';
import { packMessage } from './pack.ts';
import { relayMessage } from './relay.ts';
import { type Spec, SpecError } from './spec.ts';
import { problemsOf } from './spec-check.ts';
import { unpackMessage } from './unpack.ts';
import type { FieldValue } from './values.ts';

/** Headers by their name in the spec. */
export type Headers = Readonly<Record<string, Uint8Array>>;

/** A message to be packed. */
export interface Draft {
  /** Four digits. */
  readonly mti: string;
  /** Every header of the spec, each of the spec's length. */
  readonly headers?: Headers | undefined;
  /** By number, in any order; undefined means absent. */
  readonly fields: { readonly [field: number]: FieldValue | undefined };
}

/** What `relay` does differently from a copy. */
export interface Changes {
  readonly mti?: string | undefined;
  readonly headers?: Headers | undefined;
  /** A value replaces or adds a field, null removes it, undefined leaves it. */
  readonly fields?: { readonly [field: number]: FieldValue | null | undefined } | undefined;
}

export interface Codec {
  readonly spec: Spec;
  /**
   * Reads a message: one pass finds where the fields are and checks the form of every byte. Throws `Iso8583Error`.
   *
   * `bytes` from `start` to `end` is what the length prefix of the frame counts (headers first). The message keeps a
   * reference to `bytes`: they must not be written to while it lives.
   */
  unpack(bytes: Uint8Array, start?: number, end?: number): Message;
  /**
   * Writes a message into `into` from `at` and gives the offset after its last byte. Fields are written ascending.
   * Throws `Iso8583Error` (a value does not fit its field, the buffer is too small); `into` then holds part of a
   * message.
   */
  pack(message: Draft, into: Uint8Array, at?: number): number;
  /**
   * Copies a message that this codec unpacked, with some parts replaced, and gives the offset after its last byte.
   * Untouched fields stay as received, byte for byte. `into` must not overlap the message. Throws as `pack` does.
   */
  relay(source: Message, changes: Changes, into: Uint8Array, at?: number): number;
}

/** Compiles a spec. Throws `SpecError` with a line for each mistake in it. */
export function compile(spec: Spec): Codec {
  const problems = problemsOf(spec);
  if (problems.length > 0) throw new SpecError(String(spec?.name), problems);
  return new CompiledCodec(spec);
}

class CompiledCodec implements Codec {
  readonly spec: Spec;
  readonly #layout: Layout;

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

  pack(message: Draft, into: Uint8Array, at = 0): number {
    return packMessage(this.#layout, message, into, at);
  }

  relay(source: Message, changes: Changes, into: Uint8Array, at = 0): number {
    if (!(source instanceof Unpacked) || source.layout !== this.#layout) {
      throw new TypeError(`relay: the message was not unpacked by this codec (${this.spec.name})`);
    }
    return relayMessage(this.#layout, source, changes, into, at);
  }
}
