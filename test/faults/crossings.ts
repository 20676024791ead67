import {
  binary2,
  type Codec,
  compile,
  FrameSplitter,
  Iso8583Error,
  iso87Binary,
  type Message,
} from '../../iso8583/index.ts';
import type { Tap } from './proxy.ts';

/** When a request crossed the way to the bank, and its answer the way back; ms since 1970. */
export interface Crossing {
  requestAtMs?: number;
  answerAtMs?: number;
}

const maxFrameBytes = 4096;

/**
 * What crossed between switches and bank, read on the way by the bank's own key (DE7, DE11): evidence that belongs to
 * neither. Requests and advices only; reversals and network messages are not anybody's transaction.
 */
export class Crossings {
  readonly #codec: Codec = compile(iso87Binary);
  readonly #byKey = new Map<string, Crossing>();

  of(transmissionAt: string, stan: string): Crossing {
    return this.#byKey.get(transmissionAt + stan) ?? {};
  }

  readonly listenIn = (): { readonly toServer: Tap; readonly toClient: Tap } => ({
    toServer: this.#tap('requestAtMs'),
    toClient: this.#tap('answerAtMs'),
  });

  #tap(which: keyof Crossing): Tap {
    const splitter = new FrameSplitter(binary2, maxFrameBytes);
    return chunk => splitter.push(chunk, frame => this.#note(frame, which));
  }

  #note(frame: Uint8Array, which: keyof Crossing): void {
    const message = this.#read(frame);
    if (message === null) return;
    const { mti } = message;
    const isAnswer = mti[2] === '1' || mti[2] === '3';
    if (mti[1] === '4' || mti[1] === '8' || isAnswer !== (which === 'answerAtMs')) return;
    const key = `${message.text(7)}${message.text(11)}`;
    let crossing = this.#byKey.get(key);
    if (crossing === undefined) {
      crossing = {};
      this.#byKey.set(key, crossing);
    }
    // Its first: a repeat is no other transaction.
    crossing[which] ??= Date.now();
  }

  /** What cannot be read is nobody's evidence. */
  #read(frame: Uint8Array): Message | null {
    try {
      return this.#codec.unpack(frame);
    } catch (error) {
      if (error instanceof Iso8583Error) return null;
      throw error;
    }
  }
}
