/**
 * The core's story of a transaction on a real journal (Postgres), with the bank, the HSM and the registry as scripted
 * ports: each test says what they do and sees what the terminal is told and what the journal holds.
 */
import t, { type Test } from 'tap';
import { Journal } from '../../src/journal/journal.ts';
import { Calendar } from '../../src/switch/calendar.ts';
import { MessageKeys } from '../../src/switch/message-keys.ts';
import { Numbers } from '../../src/switch/numbers.ts';
import {
  type Admission,
  type AdmissionRequest,
  type BankOutcome,
  type BankPort,
  type BankRequest,
  type Change,
  type CloseResult,
  type CoreEvent,
  type FinancialRequest,
  type HsmPort,
  type Identity,
  type JournalPort,
  type LateAnswer,
  type LinkProfile,
  type OpenRecord,
  type OpenResult,
  Pan,
  type RegistryPort,
  type ReversalRequest,
  Secret,
  type TerminalAnswer,
  type TerminalEntry,
  type TerminalLookup,
  type VaultPort,
} from '../../src/switch/ports.ts';
import { Switch } from '../../src/switch/switch.ts';
import { type TestDatabase, testDatabase } from '../support/servers.ts';

const link: LinkProfile = {
  name: 'bank',
  host: '127.0.0.1',
  port: 1,
  acquirerId: '03062900',
  forwarderId: '03062900',
  timeoutMs: 1000,
  maxInFlight: 100,
  echoIntervalMs: 10_000,
  mac: 'none',
  zmk: '',
  zmkCheckValue: '',
  reversal: {
    mti: '0400',
    refusesLateOriginals: false,
    longestDelayMs: 0,
    firstRetryMs: 50,
    maxRetryMs: 200,
    maxTries: 3,
    capacity: 100,
  },
};

const rightMac = '4141414141414141';
let ref = { merchantId: '104110054110001', terminalId: '10000001' };

/** What the bank does with a request; the tests replace it. */
type BankScript = (request: BankRequest) => Promise<BankOutcome> | BankOutcome;

class Bank implements BankPort {
  script: BankScript = request => approve(request);
  readonly seen: BankRequest[] = [];
  readonly #late: ((late: LateAnswer) => void)[] = [];
  readonly #terminalId = ref.terminalId;
  generation: number | null = 1;

  pinKey() {
    return this.generation === null ? null : { key: 'ZPK', generation: this.generation };
  }

