import { Redis } from 'ioredis';
import { giveStringsTheirSpeed } from './fast-strings.ts';

giveStringsTheirSpeed();

export interface RedisTimes {
  /** How long one command may take. `Gate` gives up at its own, shorter time; this bounds whatever else is asked. */
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** A socket on which nothing arrives for so long while an answer is awaited is dead. */
  readonly socketTimeoutMs: number;
}

const defaults: RedisTimes = { commandTimeoutMs: 500, connectTimeoutMs: 1_000, socketTimeoutMs: 2_000 };

/** The longest pause between two tries to connect. */
const MAX_RETRY_MS = 1_000;

/**
 * A connection to Redis for a switch. The client's own defaults keep commands while Redis is away and send unanswered
 * ones again: that turns an outage into a burst of stale reservations. Here a command is sent once, now, or not at all.
 */
export function createRedis(url: string, times: Partial<RedisTimes> = {}): Redis {
  const { commandTimeoutMs, connectTimeoutMs, socketTimeoutMs } = { ...defaults, ...times };
  return new Redis(url, {
    // Without a connection a command fails at once: the caller has another way or an answer (96), and no memory grows.
    enableOfflineQueue: false,
    // What was sent and not answered may have been executed. Whoever sent it knows how to make that good; the client
    // does not.
    autoResendUnfulfilledCommands: false,
    // Commands in flight fail the moment their connection closes, not after some further tries to connect.
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: connectTimeoutMs,
    // Finds the half-open connection, on which writes succeed for minutes and nothing ever comes back.
    socketTimeout: socketTimeoutMs,
    // Connects again for ever, with jitter, so that a whole fleet does not come back in the same millisecond.
    retryStrategy: times => Math.min(25 * 2 ** Math.min(times, 6), MAX_RETRY_MS) * (0.5 + Math.random() / 2),
    // After a failover the old primary answers READONLY: connect anew, to be led to the new one.
    reconnectOnError: error => error.message.startsWith('READONLY'),
    // 'ready' means that the data is loaded.
    enableReadyCheck: true,
    maxLoadingRetryTime: MAX_RETRY_MS,
    // Measured here: it adds nothing to one script per transaction.
    enableAutoPipelining: false,
    autoResubscribe: false,
    noDelay: true,
    keepAlive: 10_000,
    connectionName: 'acquirer-switch',
  });
}
