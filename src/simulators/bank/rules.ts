/**
 * Rules: what the bank does beside its duty. A list as data; for each message the first rule that matches wins.
 *
 * A rule never changes what the book already holds: a repeat of what was posted stays posted, whatever a rule declines.
 */

/** What a rule asks for, all of it together. */
export interface Action {
  /** Decline with this code instead of posting. */
  readonly decline?: string | undefined;
  /** Approve at most this amount (minor units), with code 10. */
  readonly partialMinor?: number | undefined;
  /** Hold the message so long before looking at it: its reversal may overtake it. */
  readonly holdMs: number;
  /** Act at once, answer so much later. */
  readonly lateMs: number;
  /** Drop the message without acting on it. */
  readonly drop: boolean;
  /** Act, but send so many answers: 0, 1 or 2. */
  readonly answers: 0 | 1 | 2;
  /** Send an answer to a request that nobody made before the right one. */
  readonly stray: boolean;
  /** Break the MAC of the answer. */
  readonly wrongMac: boolean;
  /** Cut the connection instead of answering. */
  readonly hangUp: boolean;
}

interface Condition {
  readonly amountMod?: readonly [number, number] | undefined;
  readonly pan?: string | undefined;
  readonly mti?: string | undefined;
  readonly processingCode?: string | undefined;
  readonly terminalId?: string | undefined;
  readonly conditionCode?: string | undefined;
  readonly percent?: number | undefined;
  readonly times?: number | undefined;
}

export interface Rule {
  readonly when: Condition;
  readonly act: Action;
}

/** What rules look at. `subject` is the request's identity; for a reversal, that of its original. */
export interface RuleSubject {
  readonly mti: string;
  readonly amountMinor: number;
  readonly pan: string;
  readonly processingCode: string;
  readonly terminalId: string;
  readonly conditionCode: string;
  readonly subject: string;
}

/** A rule file or a request of the control port is not what it should be. */
export class RuleError extends Error {}

export const plain: Action = {
  holdMs: 0,
  lateMs: 0,
  drop: false,
  answers: 1,
  stray: false,
  wrongMac: false,
  hangUp: false,
};

/** The rules without a rule file, by the last digits of the amount: README, *Rules*. */
export function defaultRules(lateMs: number): unknown[] {
  const amount = (ending: number, act: unknown, more: object = {}) => ({
    when: { amountMod: [100, ending], ...more },
    do: act,
  });
  return [
    { when: { mti: '04', amountMod: [1000, 998], times: 1 }, do: 'silent-before-posting' },
    { when: { mti: '04', amountMod: [1000, 898], times: 1 }, do: { decline: '91' } },
    amount(90, 'silent-after-posting', { mti: '04', times: 1 }),
    amount(89, { decline: '91' }, { mti: '04', times: 1 }),
    amount(51, { decline: '51' }),
    amount(5, { decline: '05' }),
    amount(91, { decline: '91' }),
    amount(98, 'silent-after-posting', { times: 1 }),
    amount(97, 'silent-before-posting', { times: 1 }),
    amount(96, { answerTwice: true }),
    amount(95, { answerLateMs: lateMs }, { times: 1 }),
    amount(94, { delayMs: 300 }),
    amount(93, { unknownAnswer: true }),
  ];
}

/** Reads a list of rules. Throws a `RuleError` that names the rule and what is wrong with it. */
export function parseRules(value: unknown): Rule[] {
  if (!Array.isArray(value)) throw new RuleError('rules are a JSON list');
  return value.map((rule: unknown, index) => {
    try {
      const { when, do: act } = record(rule, ['when', 'do'], 'the rule');
      return { when: parseCondition(when ?? {}), act: parseAction(act) };
    } catch (error) {
      throw error instanceof RuleError ? new RuleError(`rule ${index + 1}: ${error.message}`) : error;
    }
  });
}

