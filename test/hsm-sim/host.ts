import { createCipheriv, createDecipheriv } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { formKey, testLmk } from '../../hsm-sim/index.ts';

/** A host's end of one connection to the HSM, with fixed headers of four digits; answers are matched by them. */
export class Host {
  readonly socket: Socket;
  readonly #waiting = new Map<string, (answer: string) => void>();
  #stream = Buffer.alloc(0);
  #next = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', piece => this.#receive(piece));
  }

  static async connect(port: number): Promise<Host> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Host(socket);
  }

  /** Frames a command, sends it, and resolves with its answer without the header. */
  ask(command: string): Promise<string> {
    const header = String(this.#next++).padStart(4, '0');
    const answer = new Promise<string>(resolve => this.#waiting.set(header, resolve));
    this.socket.write(frame(header + command));
    return answer;
  }

  /** The answers to these headers, for tests that write bytes themselves. */
  awaiting(headers: readonly string[]): Promise<string[]> {
    return Promise.all(headers.map(header => new Promise<string>(resolve => this.#waiting.set(header, resolve))));
  }

  #receive(piece: Buffer): void {
    this.#stream = Buffer.concat([this.#stream, piece]);
    while (this.#stream.length >= 2 && this.#stream.length >= 2 + this.#stream.readUInt16BE(0)) {
      const message = this.#stream.toString('latin1', 2, 2 + this.#stream.readUInt16BE(0));
      this.#stream = this.#stream.subarray(2 + message.length);
      const header = message.slice(0, 4);
      this.#waiting.get(header)?.(message.slice(4));
      this.#waiting.delete(header);
    }
  }
}

/** Two bytes of length and the message. */
export function frame(message: string): Buffer {
  const bytes = Buffer.from(message, 'latin1');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** A clear key under the public test LMK, in the spelling a command takes. */
export function underLmk(type: string, clear: string): string {
  const scheme = clear.length === 16 ? 'Z' : 'U';
  return formKey({ lmk: testLmk, type, scheme, components: [clear] }).key;
}

/** Four hex digits: a length. */
export function hex4(length: number): string {
  return length.toString(16).toUpperCase().padStart(4, '0');
}

/** The digits left of the check digit, as PIN commands want them. */
export function accountOf(pan: string): string {
  return pan.slice(0, -1).slice(-12).padStart(12, '0');
}

/** The test's own triple DES, apart from the HSM's. */
export function desEncrypt(key: string, block: string): string {
  const cipher = createCipheriv('des-ede3-ecb', expand(key), null).setAutoPadding(false);
  return cipher.update(block, 'hex', 'hex').toUpperCase();
}

export function desDecrypt(key: string, block: string): string {
  const decipher = createDecipheriv('des-ede3-ecb', expand(key), null).setAutoPadding(false);
  return decipher.update(block, 'hex', 'hex').toUpperCase();
}

function expand(key: string): Buffer {
  return Buffer.from(key.length === 16 ? key.repeat(3) : key.length === 32 ? key + key.slice(0, 16) : key, 'hex');
}
