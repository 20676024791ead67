import type { Clock } from '../switch/ports.ts';

/**
 * How a command ended, for a counter's label.
 * ok: answered; refused-NN: the HSM's error code NN (M8's refused-01 is a wrong MAC); malformed: answered in
 * another layout; expired: the deadline passed first; lost: its connection broke; full: no place on any connection;
 * down: no connection; late: the answer came after the deadline (counted besides 'expired'); unmatched: an answer
 * that nothing asked for (its code is '--').
 */
export type CommandOutcome =
  | 'ok'
  | `refused-${string}`
  | 'malformed'
  | 'expired'
  | 'lost'
  | 'full'
  | 'down'
  | 'late'
  | 'unmatched';

/** What happened to connection number `index`, for a log line and a gauge. Carries no command data. */
export interface ConnectionChange {
  readonly index: number;
  readonly state: 'up' | 'down';
  /** A fixed word or an errno code: connected, refused by another LMK, silent, reset ... */
  readonly reason: string;
}

export interface HsmPoolOptions {
  readonly host: string;
  readonly port: number;
  /** TCP connections kept open. Default 4. */
  readonly connections?: number;
  /** Characters of the message header as configured on the HSM, 2 to 32; it matches answers to commands. Default 4. */
  readonly headerLength?: number;
  /** Commands without an answer on one connection; beyond it on all, 'unavailable'. Default 256, at most 32768. */
  readonly maxOutstanding?: number;
  /** For commands that carry no deadline of their own (key import, start). Default 5000. */
  readonly defaultTimeoutMs?: number;
  /** Until a TCP connection stands. Default 2000. */
  readonly connectTimeoutMs?: number;
  /** Until a probe (NC) is answered; then the connection counts as dead. Default 1000. */
  readonly probeTimeoutMs?: number;
  /** A connection that was silent this long is probed. Default 15000. */
  readonly idleProbeMs?: number;
  /** How long an expired command keeps its place on the connection; then the connection is dropped. Default 30000. */
  readonly staleMs?: number;
  /** Reconnect: first and longest pause; each is drawn between half and all of its value. Defaults 100 and 5000. */
  readonly firstRetryMs?: number;
  readonly maxRetryMs?: number;
  /** The clock that made the deadlines. Default: the system's. */
  readonly clock?: Clock;
  readonly onCommand?: (code: string, outcome: CommandOutcome, elapsedMs: number) => void;
  readonly onConnection?: (change: ConnectionChange) => void;
}

export type PoolSettings = Required<HsmPoolOptions>;

/** Fills in the defaults. Throws RangeError naming the setting that is out of range. */
export function poolSettings(options: HsmPoolOptions): PoolSettings {
  const settings: PoolSettings = {
    connections: 4,
    headerLength: 4,
    maxOutstanding: 256,
    defaultTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    probeTimeoutMs: 1_000,
    idleProbeMs: 15_000,
    staleMs: 30_000,
    firstRetryMs: 100,
    maxRetryMs: 5_000,
    clock: { nowMs: Date.now },
    onCommand: () => undefined,
    onConnection: () => undefined,
    ...options,
  };
  inRange('connections', settings.connections, 1, 64);
  inRange('headerLength', settings.headerLength, 2, 32);
  // Half of what the header can number, so that a free number is found fast.
  inRange('maxOutstanding', settings.maxOutstanding, 1, headerNumbers(settings.headerLength) / 2);
  return settings;
}

/** How many commands a header can tell apart: hex digits, of which at most four are counted up. */
export function headerNumbers(headerLength: number): number {
  return 16 ** Math.min(headerLength, 4);
}

/** Reads `tcp://host:port`; null when it is not that. */
export function hsmAddress(url: string): { readonly host: string; readonly port: number } | null {
  const parts = /^tcp:\/\/(\[[0-9A-Fa-f:.]+\]|[^/:\s]+):(\d{1,5})\/?$/.exec(url);
  const host = parts?.[1]?.replace(/^\[|\]$/g, '');
  const port = Number(parts?.[2]);
  return host === undefined || port < 1 || port > 65535 ? null : { host, port };
}

function inRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`HSM pool: ${name} must be a whole number from ${least} to ${most}`);
  }
}
