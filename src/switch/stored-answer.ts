import type { TerminalAnswer, VaultPort } from './ports.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * What was told, kept for a repeat (laws, *Identity*): response code, authorisation code, RRN, dates, DE44, DE54, the
 * issuer's tags of DE55 and the approved amount, sealed. TPDU, header and MAC are made fresh when it is told again.
 */
export function sealAnswer(vault: VaultPort, txId: number, answer: TerminalAnswer): Uint8Array {
  const iccData = answer.iccData === undefined ? undefined : Array.from(answer.iccData);
  return vault.seal(encoder.encode(JSON.stringify({ ...answer, iccData })), `answer/${txId}`);
}

export function openAnswer(vault: VaultPort, txId: number, sealed: Uint8Array): TerminalAnswer {
  const stored = JSON.parse(decoder.decode(vault.open(sealed, `answer/${txId}`))) as Omit<TerminalAnswer, 'iccData'> & {
    readonly iccData?: readonly number[];
  };
  return { ...stored, iccData: stored.iccData === undefined ? undefined : Uint8Array.from(stored.iccData) };
}
