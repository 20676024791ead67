/** A terminal, what it asks and what it is told. */

import type { Pan, Secret } from '../secrets.ts';

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

/** Kinds of transaction that go to a bank (cup-pos §3); what each means stands in `switch/kinds.ts`. */
export type FinancialKind =
  | 'purchase'
  | 'balance-inquiry'
  | 'purchase-void'
  | 'refund'
  | 'pre-authorisation'
  | 'additional-pre-authorisation'
  | 'pre-authorisation-void'
  | 'completion'
  | 'completion-advice'
  | 'completion-void'
  | 'offline-sale'
  | 'offline-settlement'
  | 'settlement-adjustment'
  | 'tip-adjustment'
  | 'script-notice';

/** How a terminal names an earlier transaction (DE61, 37, 38). What it does not know is absent. */
export interface Reference {
  /** 61.1 n6 and 61.2 n6: both or none. */
  readonly batch?: string | undefined;
  readonly trace?: string | undefined;
  /** 61.3 MMDD */
  readonly date?: string | undefined;
  /** DE37 of the original's answer. */
  readonly rrn?: string | undefined;
  /** DE38 of the original's answer. */
  readonly authCode?: string | undefined;
}

/** A request, advice or notice that goes to a bank. */
export interface FinancialRequest extends Authenticated {
  readonly kind: FinancialKind;
  /** The earlier transaction it is about. */
  readonly reference?: Reference | undefined;
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