  async request(_link: string, request: BankRequest): Promise<BankOutcome> {
    // What an earlier test left owing is paid here too, and is not this test's.
    if (request.terminalId !== this.#terminalId) return approve(request);
    this.seen.push(request);
    return this.script(request);
  }

  onLate(handler: (late: LateAnswer) => void): void {
    this.#late.push(handler);
  }

  answerLate(request: BankRequest, responseCode: string): void {
    const answer = { mti: '0210', responseCode, amountMinor: request.amountMinor };
    const { stan, transmissionAt } = request;
    for (const handler of this.#late) handler({ link: 'bank', stan, transmissionAt, answer });
  }

  mtis(): string[] {
    return this.seen.map(request => request.mti);
  }
}

function answer(request: BankRequest, responseCode: string, amountMinor = request.amountMinor): BankOutcome {
  return {
    kind: 'answered',
    answer: { mti: '0210', responseCode, amountMinor, authCode: '654321', settlementDate: '1123' },
  };
}

const approve = (request: BankRequest): BankOutcome => answer(request, '00');
const silent: BankOutcome = { kind: 'unknown', reason: 'timeout' };

class Hsm implements HsmPort {
  canMac = true;
  pin: 'translated' | 'refused' | 'unavailable' = 'translated';
  async verifyMac(_tak: string, _algorithm: string, _data: Uint8Array, mac: string) {
    return mac === rightMac ? ('right' as const) : ('wrong' as const);
  }
  async makeMac() {
    return this.canMac ? ({ kind: 'made', mac: rightMac } as const) : ({ kind: 'unavailable' } as const);
  }
  async translatePin() {
    if (this.pin === 'refused') return { kind: 'refused', error: '20' } as const;
    if (this.pin === 'unavailable') return { kind: 'unavailable' } as const;
    return { kind: 'translated', pinBlock: new Secret('0000000000000000') } as const;
  }
  async makeWorkingKeys() {
    return { kind: 'made', tpk: 'TPK', tak: 'TAK', workingKeys: new Uint8Array(40) } as const;
  }
}

class Registry implements RegistryPort {
  readonly reserved = new Set<number>();
  readonly promoted: number[] = [];
  admits = 0;
  admission: Admission = { kind: 'admitted', reserved: true, seenBefore: false };
  lookup: TerminalLookup = found();
  async terminal() {
    return this.lookup;
  }
  async admit(request: AdmissionRequest) {
    this.admits++;
    if (this.admission.kind === 'admitted') this.reserved.add(request.txId);
    return this.admission;
  }
  release(_ref: unknown, _date: string, txId: number) {
    this.reserved.delete(txId);
  }
  maySignOn() {
    return true;
  }
  async issueKeys() {
    return { kind: 'issued', version: 2 } as const;
  }
  async promoteKeys(_ref: unknown, version: number) {
    this.promoted.push(version);
  }
}

const entry: Omit<TerminalEntry, 'terminalId'> = {
  merchantId: ref.merchantId,
  bindingId: 7,
  status: 'active',
  batch: '000001',
  tmk: 'TMK',
  macAlgorithm: 'cup-ecb',
  macKeyBytes: 16,
  current: { version: 1, tpk: 'TPK', tak: 'TAK' },
  pending: null,
  merchantName: 'A SHOP',
  mcc: '5411',
};

function found(change: Partial<TerminalEntry> = {}): TerminalLookup {
  return { kind: 'found', terminal: { ...entry, ...ref, ...change } };
}

/** Seals by adding its context, so that a value opened for another transaction is found out. */
const vault: { -readonly [K in keyof VaultPort]: VaultPort[K] } = {
  keyVersion: 1,
  seal: (plain, context) => Buffer.concat([Buffer.from(`${context}|`), plain]),
  open(sealed, context) {
    const prefix = Buffer.from(`${context}|`);
    if (!Buffer.from(sealed).subarray(0, prefix.length).equals(prefix)) throw new Error('sealed for another context');
    return sealed.subarray(prefix.length);
  },
  hashPan: pan => Buffer.from(pan.reveal()),
  digest: data => Uint8Array.from(data),
};

/** A journal whose answers can be lost on the way back: it did what was asked, or not, and says that it does not know. */
class LossyJournal implements JournalPort {
  readonly #journal: Journal;
  /** How many answers are still lost, and whether what they answer was done. */
  lose = { opens: 0, closes: 0, done: true };

  constructor(journal: Journal) {
    this.#journal = journal;
  }
  get ownerEpoch() {
    return this.#journal.ownerEpoch;
  }
  get standing() {
    return this.#journal.standing;
  }
  nextTxId() {
    return this.#journal.nextTxId();
  }
  abandon(txId: number) {
    this.#journal.abandon(txId);
  }
  async open(record: OpenRecord): Promise<OpenResult> {
    if (this.lose.opens-- <= 0) return this.#journal.open(record);
    if (this.lose.done) await this.#journal.open(record);
    return { kind: 'unavailable' };
  }
  async close(change: Change): Promise<CloseResult> {
    if (this.lose.closes-- <= 0) return this.#journal.close(change);
    if (this.lose.done) await this.#journal.close(change);
    return { kind: 'unavailable' };
  }
  read(txId: number) {
    return this.#journal.read(txId);
  }
  find(identity: Identity) {
    return this.#journal.find(identity);
  }
  tried(txId: number, tries: number, notBeforeMs: number) {
    return this.#journal.tried(txId, tries, notBeforeMs);
  }
  owedReversals(limit: number) {
    return this.#journal.owedReversals(limit);
  }
  lostOwners() {
    return this.#journal.lostOwners();
  }
  fence(epoch: number) {
    return this.#journal.fence(epoch);
  }
  openOf(epoch: number, limit: number) {
    return this.#journal.openOf(epoch, limit);
  }
  markRecovered(epoch: number) {
    return this.#journal.markRecovered(epoch);
  }
  takeOverReversals() {
    return this.#journal.takeOverReversals();
  }
}

interface Node {
  readonly lossy: LossyJournal;
  readonly core: Switch;
  readonly journal: Journal;
  readonly bank: Bank;
  readonly hsm: Hsm;
  readonly registry: Registry;
  readonly events: CoreEvent[];
}

/** One database for all tests here: each uses a terminal of its own, so that none meets another's identities. */
let database: TestDatabase | null = null;

async function nodes(test: Test, count: number): Promise<Node[]> {
  database ??= await testDatabase(t);
  const { pool } = database;
  ref = { ...ref, terminalId: String(Number(ref.terminalId) + 1) };
  const all = await Promise.all(Array.from({ length: count }, () => node()));
  async function node(): Promise<Node> {
    const journal = await Journal.start({ pool, node: 'test', leaseMs: 1000 });
    const lossy = new LossyJournal(journal);
    const clock = { nowMs: Date.now };
    const keys = new MessageKeys(new Calendar(clock, 480), new Numbers(journal));
    const [bank, hsm, registry, events] = [new Bank(), new Hsm(), new Registry(), [] as CoreEvent[]];
    const core = new Switch({
      clock,
      timers: {
        after(delayMs, run) {
          const timer = setTimeout(run, delayMs);
          timer.unref();
          return () => clearTimeout(timer);
        },
      },
      random: { next: Math.random },
      calendar: new Calendar(clock, 480),
      keys,
      registry,
      hsm,
      banks: bank,
      journal: lossy,
      vault,
      observer: { on: event => events.push(event) },
      links: [link],
      routes: [{ binPrefix: '62', link: 'bank', cardKind: 'debit' }],
      settings: {
        replayWindowMs: 60_000,
        closingReserveMs: 100,
        maxInFlight: 100,
        terminalWaitMs: 60_000,
        refusalsRemembered: 100,
        reversalPollMs: 50,
        recoveryPollMs: 3_600_000,
      },
    });
    await core.start();
    test.teardown(() => {
      core.stop();
      journal.stop();
    });
    return { core, journal, lossy, bank, hsm, registry, events };
  }
  return all;
}

/** What a terminal sees: the response code, whether a MAC was there, and the whole answer. */
interface Seen {
  readonly code: string;
  readonly mac: boolean;
  readonly answer: TerminalAnswer;
}

class Terminal {
  readonly #told: { answer: TerminalAnswer; mac: boolean }[] = [];

  #reply() {
    return (answer: TerminalAnswer, withMac: boolean) => ({
      macInput: withMac ? Uint8Array.of(1) : undefined,
      seal: (mac?: string) => {
        this.#told.push({ answer, mac: mac !== undefined });
        return Uint8Array.of(this.#told.length - 1);
      },
    });
  }

  #common(trace: number, change: { mac?: string; batch?: string; budgetMs?: number }) {
    const receivedAtMs = Date.now();
    return {
      ...ref,
      receivedAtMs,
      deadlineMs: receivedAtMs + (change.budgetMs ?? 5000),
      reply: this.#reply(),
      mac: 'mac' in change ? change.mac : rightMac,
      typeCode: '22',
      conditionCode: '00',
      currency: '156',
      pan: new Pan('6224242900000113'),
      entryMode: '021',
      identity: { ...ref, batch: change.batch ?? '000001', trace: String(trace).padStart(6, '0') },
    };
  }

  purchase(
    trace: number,
    change: Partial<FinancialRequest> & { batch?: string; budgetMs?: number } = {},
  ): FinancialRequest {
    const { batch: _batch, budgetMs: _budget, ...rest } = change;
    const common = this.#common(trace, change);
    return {
      ...common,
      kind: 'purchase',
      macInput: new Secret(Uint8Array.of(trace, change.amountMinor ?? 100)),
      identity: { ...common.identity, messageClass: 'request' },
      processingCode: '000000',
      amountMinor: 1000,
      pinBlock: new Secret('1111111111111111'),
      partialApproval: false,
      ...rest,
    };
  }

  reversal(trace: number, change: Partial<ReversalRequest> = {}): ReversalRequest {
    const common = this.#common(trace, {});
    return {
      ...common,
      kind: 'reversal',
      macInput: new Secret(Uint8Array.of(trace, 4)),
      identity: { ...common.identity, messageClass: 'reversal' },
      processingCode: '000000',
      amountMinor: 1000,
      reason: '98',
      ...change,
    };
  }

  read(frame: Uint8Array | null): Seen | null {
    const told = frame === null ? undefined : this.#told[frame[0] ?? -1];
    return told === undefined ? null : { code: told.answer.responseCode, ...told };
  }
}

const code = (terminal: Terminal, frame: Uint8Array | null): string | null => terminal.read(frame)?.code ?? null;

async function stateOf(journal: Journal, trace: number): Promise<string> {
  const identity = { ...ref, batch: '000001', trace: String(trace).padStart(6, '0'), messageClass: 'request' } as const;
  const found = await journal.find(identity);
  return found.kind === 'found' ? found.value.state : found.kind;
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await new Promise(resume => setTimeout(resume, 25));
  }
  throw new Error(`within five seconds it did not come to: ${what}`);
}

