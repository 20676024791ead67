import type { TerminalRef } from '../switch/ports.ts';

/** Ids as Postgres takes them (migrations/001): anything else is unknown without asking, and can form no odd key. */
const merchantForm = /^[0-9A-Za-z .,/_-]{15}$/;
const terminalForm = /^[0-9A-Za-z .,/_-]{8}$/;

/** Whether a terminal can be registered under this name at all. */
export function isWellFormed(ref: TerminalRef): boolean {
  return merchantForm.test(ref.merchantId) && terminalForm.test(ref.terminalId);
}

/** One string per terminal, for maps. */
export function nameOf(ref: TerminalRef): string {
  return `${ref.merchantId}${ref.terminalId}`;
}
