import { together } from '../fault.ts';
import { bankKilled, hsmKilled } from './peers.ts';
import { postgresKilled, redisLost } from './stores.ts';
import { allSwitchesKilled } from './switches.ts';

export const everythingKilled = together(
  'everything-killed',
  'kill -9 of all of them together (Redis loses its memory), as when a machine loses its power',
  [postgresKilled, redisLost, hsmKilled, bankKilled, allSwitchesKilled],
);
