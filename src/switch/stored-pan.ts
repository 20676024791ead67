import type { Transaction, VaultPort } from './ports.ts';
import { Pan } from './ports.ts';

/** The PAN of a transaction, sealed for its row. */
export function sealPan(vault: VaultPort, txId: number, pan: Pan): Uint8Array {
  return vault.seal(new TextEncoder().encode(pan.reveal()), `pan/${txId}`);
}

/** Throws when the vault does not hold the key, or when what is stored was tampered with. */
export function openPan(vault: VaultPort, transaction: Transaction): Pan {
  return new Pan(new TextDecoder().decode(vault.open(transaction.panSealed, `pan/${transaction.txId}`)));
}
