/** What the benchmark and its load generator, a process of its own, say to each other over their channel. */

export interface Start {
  readonly do: 'start';
  readonly terminalsFile: string;
  readonly recordsFile: string;
  /** How many terminals sign on, spread over all that the file has but the first, which are left to others. */
  readonly terminals: number;
  readonly skipped?: number | undefined;
  /** HOST:PORT of the switches: terminals are spread over them. */
  readonly switches: readonly string[];
  /**
   * After so many the cards come again: the bank simulator serves a million. A terminal has no card twice in one phase, and
   * each has a key of its own, so that PIN blocks of a phase still differ. Absent: never again.
   */
  readonly cards?: number | undefined;
}

/** One measured stretch of load. */
export interface Phase {
  readonly do: 'phase';
  /** How many of the terminals take part. */
  readonly terminals: number;
  /**
   * Purchases each second, whether or not earlier ones were answered; a terminal that is busy is not waited for, but the
   * customer's time runs. 0: each terminal sends again as soon as it is answered.
   */
  readonly rate: number;
  /** Load before the window, so that it opens on a system under way. */
  readonly leadSeconds: number;
  readonly windowSeconds: number;
  /** Purchases that each terminal builds beforehand. */
  readonly perTerminal: number;
  /** Response codes that are counted apart; any other but 00 is a flaw. None when absent. */
  readonly declines?: readonly string[];
  /** At a rate only: after the window the load goes on at another rate, without a pause. */
  readonly after?: { readonly rate: number; readonly seconds: number };
}

/** What was due within the window and was declined with one code, microseconds as in `PhaseResult`. */
export interface Declines {
  readonly micros: Float64Array;
  readonly lateMicros: Float64Array;
}

/** What was due after the window. */
export interface Aftermath {
  /** From the end of the window to when each was due. */
  readonly dueMs: Float64Array;
  /** From then to its answer. */
  readonly micros: Float64Array;
  /** 1 for each that was declined. */
  readonly declined: Uint8Array;
}

export type Command = Start | Phase;

export interface PhaseResult {
  /** What was to be sent: at a rate, all that the rate asks for, within the window and before it. */
  readonly due: number;
  readonly sent: number;
  /** Approvals with a right MAC, every other check of a terminal included. */
  readonly approved: number;
  /** Answers with one of the codes that are counted apart. */
  readonly declined: number;
  /** By code. */
  readonly declines: Readonly<Record<string, Declines>>;
  readonly after: Aftermath;
  /** What was wrong with other answers, each kind once. */
  readonly flaws: readonly string[];
  /** A terminal that was to send again had nothing left before the window was over. */
  readonly ranOut: boolean;
  /** Approvals within the window, each second. */
  readonly tps: number;
  /** Approvals within the window. */
  readonly answered: number;
  /** From the beginning of the window to its last answer: longer than the window where the load was too much. */
  readonly seconds: number;
  /** Of all that was to be sent within the window and was approved: RRN, and microseconds from that moment to the answer. */
  readonly rrns: Float64Array;
  readonly micros: Float64Array;
  /** By how much these left later than they were to, microseconds: no terminal was free, or the generator was late. */
  readonly lateMicros: Float64Array;
  /** How many different ones there were among all that were sent. A MAC has 32 bits: some meet by chance. */
  readonly pinBlocks: number;
  readonly macs: number;
  readonly traces: number;
}

export type Reply =
  | { readonly kind: 'started' }
  /** The messages are built: the load begins. */
  | { readonly kind: 'loading' }
  | { readonly kind: 'window-opens' }
  | { readonly kind: 'window-ends' }
  | { readonly kind: 'done'; readonly result: PhaseResult }
  | { readonly kind: 'failed'; readonly why: string };