const pos = new Terminal();

t.test('a purchase is opened before it leaves, closed before it is told, and told with a MAC', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let stateWhenSent = '';
  one.bank.script = async request => {
    stateWhenSent = await stateOf(one.journal, 1);
    return approve(request);
  };
  const told = pos.read(await one.core.handle(pos.purchase(1)));
  t.equal(stateWhenSent, 'open');
  t.match(told, { code: '00', mac: true, answer: { authCode: '654321', settlementDate: '1123', amountMinor: 1000 } });
  t.match(told?.answer.rrn, /^\d{12}$/);
  const found = await one.journal.find(pos.purchase(1).identity);
  t.match(found, {
    value: { state: 'approved', version: 2, approvedMinor: 1000, rrn: told?.answer.rrn, bindingId: 7 },
  });
  t.equal(one.registry.reserved.size, 1, 'its limit stays reserved');
});

t.test('a wrong MAC writes nothing, reserves nothing, reaches nobody', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  for (const request of [pos.purchase(1, { mac: '00' }), pos.purchase(1, { mac: undefined })]) {
    const told = pos.read(await one.core.handle(request));
    t.match(told, { code: 'A0', mac: true, answer: { processingRequest: '3' } });
  }
  t.equal(await stateOf(one.journal, 1), 'none');
  t.equal(one.registry.admits, 0);
  t.same(one.bank.seen, []);
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00', 'and the right one is served');
});

