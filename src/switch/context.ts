import type { ChurnMap } from '../collections/churn-map.ts';
import type { Calendar } from './calendar.ts';
import type { Drives } from './drive.ts';
import type { MessageKeys } from './message-keys.ts';
import type { LinkSettings } from './originals.ts';
import type { Ended } from './outcome.ts';
import type {
  BankPort,
  Clock,
  HsmPort,
  JournalPort,
  LinkProfile,
  Observer,
  Random,
  RegistryPort,
  Timers,
  VaultPort,
} from './ports.ts';
import type { Glimpses, RefusalRing } from './refusals.ts';
import type { Routing } from './routing.ts';
import type { StoreAndForward } from './store-and-forward.ts';

/** How the switch is set; each has a setting of its own in src/config.ts. */
export interface SwitchSettings extends LinkSettings {
  /** How long a stored answer may be told again, ms. */
  readonly replayWindowMs: number;
  /** Kept free of the time left when a bank is asked, for the MAC and the journal, ms. */
  readonly closingReserveMs: number;
  /**
   * Requests under way at one time; beyond it, 96 at once. As many reversals and advices may be under way beside them: what
   * undoes a doubt or tells of what is done already is not kept out by a crowd of purchases.
   */
  readonly maxInFlight: number;
  /** Whether merchants with a floor may have purchases approved while their links are down. */
  readonly standIn: boolean;
}

/** The first of its identity, while it is on its way. */
export interface UnderWay {
  /** Keyed hash of its bytes under the MAC. */
  readonly digest: Uint8Array;
  readonly ended: Promise<Ended>;
}

/** What each part of the transaction's story works with. */
export interface Context {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly calendar: Calendar;
  readonly keys: MessageKeys;
  readonly registry: RegistryPort;
  readonly hsm: HsmPort;
  readonly banks: BankPort;
  readonly journal: JournalPort;
  readonly vault: VaultPort;
  readonly observer: Observer;
  readonly links: ReadonlyMap<string, LinkProfile>;
  readonly routing: Routing;
  readonly refusals: RefusalRing;
  /** Refused before their MAC was verified; apart, so that strangers cannot push out what the others are. */
  readonly refusedUnverified: RefusalRing;
  /** Requests that were looked at: a copy that comes when there is no room is not told no, for its first may be approved. */
  readonly lookedAt: Glimpses;
  readonly storeAndForward: StoreAndForward;
  readonly drives: Drives;
  /** Requests under way in this process, by identity: a copy waits for the same outcome. */
  readonly underWay: ChurnMap<string, UnderWay>;
  readonly settings: SwitchSettings;
}
