import fc from 'fast-check';
import t from 'tap';
import { Calendar } from '../../src/switch/calendar.ts';
import { decide, isApproval } from '../../src/switch/decide.ts';
import { DueQueue } from '../../src/switch/due-queue.ts';
import { issuerTags } from '../../src/switch/icc-tags.ts';
import { Lane } from '../../src/switch/lane.ts';
import { judgeTry } from '../../src/switch/message-policy.ts';
import { Numbers, rrnOf, stanOf } from '../../src/switch/numbers.ts';
import {
  type BankAnswer,
  type BankOutcome,
  type LinkProfile,
  Pan,
  Secret,
  type StoredMessage,
} from '../../src/switch/ports.ts';
import { Glimpses, identityKey, RefusalRing } from '../../src/switch/refusals.ts';
import { Routing } from '../../src/switch/routing.ts';
import { edge, type State, states } from '../../src/switch/states.ts';
import { openAnswer, sealAnswer } from '../../src/switch/stored-answer.ts';
import { SimVault } from '../simulation/ports/vault.ts';
import { link } from './support.ts';

const answered = (responseCode: string, amountMinor = 1000): BankOutcome => ({
  kind: 'answered',
  answer: { mti: '0210', responseCode, amountMinor } satisfies BankAnswer,
});
const purchase = { kind: 'purchase', amountMinor: 1000, partialApproval: false } as const;
const inquiry = { ...purchase, kind: 'balance-inquiry' } as const;

t.test('what an outcome at the bank makes of a transaction', async t => {
  const state = (request: Parameters<typeof decide>[0], outcome: BankOutcome): string => {
    const { state, responseCode } = decide(request, outcome);
    return `${state} ${responseCode}`;
  };
  t.equal(state(purchase, answered('00')), 'approved 00');
  t.equal(state(purchase, answered('51')), 'declined 51');
  t.equal(state(purchase, { kind: 'unknown', reason: 'timeout' }), 'reversing 98');
  t.equal(state(purchase, { kind: 'unknown', reason: 'link-lost' }), 'reversing 98');
  t.equal(state(purchase, { kind: 'unknown', reason: 'untrusted-answer' }), 'reversing 98');
  t.equal(state(purchase, { kind: 'unsent', reason: 'link-down' }), 'declined 91', 'what never left is not reversed');
  t.equal(state(purchase, { kind: 'unsent', reason: 'mac-unavailable' }), 'declined 96');
  t.equal(
    state(purchase, answered('10', 600)),
    'reversing 96',
    'a partial approval the terminal cannot take is undone',
  );
  t.equal(state({ ...purchase, partialApproval: true }, answered('10', 600)), 'approved 10');
  t.equal(state(purchase, answered('00', 1001)), 'reversing 96', 'more than was asked for is no answer to it');
  t.equal(state(purchase, answered('00', 0)), 'reversing 96');
  t.equal(state(inquiry, answered('00', 0)), 'no-effect 00', 'an inquiry has no effect whatever happened');
  t.equal(state(inquiry, { kind: 'unknown', reason: 'timeout' }), 'no-effect 98');
  t.equal(state(inquiry, { kind: 'unsent', reason: 'busy' }), 'no-effect 91');
  const advice = { ...purchase, kind: 'refund' } as const;
  t.equal(state(advice, answered('00')), 'accepted 00');
  t.equal(state(advice, answered('57')), 'refused 57', 'the terminal still waits, and is told');
  for (const later of [answered('91'), answered('96'), answered('00', 999)])
    t.equal(state(advice, later), 'stood-in 00');
  t.equal(state(advice, { kind: 'unknown', reason: 'timeout' }), 'stood-in 00', 'it is done already: it is repeated');
  t.equal(state(advice, { kind: 'unsent', reason: 'link-down' }), 'stood-in 00');
  t.equal(state(advice, { kind: 'unsent', reason: 'unpackable' }), 'refused 30');
  t.equal(state({ ...purchase, kind: 'script-notice' }, answered('06')), 'no-effect 06');
  t.equal(state({ ...purchase, kind: 'completion', partialApproval: true }, answered('10', 600)), 'reversing 96');
  t.same(
    ['00', '10', '11', 'A2', 'A4', 'A5', 'A6', '01', 'A0', 'A1', 'A3', 'A7', '08', '16'].filter(isApproval),
    ['00', '10', '11', 'A2', 'A4', 'A5', 'A6'],
    'the approvals of the dialect, and no other',
  );
});

