/**
 * What the core needs from the rooms around it, and the terms they share.
 *
 * The core knows no I/O: every room beside it implements one of these ports, and `main.ts` plugs them together. A port
 * takes one request; batching is its adapter's own affair. Every call of a port is a possible place to crash, so
 * each port says what is durable when its promise settles. Expected outcomes are values; a rejected promise is a bug.
 */

import type { Pan, Secret } from './secrets.ts';
import type { State } from './states.ts';

export { Pan, Secret } from './secrets.ts';
export type { State } from './states.ts';

// ---------------------------------------------------------------------------------------------- time and chance

/** The wall clock in epoch milliseconds. It may step; what must not step back goes through `MonotoneClock`. */
export interface Clock {
  nowMs(): number;
}

/** Runs something later. The returned function cancels it and may be called any number of times. */
export interface Timers {
  after(delayMs: number, run: () => void): () => void;
}

/** Uniform numbers in [0, 1), for jitter. */
export interface Random {
  next(): number;
}

// ------------------------------------------------------------------------------------------------- the terminal

/** A terminal as it names itself: card acceptor (DE42) and terminal (DE41). */
export interface TerminalRef {
  readonly merchantId: string;
  readonly terminalId: string;
}

/** The class of a terminal's message, part of its identity: 0100/0200, 0220, 0400, 0320, 0620. */
export type MessageClass = 'request' | 'advice' | 'reversal' | 'upload' | 'notice';

/** The unique key of a terminal's message (laws, *Identity*). `batch` is DE60.2 (n6), `trace` is DE11 (n6). */
export interface Identity extends TerminalRef {
  readonly batch: string;
  readonly trace: string;
  readonly messageClass: MessageClass;
}

/** How a terminal computes field 64: UnionPay's folded form, or CBC over the whole message (cup-pos §6). */
export type MacAlgorithm = 'cup-ecb' | 'x9.9' | 'x9.19';

/** What the switch tells a terminal. The dialect adds what it echoes from the request (DE2 masked never, 3, 4, 11, 41, 42 ...). */
export interface TerminalAnswer {
  readonly responseCode: string;
  /** DE37 */
  readonly rrn?: string | undefined;
  /** DE38 */
  readonly authCode?: string | undefined;
  /** DE12 hhmmss and DE13 MMDD, acquirer's local time. */
  readonly localTime?: string | undefined;
  readonly localDate?: string | undefined;
  /** DE15 MMDD */
  readonly settlementDate?: string | undefined;
  /** DE4 of the answer when it differs from the request (partial approval), minor units. */
  readonly amountMinor?: number | undefined;
  /** DE32 */
  readonly acquirerId?: string | undefined;
  /** DE44, DE54 */
  readonly additionalResponse?: string | undefined;
  readonly balance?: string | undefined;
  /** DE55: the issuer's tags only (91, 71, 72). */
  readonly iccData?: Uint8Array | undefined;
  /** DE60.2 that replaces the terminal's own (sign-on). */
  readonly batch?: string | undefined;
  /** DE62: working keys under the terminal master key (sign-on). */
  readonly workingKeys?: Uint8Array | undefined;
  /** Header digit 6: what the terminal is asked to do next. '3' is "sign on again" (cup-pos §1.1). */
  readonly processingRequest?: string | undefined;
}

/** An answer packed and waiting for its MAC. `macInput` is absent where the answer carries none. */
export interface AnswerDraft {
  /** MTI to the last byte before DE64, bitmap bit 64 already set. */
  readonly macInput?: Uint8Array | undefined;
  /** The frame with its length prefix. `mac` is what `HsmPort.makeMac` gave, absent where there is no `macInput`. */
  seal(mac?: string): Uint8Array;
}

interface Addressed extends TerminalRef {
  /** Epoch milliseconds when the last byte of the frame was read. */
  readonly receivedAtMs: number;
  /** Epoch milliseconds by which the terminal must have been answered; passed down, never restarted. */
  readonly deadlineMs: number;
  /** Packs an answer in the dialect and session of this request. `withMac` asks for DE64. */
  reply(answer: TerminalAnswer, withMac: boolean): AnswerDraft;
}

/** What every message that carries DE64 has. */
interface Authenticated extends Addressed {
  readonly identity: Identity;
  /** DE64 as upper-case hex of its 8 bytes; absent when the message had none. */
  readonly mac?: string | undefined;
  /** The bytes the MAC covers: MTI to the last byte before DE64. They hold card data. */
  readonly macInput: Secret<Uint8Array>;
  /** DE3 n6, DE60.1 n2, DE25 n2 */
  readonly processingCode: string;
  readonly typeCode: string;
  readonly conditionCode: string;
  /** DE4 in minor units; 0 for an inquiry. */
  readonly amountMinor: number;
  /** DE49, e.g. '156' */
  readonly currency: string;
  readonly pan: Pan;
  /** DE22 n3, DE23 n3, DE14 YYMM */
  readonly entryMode: string;
  readonly cardSequence?: string | undefined;
  readonly expiry?: string | undefined;
}

