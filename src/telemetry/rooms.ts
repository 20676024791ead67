/**
 * Meters of the rooms beside the core, as plain functions that `main.ts` hands to each room. They take fixed words and
 * numbers only, so that no room needs to know this one.
 */

import type { Logger } from './logs.ts';
import type { Meters } from './metrics.ts';

export interface RoomMeters {
  readonly hsm: {
    /** `outcome`: ok, refused-NN, expired, lost ... (src/hsm) */
    onCommand(code: string, outcome: string, elapsedMs: number): void;
    onConnection(change: { readonly index: number; readonly state: 'up' | 'down'; readonly reason: string }): void;
  };
  readonly registry: { onEvent(word: string): void };
  readonly links: {
    onState(link: string, up: boolean): void;
    onInFlight(link: string, requests: number): void;
    /** A request handed to the link has ended; `elapsedMs` counts what was waited for a timeout too. */
    onRequest(link: string, outcome: string, elapsedMs: number): void;
    onEvent(link: string, word: string): void;
  };
  readonly journal: {
    /** `kind`: `write`, `open-linked` or `close-whole`. */
    onBatch(kind: string, size: number, waiting: number): void;
    onFlush(kind: string, elapsedMs: number): void;
    onCollision(): void;
    onProjected(transactions: number, elapsedMs: number): void;
    onProjectionLag(lagMs: number, waiting: number): void;
    onProjectionTrouble(word: string): void;
    onError(error: unknown): void;
  };
  readonly storeAndForward: { onBacklog(owed: number, cases: number): void };
}

export function createRoomMeters(meters: Meters, log: Logger): RoomMeters {
  const hsmUp = new Set<number>();
  return {
    hsm: {
      onCommand(code, outcome, elapsedMs) {
        meters.hsmCommands.inc({ command: code, outcome });
        meters.hsmSeconds.observe({ command: code }, elapsedMs / 1000);
      },
      onConnection({ index, state, reason }) {
        if (state === 'up') hsmUp.add(index);
        else hsmUp.delete(index);
        meters.hsmConnections.set(hsmUp.size);
        log[state === 'up' ? 'info' : 'warn']({ connection: index, reason }, `HSM connection ${state}`);
      },
    },
    registry: { onEvent: word => meters.registryEvents.inc({ event: word }) },
    links: {
      onState: (link, up) => meters.linkUp.set({ link }, up ? 1 : 0),
      onInFlight: (link, requests) => meters.linkInFlight.set({ link }, requests),
      onRequest(link, outcome, elapsedMs) {
        meters.linkRequests.inc({ link, outcome });
        meters.linkSeconds.observe({ link, outcome }, elapsedMs / 1000);
      },
      onEvent: (link, word) => meters.linkEvents.inc({ link, event: word }),
    },
    journal: {
      onBatch(kind, size, waiting) {
        meters.journalBatchSize.observe({ kind }, size);
        meters.journalWaiting.set({ kind }, waiting);
      },
      onFlush: (kind, elapsedMs) => meters.journalFlushSeconds.observe({ kind }, elapsedMs / 1000),
      onCollision: () => meters.journalCollisions.inc(),
      onProjected(transactions, elapsedMs) {
        meters.projected.inc(transactions);
        meters.projectionSeconds.observe(elapsedMs / 1000);
      },
      onProjectionLag(lagMs, waiting) {
        meters.projectionLag.set(lagMs / 1000);
        meters.projectionWaiting.set(waiting);
      },
      onProjectionTrouble: word => meters.projectionTroubles.inc({ trouble: word }),
      onError: error => log.error({ err: error }, 'journal'),
    },
    storeAndForward: {
      onBacklog(owed, cases) {
        meters.storeAndForwardDepth.set(owed);
        meters.casesOpen.set(cases);
      },
    },
  };
}
