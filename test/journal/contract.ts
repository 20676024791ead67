import type { Test } from 'tap';
import type {
  Change,
  ClaimRequest,
  Identity,
  JournalPort,
  NumberBlocks,
  OpenRecord,
  Reference,
  StoredMessage,
  Transaction,
} from '../../src/switch/ports.ts';
import { businessDate, identity, record, reversalOf } from './records.ts';

type FullJournal = JournalPort & NumberBlocks;

/** One process with the journal. */
export interface JournalProcess {
  readonly journal: FullJournal;
  /** As the kernel does it: its connections are closed at once. */
  die(): void;
  /** It keeps its connections and says nothing more, as a process that was stopped. */
  fallSilent(): void;
}

/** A journal that several processes share. */
export interface JournalWorld {
  /** A process, until the test ends. */
  start(t: Test, leaseMs?: number): Promise<JournalProcess>;
  /** What limits count for a merchant and business date. Null when storage is away. */
  reservationsOf(
    merchantId: string,
    businessDate: string,
  ): Promise<readonly { readonly txId: number; readonly amountMinor: number }[] | null>;
  /** Cases that are not settled. */
  openCases(): Promise<readonly { readonly txId: number; readonly detail: string }[]>;
  /** An operator wants a transaction in dispute tried again. */
  askRetry(txId: number): Promise<void>;
  /** Cuts the connections of all processes: what is under way may be done or not. */
  cut(): Promise<void>;
}

