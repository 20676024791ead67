/** Transactions that refer to others: what they may, whom they keep out, and what becomes of both when one is undone. */
import t from 'tap';
import {
  type BankRequest,
  type FinancialKind,
  type FinancialRequest,
  Pan,
  type Reference,
} from '../../src/switch/ports.ts';
import { answer, approve, code, type Node, nodes, silent, Terminal, until } from './support.ts';

const pos = new Terminal();

/** What the answer to a transaction told its terminal, as a later one names it. */
async function refer(node: Node, trace: number, messageClass: 'request' | 'advice' = 'request'): Promise<Reference> {
  const { batch, trace: digits } = pos.purchase(trace).identity;
  const found = await node.journal.find({ ...pos.purchase(trace).identity, messageClass });
  if (found.kind !== 'found') throw new Error(`no transaction ${trace}`);
  return { batch, trace: digits, rrn: found.value.rrn, authCode: found.value.authCode };
}

async function stands(node: Node, trace: number, messageClass: 'request' | 'advice' | 'notice' = 'request') {
  const found = await node.journal.find({ ...pos.purchase(trace).identity, messageClass });
  return found.kind === 'found' ? found.value.state : found.kind;
}

/** Asks for a transaction and gives the code it is told. */
async function ask(
  node: Node,
  kind: FinancialKind,
  trace: number,
  amountMinor: number,
  change: Partial<FinancialRequest> = {},
) {
  return code(pos, await node.core.handle(pos.of(kind, trace, amountMinor, change)));
}

const sentOf = (node: Node, mti: string): BankRequest[] => node.bank.seen.filter(request => request.mti === mti);

t.test('a void undoes a purchase of its batch once, and names it to the bank', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  t.equal(await ask(one, 'purchase', 1, 1000), '00');
  const reference = await refer(one, 1);
  await until('listed', async () => {
    const query = { merchantId: pos.purchase(1).merchantId, terminalId: 'OTHER', panHash: Buffer.of(), kinds: [] };
    return (await one.journal.findOriginal({ ...query, reference: { rrn: reference.rrn } })).kind === 'found';
  });
  t.equal(await ask(one, 'purchase-void', 2, 999, { reference }), '64', 'another amount');
  t.equal(await ask(one, 'purchase-void', 3, 1000, { reference: { ...reference, authCode: '000000' } }), '25');
  t.equal(
    await ask(one, 'purchase-void', 4, 1000, { reference: { ...reference, trace: '000077' } }),
    '25',
    'by RRN alone',
  );
  t.equal(await ask(one, 'purchase-void', 5, 1000), '30', 'without a reference');
  t.equal(await ask(one, 'purchase-void', 6, 1000, { reference }), '00');
  t.same([await stands(one, 1), await stands(one, 6)], ['voided', 'approved']);
  const [purchase, undo] = one.bank.seen as [BankRequest, BankRequest];
  t.match(undo, {
    mti: '0200',
    processingCode: '200000',
    amountMinor: 1000,
    authCode: '654321',
    original: { mti: '0200', stan: purchase.stan, transmissionAt: purchase.transmissionAt },
  });
  t.equal(await ask(one, 'purchase-void', 7, 1000, { reference }), '25', 'a second one');
  t.equal(await ask(one, 'refund', 8, 1, { reference }), '25', 'a refund of what is voided');
  t.equal(one.registry.reserved.size, 0, 'the limit has the amount back');
  t.equal(await ask(one, 'purchase-void', 6, 1000, { reference }), '00', 'a true repeat gets its answer');
  t.equal(one.bank.seen.length, 2);
});

t.test('a void that is declined or reversed leaves its original as it was', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'purchase', 1, 1000);
  const reference = await refer(one, 1);
  one.bank.script = request => answer(request, '05');
  t.equal(await ask(one, 'purchase-void', 2, 1000, { reference }), '05');
  t.same([await stands(one, 1), await stands(one, 2)], ['approved', 'declined']);
  one.bank.script = request => (request.mti === '0200' ? silent : approve(request));
  t.equal(await ask(one, 'purchase-void', 3, 1000, { reference }), '98');
  await until('reversed', async () => (await stands(one, 3)) === 'reversed');
  t.match(sentOf(one, '0400').at(-1)?.original, { stan: one.bank.seen.at(-2)?.stan }, 'the reversal names the void');
  t.equal(await stands(one, 1), 'approved');
  one.bank.script = approve;
  t.equal(await ask(one, 'purchase-void', 4, 1000, { reference }), '00', 'it can be voided after all');
  const undo = pos.reversal(4, { processingCode: '200000', typeCode: '23' });
  t.equal(code(pos, await one.core.handle(undo)), '00', 'the terminal reverses its void');
  await until('reinstated', async () => (await stands(one, 1)) === 'approved');
  t.equal(await ask(one, 'refund', 5, 1000, { reference }), '00');
});