t.test('what is refused here is not forwarded, and a copy of it is refused alike', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  const told = async (trace: number, change = {}) => code(pos, await one.core.handle(pos.purchase(trace, change)));
  t.equal(await told(1, { batch: '000009' }), '77', 'wrong batch');
  t.equal(await told(2, { pan: new Pan('4111111111111111') }), '15', 'no route');
  one.registry.admission = { kind: 'refused', responseCode: '61', reason: 'limit' };
  t.equal(await told(3), '61');
  one.registry.admission = { kind: 'admitted', reserved: true, seenBefore: false };
  t.equal(await told(3), '61', 'the copy, though it would be admitted now');
  one.hsm.pin = 'refused';
  t.equal(await told(4), '99');
  one.hsm.pin = 'unavailable';
  t.equal(await told(5), '96');
  one.hsm.pin = 'translated';
  one.bank.generation = null;
  t.equal(await told(6), '91', 'link down');
  one.registry.lookup = { kind: 'unknown' };
  t.match(pos.read(await one.core.handle(pos.purchase(7))), { code: '97', mac: false });
  one.registry.lookup = found({ current: null });
  t.equal(await told(8), '77', 'not signed on');
  t.same(one.bank.seen, []);
  t.equal(one.registry.reserved.size, 0, 'nothing stays reserved');
});

t.test('keys of a sign-on become current at the first MAC that verifies under them', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.registry.lookup = found({ pending: { version: 2, tpk: 'TPK2', tak: 'TAK2' } });
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00');
  t.same(one.registry.promoted, [2]);
});

t.test('silence of the bank is told as 98 and reversed until the bank confirms', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let reversals = 0;
  one.bank.script = request => {
    if (request.mti === '0200') return silent;
    reversals++;
    return reversals < 3 ? (reversals === 1 ? silent : answer(request, '91')) : answer(request, '00');
  };
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '98');
  t.equal(one.registry.reserved.size, 0);
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  t.same(one.bank.mtis(), ['0200', '0400', '0401', '0401'], 'a repeat says that it is one');
  const [original, ...sent] = one.bank.seen as [BankRequest, ...BankRequest[]];
  t.equal(new Set(sent.map(request => request.stan + request.transmissionAt)).size, 1, 'one key through all repeats');
  t.match(sent[0], {
    original: { mti: '0200', stan: original.stan, transmissionAt: original.transmissionAt },
    reason: '98',
  });
  t.equal(sent[0]?.pan.reveal(), original.pan.reveal(), 'and the card, out of the vault');
  t.same(await one.journal.owedReversals(10), []);
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '94', 'a repeat of it is never told an approval');
});

