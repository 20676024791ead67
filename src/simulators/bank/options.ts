/** Everything that can be set, with its unit and default. */
import type { AnyCard, Card } from './cards.ts';
import type { MacAlgorithm } from './des.ts';

/** The published ZMK of the simulators: it protects nothing. */
export const SIMULATOR_ZMK = '851A0D9D0B2A1602622AD0B0E9E6B070';

/** One event for the log: never card data, never the body of a message. */
export type Log = (event: string, fields?: Readonly<Record<string, string | number>>) => void;

export interface BankSimOptions {
  /** The append-only file of postings; the key that names its cards lies beside it. */
  readonly book: string;
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port?: number | undefined;
  /** Absent: no control port. 0 takes a free one. Always on 127.0.0.1. */
  readonly controlPort?: number | undefined;
  readonly cards?: readonly Card[] | undefined;
  /** Serve every card number with a right check digit. */
  readonly anyCard?: AnyCard | undefined;
  /** The content of a rule file; absent: the default rules. */
  readonly rules?: unknown;
  /** Seed of what is left to chance. */
  readonly seed?: number | undefined;
  /** Zone master key in the clear, 32 hex characters. */
  readonly zmk?: string | undefined;
  readonly mac?: 'none' | MacAlgorithm | undefined;
  readonly lateOriginals?: 'refuse' | 'accept' | undefined;
  /** Whether what builds on another transaction (DE90) is held against it, or posted as it is asked. */
  readonly originals?: 'check' | 'trust' | undefined;
  /** A completion takes at most so much of what was held, in percent. */
  readonly completionPercent?: number | undefined;
  /** What a repeated reversal gets. */
  readonly repeatedReversal?: '00' | '94' | undefined;
  /** How long an answer takes at least, and up to how much longer. */
  readonly latencyMs?: number | undefined;
  readonly jitterMs?: number | undefined;
  /** How much later the default rule for late answers answers. Set it above the switch's timeout. */
  readonly lateMs?: number | undefined;
  /** How long keys still serve after newer ones. */
  readonly keyGraceMs?: number | undefined;
  /** The bank's own echo tests on each signed-on connection; 0: none. */
  readonly echoMs?: number | undefined;
  /** Messages under way at one time; more are answered 91. */
  readonly maxPending?: number | undefined;
  /** Requests that repeats and reversals can still find. */
  readonly indexLimit?: number | undefined;
  /** Where to write how long each answer took, by RRN, when the bank ends; absent: nowhere. */
  readonly timings?: string | undefined;
  readonly log?: Log | undefined;
  /** The book cannot be written any more: the bank has stopped answering. */
  readonly onFailure?: ((error: Error) => void) | undefined;
}

export const defaults = {
  host: '127.0.0.1',
  port: 0,
  seed: 1,
  zmk: SIMULATOR_ZMK,
  mac: 'none',
  lateOriginals: 'refuse',
  originals: 'check',
  completionPercent: 115,
  repeatedReversal: '00',
  latencyMs: 5,
  jitterMs: 0,
  lateMs: 3500,
  keyGraceMs: 5000,
  echoMs: 0,
  maxPending: 10_000,
  indexLimit: 1_000_000,
} as const;
