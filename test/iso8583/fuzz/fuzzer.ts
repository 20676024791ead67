/** Makes one input after the other, checks each, and keeps those that show something new. */

import { check, type Outcome, type Target } from './check.ts';
import { featuresOf } from './features.ts';
import { anySent } from './generate.ts';
import { decode, encode, type Sent } from './message.ts';
import { mutate } from './mutate.ts';
import { oneIn, pick, type Random, seeded } from './random.ts';

/** An input; the same seed makes the same checks of it. */
export interface Case {
  /** Index among the targets. */
  readonly target: number;
  readonly bytes: Uint8Array;
  readonly seed: number;
  /** What it holds, where it is as it was generated. */
  readonly expected?: Sent | undefined;
}

/** What is kept of one dialect. */
export interface Corpus {
  /** Accepted. */
  readonly right: Uint8Array[];
  /** Refused. */
  readonly wrong: Uint8Array[];
}

/** Inputs kept of each kind: more would only be looked at less often. */
const MOST_KEPT = 400;
/** Longer ones cost more time than they find. */
const LONGEST_KEPT = 2048;

export class Fuzzer {
  readonly targets: readonly Target[];
  /** By target. */
  readonly corpus: readonly Corpus[];
  readonly #random: Random;
  readonly #shipped: number;
  readonly #features = new Set<string>();

  /** The first `shipped` of the targets get as many inputs as all others together, and half as many again. */
  constructor(targets: readonly Target[], shipped: number, seed: number) {
    this.targets = targets;
    this.corpus = targets.map(() => ({ right: [], wrong: [] }));
    this.#random = seeded(seed);
    this.#shipped = shipped;
  }

  next(): Case {
    const random = this.#random;
    const isShipped = random.below(5) < 3;
    const others = this.targets.length - this.#shipped;
    const target = isShipped ? random.below(this.#shipped) : this.#shipped + random.below(others);
    const { spec } = this.targets[target] as Target;
    const { right, wrong } = this.corpus[target] as Corpus;
    const seed = random.below(0x7fff_ffff);
    if (right.length < 4 || oneIn(random, 8)) {
      const expected = anySent(random, spec);
      return { target, seed, expected, bytes: encode(spec, expected).bytes };
    }
    // What is wrong already is rarely made right.
    const base = pick(random, wrong.length > 0 && oneIn(random, 6) ? wrong : right);
    return { target, seed, bytes: mutate(random, spec, base, pick(random, right)) };
  }

  /** Throws `Violation` where anything is not as it must be. */
  run({ target, bytes, seed, expected }: Case): Outcome {
    const tested = this.targets[target] as Target;
    const outcome = check(tested, bytes, seeded(seed), expected);
    let isNew = false;
    for (const feature of featuresOf(tested, bytes, outcome)) {
      const key = `${target} ${feature}`;
      if (this.#features.has(key)) continue;
      this.#features.add(key);
      isNew = true;
    }
    if (isNew) this.keep(target, bytes, outcome.kind === 'accepted');
    return outcome;
  }

  /** Takes an input into the corpus; a full one gives up any other for it. */
  keep(target: number, bytes: Uint8Array, isRight: boolean): void {
    const { right, wrong } = this.corpus[target] as Corpus;
    const kept = isRight ? right : wrong;
    if (bytes.length === 0 || bytes.length > LONGEST_KEPT) return;
    if (kept.length < MOST_KEPT) kept.push(bytes);
    else kept[this.#random.below(MOST_KEPT)] = bytes;
  }
}

/** The same failure with as few fields and bytes as it takes. */
export function reduced(target: Target, { bytes, seed }: Case, failure: string): { bytes: Uint8Array; seed: number } {
  const seeds = [seed, ...Array.from({ length: 8 }, (_, index) => index)];
  const failing = (candidate: Uint8Array): number | undefined =>
    seeds.find(other => sameKind(failureOf(target, candidate, other), failure));
  let best = { bytes, seed };
  for (let attempts = 0, isSmaller = true; isSmaller && attempts < MOST_ATTEMPTS; ) {
    isSmaller = false;
    for (const candidate of smaller(target, best.bytes)) {
      if (attempts++ >= MOST_ATTEMPTS) break;
      const fails = failing(candidate);
      if (fails === undefined) continue;
      best = { bytes: candidate, seed: fails };
      isSmaller = true;
      break;
    }
  }
  return best;
}

const MOST_ATTEMPTS = 3000;

/** What is wrong with the case, if anything is. */
export function failureOf(target: Target, bytes: Uint8Array, seed: number): string | undefined {
  try {
    check(target, bytes, seeded(seed));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Two failures that differ in numbers and bytes alone are of one kind. */
export function kindOf(failure: string): string {
  return failure.replace(/\(.*?\)/g, '').replace(/[0-9A-F]*\d[0-9A-F]*/g, '#');
}

function sameKind(failure: string | undefined, other: string): boolean {
  return failure !== undefined && kindOf(failure) === kindOf(other);
}

/** Without one of its fields, or without some of its bytes. */
function* smaller({ spec }: Target, bytes: Uint8Array): Generator<Uint8Array> {
  const sent = decode(spec, bytes);
  for (const piece of sent?.pieces ?? []) {
    const pieces = sent?.pieces.filter(other => other !== piece) ?? [];
    if (sent !== undefined) yield encode(spec, { ...sent, pieces }).bytes;
  }
  for (let size = bytes.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at + size <= bytes.length; at += size) {
      yield Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + size)]);
    }
  }
}
