import { chipTags } from './icc-tags.ts';
import type { FinancialRequest, Transaction, VaultPort } from './ports.ts';
import { Pan, Secret } from './ports.ts';
import { utf8 } from './utf8.ts';

/** The PAN of a transaction, sealed for its row. */
export function sealPan(vault: VaultPort, txId: number, pan: Pan): Uint8Array {
  return vault.seal(utf8(pan.reveal()), `pan/${txId}`);
}

/** Throws when the vault does not hold the key, or when what is stored was tampered with. */
export function openPan(vault: VaultPort, transaction: Pick<Transaction, 'txId' | 'panSealed'>): Pan {
  return new Pan(new TextDecoder().decode(vault.open(transaction.panSealed, `pan/${transaction.txId}`)));
}

/** What of the chip's data an advice needs when it is sent again, sealed for its row. */
export function sealChip(vault: VaultPort, txId: number, { iccData }: FinancialRequest): Uint8Array | undefined {
  const kept = iccData === undefined ? undefined : chipTags(iccData.reveal());
  return kept === undefined ? undefined : vault.seal(kept, `icc/${txId}`);
}

/** Throws as `openPan` does. */
export function openChip(vault: VaultPort, { txId, iccSealed }: Transaction): Secret<Uint8Array> | undefined {
  return iccSealed === undefined ? undefined : new Secret(vault.open(iccSealed, `icc/${txId}`));
}
