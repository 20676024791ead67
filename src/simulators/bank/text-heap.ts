const chunkBytes = 1 << 20;
const lengthBytes = 4;

/**
 * Very many short texts that stay, outside of what the collector goes through. A place is a whole number below 2^32: there is
 * room for 4 GB. Nothing is deleted; the whole is dropped at once.
 */
export class TextHeap {
  readonly #chunks: Buffer[] = [];
  #end = chunkBytes;

  /** Takes a text and gives its place. Throws when there is no more room, or no place for a text as long as that. */
  add(text: string): number {
    const length = Buffer.byteLength(text);
    if (length + lengthBytes > chunkBytes) throw new RangeError(`a text of ${length} bytes`);
    if (this.#end + lengthBytes + length > chunkBytes) {
      if (this.#chunks.length * chunkBytes === 2 ** 32) throw new RangeError('texts of 4 GB');
      this.#chunks.push(Buffer.allocUnsafeSlow(chunkBytes));
      this.#end = 0;
    }
    const chunk = this.#chunks.length - 1;
    const at = this.#end;
    this.#chunks[chunk]?.writeUInt32LE(length, at);
    this.#chunks[chunk]?.write(text, at + lengthBytes);
    this.#end = at + lengthBytes + length;
    return chunk * chunkBytes + at;
  }

  /** The text at a place that `add` gave. */
  at(place: number): string {
    const chunk = this.#chunks[Math.floor(place / chunkBytes)];
    if (chunk === undefined) throw new RangeError(`no text at ${place}`);
    const at = (place % chunkBytes) + lengthBytes;
    return chunk.toString('utf8', at, at + chunk.readUInt32LE(at - lengthBytes));
  }
}
