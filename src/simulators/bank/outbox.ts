/**
 * What leaves on one connection. Messages of one turn of the loop are packed side by side and written at once: at
 * thousands a second a system call per answer would cost more than the answer.
 */
import type { Socket } from 'node:net';
import { binary2, type Codec, type Draft, prefixBytes, writePrefix } from '../../../iso8583/index.ts';

const CHUNK_BYTES = 32_768;
/** More than the largest message this bank sends. */
const MESSAGE_BYTES = 1024;
/** Bytes that a peer may leave unread before it is cut off. */
const BACKLOG_BYTES = 8 * 1024 * 1024;

export class Outbox {
  readonly #socket: Socket;
  readonly #codec: Codec;
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #from = 0;
  #end = 0;
  #scheduled = false;

  constructor(socket: Socket, codec: Codec) {
    this.#socket = socket;
    this.#codec = codec;
  }

  /**
   * Packs a message and sends it with this turn of the loop. `finish` sees its bytes before they leave, to put a MAC
   * into them. False: the peer does not read, and its connection is to be cut.
   */
  send(message: Draft, finish?: (bytes: Buffer) => void): boolean {
    if (this.#socket.destroyed) return true;
    if (this.#chunk.length - this.#end < MESSAGE_BYTES) {
      this.flush();
      this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      this.#from = 0;
      this.#end = 0;
    }
    const start = this.#end + prefixBytes(binary2);
    const end = this.#codec.pack(message, this.#chunk, start);
    finish?.(this.#chunk.subarray(start, end));
    writePrefix(binary2, this.#chunk, this.#end, end - start);
    this.#end = end;
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.flush());
    }
    return this.#socket.writableLength <= BACKLOG_BYTES;
  }

  /** Writes what is packed. A region that was written is never used again, so it needs no copy. */
  flush(): void {
    this.#scheduled = false;
    if (this.#end === this.#from || this.#socket.destroyed) return;
    this.#socket.write(this.#chunk.subarray(this.#from, this.#end));
    this.#from = this.#end;
  }
}
