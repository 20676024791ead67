/**
 * How long each answer took, by the RRN of its request: a benchmark takes it from what a terminal waited, and what is left
 * is the switch's. Kept in memory and written when the bank ends, so that no measurement pays for the file.
 */
import { writeFileSync } from 'node:fs';

export class Timings {
  readonly #path: string;
  readonly #rrns: string[] = [];
  readonly #micros: number[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  /** From the arrival of a request to the packing of its answer, in milliseconds. */
  answered(rrn: string, ms: number): void {
    this.#rrns.push(rrn);
    this.#micros.push(Math.round(ms * 1000));
  }

  /** One line for each answer, in order: RRN, a blank, whole microseconds. */
  write(): void {
    writeFileSync(this.#path, this.#rrns.map((rrn, at) => `${rrn} ${this.#micros[at]}\n`).join(''));
  }
}
