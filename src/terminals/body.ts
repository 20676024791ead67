import { binary2 } from '../../iso8583/index.ts';
import type { Door, Handled } from './door.ts';

/** What became of an HTTP body. */
export type BodyHandled =
  | Exclude<Handled, { readonly kind: 'unanswerable' }>
  /** One line, safe to show: the body is not exactly one frame, or its message cannot be answered. */
  | { readonly kind: 'bad-body'; readonly reason: string };

/** Takes a body that is exactly one framed message (2-byte length, TPDU ...) to the core; the answer is framed in kind. */
export async function handleBody(door: Door, body: Uint8Array, remote: string): Promise<BodyHandled> {
  const problem = framingProblem(body);
  if (problem !== null) return bad(door, remote, problem);
  const handled = await door.handle(body.subarray(binary2.lengthBytes), 'http');
  return handled.kind === 'unanswerable' ? bad(door, remote, handled.reason) : handled;
}

function framingProblem(body: Uint8Array): string | null {
  if (body.length === 0) return 'the body is empty: a framed message is expected';
  if (body.length < 3) return 'the body ends within the length prefix';
  const promised = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
  const found = body.length - 2;
  return promised === found ? null : `the length prefix says ${promised} bytes, ${found} follow`;
}

function bad(door: Door, remote: string, reason: string): BodyHandled {
  door.observer.onBadBody(remote, reason);
  return { kind: 'bad-body', reason };
}
