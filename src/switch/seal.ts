import type { Context } from './context.ts';
import type { Authenticated } from './outcome.ts';
import type { AnswerDraft, TerminalAnswer } from './ports.ts';

/** The answer's frame with its MAC; null when the HSM cannot make one in time. */
export async function sealed(
  context: Context,
  request: { readonly deadlineMs: number; reply(answer: TerminalAnswer, withMac: boolean): AnswerDraft },
  { terminal, keys }: Authenticated,
  answer: TerminalAnswer,
): Promise<Uint8Array | null> {
  const draft = request.reply(answer, true);
  if (draft.macInput === undefined) return draft.seal();
  const made = await context.hsm.makeMac(keys.tak, terminal.macAlgorithm, draft.macInput, request.deadlineMs);
  return made.kind === 'made' ? draft.seal(made.mac) : null;
}
