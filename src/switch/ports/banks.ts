/** Links to banks: what goes to them and what comes back. */

import type { Pan, Secret } from '../secrets.ts';

/** A link to a bank, as data. */
export interface LinkProfile {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** DE32 and DE33, n..11 */
  readonly acquirerId: string;
  readonly forwarderId: string;
  /** How long an answer may take before the outcome is unknown. */
  readonly timeoutMs: number;
  /** Requests without an answer at one time; beyond it, 91. */
  readonly maxInFlight: number;
  readonly echoIntervalMs: number;
  /**
   * Whether a stop signs off (0800/002). Only where sign-on is per link: at a bank that signs on the acquirer as a whole it would
   * take the other processes' links down too.
   */
  readonly signOffOnStop?: boolean;
  /** MAC in DE64/128, key ZAK. */
  readonly mac: 'none' | 'x9.9' | 'x9.19';
  /** Zone master key under the LMK, and its check value as agreed with the bank. */
  readonly zmk: string;
  readonly zmkCheckValue: string;
  readonly reversal: {
    /** 0400 is repeated as 0401, 0420 as 0421. */
    readonly mti: '0400' | '0420';
    /** The bank refuses an original that comes after its reversal, so that 25 confirms. */
    readonly refusesLateOriginals: boolean;
    /** The longest the bank may hold a message before it acts on it. */
    readonly longestDelayMs: number;
    readonly firstRetryMs: number;
    readonly maxRetryMs: number;
    readonly maxTries: number;
    /** Places in store-and-forward for this link in one process: forwards in flight and reversals stored. */
    readonly capacity: number;
    /** Places for advices, apart from those of requests: a flood of purchases must not keep a refund out. Default: as many. */
    readonly adviceCapacity?: number;
  };
}

/** DE90: how a reversal names its original. */
export interface OriginalElements {
  readonly mti: string;
  readonly stan: string;
  readonly transmissionAt: string;
  readonly acquirerId: string;
  readonly forwarderId: string;
}

/** What goes to a bank, in neutral terms; the link packs it in the bank's dialect. */
export interface BankRequest {
  readonly mti: '0100' | '0200' | '0220' | '0221' | '0620' | '0621' | '0400' | '0401' | '0420' | '0421';
  /** With `stan`, the request's key on its link. DE7 MMDDhhmmss in UTC. */
  readonly stan: string;
  readonly transmissionAt: string;
  readonly rrn: string;
  readonly pan: Pan;
  readonly processingCode: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly localTime: string;
  readonly localDate: string;
  readonly expiry?: string | undefined;
  readonly mcc: string;
  readonly entryMode: string;
  readonly cardSequence?: string | undefined;
  readonly conditionCode: string;
  readonly pinCaptureCode?: string | undefined;
  readonly track2?: Secret<string> | undefined;
  readonly merchantId: string;
  readonly terminalId: string;
  readonly merchantName: string;
  readonly pinBlock?: Secret<string> | undefined;
  readonly securityControl?: string | undefined;
  readonly iccData?: Secret<Uint8Array> | undefined;
  /** DE38 of the original, in what refers to one. */
  readonly authCode?: string | undefined;
  /** DE39 of a reversal: why. */
  readonly reason?: string | undefined;
  /** DE90: what is reversed, voided, refunded, completed or adjusted. */
  readonly original?: OriginalElements | undefined;
}

export interface BankAnswer {
  readonly mti: string;
  readonly responseCode: string;
  /** DE4 of the answer: the money. */
  readonly amountMinor: number;
  readonly authCode?: string | undefined;
  readonly settlementDate?: string | undefined;
  readonly additionalResponse?: string | undefined;
  readonly balance?: string | undefined;
  readonly iccData?: Secret<Uint8Array> | undefined;
}

export type BankOutcome =
  | { readonly kind: 'answered'; readonly answer: BankAnswer }
  /** Certain: not one byte of it left. */
  | {
      readonly kind: 'unsent';
      readonly reason:
        | 'link-down'
        | 'busy'
        | 'key-changed'
        | 'expired'
        | 'duplicate-key'
        | 'mac-unavailable'
        | 'unpackable'
        | 'not-standing';
    }
  /** It may have been posted. */
  | { readonly kind: 'unknown'; readonly reason: 'timeout' | 'link-lost' | 'untrusted-answer' };

/** The zone PIN key of a link. It changes at each key exchange; `generation` tells one from the next. */
export interface ZonePinKey {
  readonly key: string;
  readonly generation: number;
}

/** An answer that no one waits for any more (late, repeated or unknown). It was consumed and counted by the link. */
export interface LateAnswer {
  readonly link: string;
  readonly stan: string;
  readonly transmissionAt: string;
  readonly answer: BankAnswer;
}

export interface BankPort {
  /** The link's PIN key while it is signed on; null while it is down. */
  pinKey(link: string): ZonePinKey | null;
  /**
   * Sends and waits until `deadlineMs`. `pinKey` is the generation the PIN block in the request is under: when the
   * link has another by now, the request is not sent. Settles always, once.
   */
  request(link: string, request: BankRequest, deadlineMs: number, pinKeyGeneration?: number): Promise<BankOutcome>;
  /** Called for each answer that no one waits for. */
  onLate(handler: (late: LateAnswer) => void): void;
}
