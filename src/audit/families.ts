/**
 * What must hold among transactions that refer to each other, by the auditor's own arithmetic over the journal: a
 * transaction's own three books may agree, and still it may never have been allowed to stand beside another one.
 */

import { type BankBook, plainKey } from './bank-book.ts';
import type { JournalTransaction } from './journal-book.ts';
import { pending, type Views } from './judge.ts';
import { adjusts, completes, moves, ruleOf, voids } from './kinds.ts';
import type { TerminalBook } from './terminal-book.ts';

/** A completion may take so much of what was held, in percent. */
const completionPercent = 115;

export interface Member extends Views {
  readonly transaction: JournalTransaction;
}

export class Families {
  readonly #members = new Map<string, Member>();
  /** By the transaction that they refer to. */
  readonly #children = new Map<string, Member[]>();

  add(member: Member): void {
    const { txId, originalTxId } = member.transaction;
    this.#members.set(txId, member);
    if (originalTxId === null) return;
    const children = this.#children.get(originalTxId);
    if (children === undefined) this.#children.set(originalTxId, [member]);
    else children.push(member);
  }

  members(): Iterable<Member> {
    return this.#members.values();
  }

  /** What is wrong with a transaction beside its relatives. */
  reasons(member: Member): string[] {
    return [...this.#asChild(member), ...this.#asOriginal(member)];
  }

  /** What the three books still hold for a pre-authorisation or an addition to one, where they do not agree. */
  heldReasons(member: Member, terminals: TerminalBook, bank: BankBook): string[] {
    const { sale, transaction, posting } = member;
    const journal = this.journalHolds(member);
    if (journal === undefined) return [];
    const reasons: string[] = [];
    const terminal = sale === undefined ? undefined : terminals.stillHeld(sale);
    if (terminal !== undefined && terminal !== journal) {
      reasons.push(`the terminal still holds ${terminal}, the journal ${journal}`);
    }
    const atBank = posting === undefined ? 0 : bank.stillHeld(posting);
    // What was never posted alike is named as that already.
    if (atBank !== journal && posting?.effect.heldMinor === transaction.effect.heldMinor) {
      reasons.push(`the bank still holds ${atBank}, the journal ${journal}`);
    }
    return reasons;
  }

  /** Undefined where something is under way that may change it. */
  journalHolds({ transaction }: Member): number | undefined {
    const root = transaction.originalTxId === null ? transaction : this.#original(transaction)?.transaction;
    if (root === undefined || unsettled(transaction) || unsettled(root)) return undefined;
    if (this.#childrenOf(root).some(child => unsettled(child.transaction))) return undefined;
    return root.state === 'approved' ? transaction.effect.heldMinor : 0;
  }

  #asChild({ sale, transaction, posting }: Member): string[] {
    if (transaction.originalTxId === null) {
      return sale?.original === undefined ? [] : [`the terminal refers to ${sale.original}, the journal to nothing`];
    }
    const original = this.#original(transaction)?.transaction;
    if (original === undefined) return ['it refers to what the journal does not hold'];
    const reasons: string[] = [];
    if (sale !== undefined && sale.original !== original.key) {
      reasons.push(`the terminal refers to ${sale.original ?? 'nothing'}, the journal to ${original.key}`);
    }
    if (posting !== undefined && posting.posts > 0 && !names(posting.original, original.bankKey)) {
      reasons.push(`the bank was told that it refers to ${posting.original ?? 'nothing'}, not to ${original.bankKey}`);
    }
    if (!moves(transaction.effect)) return reasons;
    const { kind } = transaction;
    if (!ruleOf(kind)?.of?.includes(original.kind)) reasons.push(`a ${kind} of a ${original.kind} stands`);
    else if (!moves(original.effect) && !unsettled(original)) reasons.push('it stands, and its original does not');
    return reasons;
  }

  #asOriginal({ transaction }: Member): string[] {
    const children = this.#childrenOf(transaction).map(child => child.transaction);
    const standing = children.filter(child => moves(child.effect));
    const of = (test: (kind: string) => boolean) => standing.filter(child => test(child.kind));
    const undone = of(voids);
    const refunds = of(kind => kind === 'refund');
    const completions = of(completes);
    const releases = undone.filter(child => child.kind === 'pre-authorisation-void');
    const held =
      transaction.effect.heldMinor +
      sum(
        of(kind => kind.startsWith('additional')),
        'heldMinor',
      );
    const posted = transaction.effect.netMinor + sum(of(adjusts), 'netMinor');
    const refunded = -sum(refunds, 'netMinor');
    const taken = sum(completions, 'netMinor');
    const reasons: string[] = [];
    if (undone.length > 1) reasons.push(`it is voided ${undone.length} times`);
    if (undone.length > 0 && refunds.length > 0) reasons.push('it is voided and refunded');
    if (refunded > posted && refunds.length > 0)
      reasons.push(`refunds of ${refunded} exceed the ${posted} that it posted`);
    if (completions.length > 1) reasons.push(`it is completed ${completions.length} times`);
    if (completions.length > 0 && taken * 100 > held * completionPercent) {
      reasons.push(`it is completed for ${taken}, more than ${completionPercent} % of the ${held} that it held`);
    }
    if (completions.length > 0 && releases.length > 0) reasons.push('it is completed and released');
    if (children.some(unsettled) || unsettled(transaction)) return reasons;
    for (const { effect } of undone) {
      const given = -effect.netMinor - effect.heldMinor;
      const whole = transaction.effect.heldMinor > 0 ? held : posted;
      if (given !== whole && moves(transaction.effect)) reasons.push(`its void gives back ${given} of ${whole}`);
    }
    const state = completions.length > 0 ? 'completed' : undone.length > 0 ? 'voided' : undefined;
    const called = ['voided', 'completed'].find(one => one === transaction.state);
    if (called !== state && moves(transaction.effect)) {
      reasons.push(
        `the journal calls it ${transaction.state}, and ${state === undefined ? 'nothing did that' : `it is ${state}`}`,
      );
    }
    return reasons;
  }

  #original({ originalTxId }: JournalTransaction): Member | undefined {
    return originalTxId === null ? undefined : this.#members.get(originalTxId);
  }

  #childrenOf({ txId }: JournalTransaction): readonly Member[] {
    return this.#children.get(txId) ?? [];
  }
}

/** Whether it stands is not known yet, or is in dispute. */
function unsettled(transaction: JournalTransaction): boolean {
  return pending(transaction) || transaction.state === 'in dispute';
}

function names(original: string | undefined, key: string): boolean {
  return original !== undefined && plainKey(original) === plainKey(key);
}

function sum(transactions: readonly JournalTransaction[], of: 'netMinor' | 'heldMinor'): number {
  return transactions.reduce((total, transaction) => total + transaction.effect[of], 0);
}
