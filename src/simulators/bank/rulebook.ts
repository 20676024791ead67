/** Applies a list of rules to messages; keeps the count behind `times` and the seeded chance behind `percent`. */
import { type Action, plain, type Rule, type RuleSubject } from './rules.ts';

/** How many messages a rule with `times` remembers; beyond it the oldest is forgotten and may meet the rule again. */
const TRIES_LIMIT = 100_000;

export class Rulebook {
  readonly #rules: readonly Rule[];
  readonly #chance: () => number;
  #tries = new Map<string, number>();
  #olderTries = new Map<string, number>();

  constructor(rules: readonly Rule[], seed: number) {
    this.#rules = rules;
    this.#chance = seeded(seed);
  }

  /** What to do with a message: the action of the first rule that matches, or nothing special. */
  actionFor(subject: RuleSubject): Action {
    for (const [index, rule] of this.#rules.entries()) if (this.#matches(index, rule, subject)) return rule.act;
    return plain;
  }

  /** Chance and count come last: they change with each question. */
  #matches(index: number, { when }: Rule, subject: RuleSubject): boolean {
    if (when.amountMod && subject.amountMinor % when.amountMod[0] !== when.amountMod[1]) return false;
    // A rule that names no MTI is about requests: a reversal that meets no end by accident would leave money unsettled.
    if (when.mti === undefined ? subject.mti.startsWith('04') : !subject.mti.startsWith(when.mti)) return false;
    if (when.pan !== undefined && !subject.pan.startsWith(when.pan)) return false;
    if (when.processingCode !== undefined && !subject.processingCode.startsWith(when.processingCode)) return false;
    if (when.terminalId !== undefined && !subject.terminalId.startsWith(when.terminalId)) return false;
    if (when.conditionCode !== undefined && !subject.conditionCode.startsWith(when.conditionCode)) return false;
    if (when.percent !== undefined && this.#chance() * 100 >= when.percent) return false;
    return when.times === undefined || this.#another(`${index}:${subject.subject}`, when.times);
  }

  #another(key: string, times: number): boolean {
    const met = this.#tries.get(key) ?? this.#olderTries.get(key) ?? 0;
    if (met >= times) return false;
    this.#tries.set(key, met + 1);
    if (this.#tries.size * 2 >= TRIES_LIMIT) {
      this.#olderTries = this.#tries;
      this.#tries = new Map();
    }
    return true;
  }
}

/** Uniform numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