const conditionNames = [
  'amountMod',
  'pan',
  'mti',
  'processingCode',
  'terminalId',
  'conditionCode',
  'percent',
  'times',
] as const;

function parseCondition(value: unknown): Condition {
  const when = record(value, conditionNames, '"when"');
  let amountMod: readonly [number, number] | undefined;
  if (when.amountMod !== undefined) {
    const pair: readonly unknown[] = Array.isArray(when.amountMod) ? when.amountMod : [];
    if (pair.length !== 2) throw new RuleError('"amountMod" is a modulus and a rest');
    amountMod = [whole(pair[0], 'the modulus', 1), whole(pair[1], 'the rest', 0)];
  }
  const { percent, times } = when;
  if (percent !== undefined && (typeof percent !== 'number' || !(percent >= 0 && percent <= 100))) {
    throw new RuleError('"percent" is a number from 0 to 100');
  }
  return {
    amountMod,
    pan: prefix(when.pan, 'pan', /^\d{1,19}$/),
    mti: prefix(when.mti, 'mti', /^\d{1,4}$/),
    processingCode: prefix(when.processingCode, 'processingCode', /^\d{1,6}$/),
    terminalId: prefix(when.terminalId, 'terminalId', /^[ -~]{1,8}$/),
    conditionCode: prefix(when.conditionCode, 'conditionCode', /^\d{1,2}$/),
    percent,
    times: times === undefined ? undefined : whole(times, '"times"', 1),
  };
}

const actionNames = [
  'decline',
  'partial',
  'delayMs',
  'answerLateMs',
  'answerTwice',
  'unknownAnswer',
  'wrongMac',
] as const;

const approvals: readonly string[] = ['00', '08', '10', '11', '16', 'A2', 'A4', 'A5', 'A6'];

function parseAction(value: unknown): Action {
  if (value === 'approve') return plain;
  if (value === 'silent-before-posting') return { ...plain, drop: true };
  if (value === 'silent-after-posting') return { ...plain, answers: 0 };
  if (value === 'hang-up-after-posting') return { ...plain, answers: 0, hangUp: true };
  if (typeof value === 'string') throw new RuleError(`unknown action ${JSON.stringify(value)}`);
  const act = record(value, actionNames, '"do"');
  const { decline } = act;
  if (decline !== undefined && (typeof decline !== 'string' || !/^[0-9A-Z]{2}$/.test(decline))) {
    throw new RuleError('"decline" is a response code of two characters');
  }
  // A bank that says yes and books nothing is no rule but a lie that the audit cannot tell from a bug.
  if (decline !== undefined && approvals.includes(decline)) throw new RuleError('"decline" is not an approval');
  return {
    ...plain,
    decline,
    partialMinor: act.partial === undefined ? undefined : whole(act.partial, '"partial"', 1),
    holdMs: act.delayMs === undefined ? 0 : whole(act.delayMs, '"delayMs"', 0),
    lateMs: act.answerLateMs === undefined ? 0 : whole(act.answerLateMs, '"answerLateMs"', 0),
    answers: flag(act.answerTwice, 'answerTwice') ? 2 : 1,
    stray: flag(act.unknownAnswer, 'unknownAnswer'),
    wrongMac: flag(act.wrongMac, 'wrongMac'),
  };
}

/** An object with no other names than these: a misspelt name would be a rule that never does what it says. */
function record(value: unknown, names: readonly string[], what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RuleError(`${what} is an object`);
  const unknown = Object.keys(value).find(name => !names.includes(name));
  if (unknown !== undefined) throw new RuleError(`${what} has no ${JSON.stringify(unknown)}`);
  return { ...value };
}

function whole(value: unknown, what: string, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new RuleError(`${what} is a whole number from ${least}`);
  }
  return value;
}

function prefix(value: unknown, name: string, form: RegExp): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !form.test(value)) throw new RuleError(`"${name}" does not look like one`);
  return value;
}

function flag(value: unknown, name: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw new RuleError(`"${name}" is true or false`);
  return value === true;
}