export type FinancialKind = 'purchase' | 'balance-inquiry';

/** A 0200 that goes to a bank. */
export interface FinancialRequest extends Authenticated {
  readonly kind: FinancialKind;
  readonly pinCaptureCode?: string | undefined;
  readonly track2?: Secret<string> | undefined;
  /** 16 upper-case hex characters under the terminal PIN key. */
  readonly pinBlock?: Secret<string> | undefined;
  /** DE53 n16; digit 1 says how the PIN block was made (cup-pos §5.2). */
  readonly securityControl?: string | undefined;
  readonly iccData?: Secret<Uint8Array> | undefined;
  /** DE60.6: the terminal can take a partial approval. */
  readonly partialApproval: boolean;
}

/** A terminal's own 0400. It names its original by the same merchant, terminal, batch and trace. */
export interface ReversalRequest extends Authenticated {
  readonly kind: 'reversal';
  /** DE39 of the request: 98 no answer, A0 wrong MAC in the answer, 06 other. */
  readonly reason: string;
}

export type SignOnForm = 'single' | 'double';

/** 0800 sign-on. It carries no MAC (cup-pos §4). */
export interface SignOnRequest extends Addressed {
  readonly kind: 'sign-on';
  readonly form: SignOnForm;
  /** DE60.2 as the terminal believes it to be. */
  readonly batch: string;
}

/** 0820 (or 0800) echo test and sign-off: answered, unauthenticated, and so without effect on any state. */
export interface ManagementRequest extends Addressed {
  readonly kind: 'echo' | 'sign-off';
}

/** A message that is well addressed but that we answer with a code at once: 40 unsupported, 30 format, 12, 13, 14 ... */
export interface RefusedRequest extends Addressed {
  readonly kind: 'refused';
  readonly responseCode: string;
  /** For the counter and the log: a fixed word, no data of the message. */
  readonly reason: string;
}

export type TerminalRequest = FinancialRequest | ReversalRequest | SignOnRequest | ManagementRequest | RefusedRequest;

/** Implemented by the core, called by the street door. `null` means: say nothing, the terminal's own reversal decides. */
export interface SwitchPort {
  handle(request: TerminalRequest): Promise<Uint8Array | null>;
}

// --------------------------------------------------------------------------------------------------- the registry

/** A terminal's working keys under the LMK: TPK (PIN) and TAK (MAC). */
export interface KeySet {
  readonly version: number;
  readonly tpk: string;
  readonly tak: string;
}

export interface TerminalEntry extends TerminalRef {
  /** The binding of this terminal id to this merchant; the journal keeps it. */
  readonly bindingId: number;
  /** Only 'active' may transact; 'bound' may not sign on yet. */
  readonly status: 'bound' | 'active' | 'suspended' | 'closed';
  /** DE60.2 that requests must carry. */
  readonly batch: string;
  /** Terminal master key under the LMK. */
  readonly tmk: string;
  readonly macAlgorithm: MacAlgorithm;
  /** Length of the MAC key that sign-on issues, in bytes. 8 is sent as 8 bytes and 8 zero bytes (cup-pos §5.1). */
  readonly macKeyBytes: 8 | 16;
  readonly current: KeySet | null;
  /** Issued by the last sign-on, not used yet; becomes current at the first request whose MAC verifies under it. */
  readonly pending: KeySet | null;
  readonly merchantName: string;
  /** Merchant category code, DE18. */
  readonly mcc: string;
}

export type TerminalLookup =
  | { readonly kind: 'found'; readonly terminal: TerminalEntry }
  /** Postgres says so: 97. */
  | { readonly kind: 'unknown' }
  /** Neither Redis nor Postgres could say within the bounded rate: 96. */
  | { readonly kind: 'unavailable' };

export interface AdmissionRequest extends TerminalRef {
  readonly txId: number;
  readonly identity: Identity;
  readonly kind: FinancialKind;
  readonly amountMinor: number;
  /** Acquirer's business date, YYYY-MM-DD. */
  readonly businessDate: string;
}