t.test('a void in flight keeps out whoever else wants its original', async t => {
  const [one, two] = (await nodes(t, 2)) as [Node, Node];
  await ask(one, 'purchase', 1, 1000);
  const reference = await refer(one, 1);
  const others: (string | null)[] = [];
  one.bank.script = async request => {
    others.push(await ask(two, 'refund', 3, 100, { reference }));
    others.push(await ask(two, 'purchase-void', 4, 1000, { reference }));
    others.push(code(pos, await two.core.handle(pos.reversal(1))));
    return approve(request);
  };
  t.equal(await ask(one, 'purchase-void', 2, 1000, { reference }), '00');
  t.same(others, ['25', '25', '94']);
  t.same(two.bank.seen, []);
});

t.test('refunds together never exceed their original, however many terminals try at once', async t => {
  const all = await nodes(t, 2);
  const [one, two] = all as [Node, Node];
  await ask(one, 'purchase', 1, 1000);
  const reference = await refer(one, 1);
  const tries = await Promise.all(
    Array.from({ length: 12 }, (_, i) => ask(i % 2 ? one : two, 'refund', 10 + i, 300, { reference })),
  );
  t.same(tries.toSorted(), [...Array(3).fill('00'), ...Array(9).fill('61')]);
  t.equal(await ask(one, 'refund', 30, 101, { reference }), '61');
  t.equal(await ask(one, 'refund', 31, 100, { reference }), '00', 'what is left');
  const refunded = [...one.bank.seen, ...two.bank.seen].filter(({ mti }) => mti === '0220');
  t.equal(
    refunded.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
    1000,
  );
  t.equal(await ask(one, 'purchase-void', 32, 1000, { reference }), '12', 'what is refunded is not voided');
  t.equal(code(pos, await one.core.handle(pos.reversal(1))), '94', 'nor reversed');
});

t.test('a refund that the bank refuses leaves the remainder as it was', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'purchase', 1, 1000);
  const reference = await refer(one, 1);
  one.bank.script = request => answer(request, '57');
  t.equal(await ask(one, 'refund', 2, 1000, { reference }), '57');
  t.equal(await stands(one, 2, 'advice'), 'refused');
  one.bank.script = approve;
  t.equal(await ask(one, 'refund', 3, 1000, { reference }), '00');
  t.equal(await stands(one, 3, 'advice'), 'accepted');
});

t.test('a refund at another terminal of the merchant finds its original by RRN', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'purchase', 1, 1000);
  const { rrn, authCode } = await refer(one, 1);
  await until('listed', async () => {
    const query = { merchantId: pos.purchase(1).merchantId, terminalId: 'OTHER', panHash: Buffer.of(), kinds: [] };
    return (await one.journal.findOriginal({ ...query, reference: { rrn } })).kind === 'found';
  });
  t.equal(await ask(one, 'refund', 2, 400, { reference: { rrn, authCode } }), '00');
  t.equal(await ask(one, 'refund', 3, 601, { reference: { rrn } }), '61');
});

t.test('an advice that the bank does not answer is told 00, and repeated until it is taken', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'purchase', 1, 1000);
  const reference = await refer(one, 1);
  one.bank.script = () => silent;
  const first = await ask(one, 'refund', 2, 400, { reference });
  t.equal(first, '00');
  t.equal(await stands(one, 2, 'advice'), 'stood-in');
  t.equal(await ask(one, 'purchase-void', 3, 1000, { reference }), '12', 'it has its part of the original meanwhile');
  await until('repeated', () => sentOf(one, '0221').length > 0);
  one.bank.script = approve;
  await until('taken', async () => (await stands(one, 2, 'advice')) === 'approved');
  const [asked, ...repeats] = one.bank.seen.filter(({ mti }) => mti === '0220' || mti === '0221') as [BankRequest];
  for (const repeat of repeats as BankRequest[]) {
    t.match(repeat, { stan: asked.stan, transmissionAt: asked.transmissionAt, original: asked.original }, 'one key');
  }
  t.same(await one.journal.owedMessages(10), []);
  t.equal(await ask(one, 'refund', 2, 400, { reference }), '00', 'a repeat is told the same');
});

t.test('an advice that was told 00 and is refused later is a case, which an operator may have tried again', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.script = () => silent;
  t.equal(await ask(one, 'offline-sale', 1, 700), '00');
  one.bank.script = request => answer(request, '05');
  await until('a case', async () => (await stands(one, 1)) === 'in dispute');
  t.equal(code(pos, await one.core.handle(pos.reversal(1, { amountMinor: 700, typeCode: '36' }))), '00');
  one.bank.script = approve;
  await one.pool.query(`UPDATE cases SET retry_asked_at = now() WHERE closed_at IS NULL`);
  await until('taken', async () => (await stands(one, 1)) === 'approved');
  const { rows } = await one.pool.query(
    'SELECT kind, closed_at IS NOT NULL AS closed FROM cases ORDER BY case_id DESC LIMIT 1',
  );
  t.same(rows, [{ kind: 'advice', closed: true }]);
});

