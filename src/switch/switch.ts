import { ChurnMap } from '../collections/churn-map.ts';
import { authorize } from './authorize.ts';
import type { Calendar } from './calendar.ts';
import type { Context, SwitchSettings } from './context.ts';
import { codes } from './decide.ts';
import { Drives } from './drive.ts';
import { kinds } from './kinds.ts';
import type { MessageKeys } from './message-keys.ts';
import { type Ended, refusal, type Told } from './outcome.ts';
import type {
  BankPort,
  Clock,
  HsmPort,
  JournalPort,
  LinkProfile,
  Observer,
  Random,
  RegistryPort,
  Route,
  SwitchPort,
  TerminalRequest,
  Timers,
  VaultPort,
} from './ports.ts';
import { recoverLostOwners } from './recovery.ts';
import { copyKey, Glimpses, RefusalRing } from './refusals.ts';
import { reverse } from './reverse.ts';
import { Routing } from './routing.ts';
import { sealed } from './seal.ts';
import { signOn } from './sign-on.ts';
import { StoreAndForward } from './store-and-forward.ts';

export interface SwitchParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly registry: RegistryPort;
  readonly hsm: HsmPort;
  readonly banks: BankPort;
  readonly journal: JournalPort;
  readonly calendar: Calendar;
  readonly keys: MessageKeys;
  readonly vault: VaultPort;
  readonly observer: Observer;
  readonly links: readonly LinkProfile[];
  readonly routes: readonly Route[];
  readonly settings: SwitchSettings & {
    /** How long a terminal waits for an answer, ms: as long a refused request is remembered. */
    readonly terminalWaitMs: number;
    readonly refusalsRemembered: number;
    /** Between two looks for messages stored by siblings, ms. */
    readonly owedPollMs: number;
    /** Between two looks for owners that are gone, ms. */
    readonly recoveryPollMs: number;
  };
}

const plain = (told: Told): Ended => ({ told, authenticated: null });
const perhapsCopy = plain({ kind: 'silent', reason: 'perhaps-a-copy' });
const overload = plain(refusal(codes.malfunction, 'overload'));

/** Between two looks whether a drain is done. */
const drainLookMs = 20;

/** The core: takes what a terminal asks, drives it to its one end, and gives the frame to send. */
export class Switch implements SwitchPort {
  readonly #context: Context;
  readonly #recoveryPollMs: number;
  readonly #inFlight = { requests: 0, owed: 0 };
  #cancelRecovery: (() => void) | null = null;
  #stopped = false;

