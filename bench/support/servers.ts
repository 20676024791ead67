/** What Redis says of itself. */

import type { Redis } from 'ioredis';

/** Calls of functions and scripts that it ran since its start. */
export async function redisCallsOf(redis: Redis): Promise<number> {
  const info = await redis.info('commandstats');
  const calls = [...info.matchAll(/^cmdstat_(?:fcall|fcall_ro|eval|evalsha):calls=(\d+)/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}
