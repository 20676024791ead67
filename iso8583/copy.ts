/** Above this many bytes a call into the runtime costs less than a loop. */
const LONG = 48;

/** Copies `source` from `from` to `to` into `into` at `at`. The caller has seen to it that there is room. */
export function copyBytes(source: Uint8Array, from: number, to: number, into: Uint8Array, at: number): void {
  if (to - from > LONG) {
    into.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
    return;
  }
  let index = from;
  let next = at;
  for (; index + 8 <= to; index += 8, next += 8) {
    into[next] = source[index] as number;
    into[next + 1] = source[index + 1] as number;
    into[next + 2] = source[index + 2] as number;
    into[next + 3] = source[index + 3] as number;
    into[next + 4] = source[index + 4] as number;
    into[next + 5] = source[index + 5] as number;
    into[next + 6] = source[index + 6] as number;
    into[next + 7] = source[index + 7] as number;
  }
  for (; index < to; index++, next++) into[next] = source[index] as number;
}