t.test('what each answer to a stored advice means', async t => {
  const { reversal: profile } = link;
  const stored = { kind: 'advice', tries: 0, storedAtMs: 0, amountMinor: 1000, moves: true } as const;
  const judge = (outcome: BankOutcome, change = {}) => judgeTry(outcome, { ...stored, ...change }, profile, 0, 0).kind;
  t.equal(judge(answered('00')), 'confirmed');
  t.equal(judge(answered('94')), 'confirmed', 'the bank has it');
  t.equal(judge(answered('91')), 'again');
  t.equal(judge({ kind: 'unknown', reason: 'timeout' }), 'again');
  t.equal(judge({ kind: 'unknown', reason: 'timeout' }, { tries: profile.maxTries - 1 }), 'dispute');
  t.equal(judge({ kind: 'unsent', reason: 'link-down' }, { tries: profile.maxTries - 1 }), 'again', 'no try at all');
  t.equal(judge(answered('25')), 'dispute', 'the terminal was told yes');
  t.equal(judge(answered('00', 999)), 'dispute', 'for another amount');
  t.equal(judge(answered('25'), { moves: false }), 'confirmed', 'a notice is done when it is answered');
});

t.test('what each answer to a reversal means', async t => {
  const profile: LinkProfile['reversal'] = {
    mti: '0400',
    refusesLateOriginals: true,
    longestDelayMs: 60_000,
    firstRetryMs: 1000,
    maxRetryMs: 8000,
    maxTries: 5,
    capacity: 10,
  };
  const stored = { kind: 'reversal', tries: 0, storedAtMs: 10_000, amountMinor: 100, moves: true } as const;
  const judge = (outcome: BankOutcome, change = {}, tries = 0, nowMs = 10_000) =>
    judgeTry(outcome, { ...stored, tries }, { ...profile, ...change }, nowMs, 0);
  t.same(judge(answered('00')), { kind: 'confirmed', by: '00' });
  t.same(judge(answered('94')), { kind: 'confirmed', by: '94' });
  t.same(judge(answered('25')), { kind: 'confirmed', by: '25' }, 'at a bank that refuses late originals');
  t.same(
    judge(answered('25'), { refusesLateOriginals: false }),
    { kind: 'again', afterMs: 60_000, counts: true },
    'elsewhere the original may still be on its way, for as long as the bank may hold it',
  );
  t.same(judge(answered('25'), { refusesLateOriginals: false }, 1, 70_000), { kind: 'confirmed', by: '25' });
  for (const outcome of [answered('91'), answered('96'), { kind: 'unknown', reason: 'timeout' } as const]) {
    t.same(judge(outcome), { kind: 'again', afterMs: 1000, counts: true });
    t.same(judge(outcome, {}, 2), { kind: 'again', afterMs: 4000, counts: true }, 'backs off');
    t.equal(judge(outcome, {}, 4).kind, 'dispute', 'too many tries');
  }
  t.equal(judge(answered('12')).kind, 'dispute', 'anything else is a case');
  const down = judge({ kind: 'unsent', reason: 'link-down' }, {}, 4);
  t.same(down, { kind: 'again', afterMs: 1000, counts: false }, 'a link that is down makes no case, however long');
});

