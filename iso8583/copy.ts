/** Above this many bytes a call into the runtime costs less than a loop. */
const LONG = 48;

/** Copies `source` from `from` to `to` into `into` at `at`. The caller has seen to it that there is room. */
export function copyBytes(source: Uint8Array, from: number, to: number, into: Uint8Array, at: number): void {
  if (to - from > LONG) {
    into.set(source.subarray(from, to), at);
    return;
  }
  for (let index = from, next = at; index < to; ) into[next++] = source[index++] as number;
}
