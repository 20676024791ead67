import type { Context } from './context.ts';
import { kinds, repeatOf } from './kinds.ts';
import { bankProcessingCode, originalElements } from './messages.ts';
import type { BankRequest, LinkProfile, StoredMessage, Transaction } from './ports.ts';
import { openChip, openPan } from './stored-card.ts';

/**
 * What goes to the bank for a stored message: a reversal names its transaction in DE90, an advice is its transaction once
 * more, without track data and PIN. From the second try on it says that it is a repeat. Null: the card cannot be opened
 * any more, and without it no bank finds the original.
 */
export async function storedMessage(
  { journal, vault }: Pick<Context, 'journal' | 'vault'>,
  { reversal: { mti: reversalMti } }: LinkProfile,
  stored: StoredMessage,
  transaction: Transaction,
): Promise<BankRequest | null | 'unavailable'> {
  const reversal = stored.kind === 'reversal';
  let card: Pick<BankRequest, 'pan' | 'iccData'>;
  try {
    card = { pan: openPan(vault, transaction), iccData: reversal ? undefined : openChip(vault, transaction) };
  } catch {
    return null;
  }
  const original = reversal ? transaction : await originalOf(journal, transaction);
  if (original === 'unavailable') return original;
  const mti = reversal ? reversalMti : adviceMti(transaction);
  return {
    mti: stored.tries === 0 ? mti : (repeatOf[mti] ?? mti),
    stan: stored.stan,
    transmissionAt: stored.transmissionAt,
    rrn: transaction.rrn,
    ...card,
    processingCode: bankProcessingCode(transaction.kind, transaction.direction, transaction.processingCode),
    amountMinor: transaction.forwardedMinor,
    currency: transaction.currency,
    localTime: transaction.localTime,
    localDate: transaction.localDate,
    mcc: transaction.mcc,
    entryMode: transaction.entryMode,
    conditionCode: transaction.conditionCode,
    merchantId: transaction.identity.merchantId,
    terminalId: transaction.identity.terminalId,
    merchantName: transaction.merchantName,
    authCode: reversal ? undefined : (original?.authCode ?? transaction.authCode),
    reason: reversal ? stored.reason : undefined,
    original: original === undefined ? undefined : originalElements(original),
  };
}

/** What an advice refers to, for its DE90. */
async function originalOf(
  journal: Context['journal'],
  { originalTxId }: Transaction,
): Promise<Transaction | undefined | 'unavailable'> {
  if (originalTxId === undefined) return undefined;
  const found = await journal.read(originalTxId);
  if (found.kind === 'unavailable') return 'unavailable';
  return found.kind === 'found' ? found.value : undefined;
}

/** A purchase that stands by our own approval is told of as an advice. */
function adviceMti({ bankMti, kind }: Transaction): BankRequest['mti'] {
  if (bankMti === '0220' || kind === 'unknown-original') return '0220';
  return kinds[kind].bankMti;
}
