import type { Context } from './context.ts';
import { codes } from './decide.ts';
import { refusal, type Told } from './outcome.ts';
import type { SignOnRequest } from './ports.ts';

/**
 * Sign-on (0800). It carries no MAC, so it changes nothing that a stranger could use: it issues *pending* keys, which
 * only the holder of the terminal master key can read, and the old set stays valid until a request verifies under the
 * new one (laws, *Keys on the path*). Sign-ons are rate-limited per terminal.
 */
export async function signOn(context: Context, request: SignOnRequest): Promise<Told> {
  const { registry, hsm, calendar, keys } = context;
  const lookup = await registry.terminal(request, true);
  if (lookup.kind === 'unknown') return refusal(codes.unknownTerminal, 'unknown-terminal');
  if (lookup.kind === 'unavailable') return refusal(codes.malfunction, 'registry-unavailable');
  const { terminal } = lookup;
  if (terminal.status !== 'active') return refusal('58', `terminal-${terminal.status}`);
  if (!registry.maySignOn(request)) return refusal(codes.malfunction, 'too-many-sign-ons');
  const made = await hsm.makeWorkingKeys(terminal.tmk, request.form, terminal.macKeyBytes, request.deadlineMs);
  if (made.kind === 'unavailable') return refusal(codes.malfunction, 'hsm-unavailable');
  const issued = await registry.issueKeys(request, { tpk: made.tpk, tak: made.tak });
  if (issued.kind !== 'issued') return refusal(codes.malfunction, `key-issue-${issued.kind}`);
  const { localTime, localDate } = calendar.now();
  const rrn = await keys.rrn();
  return {
    kind: 'answer',
    answer: {
      responseCode: codes.approved,
      rrn: rrn ?? undefined,
      localTime,
      localDate,
      batch: terminal.batch,
      workingKeys: made.workingKeys,
    },
    outcome: 'signed-on',
  };
}
