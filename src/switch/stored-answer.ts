import type { TerminalAnswer, VaultPort } from './ports.ts';
import { utf8 } from './utf8.ts';

const decoder = new TextDecoder();

/** In the order in which they are written. A new one comes last: what was stored before then reads as without it. */
const texts = [
  'responseCode',
  'rrn',
  'authCode',
  'localTime',
  'localDate',
  'settlementDate',
  'acquirerId',
  'additionalResponse',
  'balance',
  'processingRequest',
] as const satisfies readonly (keyof TerminalAnswer)[];

/**
 * What was told, kept for a repeat (laws, *Identity*): response code, authorisation code, RRN, dates, DE44, DE54, the
 * issuer's tags of DE55 and the approved amount, sealed. TPDU, header and MAC are made fresh when it is told again.
 */
export function sealAnswer(vault: VaultPort, txId: number, answer: TerminalAnswer): Uint8Array {
  const { amountMinor, iccData } = answer;
  let written = part(amountMinor?.toString()) + part(iccData && Array.from(iccData).join());
  for (const name of texts) written += part(answer[name]);
  return vault.seal(utf8(written), `answer/${txId}`);
}

export function openAnswer(vault: VaultPort, txId: number, sealed: Uint8Array): TerminalAnswer {
  const parts = partsOf(decoder.decode(vault.open(sealed, `answer/${txId}`)));
  const [amountMinor, iccData] = parts;
  const told = Object.fromEntries(texts.map((name, index) => [name, parts[index + 2]]));
  return {
    ...told,
    responseCode: told.responseCode ?? '',
    amountMinor: amountMinor === undefined ? undefined : Number(amountMinor),
    iccData: iccData === undefined ? undefined : Uint8Array.from(iccData.split(',').filter(Boolean), Number),
  };
}

/** A value behind its length, so that it may hold anything; what is not there is a length of nothing. */
function part(value: string | undefined): string {
  return value === undefined ? ':' : `${value.length}:${value}`;
}

function partsOf(written: string): (string | undefined)[] {
  const parts: (string | undefined)[] = [];
  for (let at = 0; at < written.length; ) {
    const from = written.indexOf(':', at) + 1;
    const length = written.slice(at, from - 1);
    at = from + Number(length);
    parts.push(length === '' ? undefined : written.slice(from, at));
  }
  return parts;
}
