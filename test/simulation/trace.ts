/** What crossed the edges of a world, with its virtual time: its hash tells one run from another. */
export class Trace {
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #lines: string[] | null;
  #low = 0x811c9dc5;
  #high = 0x9e3779b1;

  /** `keep`: the lines are kept to be shown. */
  constructor(now: () => number, keep: boolean) {
    this.#now = now;
    this.#startMs = now();
    this.#lines = keep ? [] : null;
  }

  /** A message at an edge. `text` is asked for only when lines are kept. */
  message(path: string, bytes: Uint8Array, text: () => string): void {
    this.#number(this.#now() - this.#startMs);
    this.#text(path);
    for (let i = 0; i < bytes.length; i++) this.#byte(bytes[i] as number);
    this.#lines?.push(`${this.#time()} ${path} ${text()}`);
  }

  /** Something that happened beside the messages. */
  note(text: string): void {
    this.#number(this.#now() - this.#startMs);
    this.#text(text);
    this.#lines?.push(`${this.#time()} ${text}`);
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  /** 16 hex digits. */
  get hash(): string {
    return [this.#high, this.#low].map(word => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #time(): string {
    return ((this.#now() - this.#startMs) / 1000).toFixed(3).padStart(8);
  }

  #text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#byte(text.charCodeAt(i));
  }

  #number(value: number): void {
    this.#byte(value & 0xffff);
    this.#byte((value / 0x10000) & 0xffff);
  }

  #byte(byte: number): void {
    this.#low = Math.imul(this.#low ^ byte, 0x01000193);
    this.#high = Math.imul(this.#high ^ byte, 0x85ebca6b) ^ (this.#low >>> 13);
  }
}
