/** The fields of an answer: what its request said, and the verdict. */
import type { Verdict } from './issuer.ts';
import type { Echo } from './request.ts';

export type AnswerFields = Record<number, string | Uint8Array | undefined>;

export function answerFields(echo: Echo, verdict: Verdict): AnswerFields {
  const fields: AnswerFields = { ...echo, 39: verdict.responseCode };
  if (verdict.settlementDate !== '') fields[15] = verdict.settlementDate;
  if (verdict.authCode !== undefined) fields[38] = verdict.authCode;
  if (verdict.amountMinor !== undefined) fields[4] = digits12(verdict.amountMinor);
  if (verdict.balanceMinor !== undefined) fields[54] = balanceField(verdict.balanceMinor, echo);
  return fields;
}

/** DE54: account type of DE3, available balance (02), currency, sign, twelve digits. */
function balanceField(balanceMinor: number, echo: Echo): string {
  const account = (echo[3] ?? '').slice(2, 4);
  return `${account}02${echo[49] ?? '156'}${balanceMinor < 0 ? 'D' : 'C'}${digits12(Math.abs(balanceMinor))}`;
}

function digits12(amountMinor: number): string {
  return String(Math.min(amountMinor, 999_999_999_999)).padStart(12, '0');
}
