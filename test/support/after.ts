/** Stops what `before` started and removes its data. Run by hand, it stops the servers that were started by hand. */

import { currentRunner, stopServers } from './run.ts';

await stopServers(await currentRunner());
