import { type Admission, type AdmissionRequest, countedKinds, type FinancialKind } from '../switch/ports.ts';
import { hasDailyLimit, type Registered } from './rows.ts';

/** Whether limits are for this kind of transaction. An inquiry moves nothing, and what follows a sale or a hold is within it. */
export function counts(kind: FinancialKind): boolean {
  return countedKinds.has(kind);
}

/**
 * The rules of admit.lua in their order, for the time when Redis is away. Daily limits cannot be counted meanwhile:
 * who has
 * one is told to come again.
 */
export function judge({ merchant, terminal }: Registered, { kind, amountMinor }: AdmissionRequest): Admission {
  const { status, functions, perTransactionMaxMinor } = merchant;
  if (status !== 'open') return refused('03', `merchant-${status}`);
  if (terminal.status !== 'active') return refused('58', `terminal-${terminal.status}`);
  // As in admit.lua: a notice is no function.
  if (functions !== null && kind !== 'script-notice' && !functions.includes(kind)) return refused('57', 'function');
  if (counts(kind) && perTransactionMaxMinor !== null && amountMinor > perTransactionMaxMinor) {
    return refused('61', 'transaction-amount');
  }
  if (counts(kind) && hasDailyLimit(merchant)) return { kind: 'unavailable' };
  return { kind: 'admitted', reserved: false, seenBefore: false, surelyFirst: false };
}

function refused(responseCode: string, reason: string): Admission {
  return { kind: 'refused', responseCode, reason };
}
