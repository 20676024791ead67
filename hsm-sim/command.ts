import type { KeyRing } from './key-ring.ts';
import type { Lmk } from './lmk.ts';
import { ErrorCode } from './refusal.ts';
import type { Request } from './request.ts';

/** What a command works with. */
export interface Hsm {
  readonly lmk: Lmk;
  readonly keys: KeyRing;
  random(bytes: number): Buffer;
}

/** What the host is told: an error code and, with 00 and some warnings, data as latin1 text. */
export interface Answer {
  readonly error: ErrorCode;
  readonly data: string;
}

/** One host command: reads its fields, calls `request.end()`, works, answers; or throws a `Refusal`. */
export type Command = (request: Request, hsm: Hsm) => Answer;

export function answer(error: ErrorCode, data = ''): Answer {
  return { error, data };
}

export function ok(data = ''): Answer {
  return { error: ErrorCode.none, data };
}

export function verified(is: boolean): Answer {
  return { error: is ? ErrorCode.none : ErrorCode.notVerified, data: '' };
}

/** Upper-case hex, as every hex field of an answer is. */
export function hexOf(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase();
}
