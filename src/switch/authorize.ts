import { type Authentication, authenticate } from './authenticate.ts';
import type { Context } from './context.ts';
import { codes } from './decide.ts';
import { type Admitted, forward, type PinForLink } from './forward.ts';
import { kinds } from './kinds.ts';
import { footingOf } from './originals.ts';
import { type Authenticated, type Ended, refusal, type Told } from './outcome.ts';
import type { FinancialRequest, KeySet, LinkProfile, PinTranslation, Route, ZonePinKey } from './ports.ts';
import { copyKey, identityKey } from './refusals.ts';
import { repeat, sameBytes } from './repeat.ts';

/** A PIN block on its way to the bank: under which zone key, and what the HSM said. */
interface PinUnderWay {
  readonly keys: KeySet;
  readonly zone: ZonePinKey;
  readonly result: Promise<PinTranslation>;
}

/**
 * The story of a request that goes to a bank: authenticate, admit, choose the route, OPEN, forward, make the answer, CLOSE,
 * tell. The order is the law: OPEN is durable before anything leaves, CLOSE before the outcome is told.
 */
export async function authorize(context: Context, request: FinancialRequest): Promise<Ended> {
  const { refusedUnverified, lookedAt, clock } = context;
  lookedAt.note(request, clock.nowMs());
  const before = refusedUnverified.isEmpty ? null : refusedUnverified.recall(copyKey(request), clock.nowMs());
  if (before !== null) return { told: refusal(before, 'copy-of-a-refused-request'), authenticated: null };
  const route = context.routing.route(request.pan);
  const link = route === null ? undefined : context.links.get(route.link);
  let pin: PinUnderWay | null = null;
  const authentication = await authenticate(context, request, keys => {
    if (link !== undefined) pin = translatePin(context, request, link, keys);
  });
  if (authentication.kind === 'refused') return refuseUnverified(context, request, authentication);
  const told = (outcome: Told): Ended => ({ told: outcome, authenticated: authentication });
  const digest = context.vault.digest(request.macInput.reveal());
  const name = identityKey(request.identity);
  const first = context.underWay.get(name);
  if (first !== undefined) {
    if (!sameBytes(digest, first.digest)) return told(refusal(codes.duplicate, 'differs-from-first'));
    // The failure of the first is the copy's own.
    return told((await first.ended).told);
  }
  const ended = admit(context, request, authentication, digest, route, pin, name);
  context.underWay.set(name, { digest, ended });
  try {
    return await ended;
  } finally {
    context.underWay.delete(name);
  }
}

/**
 * A refusal of a request whose MAC nobody could verify, or that was wrong. It is remembered, so that a copy that comes when
 * the HSM is back is not approved after the terminal was told no. When it may itself be a copy of one that was forwarded, no answer
 * is better than a wrong one.
 */
async function refuseUnverified(
  context: Context,
  request: FinancialRequest,
  { told, authenticated }: Extract<Authentication, { kind: 'refused' }>,
): Promise<Ended> {
  const { underWay, journal, refusedUnverified, clock } = context;
  if (told.kind === 'answer') {
    const { responseCode } = told.answer;
    if (responseCode === codes.malfunction) {
      const known =
        underWay.has(identityKey(request.identity)) || (await journal.find(request.identity)).kind !== 'none';
      if (known) return { told: { kind: 'silent', reason: 'perhaps-a-copy' }, authenticated };
    }
    refusedUnverified.remember(copyKey(request), responseCode, clock.nowMs());
  }
  return { told, authenticated };
}

/** Times that what a request refers to is judged anew because another changed it; each means that another went ahead. */
const maxRaces = 8;

/** Refuses what must be refused before anything is forwarded, reserves what it will need, and lets it go on. */
async function admit(
  context: Context,
  request: FinancialRequest,
  authentication: Authenticated,
  digest: Uint8Array,
  route: Route | null,
  pin: PinUnderWay | null,
  name: string,
): Promise<Ended> {
  const { journal, registry, refusals, clock, calendar } = context;
  const told = (outcome: Told): Ended => ({ told: outcome, authenticated: authentication });
  const link = route === null ? undefined : context.links.get(route.link);
  const refusedBefore = refusals.recall(name, clock.nowMs());
  if (refusedBefore !== null) return told(refusal(refusedBefore, 'copy-of-a-refused-request'));
  if (request.identity.batch !== authentication.terminal.batch) {
    return told(await refuse(context, request, codes.signOnFirst, 'wrong-batch'));
  }
  if (route === null || link === undefined) {
    return told(await refuse(context, request, codes.noSuchIssuer, 'no-route'));
  }
  const txId = journal.nextTxId();
  const { businessDate } = calendar.now();
  const { identity, kind, amountMinor } = request;
  const { merchantId, terminalId } = identity;
  const asked = { merchantId, terminalId, txId, identity, kind, amountMinor, businessDate };
  const admission = await registry.admit(asked);
  // An admission that nobody answered may have been executed all the same: its reservation is given back too.
  const reserved = admission.kind === 'unavailable' || (admission.kind === 'admitted' && admission.reserved);
  const release = (): void => {
    if (reserved) registry.release(identity, businessDate, txId);
  };
  const giveBack = (): void => {
    journal.abandon(txId);
    release();
  };
  switch (admission.kind) {
    case 'refused':
      giveBack();
      return told(await refuse(context, request, admission.responseCode, admission.reason));
    case 'unknown':
      giveBack();
      return told(await refuse(context, request, codes.unknownTerminal, 'unknown-terminal'));
    case 'unavailable':
      giveBack();
      return told(await refuse(context, request, codes.malfunction, 'admission-unavailable'));
    case 'admitted':
      break;
  }
  if (admission.seenBefore) {
    const seen = await journal.find(identity);
    if (seen.kind !== 'none') giveBack();
    if (seen.kind === 'unavailable') return told({ kind: 'silent', reason: 'first-cannot-be-read' });
    if (seen.kind === 'found') return told(await repeat(context, request, seen.value));
  }
  const refused = async (responseCode: string, reason: string): Promise<Ended> => {
    giveBack();
    return told(await refuse(context, request, responseCode, reason, !admission.surelyFirst));
  };
  const { surelyFirst } = admission;
  const way = await wayToBank(context, request, link, authentication, pin);
  if (way.kind === 'refused') return refused(way.responseCode, way.reason);
  const numbered = context.keys.transaction(link.name);
  const key = numbered instanceof Promise ? await numbered : numbered;
  if (key === null) return refused(codes.malfunction, 'no-numbers');
  for (let race = 0; race < maxRaces; race++) {
    const footing = footingOf(context, request);
    const judged = footing instanceof Promise ? await footing : footing;
    if (judged.kind === 'refused') return refused(judged.responseCode, judged.reason);
    if (clock.nowMs() >= request.deadlineMs - context.settings.closingReserveMs) break;
    const { storeAndForward } = context;
    const place = way.standIn || kinds[kind].doubt === 'repeat' ? 'advice' : 'request';
    if (!storeAndForward.reserve(link.name, txId, place)) {
      return refused(codes.issuerUnavailable, 'store-and-forward-full');
    }
    try {
      const admitted: Admitted = {
        request,
        authenticated: authentication,
        digest,
        route,
        link,
        txId,
        businessDate,
        footing: judged.footing,
        surelyFirst,
        standIn: way.standIn,
        release,
      };
      const ended = await forward(context, admitted, key, way.pin);
      if (ended !== 'original-moved') return ended;
    } finally {
      storeAndForward.release(link.name, txId);
    }
  }
  return refused(codes.malfunction, 'too-late');
}

