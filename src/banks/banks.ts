import type {
  BankOutcome,
  BankPort,
  BankRequest,
  Clock,
  LateAnswer,
  LinkProfile,
  Random,
  Timers,
  ZoneCrypto,
  ZonePinKey,
} from '../switch/ports.ts';
import { Link, type LinkEvent, type LinkState } from './link.ts';
import type { Connect } from './transport.ts';

export interface BanksParts {
  readonly profiles: readonly LinkProfile[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly connect: Connect;
  readonly crypto: ZoneCrypto;
  readonly nextKey: (link: string) => Promise<{ readonly stan: string; readonly transmissionAt: string } | null>;
  readonly onEvent: (link: string, event: LinkEvent) => void;
  /** A request has ended: 'answered', or why not. `elapsedMs` counts what was waited for a timeout too. */
  readonly onRequest: (link: string, outcome: string, elapsedMs: number) => void;
}

/** The back door: this process's links to the banks, by name. */
export class Banks implements BankPort {
  readonly #links = new Map<string, Link>();
  readonly #clock: Clock;
  readonly #onRequest: BanksParts['onRequest'];
  readonly #late: ((late: LateAnswer) => void)[] = [];

  constructor(parts: BanksParts) {
    this.#clock = parts.clock;
    this.#onRequest = parts.onRequest;
    for (const profile of parts.profiles) {
      const link = new Link({
        ...parts,
        profile,
        nextKey: () => parts.nextKey(profile.name),
        onLate: late => {
          for (const handler of this.#late) handler(late);
        },
        onEvent: event => parts.onEvent(profile.name, event),
      });
      this.#links.set(profile.name, link);
    }
  }

  start(): void {
    for (const link of this.#links.values()) link.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#links.values()].map(link => link.stop()));
  }

  pinKey(link: string): ZonePinKey | null {
    return this.#links.get(link)?.pinKey ?? null;
  }

  async request(
    link: string,
    request: BankRequest,
    deadlineMs: number,
    pinKeyGeneration?: number,
  ): Promise<BankOutcome> {
    const found = this.#links.get(link);
    if (found === undefined) return { kind: 'unsent', reason: 'link-down' };
    const startedMs = this.#clock.nowMs();
    const outcome = await found.request(request, deadlineMs, pinKeyGeneration);
    const word = outcome.kind === 'answered' ? 'answered' : outcome.reason;
    this.#onRequest(link, word, this.#clock.nowMs() - startedMs);
    return outcome;
  }

  onLate(handler: (late: LateAnswer) => void): void {
    this.#late.push(handler);
  }

  /** For readiness and metrics. */
  states(): { readonly link: string; readonly state: LinkState; readonly inFlight: number }[] {
    return [...this.#links].map(([link, { state, inFlight }]) => ({ link, state, inFlight }));
  }
}