t.test('while the link is down advices are taken and kept, requests are not', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.generation = null;
  one.bank.script = () => ({ kind: 'unsent', reason: 'link-down' });
  t.equal(await ask(one, 'offline-settlement', 1, 500, { reference: { authCode: '777777' } }), '00');
  t.equal(await ask(one, 'purchase', 2, 500), '91');
  one.bank.generation = 1;
  one.bank.script = approve;
  await until('taken', async () => (await stands(one, 1, 'advice')) === 'approved');
  t.match(one.bank.seen.at(-1), { mti: '0220', authCode: '777777' }, 'it is no repeat: it never left');
});

t.test('a completion happens once, up to its share of what is held', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  t.equal(await ask(one, 'pre-authorisation', 1, 1000), '00');
  t.match(one.bank.seen[0], { mti: '0100', conditionCode: '06' });
  const reference = await refer(one, 1);
  t.equal(await ask(one, 'additional-pre-authorisation', 2, 500, { reference }), '00');
  t.match(one.bank.seen[1], { mti: '0100', original: { stan: one.bank.seen[0]?.stan } });
  t.equal(await ask(one, 'completion', 3, 1726, { reference }), '61');
  t.equal(await ask(one, 'pre-authorisation-void', 4, 1000, { reference }), '64', 'not the whole hold');
  t.equal(await ask(one, 'purchase-void', 5, 1000, { reference }), '12', 'it is no purchase');
  t.equal(await ask(one, 'completion', 6, 1725, { reference }), '00');
  t.same([await stands(one, 1), await stands(one, 6)], ['completed', 'approved']);
  t.equal(await ask(one, 'completion-advice', 7, 100, { reference }), '25', 'a second one');
  t.equal(await ask(one, 'completion-void', 8, 1725, { reference: await refer(one, 6) }), '00');
  t.same([await stands(one, 1), await stands(one, 6)], ['completed', 'voided']);
});

t.test('an addition that its terminal is undoing is not counted on', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'pre-authorisation', 1, 1000);
  const reference = await refer(one, 1);
  t.equal(await ask(one, 'additional-pre-authorisation', 2, 500, { reference }), '00');
  let silentTo0400 = true;
  one.bank.script = request => (silentTo0400 && request.mti.startsWith('04') ? silent : approve(request));
  const undo = pos.reversal(2, { amountMinor: 500, processingCode: '030000', typeCode: '10' });
  t.equal(code(pos, await one.core.handle(undo)), '00');
  t.equal(await ask(one, 'completion', 3, 1700, { reference }), '96', 'nobody knows what is held');
  silentTo0400 = false;
  await until('reversed', async () => (await stands(one, 2)) === 'reversed');
  t.equal(await ask(one, 'completion', 4, 1151, { reference }), '61');
  t.equal(await ask(one, 'completion', 5, 1150, { reference }), '00');
});

t.test('an addition is not undone before the completion that counts on it has reached the bank', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'pre-authorisation', 1, 1000);
  const reference = await refer(one, 1);
  await ask(one, 'additional-pre-authorisation', 2, 500, { reference });
  let silentToAdvices = true;
  one.bank.script = request => (silentToAdvices && request.mti.startsWith('022') ? silent : approve(request));
  t.equal(await ask(one, 'completion-advice', 3, 1700, { reference }), '00');
  const undo = pos.reversal(2, { amountMinor: 500, processingCode: '030000', typeCode: '10' });
  t.equal(code(pos, await one.core.handle(undo)), '00');
  await until('repeated', () => sentOf(one, '0221').length > 0);
  t.equal(sentOf(one, '0400').length, 0, 'it waits');
  silentToAdvices = false;
  await until('completed', async () => (await stands(one, 3, 'advice')) === 'approved');
  await until('undone', async () => (await stands(one, 2)) === 'reversed');
});

