/** Writing under watch: the bytes that must come out, no byte beyond them, and no room but for them. */

import { Iso8583Error } from '../../../iso8583/index.ts';
import { hexOf } from './field.ts';
import { between, type Random } from './random.ts';

/** Something is not as it must be. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** What `run` gives, or the codec's own error; any other is a violation. */
export function own<T>(what: string, run: () => T): T | Iso8583Error {
  try {
    return run();
  } catch (error) {
    if (error instanceof Iso8583Error) return error;
    throw new Violation(`${what} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

const dirt = new Uint8Array(64 * 1024);

/**
 * `write` must write exactly `form` at `at` and give the offset after it: into a buffer full of old bytes, and with
 * guards on both sides that it leaves alone. Into a buffer that is too small by any number of bytes it must refuse to.
 */
export function writeGuarded(
  what: string,
  form: Uint8Array,
  random: Random,
  write: (into: Uint8Array, at: number) => number,
): void {
  const at = random.below(5);
  const size = at + form.length + between(random, 0, 5);
  const old = random.below(256);
  const into = size <= dirt.length ? dirt.subarray(0, size) : new Uint8Array(size);
  into.fill(old);
  const end = own(what, () => write(into, at));
  if (end instanceof Iso8583Error) throw new Violation(`${what} refused: ${end.message}`);
  if (end !== at + form.length) throw new Violation(`${what} ended at ${end}, not at ${at + form.length}`);
  const written = into.subarray(at, end);
  if (Buffer.compare(written, form) !== 0) throw new Violation(`${what} gave ${hexOf(written)}, not ${hexOf(form)}`);
  const isOld = (byte: number): boolean => byte === old;
  if (!into.subarray(0, at).every(isOld) || !into.subarray(end).every(isOld))
    throw new Violation(`${what} wrote beyond`);
  const room = random.below(form.length);
  const refused = own(what, () => write(into.subarray(0, at + room), at));
  if (refused instanceof Iso8583Error && refused.code === 'buffer-too-small') return;
  throw new Violation(`${what} into ${room} of ${form.length} bytes: ${refused}`);
}
