import { daysBetween } from './calendar.ts';
import type { Context } from './context.ts';
import { codes } from './decide.ts';
import { type Direction, type KindRule, kinds, type LinkRule } from './kinds.ts';
import type { Claim, ClaimKind, ClaimRequest, FinancialRequest, Transaction } from './ports.ts';
import { openPan } from './stored-card.ts';

/** How far back a transaction may refer, and up to how much. Days are business dates. */
export interface LinkSettings {
  /** 0: a void belongs to the day and the batch of its original. */
  readonly voidDays: number;
  readonly refundDays: number;
  readonly preAuthorisationDays: number;
  /** A completion may take so much of what is held, percent. */
  readonly completionMaxPercent: number;
  /** An adjustment may raise its original by so much, percent. */
  readonly adjustmentMaxPercent: number;
}

/** What a request moves, and what it takes hold of. */
export interface Footing {
  readonly direction: Direction;
  /** What the bank is asked for, minor units. */
  readonly forwardedMinor: number;
  readonly original?: Transaction | undefined;
  readonly claim?: ClaimRequest | undefined;
}

/** Longer than the reading table is behind the journal in ordinary times. */
const lookAgainMs = 500;

export type Judged =
  | { readonly kind: 'stands'; readonly footing: Footing }
  | { readonly kind: 'refused'; readonly responseCode: string; readonly reason: string };

const refused = (responseCode: string, reason: string): Judged => ({ kind: 'refused', responseCode, reason });
const unknown = (reason: string): Judged => refused(codes.originalNotFound, reason);

/** Finds what a request refers to and judges whether it may. A request that refers to nothing stands by itself, at once. */
export function footingOf(context: Context, request: FinancialRequest): Judged | Promise<Judged> {
  const rule = kinds[request.kind];
  const alone: Judged = { kind: 'stands', footing: standing(rule, request) };
  return rule.link === undefined ? alone : linkedFooting(context, request, rule, rule.link, alone);
}

async function linkedFooting(
  context: Context,
  request: FinancialRequest,
  rule: KindRule,
  link: LinkRule,
  alone: Judged,
): Promise<Judged> {
  const { reference } = request;
  if (reference === undefined) return link.optional ? alone : refused(codes.formatError, 'missing-reference');
  const { merchantId, terminalId } = request.identity;
  const panHash = context.vault.hashPan(request.pan);
  const { batch, trace } = reference;
  const named = link.sameBatch ? { batch, trace } : reference;
  const query = { merchantId, terminalId, reference: named, kinds: link.of, panHash };
  let found = await context.journal.findOriginal(query);
  if (found.kind === 'none' && (named.rrn !== undefined || named.authCode !== undefined)) {
    // By RRN and by card it is looked up in the reading table, which is a moment behind.
    await new Promise<void>(resume => context.timers.after(lookAgainMs, resume));
    found = await context.journal.findOriginal(query);
  }
  if (found.kind === 'unavailable') return refused(codes.malfunction, 'journal-unavailable');
  if (found.kind === 'none') return link.claim === 'names' ? alone : unknown('original-unknown');
  const original = found.value;
  if (!openPan(context.vault, original).equals(request.pan)) return unknown('other-card-than-original');
  const { claim } = link;
  if (claim === 'names') return { kind: 'stands', footing: { ...standing(rule, request), original } };
  const claims = await context.journal.claims(original.txId);
  if (claims === null) return refused(codes.malfunction, 'journal-unavailable');
  const { businessDate } = context.calendar.now();
  return judgeLink(request, claim, original, claims, businessDate, context.settings);
}

function standing({ direction }: KindRule, { amountMinor }: FinancialRequest): Footing {
  return { direction: direction === 'delta' ? 'D' : direction, forwardedMinor: amountMinor };
}

/**
 * Whether a request may use its original as it stands, and what it then takes hold of (laws, *What is reversed*, end).
 * Pure: two who judge the same original and both may are told apart by its version when they open.
 */