t.test('a bank that will not confirm makes a case, and delays no other reversal', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.script = request => {
    if (request.mti === '0200') return silent;
    return answer(request, request.amountMinor === 1 ? '12' : request.amountMinor === 2 ? '96' : '00');
  };
  await Promise.all([1, 2, 3].map(n => one.core.handle(pos.purchase(n, { amountMinor: n }))));
  await until('ended', async () => (await one.journal.owedReversals(10))?.length === 0);
  t.same(await Promise.all([1, 2, 3].map(n => stateOf(one.journal, n))), ['in dispute', 'in dispute', 'reversed']);
});

t.test('an inquiry that the bank does not answer is not reversed', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.script = () => silent;
  const inquiry = pos.purchase(1, { kind: 'balance-inquiry', processingCode: '310000', amountMinor: 0 });
  t.equal(code(pos, await one.core.handle(inquiry)), '98');
  t.equal(await stateOf(one.journal, 1), 'no-effect');
  t.same(one.bank.mtis(), ['0200']);
});

t.test('an approval whose MAC cannot be made is not told: it is reversed', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.hsm.canMac = false;
  const told = pos.read(await one.core.handle(pos.purchase(1)));
  t.match(told, { code: '96', mac: false });
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
});

t.test('a repeat gets the stored answer while that holds', async t => {
  const [one, two] = (await nodes(t, 2)) as [Node, Node];
  const first = pos.read(await one.core.handle(pos.purchase(1)));
  const again = pos.read(await two.core.handle(pos.purchase(1)));
  t.same(again?.answer, JSON.parse(JSON.stringify(first?.answer)), 'from another process too');
  t.same(one.bank.mtis().concat(two.bank.mtis()), ['0200'], 'the bank saw it once');
  t.equal(
    code(pos, await two.core.handle(pos.purchase(1, { amountMinor: 2000 }))),
    '94',
    'another amount is no repeat',
  );
  one.bank.generation = null;
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '00', 'also when the link is down by now');
  t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00');
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '94', 'an approval undone is never told again');
  t.equal(one.registry.reserved.size + two.registry.reserved.size, 1);
});

t.test('a repeat while the first is in flight waits for the same outcome', async t => {
  const [one, two] = (await nodes(t, 2)) as [Node, Node];
  let go = (): void => {};
  one.bank.script = request => new Promise(resolve => (go = () => resolve(approve(request))));
  const first = one.core.handle(pos.purchase(1));
  await until('sent', () => one.bank.seen.length === 1);
  const copies = [one.core.handle(pos.purchase(1)), two.core.handle(pos.purchase(1))];
  await new Promise(resume => setTimeout(resume, 300));
  go();
  t.same(await Promise.all([first, ...copies].map(async frame => code(pos, await frame))), ['00', '00', '00']);
  t.equal(one.bank.seen.length + two.bank.seen.length, 1);
});

t.test('the terminal’s own 0400', async t => {
  t.test('undoes an approval, at the bank once, and says the same again', async t => {
    const [one, two] = (await nodes(t, 2)) as [Node, Node];
    await one.core.handle(pos.purchase(1));
    t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00');
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00');
    await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
    t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00');
    t.same(one.bank.mtis().concat(two.bank.mtis()).sort(), ['0200', '0400']);
  });

  t.test('of an original that never came is 25, and the original is refused when it comes', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '25');
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '25');
    t.equal(code(pos, await one.core.handle(pos.purchase(1))), '94');
    t.same(one.bank.seen, []);
  });

  t.test('while the original is in flight swallows its approval and does not overtake it', async t => {
    const [one, two] = (await nodes(t, 2)) as [Node, Node];
    let go = (): void => {};
    one.bank.script = request =>
      request.mti === '0200' ? new Promise(resolve => (go = () => resolve(approve(request)))) : approve(request);
    const first = one.core.handle(pos.purchase(1));
    await until('sent', () => one.bank.seen.length === 1);
    t.equal(code(pos, await two.core.handle(pos.reversal(1))), '00', 'at another process');
    await new Promise(resume => setTimeout(resume, 300));
    t.same(one.bank.mtis().concat(two.bank.mtis()), ['0200'], 'the reversal waits for its original');
    go();
    t.equal(await first, null, 'the approval is told to nobody');
    await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
    t.same(one.bank.mtis(), ['0200', '0400'], 'sent by the process that sent the original');
    t.same(two.bank.seen, []);
  });

  t.test('of a declined original is 00 and reaches no bank', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    one.bank.script = request => answer(request, '51');
    t.equal(code(pos, await one.core.handle(pos.purchase(1))), '51');
    t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00');
    t.equal(await stateOf(one.journal, 1), 'declined');
    t.same(one.bank.mtis(), ['0200']);
  });

  t.test('that names the original but another amount or card is refused', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    await one.core.handle(pos.purchase(1));
    t.equal(code(pos, await one.core.handle(pos.reversal(1, { amountMinor: 999 }))), '64');
    t.equal(code(pos, await one.core.handle(pos.reversal(1, { pan: new Pan('6224242900000121') }))), '94');
    t.equal(await stateOf(one.journal, 1), 'approved');
  });

  t.test('with a wrong MAC does nothing', async t => {
    const [one] = (await nodes(t, 1)) as [Node];
    await one.core.handle(pos.purchase(1));
    t.equal(code(pos, await one.core.handle(pos.reversal(1, { mac: '00' }))), 'A0');
    t.equal(await stateOf(one.journal, 1), 'approved');
  });
});