/** What every implementation of `JournalPort` and `NumberBlocks` does, real or simulated. */
export async function journalContract(t: Test, makeWorld: (t: Test) => Promise<JournalWorld>): Promise<void> {
  const together = await makeWorld(t);
  let tests = 0;
  /** So many processes, and a merchant whose transactions nobody else has. */
  const processes = async (t: Test, count: number, world = together) => {
    const merchantId = `104110054${String(++tests).padStart(6, '0')}`;
    const all = await Promise.all(Array.from({ length: count }, () => world.start(t)));
    const named = (trace: number, messageClass: Identity['messageClass'] = 'request'): Identity => ({
      ...identity(trace),
      merchantId,
      messageClass,
    });
    const make = (by: JournalPort, trace: number, change: Partial<OpenRecord> = {}): OpenRecord =>
      record(by, trace, { identity: named(trace), ...change });
    return { world, all, journals: all.map(({ journal }) => journal), merchantId, named, make };
  };

  await t.test('OPEN and CLOSE are durable, and reading merges them', async t => {
    const { journals, make, named } = await processes(t, 2);
    const [journal, other] = journals as [FullJournal, FullJournal];
    const opened = make(journal, 1);
    t.same(await journal.open(opened), { kind: 'opened' });
    t.match(await other.read(opened.txId), { value: { state: 'open', version: 1 } });
    const change: Change = {
      txId: opened.txId,
      fromVersion: 1,
      state: 'approved',
      responseCode: '00',
      authCode: '123456',
      approvedMinor: 12_345,
      settlementDate: '1123',
      answerSealed: Uint8Array.of(10, 11),
    };
    t.same(await journal.close(change), { kind: 'closed', version: 2 });
    const { openedAtMs, ...value } = await standing(other, opened.txId);
    t.ok(Math.abs(openedAtMs - Date.now()) < 60_000);
    const { fromVersion: _, ...changed } = change;
    t.match(value, { ...opened, ...changed, version: 2, ownerEpoch: journal.ownerEpoch });
    t.match(await other.find(opened.identity), { kind: 'found', value: { txId: opened.txId, version: 2 } });
    t.same(await journal.find(named(2)), { kind: 'none' });
    t.same(await journal.read(opened.txId + 1), { kind: 'none' });

    await other.close({ txId: opened.txId, fromVersion: 2, state: 'reversing', reason: 'terminal', ...owes(opened) });
    const reversing = await standing(journal, opened.txId);
    t.match(reversing, { state: 'reversing', version: 3, ownerEpoch: other.ownerEpoch, reason: 'terminal' });
    t.match(reversing, { responseCode: '00', authCode: '123456', approvedMinor: 12_345 }, 'what was known stays known');
  });

  await t.test('an identity is taken once, by whoever comes first', async t => {
    const { journals, make, named } = await processes(t, 2);
    const [one, two] = journals as [FullJournal, FullJournal];
    const first = make(one, 1);
    t.same(await one.open(first), { kind: 'opened' });
    t.same(await one.open(first), { kind: 'opened' }, 'the same again tells that it is there');
    const batch = [make(two, 1), ...Array.from({ length: 20 }, (_, i) => make(two, i + 2)), make(two, 3)];
    const results = await Promise.all(batch.map(each => two.open(each)));
    t.same(results[0], { kind: 'duplicate', txId: first.txId }, 'of another process’s request');
    const beside = [results[2]?.kind, results.at(-1)?.kind].sort();
    t.same(beside, ['duplicate', 'opened'], 'of a request beside it, whichever comes first');
    t.equal(results.filter(({ kind }) => kind === 'opened').length, 20, 'and the others are not held up');
    t.same(await two.read(batch[0]?.txId ?? 0), { kind: 'none' }, 'nothing was written for a repeat');

    const advice = make(two, 1, { identity: named(1, 'advice') });
    t.same(await two.open(advice), { kind: 'opened' }, 'another class of message is another identity');
    const placeholder = make(one, 30, { kind: 'unknown-original', state: 'reversed', responseCode: '25' });
    t.same(await one.open(placeholder), { kind: 'opened' });
    t.same(await two.open(make(two, 30)), { kind: 'duplicate', txId: placeholder.txId }, 'reserved by a final row');
    t.same(await two.openOf(one.ownerEpoch, 10).then(numbers), [first.txId], 'which is not open');

    const contested = await Promise.all([one, two, one, two].map(journal => journal.open(make(journal, 40))));
    t.same(contested.map(({ kind }) => kind).sort(), ['duplicate', 'duplicate', 'duplicate', 'opened']);
  });

  await t.test('what the journal can never take is refused, and alone in it', async t => {
    const { journals, make, named } = await processes(t, 1);
    const [journal] = journals as [FullJournal];
    const batch = [1, 2, 3].map(trace =>
      make(journal, trace, trace === 2 ? { merchantName: 'no \u0000 in text' } : {}),
    );
    const results = await Promise.all(batch.map(each => journal.open(each)));
    t.same(
      results.map(({ kind }) => kind),
      ['opened', 'refused', 'opened'],
    );
    t.same(await journal.find(named(2)), { kind: 'none' });
  });

  await t.test('of several changes to one version one wins, and the others know it', async t => {
    const { journals, make } = await processes(t, 2);
    const [one, two] = journals as [FullJournal, FullJournal];
    const opened = await openedBy(one, make(one, 1));
    const approve: Change = { txId: opened.txId, fromVersion: 1, state: 'approved', responseCode: '00' };
    const undo: Change = { txId: opened.txId, fromVersion: 1, state: 'reversing', reason: 'late', ...owes(opened) };
    const tries = [
      { by: one, change: approve },
      { by: two, change: undo },
      { by: one, change: undo },
      { by: two, change: approve },
    ];
    const results = await Promise.all(tries.map(({ by, change }) => by.close(change)));
    t.same(results.map(({ kind }) => kind).sort(), ['closed', 'lost', 'lost', 'lost']);
    const winner = tries[results.findIndex(({ kind }) => kind === 'closed')];
    t.match(await standing(one, opened.txId), { state: winner?.change.state, version: 2 });
    const owed = [...((await one.owedMessages(10)) ?? []), ...((await two.owedMessages(10)) ?? [])];
    t.equal(owed.length, winner?.change === undo ? 1 : 0, 'what the losers would have stored is not stored');
    for (const { by, change } of tries) {
      const again = await by.close(change);
      t.equal(again.kind, by === winner?.by && change === winner.change ? 'closed' : 'lost', 'the same again tells');
    }
    t.match(await standing(one, opened.txId), { version: 2 });
  });

  await t.test('a claim is written with OPEN, on the version that was judged, by one of those who try', async t => {
    const { journals, make } = await processes(t, 2);
    const [one, two] = journals as [FullJournal, FullJournal];
    const original = await approvedBy(one, make(one, 1));
    const voiding = (by: JournalPort, trace: number, version: number) =>
      make(by, trace, { kind: 'purchase-void', direction: 'C', claim: claimOn(original, version, 'void', 'voided') });
    const tries = [one, two, one, two].map((by, i) => ({ by, opening: voiding(by, 10 + i, 2) }));
    const results = await Promise.all(tries.map(({ by, opening }) => by.open(opening)));
    t.same(results.map(({ kind }) => kind).sort(), ['opened', 'original-moved', 'original-moved', 'original-moved']);
    const winner = tries[results.findIndex(({ kind }) => kind === 'opened')];
    if (winner === undefined) return;
    const { txId } = winner.opening;
    t.match(await standing(one, original.txId), { state: 'voided', version: 3, approvedMinor: 12_345 });
    t.match(await standing(two, txId), { state: 'open', version: 1 });
    t.strictSame(await two.claims(original.txId), [{ txId, kind: 'void', amountMinor: -12_345, settled: false }]);
    for (const { opening } of tries.filter(one => one !== winner)) {
      t.same(await one.read(opening.txId), { kind: 'none' }, 'nothing was written for who came too late');
      t.same(await one.find(opening.identity), { kind: 'none' }, 'and its identity is free');
    }
    t.same(await winner.by.open(winner.opening), { kind: 'opened' }, 'the same again tells');
    const repeat = { ...voiding(two, 20, 3), identity: winner.opening.identity };
    t.same(await two.open(repeat), { kind: 'duplicate', txId }, 'a repeat claims nothing');
    t.match(await standing(one, original.txId), { version: 3 });
    t.equal((await one.claims(original.txId))?.length, 1);
    t.same(await one.claims(txId), []);
  });

  await t.test('refunds add up until they are freed, and the one that is settled stays', async t => {
    const { journals, make } = await processes(t, 2);
    const [one, two] = journals as [FullJournal, FullJournal];
    const original = await approvedBy(one, make(one, 1));
    const refunds: OpenRecord[] = [];
    for (const [i, by] of [one, two, one].entries()) {
      const claim = { ...claimOn(original, 2 + i, 'refund', 'approved'), amountMinor: -100 * (i + 1) };
      const refund = make(by, 10 + i, { kind: 'refund', direction: 'C', claim });
      t.same(await by.open(refund), { kind: 'opened' });
      refunds.push(refund);
    }
    const [settled, freed, open] = refunds as [OpenRecord, OpenRecord, OpenRecord];
    const end = (txId: number, state: 'accepted' | 'refused', end: 'settled' | 'freed'): Change => ({
      txId,
      fromVersion: 1,
      state,
      claim: { originalTxId: original.txId, end },
    });
    await one.close(end(settled.txId, 'accepted', 'settled'));
    await two.close(end(freed.txId, 'refused', 'freed'));
    t.same(await two.close(end(open.txId, 'refused', 'freed')), { kind: 'closed', version: 2 }, 'by whoever ends it');
    t.equal((await two.close(end(settled.txId, 'refused', 'freed'))).kind, 'lost', 'who lost frees nothing');
    t.strictSame(await two.claims(original.txId), [
      { txId: settled.txId, kind: 'refund', amountMinor: -100, settled: true },
    ]);
    t.match(await standing(one, original.txId), { state: 'approved', version: 5 });
  });

  await t.test(
    'a claim that is doubted counts as one in flight, and sends back whoever judged the original before',
    async t => {
      const { journals, make } = await processes(t, 1);
      const [journal] = journals as [FullJournal];
      const hold = await approvedBy(journal, make(journal, 1, { kind: 'pre-authorisation', direction: 'H' }));
      const { txId: originalTxId } = hold;
      const claim = { ...claimOn(hold, 2, 'addition', 'approved'), amountMinor: 500 };
      const addition = make(journal, 2, { kind: 'additional-pre-authorisation', direction: 'H', claim });
      await journal.open(addition);
      const { txId } = addition;
      await journal.close({ txId, fromVersion: 1, state: 'approved', claim: { originalTxId, end: 'settled' } });
      await journal.close({
        ...{ txId, fromVersion: 2, state: 'reversing' },
        ...owes(addition),
        claim: { originalTxId, end: 'doubted', reinstateFrom: 3 },
      });
      t.match(await journal.claims(originalTxId), [{ txId, settled: false }]);
      t.match(await standing(journal, originalTxId), { state: 'approved', version: 4 });
      const completion = make(journal, 3, { kind: 'completion', claim: claimOn(hold, 3, 'completion', 'completed') });
      t.same(await journal.open(completion), { kind: 'original-moved' });
    },
  );

  await t.test('an original stands again in the commit that ends what held it', async t => {
    const { journals, make } = await processes(t, 1);
    const [journal] = journals as [FullJournal];
    const original = await approvedBy(journal, make(journal, 1));
    const voiding = make(journal, 2, { kind: 'purchase-void', claim: claimOn(original, 2, 'void', 'voided') });
    await journal.open(voiding);
    const declined: Change = {
      txId: voiding.txId,
      fromVersion: 1,
      state: 'declined',
      responseCode: '51',
      claim: { originalTxId: original.txId, end: 'freed', reinstateFrom: 3 },
    };
    t.same(await journal.close(declined), { kind: 'closed', version: 2 });
    t.match(await standing(journal, original.txId), { state: 'approved', version: 4, approvedMinor: 12_345 });
    t.same(await journal.claims(original.txId), []);
    t.same(await journal.close(declined), { kind: 'closed', version: 2 }, 'the same again tells');
    t.match(await standing(journal, original.txId), { version: 4 }, 'and does nothing more');

    const again = make(journal, 3, { kind: 'purchase-void', claim: claimOn(original, 4, 'void', 'voided') });
    t.same(await journal.open(again), { kind: 'opened' });
    await journal.close({
      txId: again.txId,
      fromVersion: 1,
      state: 'approved',
      claim: { originalTxId: original.txId, end: 'settled' },
    });
    await journal.close({ txId: again.txId, fromVersion: 2, state: 'reversing', ...owes(again) });
    await journal.close({
      txId: again.txId,
      fromVersion: 3,
      state: 'reversed',
      endsStored: true,
      claim: { originalTxId: original.txId, end: 'freed', reinstateFrom: 5 },
    });
    t.match(await standing(journal, original.txId), { state: 'approved', version: 6 }, 'after a reversed void as well');
    t.same(await journal.owedMessages(10), []);
  });

  await t.test('a stored message comes and goes with the change of state, and is its owner’s', async t => {
    const { world, journals, make } = await processes(t, 2);
    const [one, two] = journals as [FullJournal, FullJournal];
    const opened = await openedBy(one, make(one, 1));
    const { stored } = owes(opened);
    await two.close({ txId: opened.txId, fromVersion: 1, state: 'reversing', stored, storedOwner: one.ownerEpoch });
    t.same(await two.owedMessages(10), [], 'the sibling that stored it does not owe it');
    t.match(await one.owedMessages(10), [{ ...stored, notBeforeMs: Number, storedAtMs: Number }]);
    await one.tried(opened.txId, 3, 1_900_000_000_000);
    await two.tried(opened.txId, 9, Date.now());
    t.match(await one.owedMessages(10), [{ tries: 3, notBeforeMs: 1_900_000_000_000 }], 'only its owner counts tries');
    const dispute = { state: 'in dispute', endsStored: true, caseKind: 'reversal', caseDetail: 'answered 12' } as const;
    const { txId } = opened;
    t.same(await one.close({ txId, fromVersion: 2, ...dispute }), { kind: 'closed', version: 3 });
    t.same(await one.owedMessages(10), []);
    t.match(await world.openCases(), [{ txId, detail: 'answered 12' }]);
    t.same(await two.retriesAsked(10), []);
    await world.askRetry(txId);
    t.same(await two.retriesAsked(10), [{ txId, kind: 'reversal' }]);
    await two.close({ txId, fromVersion: 3, state: 'reversing', ...owes(opened) });
    t.same(await one.retriesAsked(10), [], 'it is being tried');
    t.match(await two.owedMessages(10), [{ txId, tries: 0 }]);
    t.equal((await world.openCases()).length, 1, 'and stays a case meanwhile');
    await two.close({ txId, fromVersion: 4, ...dispute, caseDetail: 'answered 12 again' });
    t.match(await world.openCases(), [{ txId, detail: 'answered 12 again' }], 'one case, however often');
    await two.close({ txId, fromVersion: 5, state: 'reversing', ...owes(opened) });
    await two.close({ txId, fromVersion: 6, state: 'reversed', endsStored: true, reason: 'confirmed' });
    t.same(await world.openCases(), [], 'the bank’s confirmation closes it');
  });

  await t.test(
    'a reversal takes the place of an advice that is still owed, and stays with whoever owed it',
    async t => {
      const { journals, make } = await processes(t, 2);
      const [one, two] = journals as [FullJournal, FullJournal];
      const opened = await openedBy(one, make(one, 1));
      const advice = reversalOf(opened.txId, { kind: 'advice', stan: opened.stan, reason: '' });
      await one.close({ txId: opened.txId, fromVersion: 1, state: 'stood-in', stored: advice });
      t.match(await one.owedMessages(10), [{ kind: 'advice', stan: opened.stan }]);
      await two.close({ txId: opened.txId, fromVersion: 2, state: 'reversing', ...owes(opened) });
      t.match(await one.owedMessages(10), [{ kind: 'reversal', stan: '900001', tries: 0 }]);
      t.equal((await one.owedMessages(10))?.length, 1);
      t.same(await two.owedMessages(10), []);
    },
  );

  await t.test('of each link the messages that are due first are given, so many of each', async t => {
    const { journals, make } = await processes(t, 1);
    const [journal] = journals as [FullJournal];
    const links = ['bank', 'other', 'bank', 'bank', 'other', 'bank'];
    for (const [i, link] of links.entries()) {
      const { txId } = await openedBy(journal, make(journal, i + 1));
      // The later it was stored, the sooner it is due.
      const stored = reversalOf(txId, { link, stan: `90000${i}`, notBeforeMs: Date.now() - 1_000 * i });
      await journal.close({ txId, fromVersion: 1, state: 'reversing', stored });
    }
    const owed = await journal.owedMessages(2);
    t.same(owed?.map(({ stan }) => stan).sort(), ['900001', '900003', '900004', '900005']);
    t.equal((await journal.owedMessages(10))?.length, 6);
  });

  await t.test('an original is found by its identity, else by RRN, else by card and authorisation code', async t => {
    const { journals, make, named, merchantId } = await processes(t, 2);
    const [journal, other] = journals as [FullJournal, FullJournal];
    const wanted = await approvedBy(journal, make(journal, 1, { panHash: Uint8Array.of(1, 1, 1), localDate: '1122' }));
    await approvedBy(other, make(other, 2, { panHash: Uint8Array.of(2, 2, 2), localDate: '1122' }));
    const { batch, trace, terminalId } = wanted.identity;
    const search = async (reference: Reference, change: Partial<{ merchantId: string; panHash: Uint8Array }> = {}) => {
      const kinds = ['purchase', 'offline-sale'] as const;
      const query = { merchantId, terminalId, reference, kinds, panHash: Uint8Array.of(1, 1, 1), ...change };
      const found = await other.findOriginal(query);
      return found.kind === 'found' ? found.value.txId : found.kind;
    };
    t.equal(await search({ batch, trace }), wanted.txId);
    // By these a transaction is found a moment after it was written.
    await until(async () => (await search({ rrn: wanted.rrn })) === wanted.txId);
    await until(async () => (await search({ authCode: 'A00001', date: '1122' })) === wanted.txId);
    t.equal(await search({ authCode: 'A00001' }), wanted.txId, 'on whatever day');
    const later = await approvedBy(
      journal,
      make(journal, 100_001, { panHash: Uint8Array.of(1, 1, 1), localDate: '1122' }),
    );
    await until(async () => (await search({ authCode: 'A00001' })) === later.txId);
    await journal.close({ txId: later.txId, fromVersion: 2, state: 'reversing', ...owes(later) });
    await until(async () => (await search({ authCode: 'A00001' })) === wanted.txId);
    t.equal(await search({ batch: '000009', trace, rrn: wanted.rrn }), wanted.txId, 'of another terminal: by its RRN');
    t.equal(await search({ batch, trace, rrn: '999999999999' }), 'none', 'an RRN that it does not have');
    t.equal(await search({ batch: '000009', trace, authCode: 'A00001' }), 'none', 'not by card where it was named');
    t.equal(await search({ batch, trace: '999999' }), 'none');
    t.equal(await search({ rrn: '999999999999' }), 'none');
    t.equal(
      await search({ authCode: 'A00001', date: '1122' }, { panHash: Uint8Array.of(3, 3, 3) }),
      'none',
      'other card',
    );
    t.equal(await search({ authCode: 'A00002', date: '1122' }), 'none', 'other code');
    t.equal(await search({ rrn: wanted.rrn }, { merchantId: '999999999999999' }), 'none', 'other merchant');

    const sale = make(journal, 3, { kind: 'offline-sale', identity: named(3, 'advice') });
    await journal.open(sale);
    t.equal(await search({ batch, trace: sale.identity.trace }), sale.txId, 'an advice as well');
    const refund = make(journal, 4, { kind: 'refund', identity: named(4, 'advice') });
    await journal.open(refund);
    t.equal(await search({ batch, trace: '000004' }), refund.txId, 'of another kind, so that it can be told why not');
    const asAdvice: Identity = named(1, 'advice');
    await journal.open(make(journal, 1, { kind: 'unknown-original', state: 'reversed', identity: asAdvice }));
    t.equal(await search({ batch, trace }), wanted.txId, 'the kind that is meant, of two under one name');
  });

  await t.test('limits count sales and holds that are in flight or stand, of one day', async t => {
    const { world, journals, make, merchantId } = await processes(t, 2);
    const [one, two] = journals as [FullJournal, FullJournal];
    const made = (trace: number, change: Partial<OpenRecord> = {}) =>
      make(one, trace, { amountMinor: trace * 100, ...change });
    const counted = async () =>
      (await world.reservationsOf(merchantId, businessDate))?.map(({ amountMinor }) => amountMinor).toSorted(byValue);
    const open = await openedBy(one, made(1));
    const approved = await approvedBy(one, made(2));
    const declined = await openedBy(one, made(3));
    const reversing = await openedBy(one, made(4));
    const held = await approvedBy(one, made(5, { kind: 'pre-authorisation' }));
    const voided = await approvedBy(one, made(6));
    await openedBy(one, made(7, { businessDate: '2026-11-23' }));
    await openedBy(one, made(8, { kind: 'balance-inquiry' }));
    await two.close({ txId: declined.txId, fromVersion: 1, state: 'declined' });
    await one.close({ txId: reversing.txId, fromVersion: 1, state: 'reversing', ...owes(reversing) });
    await openedBy(two, make(two, 9, { kind: 'completion', claim: claimOn(held, 2, 'completion', 'completed') }));
    await openedBy(two, make(two, 10, { kind: 'purchase-void', claim: claimOn(voided, 2, 'void', 'voided') }));
    t.same(await counted(), [100, 200, 500]);
    await two.close({ txId: open.txId, fromVersion: 1, state: 'declined' });
    await two.close({ txId: approved.txId, fromVersion: 2, state: 'reversing', ...owes(approved) });
    t.same(await counted(), [500], 'as of now');
  });

  await t.test('a fenced owner can neither open nor close, and its work is another’s', async t => {
    const { world, all, make } = await processes(t, 2, await makeWorld(t));
    const [{ journal: dead, die }, { journal: heir }] = all as [JournalProcess, JournalProcess];
    const left = [make(dead, 1), make(dead, 2), make(dead, 3)];
    for (const each of left) await dead.open(each);
    const [open, ended, owed] = left as [OpenRecord, OpenRecord, OpenRecord];
    await dead.close({ txId: ended.txId, fromVersion: 1, state: 'declined', responseCode: '51' });
    await dead.close({ txId: owed.txId, fromVersion: 1, state: 'reversing', ...owes(owed) });
    t.notOk(await heir.fence(dead.ownerEpoch), 'not while it lives');
    die();
    await until(() => heir.fence(dead.ownerEpoch));
    t.same(await dead.open(make(dead, 4)), { kind: 'fenced' });
    t.same(await dead.open(make(dead, 2)), { kind: 'fenced' }, 'nor hear of a repeat what it may not tell');
    t.same(await dead.close({ txId: open.txId, fromVersion: 1, state: 'approved' }), { kind: 'fenced' });
    const third = await world.start(t, 1);
    third.die();
    await until(async () => (await heir.lostOwners())?.includes(third.journal.ownerEpoch) ?? false);
    t.notOk(await dead.fence(third.journal.ownerEpoch), 'nor fence others, whose lease has run out');
    t.ok((await heir.fence(third.journal.ownerEpoch)) && (await heir.markRecovered(third.journal.ownerEpoch)));
    t.match(await heir.openOf(dead.ownerEpoch, 10), [{ txId: open.txId, state: 'open' }]);

    const reversing = owes(open);
    t.same(
      await heir.close({
        txId: open.txId,
        fromVersion: 1,
        state: 'reversing',
        ...reversing,
        storedOwner: dead.ownerEpoch,
      }),
      { kind: 'closed', version: 2 },
    );
    t.match(await heir.owedMessages(10), [{ txId: open.txId }], 'nothing more is given to the dead');
    t.ok(await heir.takeOverMessages());
    t.same((await heir.owedMessages(10).then(numbers)).toSorted(), [open.txId, owed.txId].toSorted());
    t.same(await heir.openOf(dead.ownerEpoch, 10), []);
    t.ok(await heir.markRecovered(dead.ownerEpoch));
    t.same(await heir.lostOwners(), []);
  });

  await t.test('a dead owner’s open transactions are given oldest first, in pages', async t => {
    const { all, make } = await processes(t, 2, await makeWorld(t));
    const [{ journal: dead, die }, { journal: heir }] = all as [JournalProcess, JournalProcess];
    const left = [1, 2, 3, 4, 5].map(trace => make(dead, trace));
    await Promise.all(left.toReversed().map(each => dead.open(each)));
    die();
    await until(() => heir.fence(dead.ownerEpoch));
    t.same(
      await heir.openOf(dead.ownerEpoch, 3).then(numbers),
      left.slice(0, 3).map(({ txId }) => txId),
    );
  });

  await t.test('an owner whose process is gone is known at once, a living one is left alone', async t => {
    const { world, all } = await processes(t, 2, await makeWorld(t));
    const [living, watcher] = all as [JournalProcess, JournalProcess];
    // It is not its lease that tells.
    const dead = await world.start(t, 600_000);
    t.ok(living.journal.standing && dead.journal.standing);
    t.same(await watcher.journal.lostOwners(), []);
    dead.die();
    const epoch = dead.journal.ownerEpoch;
    await until(async () => (await watcher.journal.lostOwners())?.includes(epoch) ?? false);
    t.notOk(dead.journal.standing);
    t.same(await watcher.journal.lostOwners(), [epoch]);
    t.ok(await watcher.journal.fence(epoch));
    t.same(await living.journal.lostOwners(), [], 'who is being recovered by a living process is left to it');
    t.notOk(await living.journal.fence(epoch));
    t.ok(await watcher.journal.markRecovered(epoch));
    t.same(await watcher.journal.lostOwners(), []);
    t.ok(living.journal.standing);
  });

  await t.test(
    'an owner that falls silent knows that it may have been taken for dead, no later than others',
    async t => {
      const { all } = await processes(t, 2, await makeWorld(t));
      const [silent, watcher] = all as [JournalProcess, JournalProcess];
      silent.fallSilent();
      await until(async () => {
        const stood = silent.journal.standing;
        const lost = (await watcher.journal.lostOwners())?.includes(silent.journal.ownerEpoch) ?? false;
        if (lost) t.notOk(silent.journal.standing);
        return lost && !stood;
      });
      t.ok(await watcher.journal.fence(silent.journal.ownerEpoch));
    },
  );

  await t.test('what is not known to be done may be done, the same again tells, and nobody is dead for it', async t => {
    const { world, journals, make } = await processes(t, 2, await makeWorld(t));
    const [one, two] = journals as [FullJournal, FullJournal];
    const original = await approvedBy(one, make(one, 100));
    const records = Array.from({ length: 60 }, (_, i) => make(one, i + 1));
    const claim = claimOn(original, 2, 'void', 'voided');
    records.push(make(one, 99, { kind: 'purchase-void', claim }));
    /** All at once while connections are cut, and again until each knows. Tells how each ended. */
    const through = async <T, R extends { readonly kind: string }>(
      items: readonly T[],
      call: (item: T) => Promise<R>,
    ) => {
      const before = items.slice(0, items.length >> 1).map(call);
      const cutting = world.cut();
      const after = items.slice(items.length >> 1).map(call);
      await cutting;
      const kinds = (await Promise.all([...before, ...after])).map(({ kind }) => kind);
      for (const [i, item] of items.entries()) {
        await until(async () => {
          if (kinds[i] === 'unavailable') kinds[i] = (await call(item)).kind;
          return kinds[i] !== 'unavailable';
        });
      }
      return new Set(kinds);
    };
    t.strictSame(await through(records, record => one.open(record)), new Set(['opened']));
    for (const { txId } of records) t.match(await settledRead(two, txId), { state: 'open', version: 1 });
    t.match(await settledRead(two, original.txId), { state: 'voided', version: 3 });
    t.equal((await two.claims(original.txId))?.length, 1);
    const changes = records.map(
      ({ txId }): Change => ({ txId, fromVersion: 1, state: 'declined', responseCode: '51' }),
    );
    t.strictSame(await through(changes, change => one.close(change)), new Set(['closed']));
    for (const { txId } of records) t.match(await settledRead(two, txId), { state: 'declined', version: 2 });
    await until(async () => one.standing && two.standing);
    t.same(await two.lostOwners(), [], 'who was cut off with all others is not dead');
  });

  await t.test('a recovery that its own process did not finish is finished by another', async t => {
    const { all } = await processes(t, 3, await makeWorld(t));
    const [first, second, third] = all as [JournalProcess, JournalProcess, JournalProcess];
    const [one, two] = [first.journal.ownerEpoch, second.journal.ownerEpoch];
    first.die();
    await until(() => second.journal.fence(one));
    second.die();
    await until(async () => (await third.journal.lostOwners())?.includes(two) ?? false);
    t.notOk(await third.journal.fence(one), 'the one who fenced it may still be at it');
    t.ok(await third.journal.fence(two));
    t.same(
      (await third.journal.lostOwners())?.toSorted((a, b) => a - b),
      [one, two].sort((a, b) => a - b),
    );
    t.ok(await third.journal.fence(one));
  });

  await t.test('numbers are handed out once, to whomever', async t => {
    const { journals } = await processes(t, 2);
    const [one, two] = journals as [FullJournal, FullJournal];
    const firsts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).reserve('stan:bank', 100)),
    );
    t.equal(new Set(firsts).size, 20);
    t.ok(firsts.every(first => first !== null && first % 100 === 0));
    t.equal(await one.reserve('rrn', 10), 0, 'each series for itself');
    const txIds = Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).nextTxId());
    t.equal(new Set(txIds).size, 20);
    t.ok(txIds.every(Number.isSafeInteger));
  });
}