export type Admission =
  | {
      readonly kind: 'admitted';
      /** Whether a limit counts this transaction until `release`. */
      readonly reserved: boolean;
      /** A hint only: this identity was admitted before. Postgres decides. */
      readonly seenBefore: boolean;
    }
  /** 03 merchant not open, 58 terminal not active, 57 function not allowed, 61 amount limit, 65 count limit. */
  | { readonly kind: 'refused'; readonly responseCode: string; readonly reason: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' };

export type KeyIssue =
  | { readonly kind: 'issued'; readonly version: number }
  /** More sign-ons than the rate allows. */
  | { readonly kind: 'too-many' }
  | { readonly kind: 'unavailable' };

export interface RegistryPort {
  /** Keys and status from a bounded local cache; `fresh` goes past it (a MAC did not verify under the cached keys). */
  terminal(ref: TerminalRef, fresh: boolean): Promise<TerminalLookup>;
  /** After the MAC: one round trip that judges and reserves. Idempotent by `txId`. */
  admit(request: AdmissionRequest): Promise<Admission>;
  /** Gives a reservation back (decline, reversal, refusal after admission). Idempotent; never rejects, never waits for Redis to come back. */
  release(ref: TerminalRef, businessDate: string, txId: number): void;
  /** Asked before a sign-on costs HSM time: whether this terminal may sign on again now. */
  maySignOn(ref: TerminalRef): boolean;
  /** Stores a new pending key set. Durable in Postgres when it settles. */
  issueKeys(ref: TerminalRef, keys: { readonly tpk: string; readonly tak: string }): Promise<KeyIssue>;
  /** Makes the pending set `version` current. Idempotent; durable in Postgres when it settles. */
  promoteKeys(ref: TerminalRef, version: number): Promise<void>;
}

// --------------------------------------------------------------------------------------------------------- the HSM

export type MacCheck = 'right' | 'wrong' | 'unavailable';

export type MacResult = { readonly kind: 'made'; readonly mac: string } | { readonly kind: 'unavailable' };

export type PinTranslation =
  | { readonly kind: 'translated'; readonly pinBlock: Secret<string> }
  /** The HSM refused the block or the keys (its error code): 99. */
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'unavailable' };

export type WorkingKeys =
  | {
      readonly kind: 'made';
      /** Under the LMK, for the registry. */
      readonly tpk: string;
      readonly tak: string;
      /** DE62: keys under the TMK with their check values (cup-pos §5.1). */
      readonly workingKeys: Uint8Array;
    }
  | { readonly kind: 'unavailable' };