  constructor(parts: SwitchParts) {
    const { settings } = parts;
    const links = new Map(parts.links.map(link => [link.name, link]));
    const refusals = new RefusalRing(settings.refusalsRemembered, settings.terminalWaitMs);
    const refusedUnverified = new RefusalRing(settings.refusalsRemembered, settings.terminalWaitMs);
    const lookedAt = new Glimpses(settings.refusalsRemembered, settings.terminalWaitMs);
    const storeAndForward = new StoreAndForward({ ...parts, links, pollMs: settings.owedPollMs });
    this.#context = {
      ...parts,
      links,
      refusals,
      refusedUnverified,
      lookedAt,
      storeAndForward,
      routing: new Routing(parts.routes),
      drives: new Drives(),
      underWay: new ChurnMap(),
      settings,
    };
    this.#recoveryPollMs = settings.recoveryPollMs;
  }

  /** Recovers what dead owners left, then begins to pay what is owed. Settles once this process is ready to serve. */
  async start(): Promise<void> {
    while (!this.#stopped && !(await recoverLostOwners(this.#context))) await this.#pause();
    this.#context.storeAndForward.start();
    this.#watchOwners();
  }

  get #underWay(): number {
    return this.#inFlight.requests + this.#inFlight.owed;
  }

  /**
   * Settles once every request under way has come to its end, those included whose end could not be written at once, or
   * after `limitMs`. The street door has stopped accepting before.
   */
  async drain(limitMs: number): Promise<void> {
    const { clock, timers, drives } = this.#context;
    const endMs = clock.nowMs() + limitMs;
    while (this.#underWay + drives.underWay > 0 && clock.nowMs() < endMs) {
      await new Promise<void>(resume => timers.after(drainLookMs, resume));
    }
  }

  /** Ends the background work. What is owed stays in the journal for the next owner. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRecovery?.();
    this.#context.drives.stop();
    this.#context.storeAndForward.stop();
  }

  async handle(request: TerminalRequest): Promise<Uint8Array | null> {
    const capacity = this.#capacityOf(request);
    this.#inFlight[capacity]++;
    try {
      const full = this.#inFlight[capacity] > this.#context.settings.maxInFlight;
      const ended = full ? this.#shed(request) : await this.#end(request);
      this.#report(request, ended);
      if (ended.told.kind === 'silent') return null;
      return ended.frame ?? (await this.#seal(request, ended, ended.told));
    } finally {
      this.#inFlight[capacity]--;
    }
  }

  #shed(request: TerminalRequest): Ended {
    if (request.kind === 'reversal' || !('identity' in request)) return overload;
    const { refusedUnverified, lookedAt, clock } = this.#context;
    if (lookedAt.has(request)) return perhapsCopy;
    refusedUnverified.remember(copyKey(request), codes.malfunction, clock.nowMs());
    return overload;
  }

  /** Reversals and advices have a capacity of their own. */
  #capacityOf(request: TerminalRequest): 'requests' | 'owed' {
    if (request.kind === 'reversal') return 'owed';
    return 'identity' in request && kinds[request.kind].doubt === 'repeat' ? 'owed' : 'requests';
  }

  #end(request: TerminalRequest): Ended | Promise<Ended> {
    switch (request.kind) {
      case 'reversal':
        return reverse(this.#context, request);
      case 'sign-on':
        return signOn(this.#context, request).then(plain);
      case 'echo':
      case 'sign-off': {
        const { localTime, localDate } = this.#context.calendar.now();
        const answer = { responseCode: codes.approved, localTime, localDate };
        return plain({ kind: 'answer', answer, outcome: request.kind });
      }
      case 'refused':
        return plain(refusal(request.responseCode, request.reason));
      default:
        return authorize(this.#context, request);
    }
  }

  /** An answer that was not sealed on the way: with a MAC where the terminal's keys are known, otherwise without. */
  async #seal(request: TerminalRequest, ended: Ended, told: Told & { kind: 'answer' }): Promise<Uint8Array> {
    if (ended.authenticated !== null) {
      const frame = await sealed(this.#context, request, ended.authenticated, told.answer);
      if (frame !== null) return frame;
    }
    return request.reply(told.answer, false).seal();
  }

  #report(request: TerminalRequest, ended: Ended): void {
    const { observer, clock } = this.#context;
    const { told } = ended;
    if (told.kind === 'silent') {
      observer.on({ event: 'unanswered', kind: request.kind, reason: told.reason });
      if (told.reason === 'fenced') observer.on({ event: 'fenced' });
      return;
    }
    const money = 'identity' in request ? request : null;
    observer.on({
      event: 'answered',
      kind: request.kind,
      merchantId: request.merchantId,
      terminalId: request.terminalId,
      trace: money?.identity.trace,
      rrn: told.answer.rrn,
      pan: money?.pan,
      amountMinor: money?.amountMinor,
      responseCode: told.answer.responseCode,
      outcome: told.outcome,
      reason: told.reason,
      elapsedMs: clock.nowMs() - request.receivedAtMs,
      bankMs: told.bankMs,
    });
  }

  #pause(): Promise<void> {
    return new Promise(resume => this.#context.timers.after(this.#recoveryPollMs, resume));
  }

  #watchOwners(): void {
    if (this.#stopped) return;
    this.#cancelRecovery = this.#context.timers.after(this.#recoveryPollMs, () => {
      void recoverLostOwners(this.#context).then(() => this.#watchOwners());
    });
  }
}