t.test('DE7, RRN and dates never step back when the clock does', async t => {
  let nowMs = Date.UTC(2026, 11, 31, 15, 59, 59, 500);
  const calendar = new Calendar({ nowMs: () => nowMs }, 480);
  const before = calendar.now();
  t.match(before, {
    transmissionAt: '1231155959',
    localTime: '235959',
    localDate: '1231',
    businessDate: '2026-12-31',
    yearDay: '6365',
  });
  nowMs += 600;
  const after = calendar.now();
  t.match(after, {
    transmissionAt: '1231160000',
    localTime: '000000',
    localDate: '0101',
    businessDate: '2027-01-01',
    yearDay: '7001',
  });
  nowMs -= 3_600_000;
  t.equal(calendar.now(), after, 'an hour back is no step back here');
});

t.test('the calendar agrees with the platform on every day of eighty years', async t => {
  let nowMs = 0;
  const calendar = new Calendar({ nowMs: () => nowMs }, 0);
  let wrong = 0;
  for (nowMs = Date.UTC(2000, 0, 1, 23, 59, 58); nowMs < Date.UTC(2080, 0, 1); nowMs += 86_400_000) {
    const { businessDate, yearDay, transmissionAt } = calendar.now();
    const date = new Date(nowMs);
    const dayOfYear = Math.floor((nowMs - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1;
    const expected = date.toISOString();
    if (businessDate !== expected.slice(0, 10)) wrong++;
    if (yearDay !== `${date.getUTCFullYear() % 10}${String(dayOfYear).padStart(3, '0')}`) wrong++;
    if (transmissionAt !== `${expected.slice(5, 7)}${expected.slice(8, 10)}235958`) wrong++;
  }
  t.equal(wrong, 0);
});

t.test('numbers come out of reserved blocks, and two processes never share one', async t => {
  const next = new Map<string, number>();
  let away = false;
  const blocks = {
    reserve: async (series: string, size: number) => {
      if (away) return null;
      const first = next.get(series) ?? 0;
      next.set(series, first + size);
      return first;
    },
  };
  const one = new Numbers(blocks, 10);
  const two = new Numbers(blocks, 10);
  const taken = await Promise.all(Array.from({ length: 400 }, (_, i) => (i % 2 ? one : two).stan('bank')));
  t.equal(new Set(taken).size, 400);
  t.notOk(taken.includes(null));
  away = true;
  const rest: (string | null)[] = [];
  for (let i = 0; i < 40; i++) rest.push(await one.stan('bank'));
  t.equal(rest.at(-1), null, 'when storage is away and the block is used up, there is no number');
  t.equal(new Set([...taken, ...rest.filter(Boolean)]).size, 400 + rest.filter(Boolean).length);
  t.same([stanOf(0), stanOf(999_998), stanOf(999_999)], ['000001', '999999', '000001'], 'STAN goes round');
  t.same(
    [rrnOf('6365', 0), rrnOf('6365', 99_999_999), rrnOf('6365', 100_000_000), rrnOf('6365', 100_000_001)],
    ['636500000000', '636599999999', '6365A0000000', '6365A0000001'],
    'RRN goes on in base 36 when the digits are used up',
  );
});

t.test('a copy of a refused request is refused alike, for the terminal’s wait and within a bound', async t => {
  const ring = new RefusalRing(2, 1000);
  const id = (trace: string, batch = '000001') =>
    identityKey({ merchantId: 'M', terminalId: 'T', batch, trace, messageClass: 'request' });
  ring.remember(id('1'), '91', 0);
  t.equal(ring.recall(id('1'), 999), '91');
  t.equal(ring.recall(id('1'), 1000), null, 'past the wait');
  t.equal(ring.recall(id('1', '000002'), 0), null, 'another batch is another request');
  for (const trace of ['2', '3', '4']) ring.remember(id(trace), '61', 1);
  t.equal(ring.recall(id('1'), 1), '91', 'as many as were promised, and for a while more');
  ring.remember(id('5'), '61', 2);
  t.equal(ring.recall(id('1'), 3), null, 'the oldest are forgotten');
  t.equal(ring.forgotten, 2, 'and counted');
  t.same(
    ['3', '4', '5'].map(trace => ring.recall(id(trace), 3)),
    ['61', '61', '61'],
  );
  ring.remember(id('6'), '61', 5000);
  t.equal(ring.forgotten, 2, 'what was past its time is not counted');
});

t.test('what was looked at is known again, and nothing else is taken for it', async t => {
  const glimpses = new Glimpses(200_000, 1000);
  const request = (n: number, mac?: string) => ({
    identity: {
      merchantId: '104110054110001',
      terminalId: String(10_000_000 + (n % 500)),
      batch: '000001',
      trace: String(Math.floor(n / 500)).padStart(6, '0'),
      messageClass: 'request' as const,
    },
    mac,
  });
  for (let n = 0; n < 200_000; n++) glimpses.note(request(n, 'A1B2C3D4'), 0);
  let [known, mistaken] = [0, 0];
  for (let n = 0; n < 200_000; n++) {
    if (glimpses.has(request(n, 'A1B2C3D4'))) known++;
    if (glimpses.has(request(n + 200_000, 'A1B2C3D4')) || glimpses.has(request(n))) mistaken++;
  }
  t.same([known, mistaken], [200_000, 0]);
  glimpses.note(request(1), 1500);
  t.ok(glimpses.has(request(0, 'A1B2C3D4')), 'for the time, and for some while after it');
  glimpses.note(request(2), 3000);
  t.notOk(glimpses.has(request(0, 'A1B2C3D4')));
});

t.test('the longest prefix of the BIN table chooses the link', async t => {
  const routing = new Routing([
    { binPrefix: '62', link: 'a', cardKind: 'unknown' },
    { binPrefix: '622424', link: 'b', cardKind: 'debit' },
  ]);
  t.equal(routing.route(new Pan('6224242900000113'))?.link, 'b');
  t.equal(routing.route(new Pan('6217970000000005090'))?.link, 'a');
  t.equal(routing.route(new Pan('4111111111111111')), null);
});

t.test('what is due comes in the order of its time, and not before', async t => {
  const inOrder = fc.property(
    fc.array(fc.integer({ min: 0, max: 50 })),
    fc.integer({ min: 0, max: 60 }),
    (times, nowMs) => {
      const queue = new DueQueue();
      for (const [txId, atMs] of times.entries()) queue.push(txId, atMs);
      const popped: number[] = [];
      for (let txId = queue.pop(nowMs); txId !== null; txId = queue.pop(nowMs)) popped.push(times[txId] ?? -1);
      const due = times.filter(atMs => atMs <= nowMs).sort((a, b) => a - b);
      const next = times.filter(atMs => atMs > nowMs).sort((a, b) => a - b)[0] ?? null;
      return popped.join() === due.join() && queue.nextMs === next;
    },
  );
  t.doesNotThrow(() => fc.assert(inOrder));
});

t.test('a lane gives what is due and keeps back what would overtake its original', async t => {
  const message = (txId: number, change: Partial<StoredMessage> = {}): StoredMessage => ({
    ...{
      txId,
      kind: 'reversal',
      link: 'bank',
      stan: String(txId),
      transmissionAt: '0101000000',
      reason: '98',
      tries: 0,
    },
    ...{ notBeforeMs: 0, storedAtMs: 0, ...change },
  });
  const lane = new Lane({ ...link, reversal: { ...link.reversal, capacity: 2, adviceCapacity: 1 } });
  t.ok(lane.reserve(1, 'request'));
  t.ok(lane.put(message(1)));
  t.notOk(lane.put(message(1)), 'it is here already');
  t.equal(lane.take(0), null, 'its original is in flight');
  lane.release(1);
  const one = lane.take(0);
  t.match(one, { stored: { txId: 1 }, underWay: true });
  t.equal(lane.take(0), null);
  t.ok(lane.reserve(2, 'request'));
  t.notOk(lane.reserve(3, 'request'), 'a place each for what is owed and for what is in flight');
  t.ok(lane.reserve(3, 'advice'), 'advices have their own');
  t.notOk(lane.reserve(4, 'advice'));
  if (one === null) throw new Error('nothing was due');
  one.stored = { ...one.stored, notBeforeMs: 70 };
  lane.back(one);
  t.equal(lane.take(69), null, 'put off');
  t.equal(lane.nextMs, 70);
  t.equal(lane.take(70), one);
  lane.drop(1);
  lane.back(one);
  t.equal(lane.take(1000), null, 'what is answered is not due again');

  lane.release(3);
  lane.put(message(5, { kind: 'advice' }));
  const advice = lane.take(100);
  lane.put(message(5, { stan: '77' }));
  t.equal(lane.take(100), null, 'the reversal waits for the advice that is on its way');
  if (advice === null) throw new Error('nothing was due');
  lane.back(advice);
  t.match(lane.take(100), { stored: { kind: 'reversal', stan: '77' } }, 'and goes in its place');
  t.ok(lane.reserve(6, 'advice'), 'which is free again');
  const answer: BankAnswer = { mti: '0410', responseCode: '00', amountMinor: 1000 };
  t.equal(lane.lateReversal({ link: 'bank', stan: '77', transmissionAt: '0101000000', answer }), 5);
});

t.test('the table of states', async t => {
  for (const [from, tos] of Object.entries(states)) {
    for (const to of tos) t.ok(to in states, `${from} -> ${to} leads to a state`);
  }
  t.equal(edge('open', 'approved'), 'approved');
  t.throws(() => edge('declined', 'approved'), /declined may not become approved/);
  const ends = (Object.keys(states) as State[]).filter(state => states[state].length === 0);
  t.same(ends, ['declined', 'refused', 'no-effect']);
});

t.test('card data prints masked in every way a value becomes text', async t => {
  const pan = new Pan('6224242900000113');
  const track = new Secret('6224242900000113=2806201394903101');
  const { inspect } = await import('node:util');
  const texts = [
    String(pan),
    JSON.stringify({ pan, track }),
    inspect({ pan, track }),
    `${track}`,
    inspect(pan, { showHidden: true }),
  ];
  for (const text of texts) t.notMatch(text, /2429|0000011|2806/);
  t.equal(pan.masked, '622424******0113');
  t.equal(pan.accountDigits, '424290000011');
  t.ok(pan.isWellFormed);
  t.notOk(new Pan('6224242900000114').isWellFormed);
  t.notOk(new Pan('62242429').isWellFormed);
});

t.test('of a DE55 the terminal gets the issuer’s tags, and nothing that a bank echoed', async t => {
  const tags = (hex: string) => {
    const kept = issuerTags(Buffer.from(hex, 'hex'));
    return kept === undefined ? null : Buffer.from(kept).toString('hex').toUpperCase();
  };
  const [authentication, script] = ['910A11223344556677883030', '720F860D842400000811223344556677AABB'.slice(0, 34)];
  const echoed = '5A0862242429000001139F2608AABBCCDDEEFF0011';
  t.equal(tags(echoed + authentication + script), authentication + script);
  t.equal(tags(`${authentication}0000${echoed}`), authentication, 'padding between tags is passed over');
  t.equal(tags(`7181${'80'}${'AB'.repeat(128)}`), `718180${'AB'.repeat(128)}`, 'a long length');
  t.equal(tags(echoed), null);
  for (let cut = 1; cut < authentication.length / 2; cut++) {
    t.equal(tags(authentication.slice(0, cut * 2)), null, `cut after ${cut} bytes`);
  }
});

t.test('a stored answer is read as it was told, whatever a bank wrote in it', async t => {
  const vault = new SimVault();
  const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
  const answers = fc.record({
    responseCode: fc.string(),
    rrn: maybe(fc.string()),
    authCode: maybe(fc.string()),
    additionalResponse: maybe(fc.string({ unit: 'binary' })),
    balance: maybe(fc.string()),
    amountMinor: maybe(fc.nat()),
    iccData: maybe(fc.uint8Array()),
  });
  const told = fc.property(answers, answer => {
    const opened = openAnswer(vault, 1, sealAnswer(vault, 1, answer));
    for (const [name, value] of Object.entries(answer)) t.same(opened[name as keyof typeof opened], value, name);
    t.equal(opened.settlementDate, undefined);
  });
  fc.assert(told, { numRuns: 50 });
});