function translatePin(
  context: Context,
  request: FinancialRequest,
  link: LinkProfile,
  keys: KeySet,
): PinUnderWay | null {
  const zone = context.banks.pinKey(link.name);
  if (request.pinBlock === undefined || zone === null) return null;
  const result = context.hsm.translatePin(
    keys.tpk,
    zone.key,
    request.pinBlock,
    request.pan.accountDigits,
    request.deadlineMs,
  );
  // Its end is looked at only when the MAC was right.
  result.catch(() => {});
  return { keys, zone, result };
}

type WayToBank =
  | { readonly kind: 'open'; readonly pin: PinForLink | null; readonly standIn: boolean }
  | { readonly kind: 'refused'; readonly responseCode: string; readonly reason: string };

/**
 * How a request gets to its bank: over its link, its PIN block under the link's zone key; as an advice, whenever the link
 * is up again; or by our own approval while it is down. The PIN block is made anew when it was made under keys the MAC
 * then did not verify under.
 */
async function wayToBank(
  context: Context,
  request: FinancialRequest,
  link: LinkProfile,
  authenticated: Authenticated,
  begun: PinUnderWay | null,
): Promise<WayToBank> {
  const open: WayToBank = { kind: 'open', pin: null, standIn: false };
  if (kinds[request.kind].doubt === 'repeat') return open;
  const down: WayToBank = { kind: 'refused', responseCode: codes.issuerUnavailable, reason: 'link-down' };
  const zoneNow = context.banks.pinKey(link.name);
  if (zoneNow === null) return mayStandIn(context, request, authenticated) ? { ...open, standIn: true } : down;
  if (request.pinBlock === undefined) return open;
  const holds = begun?.keys.version === authenticated.keys.version && begun.zone.generation === zoneNow.generation;
  const underWay = holds ? begun : translatePin(context, request, link, authenticated.keys);
  if (underWay === null) return down;
  const translated = await underWay.result;
  switch (translated.kind) {
    case 'translated': {
      const pin = { block: translated.pinBlock, generation: underWay.zone.generation };
      return { kind: 'open', pin, standIn: false };
    }
    case 'refused':
      return { kind: 'refused', responseCode: codes.pinTrouble, reason: `pin-translation-${translated.error}` };
    case 'unavailable':
      return { kind: 'refused', responseCode: codes.malfunction, reason: 'hsm-unavailable' };
  }
}

/** Only a sale below its merchant's floor, and none with a PIN: nobody here can tell whether it is right. */
function mayStandIn({ settings }: Context, request: FinancialRequest, { terminal }: Authenticated): boolean {
  return (
    settings.standIn &&
    request.kind === 'purchase' &&
    request.pinBlock === undefined &&
    terminal.standInFloorMinor !== null &&
    request.amountMinor <= terminal.standInFloorMinor
  );
}

/**
 * A refusal of a request that was not forwarded, told only when its identity is not one that was: a copy of an
 * approved request must not be told no because a link went down since.
 */
async function refuse(
  context: Context,
  request: FinancialRequest,
  responseCode: string,
  reason: string,
  perhapsCopy = false,
): Promise<Told> {
  const found = await context.journal.find(request.identity);
  if (found.kind === 'found') return repeat(context, request, found.value);
  // Perhaps a copy of one that was approved, and nobody can say: no answer is better than a wrong one.
  if (found.kind === 'unavailable' && perhapsCopy) return { kind: 'silent', reason: 'first-cannot-be-read' };
  context.refusals.remember(identityKey(request.identity), responseCode, context.clock.nowMs());
  const processingRequest = responseCode === codes.signOnFirst || responseCode === codes.pinTrouble ? '3' : undefined;
  return refusal(responseCode, reason, processingRequest);
}