t.test('a late approval sends the reversal out again only if 00 had not confirmed it', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let code25 = true;
  one.bank.script = request => (request.mti === '0200' ? silent : answer(request, code25 ? '25' : '00'));
  await one.core.handle(pos.purchase(1));
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  code25 = false;
  const original = one.bank.seen[0] as BankRequest;
  one.bank.answerLate(original, '00');
  await until('sent again', () => one.bank.mtis().filter(mti => mti === '0400').length === 2);
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  one.bank.answerLate(original, '00');
  await new Promise(resume => setTimeout(resume, 200));
  t.same(one.bank.mtis(), ['0200', '0400', '0400'], 'confirmed by 00: nothing more');
});

t.test('recovery drives what a dead owner left to an end, and leaves a living sibling alone', async t => {
  const [dead, living, heir] = (await nodes(t, 3)) as [Node, Node, Node];
  const forever = (): Promise<BankOutcome> => new Promise(() => {});
  dead.bank.script = forever;
  living.bank.script = forever;
  void dead.core.handle(pos.purchase(1));
  void dead.core.handle(pos.purchase(2, { kind: 'balance-inquiry', amountMinor: 0 }));
  void living.core.handle(pos.purchase(3));
  await until('open', async () =>
    (await Promise.all([1, 2, 3].map(n => stateOf(living.journal, n)))).every(s => s === 'open'),
  );
  // As death does: the lock is free, and nothing is renewed.
  dead.core.stop();
  dead.journal.stop();
  await until(
    'seen as lost',
    async () => (await heir.journal.lostOwners())?.includes(dead.journal.ownerEpoch) ?? false,
  );
  await heir.core.start();
  t.equal(await stateOf(heir.journal, 2), 'no-effect');
  t.equal(await stateOf(heir.journal, 3), 'open', 'the sibling’s is untouched');
  await until('reversed', async () => (await stateOf(heir.journal, 1)) === 'reversed');
  t.match(
    heir.events.find(event => event.event === 'recovered' && event.epoch === dead.journal.ownerEpoch),
    { epoch: dead.journal.ownerEpoch, open: 2 },
  );
});

t.test('a fenced process tells nothing, not even an approval it holds in hand', async t => {
  const [sleeper, heir] = (await nodes(t, 2)) as [Node, Node];
  let go = (): void => {};
  sleeper.bank.script = request => new Promise(resolve => (go = () => resolve(approve(request))));
  const first = sleeper.core.handle(pos.purchase(1));
  await until('sent', () => sleeper.bank.seen.length === 1);
  // As a process that is stopped: its heartbeat ends, and it knows nothing of it.
  sleeper.journal.stop();
  await until('fenced', () => heir.journal.fence(sleeper.journal.ownerEpoch));
  go();
  t.equal(await first, null);
  t.equal(await stateOf(heir.journal, 1), 'open', 'it is the heir’s to end');
  t.equal(await sleeper.core.handle(pos.purchase(2)), null);
  t.ok(sleeper.events.some(event => event.event === 'fenced'));
});

