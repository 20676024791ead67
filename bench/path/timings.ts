const firstPlaces = 1 << 16;

/** What the bank took for each of millions of purchases, in typed arrays: a Map of them takes ten times the memory. */
export class Timings {
  #rrns = new Float64Array(firstPlaces);
  #micros = new Uint32Array(firstPlaces);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `rrn` above 0. */
  set(rrn: number, micros: number): void {
    if (2 * this.#size >= this.#rrns.length) this.#grow();
    const place = this.#placeOf(rrn);
    if (this.#rrns[place] === 0) this.#size++;
    this.#rrns[place] = rrn;
    this.#micros[place] = micros;
  }

  /** Microseconds; undefined where the bank says nothing of it. */
  get(rrn: number): number | undefined {
    const place = this.#placeOf(rrn);
    return this.#rrns[place] === 0 ? undefined : this.#micros[place];
  }

  /** Where it stands, or the empty place where it would. */
  #placeOf(rrn: number): number {
    const last = this.#rrns.length - 1;
    const mixed = Math.imul((rrn % 2 ** 32) | 0, 0x9e3779b1);
    let place = (mixed ^ (mixed >>> 15)) & last;
    while (this.#rrns[place] !== 0 && this.#rrns[place] !== rrn) place = (place + 1) & last;
    return place;
  }

  #grow(): void {
    const [rrns, micros] = [this.#rrns, this.#micros];
    this.#rrns = new Float64Array(2 * rrns.length);
    this.#micros = new Uint32Array(2 * rrns.length);
    this.#size = 0;
    for (const [at, rrn] of rrns.entries()) if (rrn !== 0) this.set(rrn, micros[at] ?? 0);
  }
}
