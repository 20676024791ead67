/** What the benchmark and its load generator, a process of its own, say to each other over their channel. */

export interface Start {
  readonly do: 'start';
  readonly terminalsFile: string;
  readonly recordsFile: string;
  /** How many terminals sign on, and how many of the file are left to others before them. */
  readonly terminals: number;
  readonly skipped?: number | undefined;
  /** HOST:PORT of the switches: terminals are spread over them. */
  readonly switches: readonly string[];
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
}

export type Command = Start | Phase;

export interface PhaseResult {
  /** What was to be sent: at a rate, all that the rate asks for, within the window and before it. */
  readonly due: number;
  readonly sent: number;
  /** Approvals with a right MAC, every other check of a terminal included. */
  readonly approved: number;
  /** What was wrong with other answers, each kind once. */
  readonly flaws: readonly string[];
  /** A terminal that was to send again had nothing left before the window was over. */
  readonly ranOut: boolean;
  /** Answers within the window, each second. */
  readonly tps: number;
  /** Answers within the window. */
  readonly answered: number;
  /** From the beginning of the window to its last answer: longer than the window where the load was too much. */
  readonly seconds: number;
  /** Of all that was to be sent within the window: RRN, and microseconds from that moment to the answer. */
  readonly rrns: Float64Array;
  readonly micros: Float64Array;
  /** By how much messages left later than they were to, microseconds: no terminal was free, or the generator was late. */
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
