interface Node<K, V> {
  readonly key: K;
  value: V;
  next: Node<K, V> | null;
}

const firstBuckets = 64;

/**
 * A map for entries that come and go all the time, each for a moment: what is under way.
 *
 * A `Map` makes itself anew whenever as much was deleted as it holds, and each of its earlier selves points to the next. Once
 * the collector has taken one of them for old, all that follow stay until it goes through everything, and with them what they
 * held: at thousands of entries a second a quarter of a switch's garbage lived so (docs/performance.md).
 */
export class ChurnMap<K extends string | number, V> {
  #buckets: (Node<K, V> | null)[] = new Array<Node<K, V> | null>(firstBuckets).fill(null);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    return this.#find(key)?.value;
  }

  has(key: K): boolean {
    return this.#find(key) !== null;
  }

  set(key: K, value: V): void {
    const known = this.#find(key);
    if (known !== null) {
      known.value = value;
      return;
    }
    if (this.#size >= this.#buckets.length) this.#grow();
    const at = this.#bucketOf(key);
    this.#buckets[at] = { key, value, next: this.#buckets[at] ?? null };
    this.#size++;
  }

  /** Whether it was there. */
  delete(key: K): boolean {
    const at = this.#bucketOf(key);
    let before: Node<K, V> | null = null;
    for (let node = this.#buckets[at] ?? null; node !== null; before = node, node = node.next) {
      if (node.key !== key) continue;
      if (before === null) this.#buckets[at] = node.next;
      else before.next = node.next;
      // So that nothing that is gone leads to what is still here.
      node.next = null;
      this.#size--;
      return true;
    }
    return false;
  }

  /** In no order; of the moment when it is asked. */
  entries(): [K, V][] {
    const all: [K, V][] = [];
    for (const first of this.#buckets) {
      for (let node = first; node !== null; node = node.next) all.push([node.key, node.value]);
    }
    return all;
  }

  #find(key: K): Node<K, V> | null {
    let node = this.#buckets[this.#bucketOf(key)] ?? null;
    while (node !== null && node.key !== key) node = node.next;
    return node;
  }

  #bucketOf(key: K): number {
    return typeof key === 'number' ? Math.abs(key % this.#buckets.length) : hashOf(key) & (this.#buckets.length - 1);
  }

  #grow(): void {
    const all = this.entries();
    this.#buckets = new Array<Node<K, V> | null>(2 * this.#buckets.length).fill(null);
    this.#size = 0;
    for (const [key, value] of all) this.set(key, value);
  }
}

/** FNV-1a. */
function hashOf(key: string): number {
  // Said once more that it is a string: where strings are kept in many ways, the compiler asks at each character otherwise.
  const text = String(key);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 16);
}
