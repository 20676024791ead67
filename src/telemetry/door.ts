import type { Logger } from './logs.ts';
import type { Meters } from './metrics.ts';

/** The street door's happenings (`DoorObserver` of src/terminals), as counters and log lines. */
export interface DoorMeters {
  onConnections(open: number): void;
  onClosed(reason: string, remote: string, detail?: string): void;
  onFrame(way: string, outcome: string): void;
  onRefused(reason: string): void;
  onBadBody(remote: string, detail: string): void;
  onInFlight(requests: number): void;
  onFailure(error: unknown): void;
}

/** Ends of connections that are nobody's fault; they get a counter and, at level debug, a line. */
const ordinary: ReadonlySet<string> = new Set(['ended-by-terminal', 'drained', 'idle']);

export function createDoorMeters(meters: Meters, log: Logger): DoorMeters {
  return {
    onConnections: open => meters.terminalConnections.set(open),
    onClosed(reason, remote, detail) {
      meters.terminalConnectionsClosed.inc({ reason });
      log[ordinary.has(reason) ? 'debug' : 'warn']({ reason, remote, detail }, 'terminal connection closed');
    },
    onFrame: (way, outcome) => meters.terminalFrames.inc({ way, outcome }),
    onRefused: reason => meters.terminalRefusals.inc({ reason }),
    onBadBody(remote, detail) {
      meters.terminalBadBodies.inc();
      log.warn({ remote, detail }, 'HTTP body refused');
    },
    onInFlight: requests => meters.terminalInFlight.set(requests),
    onFailure(error) {
      meters.terminalFailures.inc();
      log.error({ err: error }, 'handling a message failed');
    },
  };
}