t.test('a completion that is reversed gives the hold back, and so does one that is refused', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  // A card of its own: other tests have transactions with the same authorisation code.
  const pan = new Pan('6224242900000121');
  await ask(one, 'pre-authorisation', 1, 1000, { pan });
  const reference = await refer(one, 1);
  one.bank.script = request => (request.mti === '0200' ? silent : approve(request));
  t.equal(await ask(one, 'completion', 2, 1000, { pan, reference }), '98');
  await until('given back', async () => (await stands(one, 1)) === 'approved');
  one.bank.script = request => answer(request, '57');
  t.equal(await ask(one, 'completion-advice', 3, 1000, { pan, reference }), '57');
  t.equal(await stands(one, 1), 'approved');
  one.bank.script = approve;
  const { merchantId, terminalId } = pos.purchase(1);
  const known = { authCode: reference.authCode };
  await until('listed', async () => {
    const query = { merchantId, terminalId, kinds: ['pre-authorisation'], panHash: Buffer.from(pan.reveal()) } as const;
    const found = await one.journal.findOriginal({ ...query, reference: known });
    return found.kind === 'found' && found.value.identity.terminalId === terminalId;
  });
  t.equal(await ask(one, 'completion-advice', 4, 1000, { pan, reference: known }), '00', 'by card and code');
  t.equal(await stands(one, 1), 'completed');
});

t.test('an adjustment tells the bank the difference', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'purchase', 1, 1000);
  const reference = await refer(one, 1);
  t.equal(await ask(one, 'tip-adjustment', 2, 1201, { reference }), '61');
  t.equal(await ask(one, 'tip-adjustment', 3, 900, { reference }), '64');
  t.equal(await ask(one, 'tip-adjustment', 4, 1150, { reference }), '00');
  t.match(one.bank.seen.at(-1), { mti: '0220', processingCode: '020000', amountMinor: 150 });
  t.equal(await ask(one, 'refund', 5, 1150, { reference }), '00', 'the tip is part of what can be refunded');
  await ask(one, 'offline-sale', 6, 1000);
  const sale = await refer(one, 6);
  t.equal(await ask(one, 'settlement-adjustment', 7, 800, { reference: sale }), '00');
  t.match(one.bank.seen.at(-1), { mti: '0220', processingCode: '220000', amountMinor: 200 });
  t.equal(await ask(one, 'refund', 8, 801, { reference: sale }), '61');
});

t.test('the results of a script reach the bank, whatever it says to them', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  await ask(one, 'purchase', 1, 1000);
  const reference = await refer(one, 1);
  one.bank.script = request => answer(request, '06');
  t.equal(await ask(one, 'script-notice', 2, 0, { reference }), '06');
  t.match(one.bank.seen.at(-1), { mti: '0620', original: { stan: one.bank.seen[0]?.stan } });
  t.equal(await stands(one, 2, 'notice'), 'no-effect');
});

t.test('stand-in approves below the floor while the link is down, and tells the bank afterwards', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.registry.lookup = {
    ...one.registry.lookup,
    kind: 'found',
    terminal: { ...terminalOf(one), standInFloorMinor: 500 },
  };
  one.bank.generation = null;
  t.equal(await ask(one, 'purchase', 1, 501), '91', 'above the floor');
  t.equal(code(pos, await one.core.handle(pos.purchase(2, { amountMinor: 500 }))), '91', 'with a PIN');
  const told = pos.read(await one.core.handle(pos.of('purchase', 3, 500)));
  t.match(told, { code: '00', mac: true, answer: { authCode: /^\d{6}$/ } });
  t.equal(await ask(one, 'purchase', 4, 400), '00');
  t.equal(code(pos, await one.core.handle(pos.reversal(4, { amountMinor: 400 }))), '00', 'one is taken back');
  t.same([await stands(one, 3), await stands(one, 4)], ['stood-in', 'reversing']);
  one.bank.generation = 1;
  await until('told', async () => (await stands(one, 3)) === 'approved' && (await stands(one, 4)) === 'reversed');
  t.match(sentOf(one, '0220')[0], { amountMinor: 500, track2: undefined });
  t.equal(sentOf(one, '0220').length, 1, 'what was taken back is not told as done');
});

function terminalOf(node: Node) {
  if (node.registry.lookup.kind !== 'found') throw new Error('the terminal is not known');
  return node.registry.lookup.terminal;
}

t.test('what a dead process left open of each kind comes to its end', async t => {
  const [dead, heir] = (await nodes(t, 2)) as [Node, Node];
  await ask(dead, 'purchase', 1, 1000);
  const reference = await refer(dead, 1);
  // It dies with both at the bank: it never hears of them again.
  dead.bank.script = () => new Promise(() => {});
  void ask(dead, 'refund', 2, 300, { reference });
  void ask(dead, 'pre-authorisation', 3, 500);
  await until('sent', () => dead.bank.seen.length === 3);
  dead.core.stop();
  dead.journal.stop();
  await until(
    'known to be dead',
    async () => (await heir.journal.lostOwners())?.includes(dead.journal.ownerEpoch) ?? false,
  );
  await heir.core.start();
  await until('recovered', async () => (await stands(heir, 2, 'advice')) === 'approved');
  await until('reversed', async () => (await stands(heir, 3)) === 'reversed');
  t.match(heir.bank.mtis().toSorted(), ['0221', '0400'], 'the advice as a repeat, the hold by its reversal');
});
