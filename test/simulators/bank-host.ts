/** The bank that its tests talk to: three cards, no latency, and a book that can be read line by line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type BankSim, type BankSimOptions, startBankSim } from '../../src/simulators/bank/index.ts';

export const PAN = '6222020200112230';
export const POOR = '4111111111111111';
export const OLD = '5500005555555559';
export const cards = [
  { pan: PAN, expiry: '9912', pin: '1234', balanceMinor: 10_000_000 },
  { pan: POOR, expiry: '9912', pin: '4321', balanceMinor: 1000 },
  { pan: OLD, expiry: '2001', pin: '1111', balanceMinor: 10_000_000 },
];

/** A bank with an empty book. */
export function start(test: Test, options: Partial<BankSimOptions> = {}): Promise<BankSim> {
  return open(test, join(test.testdir(), 'book.jsonl'), options);
}

/** The next bank on the book of one that ends here. */
export async function restart(test: Test, bank: BankSim, options: Partial<BankSimOptions> = {}): Promise<BankSim> {
  await bank.close();
  return open(test, join(test.testdirName, 'book.jsonl'), options);
}

async function open(test: Test, book: string, options: Partial<BankSimOptions>): Promise<BankSim> {
  const bank = await startBankSim({ book, cards, latencyMs: 0, ...options });
  test.teardown(() => bank.close());
  return bank;
}

export function lines(test: Test): Record<string, unknown>[] {
  const text = readFileSync(join(test.testdirName, 'book.jsonl'), 'utf8').trim();
  return text === '' ? [] : text.split('\n').map(line => JSON.parse(line));
}
