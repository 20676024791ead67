/** The longest body a 2-byte length prefix can announce. */
const MAX_BODY = 0xffff;

/**
 * Packs host commands for one write: each as a 2-byte big-endian length (which does not count itself) and the body
 * (payshield §1). A body is a string of bytes (one character each, 0 to 255), because binary data may stand in it.
 * Throws RangeError when a body is longer than the prefix can say; the text names no content.
 */
export function packFrames(bodies: readonly string[]): Buffer {
  let size = 0;
  for (const body of bodies) {
    if (body.length > MAX_BODY) throw new RangeError(`a host command of ${body.length} bytes does not fit a frame`);
    size += 2 + body.length;
  }
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const body of bodies) {
    at = out.writeUInt16BE(body.length, at);
    at += out.write(body, at, 'latin1');
  }
  return out;
}

/** Cuts a TCP stream into bodies, however the bytes are split or joined. Holds at most one incomplete frame. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #size = 0;
  /** Bytes that complete the next frame, as far as is known. */
  #wanted = 2;

  /** The bodies completed by `chunk`, in order. An empty body is returned as such: the caller judges it. */
  push(chunk: Buffer): string[] {
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    // Pieces are joined once for each frame, not once for each piece.
    if (this.#size < this.#wanted) return [];
    const data = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    const bodies: string[] = [];
    let at = 0;
    this.#wanted = 2;
    while (data.length - at >= 2) {
      const end = at + 2 + data.readUInt16BE(at);
      this.#wanted = end - at;
      if (end > data.length) break;
      bodies.push(data.toString('latin1', at + 2, end));
      this.#wanted = 2;
      at = end;
    }
    this.#pieces = at === data.length ? [] : [data.subarray(at)];
    this.#size = data.length - at;
    return bodies;
  }
}
