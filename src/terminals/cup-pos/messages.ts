import type { Message } from '../../../iso8583/index.ts';
import type { FinancialKind, Reference, SignOnForm } from '../../switch/ports.ts';
import type { Refusal } from './refusal.ts';

/** What a message is, by MTI, DE3, DE60.1, DE25 and DE60.3 (cup-pos §2.2 and §3). */
export type Sort =
  | { readonly sort: 'financial'; readonly kind: FinancialKind }
  | { readonly sort: 'reversal' }
  | { readonly sort: 'sign-on'; readonly form: SignOnForm }
  | { readonly sort: 'management'; readonly kind: 'echo' | 'sign-off' }
  | ({ readonly sort: 'refused' } & Refusal);

/** MTIs of the dialect. Those that no row below takes are answered 40 until their kinds are built. */
const known: ReadonlySet<string> = new Set(['0100', '0200', '0220', '0320', '0400', '0500', '0620', '0800', '0820']);

/** MTI, DE3, DE60.1, DE25 (cup-pos §3). */
const financial: ReadonlyMap<string, FinancialKind> = new Map([
  ['0200/310000/01/00', 'balance-inquiry'],
  ['0200/000000/22/00', 'purchase'],
  ['0200/200000/23/00', 'purchase-void'],
  ['0220/200000/25/00', 'refund'],
  ['0100/030000/10/06', 'pre-authorisation'],
  ['0100/030000/10/60', 'additional-pre-authorisation'],
  ['0100/200000/11/06', 'pre-authorisation-void'],
  ['0200/000000/20/06', 'completion'],
  ['0220/000000/24/06', 'completion-advice'],
  ['0200/200000/21/06', 'completion-void'],
  ['0200/000000/36/00', 'offline-sale'],
  ['0220/000000/30/00', 'offline-settlement'],
  ['0220/000000/32/00', 'settlement-adjustment'],
  ['0220/000000/34/00', 'tip-adjustment'],
]);
const financialMtis: ReadonlySet<string> = new Set([...financial.keys()].map(key => key.slice(0, 4)));

/** DE60.3 of an 0620: the results of an issuer's scripts. */
const scriptNotice = '951';

/** DE60.3 of an 0800. */
const signOns: ReadonlyMap<string, SignOnForm> = new Map([
  ['001', 'single'],
  ['003', 'double'],
]);

/** DE60.3 of an 0820; vendors differ in the MTI, so 0800 too. */
const management: ReadonlyMap<string, 'echo' | 'sign-off'> = new Map([
  ['002', 'sign-off'],
  ['301', 'echo'],
]);

/** DE60: n..17, later parts may be missing. */
export function parts60(message: Message): { type: string; batch: string; code: string; partialApproval: boolean } {
  const digits = message.text(60) ?? '';
  return {
    type: digits.slice(0, 2),
    batch: digits.slice(2, 8),
    code: digits.slice(8, 11),
    partialApproval: digits[13] === '1',
  };
}

/**
 * DE61: batch and trace n6 each, then the date MMDD, then what a telephone said (cup-pos §2.4). Zeros stand for what the
 * terminal does not know. Null: it has another length.
 */
export function reference(message: Message): Reference | undefined | null {
  const digits = message.text(61) ?? '';
  const rrn = message.text(37)?.trimEnd() || undefined;
  const authCode = message.text(38)?.trimEnd() || undefined;
  if (digits !== '' && digits.length !== 12 && digits.length < 16) return null;
  const [batch, trace, date] = [digits.slice(0, 6), digits.slice(6, 12), digits.slice(12, 16)];
  const named = /[1-9]/.test(trace);
  if (!named && rrn === undefined && authCode === undefined) return undefined;
  return {
    batch: named ? batch : undefined,
    trace: named ? trace : undefined,
    date: /[1-9]/.test(date) ? date : undefined,
    rrn,
    authCode,
  };
}

export function sortOf(message: Message): Sort {
  const { mti } = message;
  if (!known.has(mti)) return { sort: 'refused', responseCode: '12', reason: 'unknown-mti' };
  const isManagement = mti === '0800' || mti === '0820';
  const length = message.text(60)?.length ?? 0;
  if (length < (isManagement ? 11 : 8) || length > 17) {
    return { sort: 'refused', responseCode: '30', reason: length === 0 ? 'missing-60' : 'format-60' };
  }
  if (isManagement) return managementSort(mti, message);
  // Whatever it reverses: the core finds the original or says 25, which ends the terminal's tries as 40 would not.
  if (mti === '0400') return { sort: 'reversal' };
  const { type, code } = parts60(message);
  if (mti === '0620' && type === '00' && code === scriptNotice) return { sort: 'financial', kind: 'script-notice' };
  if (financialMtis.has(mti)) {
    const missing = [3, 25].find(field => !message.has(field));
    if (missing !== undefined) return { sort: 'refused', responseCode: '30', reason: `missing-${missing}` };
    const kind = financial.get(`${mti}/${message.text(3)}/${type}/${message.text(25)}`);
    // A code that the customer's phone shows travels as a purchase without a card (cup-pos §8).
    if (kind !== undefined && !message.text(22)?.startsWith('03')) return { sort: 'financial', kind };
  }
  return { sort: 'refused', responseCode: '40', reason: `unsupported-${mti}` };
}

function managementSort(mti: string, message: Message): Sort {
  const { type, code } = parts60(message);
  const form = mti === '0800' ? signOns.get(code) : undefined;
  const kind = management.get(code);
  // 60.1 = 07 with 60.3 = 301 is an e-signature, not an echo.
  if (type === '00' && form !== undefined) return { sort: 'sign-on', form };
  if (type === '00' && kind !== undefined) return { sort: 'management', kind };
  return { sort: 'refused', responseCode: '40', reason: `unsupported-${mti}` };
}

/**
 * MTI of the answer: request + 10. Null for a message that is itself an answer: answering it could go on for ever
 * between two hosts.
 */
export function answerMti(mti: string): string | null {
  const functionDigit = Number(mti[2]);
  return functionDigit % 2 === 1 ? null : `${mti.slice(0, 2)}${functionDigit + 1}${mti[3]}`;
}