/** The message that the reversal of a transaction stores. */
function owes({ txId }: { readonly txId: number }): { readonly stored: StoredMessage } {
  return { stored: reversalOf(txId) };
}

function claimOn(
  { txId }: { readonly txId: number },
  originalVersion: number,
  kind: ClaimRequest['kind'],
  originalState: ClaimRequest['originalState'],
): ClaimRequest {
  return { originalTxId: txId, originalVersion, originalState, kind, amountMinor: -12_345 };
}

async function openedBy(journal: JournalPort, opened: OpenRecord): Promise<OpenRecord> {
  const { kind } = await journal.open(opened);
  if (kind !== 'opened') throw new Error(`not opened: ${kind}`);
  return opened;
}

/** Its authorisation code is A and the end of its trace. */
async function approvedBy(journal: JournalPort, opened: OpenRecord): Promise<OpenRecord> {
  const { txId, identity } = await openedBy(journal, opened);
  const authCode = `A${identity.trace.slice(1)}`;
  await journal.close({ txId, fromVersion: 1, state: 'approved', authCode, approvedMinor: 12_345 });
  return opened;
}

async function standing(journal: JournalPort, txId: number): Promise<Transaction> {
  const found = await journal.read(txId);
  if (found.kind !== 'found') throw new Error(`transaction ${txId}: ${found.kind}`);
  return found.value;
}

/** Read as soon as the storage can be reached. */
async function settledRead(journal: JournalPort, txId: number): Promise<Transaction> {
  await until(async () => (await journal.read(txId)).kind !== 'unavailable');
  return standing(journal, txId);
}

function byValue(a: number, b: number): number {
  return a - b;
}

function numbers(rows: readonly { readonly txId: number }[] | null): readonly number[] {
  return rows?.map(({ txId }) => txId) ?? [];
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await holds()) return;
    await new Promise(resume => setTimeout(resume, 25));
  }
  throw new Error('did not come to hold within ten seconds');
}
