import type { Context } from './context.ts';
import { codes } from './decide.ts';
import { type Authenticated, refusal, type Told } from './outcome.ts';
import type { FinancialRequest, KeySet, ReversalRequest, TerminalEntry } from './ports.ts';

export type Authentication =
  | ({ readonly kind: 'authentic' } & Authenticated)
  /** `authenticated` where the terminal has keys, so that the refusal can carry a MAC; it proves nothing. */
  | { readonly kind: 'refused'; readonly told: Told; readonly authenticated: Authenticated | null };

/** Header digit 6: sign on again (cup-pos §1.1). */
const signOnAgain = '3';

/** The key sets a terminal may be using, the likelier first: a terminal that has just signed on uses the new ones. */
function candidates(terminal: TerminalEntry): KeySet[] {
  return [terminal.pending, terminal.current].filter(keys => keys !== null);
}

/**
 * Verifies field 64. Nothing is written, reserved or told before this says 'authentic' (laws, *Admission*).
 *
 * The keys come from a local cache that may be behind a sign-on at another process; when the MAC verifies under none
 * of the cached sets, the registry is asked once past its cache. `beside` is told the likeliest keys before the HSM is
 * asked, for work that may run beside the verification and is dropped when that fails.
 */
export async function authenticate(
  context: Context,
  request: FinancialRequest | ReversalRequest,
  beside?: (keys: KeySet) => void,
): Promise<Authentication> {
  const cached = await verifyUnder(context, request, false, [], beside);
  if (cached.kind !== 'refused' || cached.tried === null) return cached;
  const fresh = await verifyUnder(context, request, true, cached.tried);
  return fresh.kind === 'refused' && fresh.tried?.length === 0 ? cached : fresh;
}

type Attempt =
  | ({ readonly kind: 'authentic' } & Authenticated)
  | {
      readonly kind: 'refused';
      readonly told: Told;
      readonly authenticated: Authenticated | null;
      /** The versions under which the MAC was wrong; null when a fresh look cannot help. */
      readonly tried: readonly number[] | null;
    };

async function verifyUnder(
  context: Context,
  request: FinancialRequest | ReversalRequest,
  fresh: boolean,
  alreadyTried: readonly number[],
  beside?: (keys: KeySet) => void,
): Promise<Attempt> {
  const refused = (told: Told, terminal: TerminalEntry | null, tried: readonly number[] | null): Attempt => {
    const keys = terminal?.current ?? terminal?.pending;
    const authenticated = terminal && keys ? { terminal, keys } : null;
    return { kind: 'refused', told, authenticated, tried };
  };
  const looked = context.registry.terminal(request, fresh);
  const lookup = looked instanceof Promise ? await looked : looked;
  if (lookup.kind === 'unknown') return refused(refusal(codes.unknownTerminal, 'unknown-terminal'), null, null);
  if (lookup.kind === 'unavailable') return refused(refusal(codes.malfunction, 'registry-unavailable'), null, null);
  const { terminal } = lookup;
  const sets = candidates(terminal);
  if (sets.length === 0) {
    return refused(refusal(codes.signOnFirst, 'no-working-keys', signOnAgain), terminal, fresh ? null : []);
  }
  const likeliest = sets[0];
  if (likeliest !== undefined && request.mac !== undefined) beside?.(likeliest);
  const tried: number[] = [];
  for (const keys of sets) {
    if (alreadyTried.includes(keys.version) || request.mac === undefined) continue;
    const check = await context.hsm.verifyMac(
      keys.tak,
      terminal.macAlgorithm,
      request.macInput.reveal(),
      request.mac,
      request.deadlineMs,
    );
    if (check === 'unavailable') return refused(refusal(codes.malfunction, 'hsm-unavailable'), null, null);
    if (check === 'right') {
      if (keys === terminal.pending) await context.registry.promoteKeys(request, keys.version);
      return { kind: 'authentic', terminal, keys };
    }
    tried.push(keys.version);
  }
  return refused(refusal(codes.wrongMac, 'wrong-mac', signOnAgain), terminal, tried);
}
