import type { Message } from '../../../iso8583/index.ts';
import { simCheckValue, simKey, simMask } from '../crypto.ts';
import type { Kernel } from '../kernel.ts';
import type { End, EndEvents, Network } from '../network.ts';
import { clearPinBlock } from '../ports/pin-block.ts';
import type { Chance } from '../random.ts';
import { type BankFields, bankMacStands, packForBank, readForBank } from './messages.ts';

/** Keys of one exchange: PIN blocks and MACs. */
export interface ZoneKeys {
  readonly zpk: string;
  readonly zak: string;
}

/** A connection of a switch process. */
export interface Line {
  readonly from: string;
  readonly end: End;
  /** Its keys, the latest first. New ones may be used from when they are given; whether they arrived shows. */
  keys: readonly ZoneKeys[];
}

export interface LinesParts {
  readonly name: string;
  readonly mac: boolean;
  readonly zmk: string;
  readonly kernel: Kernel;
  readonly network: Network;
  readonly chance: Chance;
  /** A message whose MAC stands, and the keys it came under. */
  readonly serve: (line: Line, keys: ZoneKeys, message: Message) => void;
}

/** The connections of a bank: network management, keys and MACs. */
export class BankLines {
  readonly #parts: LinesParts;
  #lines = new Set<Line>();
  /** Up and down again is another life: what one was about to send, the next does not. */
  #life = 0;

  constructor(parts: LinesParts) {
    this.#parts = parts;
  }

  get life(): number {
    return this.#life;
  }

  open(): void {
    const { network, name } = this.#parts;
    network.listen(name, (from, end) => this.#accept(from, end));
  }

  close(): void {
    this.#life++;
    this.#lines = new Set();
    this.#parts.network.vanish(this.#parts.name);
  }

  /** Gives every connection new keys. */
  changeKeys(): void {
    const at = new Date(this.#parts.kernel.nowMs).toISOString().replace(/\D/g, '').slice(4, 14);
    for (const line of this.#lines) {
      const fields: BankFields = { 7: at, 11: '000001', 48: this.#newKeys(line), 70: '101' };
      this.send(line, packForBank('0800', fields, null), 1);
    }
  }

  send(line: Line, bytes: Uint8Array, afterMs: number): void {
    const life = this.#life;
    this.#parts.kernel.after(afterMs, () => {
      if (life === this.#life) line.end.send(bytes);
    });
  }

  /** Whether the PIN in a message is the card's: the last four digits of its number. */
  pinStands(line: Line, message: Message): boolean {
    const block = message.text(52);
    const pan = message.text(2) ?? '';
    const clear = clearPinBlock(pan.slice(-4), pan.slice(-13, -1));
    return block === undefined || line.keys.some(({ zpk }) => simMask(zpk, block) === clear);
  }

  #accept(from: string, end: End): EndEvents {
    const line: Line = { from, end, keys: [] };
    this.#lines.add(line);
    return {
      onData: bytes => this.#receive(line, bytes),
      onClose: () => this.#lines.delete(line),
    };
  }

  #receive(line: Line, bytes: Uint8Array): void {
    const message = readForBank(bytes);
    if (message === null) return;
    if (message.mti === '0800') {
      this.#manage(line, message);
      return;
    }
    const { mac, serve } = this.#parts;
    const keys = mac ? line.keys.find(({ zak }) => bankMacStands(message, zak)) : line.keys[0];
    // What comes under none of the keys is not looked at.
    if (keys !== undefined) serve(line, keys, message);
  }

  #manage(line: Line, message: Message): void {
    const code = message.text(70);
    const echoed = { 7: message.text(7), 11: message.text(11), 32: message.text(32), 70: code };
    const de48 = code === '162' ? this.#newKeys(line) : undefined;
    this.send(line, packForBank('0810', { ...echoed, 39: '00', 48: de48 }, null), this.#parts.chance.integer(1, 20));
  }

  /** DE48 of a key exchange. */
  #newKeys(line: Line): string {
    const { zmk, chance } = this.#parts;
    const zpk = simKey(chance.next);
    const zak = simKey(chance.next);
    line.keys = [{ zpk, zak }, ...line.keys.slice(0, 3)];
    return simMask(zmk, zpk) + simCheckValue(zpk, 6) + simMask(zmk, zak) + simCheckValue(zak, 6);
  }
}
