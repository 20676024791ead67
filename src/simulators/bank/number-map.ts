/** Places of a new map; a power of two. */
const firstPlaces = 1024;
/** What stands at a place that nothing was ever written to. No key: keys are finite. */
const free = Number.NaN;
/** What a key that was deleted leads to. */
const gone = 0xffff_ffff;

/**
 * A map of numbers to whole numbers below 2^32 - 1, for very many that stay: it lies outside of what the collector goes through,
 * which otherwise takes it longer with each entry. Keys are finite. It grows, and never shrinks.
 */
export class NumberMap {
  #keys = new Float64Array(firstPlaces).fill(free);
  #values = new Uint32Array(firstPlaces);
  /** Places that are not free, deleted ones among them. */
  #taken = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): number | undefined {
    const place = this.#placeOf(key);
    const value = this.#values[place];
    return this.#keys[place] !== key || value === gone ? undefined : value;
  }

  set(key: number, value: number): void {
    let place = this.#placeOf(key);
    if (this.#keys[place] !== key) {
      if (this.#taken * 2 >= this.#keys.length) {
        this.#rebuild();
        place = this.#placeOf(key);
      }
      this.#keys[place] = key;
      this.#taken++;
      this.#size++;
    } else if (this.#values[place] === gone) this.#size++;
    this.#values[place] = value;
  }

  /** Whether it was there. */
  delete(key: number): boolean {
    const place = this.#placeOf(key);
    if (this.#keys[place] !== key || this.#values[place] === gone) return false;
    this.#values[place] = gone;
    this.#size--;
    return true;
  }

  /** Where the key stands, or the free place where it would. */
  #placeOf(key: number): number {
    const keys = this.#keys;
    const mask = keys.length - 1;
    for (let place = hash(key) & mask; ; place = (place + 1) & mask) {
      const found = keys[place] ?? free;
      if (found === key || Number.isNaN(found)) return place;
    }
  }

  /** Twice the places, without what was deleted. */
  #rebuild(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(keys.length * 2).fill(free);
    this.#values = new Uint32Array(keys.length * 2);
    for (const [at, key] of keys.entries()) {
      const value = values[at] ?? gone;
      if (Number.isNaN(key) || value === gone) continue;
      const place = this.#placeOf(key);
      this.#keys[place] = key;
      this.#values[place] = value;
    }
    this.#taken = this.#size;
  }
}

/** Of both halves: neighbours, which numbers by time and by count are, shall not fall together. */
function hash(key: number): number {
  const high = Math.floor(key / 2 ** 32);
  const mixed = Math.imul((key >>> 0) ^ Math.imul(high, 0x9e37_79b1), 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}