export interface HsmPort {
  /** `mac` and the result of `makeMac` are the 8 bytes of DE64 as 16 upper-case hex characters. */
  verifyMac(
    tak: string,
    algorithm: MacAlgorithm,
    macInput: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck>;
  makeMac(tak: string, algorithm: MacAlgorithm, macInput: Uint8Array, deadlineMs: number): Promise<MacResult>;
  /** ISO 9564 format 0 from TPK to ZPK. `accountDigits` are the 12 digits of `Pan.accountDigits`. */
  translatePin(
    tpk: string,
    zpk: string,
    pinBlock: Secret<string>,
    accountDigits: string,
    deadlineMs: number,
  ): Promise<PinTranslation>;
  /** New TPK and TAK for a terminal, and DE62 that carries them. */
  makeWorkingKeys(tmk: string, form: SignOnForm, macKeyBytes: 8 | 16, deadlineMs: number): Promise<WorkingKeys>;
}

/** What a link to a bank needs of the HSM: the bank's keys in, and MACs of DE64/128. */
export interface ZoneCrypto {
  /** A zone key (PIN: 'zpk', MAC: 'zak') from under the ZMK (32 hex characters, X9.17) to under the LMK, with its check value (6 hex). */
  importZoneKey(
    kind: 'zpk' | 'zak',
    zmk: string,
    keyUnderZmk: string,
  ): Promise<
    | { readonly kind: 'imported'; readonly key: string; readonly checkValue: string }
    | { readonly kind: 'refused'; readonly error: string }
    | { readonly kind: 'unavailable' }
  >;
  verifyZoneMac(
    zak: string,
    algorithm: 'x9.9' | 'x9.19',
    data: Uint8Array,
    mac: string,
    deadlineMs: number,
  ): Promise<MacCheck>;
  makeZoneMac(zak: string, algorithm: 'x9.9' | 'x9.19', data: Uint8Array, deadlineMs: number): Promise<MacResult>;
}

/** Card data at rest: AES-256-GCM and keyed hashes under data keys that the HSM unwrapped at start. Synchronous and local. */
export interface VaultPort {
  /** The version of the keys that seal now; kept beside what they sealed. */
  readonly keyVersion: number;
  /** `context` (the transaction id) is authenticated with it, so that a value cannot be moved to another row. */
  seal(plain: Uint8Array, context: string): Uint8Array;
  open(sealed: Uint8Array, context: string): Uint8Array;
  /** HMAC-SHA-256 of a PAN, for look-up. */
  hashPan(pan: Pan): Uint8Array;
  /** HMAC-SHA-256 of the bytes under a MAC: tells a true repeat from a differing one. Of an earlier key version when one is given. */
  digest(data: Uint8Array, keyVersion?: number): Uint8Array;
}

// ------------------------------------------------------------------------------------------------------- the banks

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
  readonly mti: '0100' | '0200' | '0220' | '0221' | '0400' | '0401' | '0420' | '0421';
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
  /** DE39 of a reversal: why. */
  readonly reason?: string | undefined;
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

// ------------------------------------------------------------------------------------------------------ the journal

export type CardKind = 'debit' | 'credit' | 'unknown';

/** A row of the BIN table: the longest prefix that fits chooses the link. */
export interface Route {
  readonly binPrefix: string;
  readonly link: string;
  readonly cardKind: CardKind;
}

/** The first row of a transaction: everything that is known before it leaves. */
export interface OpenRecord {
  readonly txId: number;
  readonly kind: FinancialKind | 'unknown-original';
  /** 'open', or a final state for a row that only reserves an identity. */
  readonly state: State;
  readonly identity: Identity;
  readonly bindingId: number;
  readonly businessDate: string;
  readonly rrn: string;
  readonly stan: string;
  readonly transmissionAt: string;
  readonly link: string;
  readonly bankMti: string;
  readonly acquirerId: string;
  readonly forwarderId: string;
  readonly processingCode: string;
  readonly typeCode: string;
  readonly conditionCode: string;
  readonly entryMode: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly bin: string;
  readonly cardKind: CardKind;
  readonly panSealed: Uint8Array;
  readonly panHash: Uint8Array;
  readonly keyVersion: number;
  /** Keyed hash of the bytes under the MAC. */
  readonly requestDigest: Uint8Array;
  readonly localTime: string;
  readonly localDate: string;
  readonly mcc: string;
  readonly merchantName: string;
  readonly responseCode?: string | undefined;
}

/** Where a transaction stands: its first row merged with its last. */
export interface Transaction extends OpenRecord {
  readonly version: number;
  readonly ownerEpoch: number;
  /** Epoch milliseconds of OPEN. */
  readonly openedAtMs: number;
  readonly approvedMinor?: number | undefined;
  readonly authCode?: string | undefined;
  readonly settlementDate?: string | undefined;
  readonly reason?: string | undefined;
  /** What was told, sealed under the vault, for a repeat. */
  readonly answerSealed?: Uint8Array | undefined;
}

/** A reversal that store-and-forward owes to a bank. Its key stays the same through all repeats. */
export interface StoredReversal {
  readonly txId: number;
  readonly link: string;
  readonly stan: string;
  readonly transmissionAt: string;
  /** DE39 of the reversal. */
  readonly reason: string;
  readonly tries: number;
  /** Epoch milliseconds before which it is not sent. */
  readonly notBeforeMs: number;
  /** Epoch milliseconds when it was stored. */
  readonly storedAtMs: number;
}

/** A change of state: compare-and-set on (txId, fromVersion, owner epoch). */
export interface Change {
  readonly txId: number;
  readonly fromVersion: number;
  readonly state: State;
  readonly reason?: string | undefined;
  readonly responseCode?: string | undefined;
  readonly authCode?: string | undefined;
  readonly approvedMinor?: number | undefined;
  readonly settlementDate?: string | undefined;
  readonly answerSealed?: Uint8Array | undefined;
  /** Epoch milliseconds after which the sealed answer may be purged. */
  readonly answerExpiresAtMs?: number | undefined;
  /** Stored in the same commit (state 'reversing'). */
  readonly reversal?: StoredReversal | undefined;
  /** Whose store-and-forward owes the reversal; this process's own when absent. */
  readonly reversalOwner?: number | undefined;
  /** Opened in the same commit (state 'in dispute'): what a person reads first. */
  readonly caseDetail?: string | undefined;
}

export type OpenResult =
  | { readonly kind: 'opened' }
  /** Another transaction has this identity; nothing was written. */
  | { readonly kind: 'duplicate'; readonly txId: number }
  /** This process was fenced: it may neither write nor answer. */
  | { readonly kind: 'fenced' }
  /** The journal cannot take this record, ever: it was certainly not written. */
  | { readonly kind: 'refused' }
  /** Too many wait already: this try was certainly not written. */
  | { readonly kind: 'full' }
  /** Not known to be durable. It may be: what was opened so must be driven to an end. */
  | { readonly kind: 'unavailable' };

export type CloseResult =
  | { readonly kind: 'closed'; readonly version: number }
  /** Another change came first. Read it and act on it. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'fenced' }
  /** The journal cannot take this change, ever: it was certainly not written. */
  | { readonly kind: 'refused' }
  /** Not known to be durable. The same change again tells. */
  | { readonly kind: 'unavailable' };

export type Found<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable' };

export interface JournalPort {
  /** The epoch under which this process owns what it opens. */
  readonly ownerEpoch: number;
  /** Whether nobody can have fenced this process; looked at before anything is sent. */
  readonly standing: boolean;
  /** A transaction number, unique for ever, below 2^53. What is not opened under it is given back with `abandon`. */
  nextTxId(): number;
  /** Says that nothing was and nothing will be opened under this number. */
  abandon(txId: number): void;
  /** Durable (flushed as configured) when it settles as 'opened', together with its identity. */
  open(record: OpenRecord): Promise<OpenResult>;
  /** Durable when it settles as 'closed'. States with an end of a stored reversal ('reversed', 'in dispute') remove it in the same commit. */
  close(change: Change): Promise<CloseResult>;
  read(txId: number): Promise<Found<Transaction>>;
  find(identity: Identity): Promise<Found<Transaction>>;
  /** Records one more try of a stored reversal. */
  tried(txId: number, tries: number, notBeforeMs: number): Promise<void>;
  /** Reversals this process owes, of each link the `limit` soonest due: its own, those that siblings stored for it, those taken over. Null when storage is away. */
  owedReversals(limit: number): Promise<readonly StoredReversal[] | null>;
  /** Owners to recover: process gone or silent, or fenced by someone who did not finish. Null when storage is away. */
  lostOwners(): Promise<readonly number[] | null>;
  /** Fences an owner: once this settles as true, it can write nothing more. False: storage away, or another fenced it. */
  fence(epoch: number): Promise<boolean>;
  /** A fenced owner's transactions that are still open, oldest first. Null when storage is away. */
  openOf(epoch: number, limit: number): Promise<readonly Transaction[] | null>;
  /** Each open transaction of the fenced owner has come to an end. */
  markRecovered(epoch: number): Promise<boolean>;
  /** Stored reversals whose owner is fenced become this process's. False when storage is away. */
  takeOverReversals(): Promise<boolean>;
}

/** Number ranges that no two processes share (house law 9). Durable before they are handed out. */
export interface NumberBlocks {
  /** The first of `size` numbers of a series that are the caller's for ever; null when storage is away. */
  reserve(series: string, size: number): Promise<number | null>;
}

// ------------------------------------------------------------------------------------------------------ telemetry

/** What happened, for counters and the one log line per transaction. Carries no card data but a masked PAN. */
export type CoreEvent =
  | {
      readonly event: 'answered';
      readonly kind: TerminalRequest['kind'];
      readonly merchantId: string;
      readonly terminalId: string;
      readonly trace?: string | undefined;
      readonly rrn?: string | undefined;
      readonly pan?: Pan | undefined;
      readonly amountMinor?: number | undefined;
      readonly responseCode: string;
      /** How it ended, a fixed word: approved, declined, timed-out, refused, repeat ... */
      readonly outcome: string;
      readonly reason?: string | undefined;
      readonly elapsedMs: number;
      readonly bankMs?: number | undefined;
    }
  | { readonly event: 'unanswered'; readonly kind: TerminalRequest['kind']; readonly reason: string }
  | { readonly event: 'late-answer'; readonly link: string; readonly responseCode: string; readonly known: boolean }
  | { readonly event: 'reversal-sent'; readonly link: string; readonly txId: number; readonly tries: number }
  | {
      readonly event: 'reversal-ended';
      readonly link: string;
      readonly txId: number;
      readonly state: 'reversed' | 'in dispute';
      readonly tries: number;
      readonly reason: string;
    }
  | { readonly event: 'recovered'; readonly epoch: number; readonly open: number; readonly elapsedMs: number }
  | { readonly event: 'fenced' }
  /** A bug in a try of a reversal; it is tried again. */
  | { readonly event: 'reversal-failed'; readonly link: string; readonly txId: number; readonly error: unknown }
  /** A reversal is owed to a link that this process does not have: a person must bring the link back or settle it. */
  | { readonly event: 'reversal-stranded'; readonly link: string; readonly txId: number }
  | { readonly event: 'close-retried'; readonly txId: number; readonly state: State };

export interface Observer {
  on(event: CoreEvent): void;
}
