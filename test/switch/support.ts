/** The core on a real journal (Postgres), with the bank, the HSM and the registry as scripted ports. */
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
  countedKinds,
  type FinancialKind,
  type FinancialRequest,
  type HsmPort,
  type Identity,
  type JournalPort,
  type LateAnswer,
  type LinkProfile,
  type MessageClass,
  type OpenRecord,
  type OpenResult,
  type OriginalQuery,
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

export const link: LinkProfile = {
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
export type BankScript = (request: BankRequest) => Promise<BankOutcome> | BankOutcome;

export class Bank implements BankPort {
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

export function answer(request: BankRequest, responseCode: string, amountMinor = request.amountMinor): BankOutcome {
  return {
    kind: 'answered',
    answer: { mti: '0210', responseCode, amountMinor, authCode: '654321', settlementDate: '1123' },
  };
}

export const approve = (request: BankRequest): BankOutcome => answer(request, '00');
export const silent: BankOutcome = { kind: 'unknown', reason: 'timeout' };

export class Hsm implements HsmPort {
  canMac = true;
  canVerify = true;
  pin: 'translated' | 'refused' | 'unavailable' = 'translated';
  async verifyMac(_tak: string, _algorithm: string, _data: Uint8Array, mac: string) {
    if (!this.canVerify) return 'unavailable' as const;
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

export class Registry implements RegistryPort {
  readonly reserved = new Set<number>();
  readonly promoted: number[] = [];
  admits = 0;
  admission: Admission = { kind: 'admitted', reserved: true, seenBefore: false, surelyFirst: true };
  lookup: TerminalLookup = found();
  async terminal() {
    return this.lookup;
  }
  async admit(request: AdmissionRequest) {
    this.admits++;
    if (this.admission.kind === 'admitted' && countedKinds.has(request.kind)) this.reserved.add(request.txId);
    return this.admission;
  }
  release(_ref: unknown, _date: string, txId: number) {
    this.reserved.delete(txId);
  }
  restore(_ref: unknown, _date: string, txId: number) {
    this.reserved.add(txId);
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
  standInFloorMinor: null,
};

export function found(change: Partial<TerminalEntry> = {}): TerminalLookup {
  return { kind: 'found', terminal: { ...entry, ...ref, ...change } };
}

/** Seals by adding its context, so that a value opened for another transaction is found out. */
export const vault: { -readonly [K in keyof VaultPort]: VaultPort[K] } = {
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
export class LossyJournal implements JournalPort {
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
  findOriginal(query: OriginalQuery) {
    return this.#journal.findOriginal(query);
  }
  claims(originalTxId: number) {
    return this.#journal.claims(originalTxId);
  }
  retriesAsked(limit: number) {
    return this.#journal.retriesAsked(limit);
  }
  tried(txId: number, tries: number, notBeforeMs: number) {
    return this.#journal.tried(txId, tries, notBeforeMs);
  }
  owedMessages(limit: number) {
    return this.#journal.owedMessages(limit);
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
  takeOverMessages() {
    return this.#journal.takeOverMessages();
  }
}

export interface Node {
  readonly lossy: LossyJournal;
  readonly core: Switch;
  readonly journal: Journal;
  readonly bank: Bank;
  readonly hsm: Hsm;
  readonly registry: Registry;
  readonly events: CoreEvent[];
  readonly pool: TestDatabase['pool'];
}

/** One database for all tests here: each uses a terminal of its own, so that none meets another's identities. */
let database: TestDatabase | null = null;

export async function nodes(test: Test, count: number): Promise<Node[]> {
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
        standIn: true,
        voidDays: 0,
        refundDays: 180,
        preAuthorisationDays: 30,
        completionMaxPercent: 115,
        adjustmentMaxPercent: 20,
        owedPollMs: 50,
        recoveryPollMs: 3_600_000,
      },
    });
    await core.start();
    test.teardown(() => {
      core.stop();
      journal.stop();
    });
    return { core, journal, lossy, bank, hsm, registry, events, pool };
  }
  return all;
}

/** What a terminal sees: the response code, whether a MAC was there, and the whole answer. */
export interface Seen {
  readonly code: string;
  readonly mac: boolean;
  readonly answer: TerminalAnswer;
}

type Shape = Partial<Pick<FinancialRequest, 'processingCode' | 'typeCode' | 'conditionCode'>> & {
  readonly messageClass?: MessageClass;
};

const shapes: Partial<Readonly<Record<FinancialKind, Shape>>> = {
  'purchase-void': { processingCode: '200000', typeCode: '23' },
  refund: { processingCode: '200000', typeCode: '25', messageClass: 'advice' },
  'pre-authorisation': { processingCode: '030000', typeCode: '10', conditionCode: '06' },
  'additional-pre-authorisation': { processingCode: '030000', typeCode: '10', conditionCode: '60' },
  'pre-authorisation-void': { processingCode: '200000', typeCode: '11', conditionCode: '06' },
  completion: { typeCode: '20', conditionCode: '06' },
  'completion-advice': { typeCode: '24', conditionCode: '06', messageClass: 'advice' },
  'completion-void': { processingCode: '200000', typeCode: '21', conditionCode: '06' },
  'offline-sale': { typeCode: '36' },
  'offline-settlement': { typeCode: '30', messageClass: 'advice' },
  'settlement-adjustment': { typeCode: '32', messageClass: 'advice' },
  'tip-adjustment': { typeCode: '34', messageClass: 'advice' },
  'script-notice': { typeCode: '00', messageClass: 'notice' },
};

export class Terminal {
  readonly #told: { answer: TerminalAnswer; mac: boolean }[] = [];

  #reply() {
    return (answer: TerminalAnswer, withMac: boolean) => ({
      macInput: withMac ? Uint8Array.of(1) : undefined,
      seal: (mac?: string) => {
        this.#told.push({ answer, mac: mac !== undefined });
        const place = this.#told.length - 1;
        return Uint8Array.of(place >> 8, place & 0xff);
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

  /** Any kind of transaction, as the dialect reads it. */
  of(
    kind: FinancialKind,
    trace: number,
    amountMinor: number,
    change: Partial<FinancialRequest> = {},
  ): FinancialRequest {
    const { messageClass = 'request', ...codes } = shapes[kind] ?? {};
    const request = this.purchase(trace, { kind, amountMinor, ...codes, pinBlock: undefined, ...change });
    const macInput = new Secret(Buffer.from(`${kind}/${trace}/${amountMinor}/${JSON.stringify(change.reference)}`));
    return { ...request, identity: { ...request.identity, ...change.identity, messageClass }, macInput };
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
    const told = frame === null ? undefined : this.#told[(frame[0] ?? 0) * 256 + (frame[1] ?? 0)];
    return told === undefined ? null : { code: told.answer.responseCode, ...told };
  }
}

export const code = (terminal: Terminal, frame: Uint8Array | null): string | null => terminal.read(frame)?.code ?? null;

export async function stateOf(journal: Journal, trace: number): Promise<string> {
  const identity = { ...ref, batch: '000001', trace: String(trace).padStart(6, '0'), messageClass: 'request' } as const;
  const found = await journal.find(identity);
  return found.kind === 'found' ? found.value.state : found.kind;
}

export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return;
    await new Promise(resume => setTimeout(resume, 25));
  }
  throw new Error(`within five seconds it did not come to: ${what}`);
}