function judgeLink(
  request: FinancialRequest,
  claim: ClaimKind,
  original: Transaction,
  claims: readonly Claim[],
  businessDate: string,
  settings: LinkSettings,
): Judged {
  const rule = kinds[request.kind];
  const { link } = rule;
  if (link === undefined) throw new Error(`originals: ${request.kind} refers to nothing`);
  const wrong = misnamed(request, link, original) ?? unfit(original);
  if (wrong !== null) return wrong;
  const age = daysBetween(original.businessDate, businessDate);
  const footing = (effectMinor: number, originalState = original.state): Judged => ({
    kind: 'stands',
    footing: {
      direction: rule.direction === 'delta' ? (effectMinor < 0 ? 'C' : 'D') : rule.direction,
      forwardedMinor: rule.direction === 'delta' ? Math.abs(effectMinor) : request.amountMinor,
      original,
      claim: {
        originalTxId: original.txId,
        originalVersion: original.version,
        originalState,
        kind: claim,
        amountMinor: effectMinor,
      },
    },
  });
  const postedMinor = original.approvedMinor ?? 0;
  const totalMinor = postedMinor + sum(claims.filter(({ kind }) => kind === 'addition'));
  const others = claims.filter(({ kind }) => kind !== 'addition');
  const growing = claims.some(({ kind, settled }) => kind === 'addition' && !settled);
  switch (claim) {
    case 'void': {
      const held = original.direction === 'H';
      if (growing) return refused(codes.malfunction, 'addition-in-flight');
      if (others.length > 0) return refused('12', 'original-is-used');
      if (request.amountMinor !== totalMinor) return refused(codes.amountDiffers, 'amount-differs-from-original');
      if (held ? age > settings.preAuthorisationDays : age > settings.voidDays) return refused('22', 'void-too-late');
      if (link.sameBatch && original.identity.batch !== request.identity.batch)
        return refused('22', 'void-of-another-batch');
      return footing(-totalMinor, 'voided');
    }
    case 'completion': {
      if (growing) return refused(codes.malfunction, 'addition-in-flight');
      if (others.length > 0) return refused('12', 'original-is-used');
      if (age > settings.preAuthorisationDays) return refused('22', 'completion-too-late');
      const mostMinor = Math.floor((totalMinor * settings.completionMaxPercent) / 100);
      if (request.amountMinor > mostMinor) return refused('61', 'completion-exceeds-hold');
      return footing(-totalMinor, 'completed');
    }
    case 'refund': {
      if (age > settings.refundDays) return refused('22', 'refund-too-late');
      // What may still be refused counts only where it makes less of the remainder.
      const certain = others.filter(({ amountMinor, settled }) => settled || amountMinor < 0);
      if (request.amountMinor > postedMinor + sum(certain)) return refused('61', 'refund-exceeds-remainder');
      return footing(-request.amountMinor);
    }
    case 'addition':
      return footing(request.amountMinor);
    case 'adjustment': {
      if (others.length > 0) return refused('12', 'original-is-used');
      if (age > settings.voidDays) return refused('22', 'adjustment-too-late');
      const deltaMinor = request.amountMinor - postedMinor;
      if (deltaMinor === 0) return refused('13', 'nothing-to-adjust');
      if (deltaMinor < 0 && request.kind === 'tip-adjustment')
        return refused(codes.amountDiffers, 'tip-below-original');
      const mostMinor = Math.floor((postedMinor * settings.adjustmentMaxPercent) / 100);
      return deltaMinor > mostMinor ? refused('61', 'adjustment-exceeds-share') : footing(deltaMinor);
    }
  }
}

/** The reference names another transaction than the one that was found, or one of a kind that cannot be meant. */
function misnamed({ reference }: FinancialRequest, link: LinkRule, original: Transaction): Judged | null {
  if (original.kind === 'unknown-original') return unknown('original-unknown');
  if (reference?.rrn !== undefined && reference.rrn !== original.rrn) return unknown('other-rrn-than-original');
  if (reference?.authCode !== undefined && reference.authCode !== original.authCode?.trimEnd()) {
    return unknown('other-authorisation-than-original');
  }
  if (!link.of.includes(original.kind)) return refused('12', `not-for-${original.kind}`);
  const part = original.kind === 'additional-pre-authorisation' && original.originalTxId !== undefined;
  return part ? refused('12', 'part-of-another-hold') : null;
}

/** The original does not stand, or not yet. */
function unfit({ state }: Transaction): Judged | null {
  switch (state) {
    case 'approved':
    case 'accepted':
      return null;
    case 'open':
    case 'stood-in':
      return refused(codes.malfunction, `original-${state}`);
    default:
      return unknown(`original-${state.replace(' ', '-')}`);
  }
}

function sum(claims: readonly Claim[]): number {
  return claims.reduce((total, { amountMinor }) => total + amountMinor, 0);
}