t.test('a full store-and-forward declines new requests and refuses no reversal', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  const waiting: (() => void)[] = [];
  one.bank.script = () => new Promise(resolve => waiting.push(() => resolve(silent)));
  const held = Array.from({ length: 100 }, (_, i) => one.core.handle(pos.purchase(i + 1)));
  await until('all sent', () => one.bank.seen.length === 100);
  t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00');
  one.bank.script = request => approve(request);
  for (const go of waiting) go();
  await Promise.all(held);
  await until('paid', async () => (await one.journal.owedReversals(1))?.length === 0);
});

t.test('a CLOSE of which nobody knows whether it is durable is told to nobody', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.lossy.lose = { opens: 0, closes: 2, done: true };
  t.equal(await one.core.handle(pos.purchase(1)), null, 'neither yes nor no');
  await until('known', () => one.lossy.lose.closes < 0);
  t.equal(await stateOf(one.journal, 1), 'approved', 'what was written stands');
  t.equal(code(pos, await one.core.handle(pos.reversal(1))), '00', 'and the terminal’s own 0400 decides');
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');

  one.lossy.lose = { opens: 0, closes: 2, done: false };
  one.bank.script = request => (request.mti === '0200' ? silent : approve(request));
  t.equal(await one.core.handle(pos.purchase(2)), null);
  await until('reversed', async () => (await stateOf(one.journal, 2)) === 'reversed');
  await one.core.drain(1000);
});

t.test('an OPEN of which nobody knows whether it is durable is not sent, and does not stay open', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  for (const [trace, done] of [
    [1, true],
    [2, false],
  ] as const) {
    one.lossy.lose = { opens: 1, closes: 0, done };
    t.equal(code(pos, await one.core.handle(pos.purchase(trace))), '96');
    await until('declined', async () => (await stateOf(one.journal, trace)) === 'declined');
  }
  t.same(one.bank.seen, []);
  t.equal(one.registry.reserved.size, 0);
});

t.test('a bug between OPEN and CLOSE leaves nothing open', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.hsm.makeMac = () => Promise.reject(new Error('a bug'));
  await t.rejects(one.core.handle(pos.purchase(1)), /a bug/);
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
  await until('released', () => one.registry.reserved.size === 0);
});

t.test('an approval that comes between the timeout and the CLOSE is not forgotten', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let not25 = false;
  one.bank.script = request => {
    if (request.mti !== '0200') return answer(request, not25 ? '00' : '25');
    // The bank's answer is late by a moment: the switch has given up, and its CLOSE is on the way.
    setTimeout(() => one.bank.answerLate(request, '00'), 1);
    return silent;
  };
  t.equal(code(pos, await one.core.handle(pos.purchase(1))), '98');
  await until('tried', () => one.bank.mtis().length > 2);
  t.equal(await stateOf(one.journal, 1), 'reversing', '"not found" is not believed');
  not25 = true;
  await until('reversed', async () => (await stateOf(one.journal, 1)) === 'reversed');
});

t.test('a reversal whose card cannot be opened becomes a case, and takes nothing else down with it', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  one.bank.script = request => (request.mti === '0200' ? silent : approve(request));
  const { open } = vault;
  t.teardown(() => {
    vault.open = open;
  });
  let unreadable = '';
  vault.open = (sealed, context) => {
    unreadable ||= context;
    if (context === unreadable) throw new Error('no such key');
    return open(sealed, context);
  };
  await one.core.handle(pos.purchase(1));
  await until('a case', async () => (await stateOf(one.journal, 1)) === 'in dispute');
  await one.core.handle(pos.purchase(2));
  await until('reversed', async () => (await stateOf(one.journal, 2)) === 'reversed');
});

t.test('a copy of a request that is on its way is not refused beside it', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  let go = (): void => {};
  one.bank.script = request => new Promise(resolve => (go = () => resolve(approve(request))));
  const first = one.core.handle(pos.purchase(1));
  await until('sent', () => one.bank.seen.length === 1);
  one.registry.admission = { kind: 'refused', responseCode: '61', reason: 'limit' };
  const copy = one.core.handle(pos.purchase(1));
  const other = one.core.handle(pos.purchase(1, { amountMinor: 2000 }));
  t.equal(code(pos, await other), '94');
  go();
  t.same([code(pos, await first), code(pos, await copy)], ['00', '00']);
});

t.test('a request whose time is over is not forwarded any more', async t => {
  const [one] = (await nodes(t, 1)) as [Node];
  t.equal(code(pos, await one.core.handle(pos.purchase(1, { budgetMs: 50 }))), '96');
  t.same(one.bank.seen, []);
  t.equal(await stateOf(one.journal, 1), 'none');
});
