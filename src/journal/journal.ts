import type pg from 'pg';
import type {
  Change,
  Claim,
  CloseResult,
  Found,
  Identity,
  JournalPort,
  NumberBlocks,
  OpenRecord,
  OpenResult,
  OriginalQuery,
  RetryAsked,
  StoredMessage,
  Transaction,
} from '../switch/ports.ts';
import { GroupCommit, type Submitted } from './group-commit.ts';
import { openLinked } from './open-linked.ts';
import { Owner } from './owner.ts';
import { Projector, type ProjectorMeters, type ProjectorTuning } from './projector.ts';
import { columns, isPlain, mergeAll, mergeRows, type Row, toClaim, toStoredMessage, wholeCloseValues } from './rows.ts';
import * as sql from './sql.ts';
import { type WrittenTypes, writeBatch } from './write-batch.ts';

/** The usual writes, OPENs that refer to another transaction, and CLOSEs that do more than end their own. */
export type BatchKind = 'write' | 'open-linked' | 'close-whole';

export interface JournalOptions extends ProjectorMeters {
  readonly pool: pg.Pool;
  /** For the projection and the count of limits, so that neither stands before an OPEN or a CLOSE; `pool` when absent. */
  readonly readingPool?: pg.Pool;
  /** Shown in `journal_owners`, for people. */
  readonly node: string;
  readonly leaseMs: number;
  /** Batches of each kind under way at one time. */
  readonly lanes?: number;
  readonly maxBatch?: number;
  readonly maxWaiting?: number;
  readonly projection?: ProjectorTuning;
  readonly onBatch?: (kind: BatchKind, size: number, waiting: number) => void;
  readonly onFlush?: (kind: BatchKind, elapsedMs: number) => void;
  /** A batch of the usual writes met an identity or a place that was taken, and was written at a second try. */
  readonly onCollision?: () => void;
  /** A sibling took this process for dead: it must end. */
  readonly onFenced?: () => void;
}

/** Postgres's own classes for "this row cannot be taken" (22 data, 23 integrity); all else is the environment. */
function isOutage(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code !== 'string' || !/^2[23]/.test(code);
}

/** The place in the journal that a change wants. */
function placeOf({ txId, fromVersion }: Change): string {
  return `${txId}/${fromVersion + 1}`;
}

/** What goes into the usual batch. An OPEN is answered by an OpenResult, a CLOSE by a CloseResult. */
type Write = OpenRecord | Change;
type Written = OpenResult | CloseResult;

const isClose = (write: Write): write is Change => 'fromVersion' in write;

const openedResult: OpenResult = { kind: 'opened' };
/** A plain change is always the first after OPEN. */
const closedResult: CloseResult = { kind: 'closed', version: 2 };

/** The journal in Postgres (see migrations/001-journal.sql for what stands where and why). */
export class Journal implements JournalPort, NumberBlocks {
  readonly ownerEpoch: number;
  readonly #pool: pg.Pool;
  readonly #readingPool: pg.Pool;
  readonly #owner: Owner;
  readonly #projector: Projector;
  readonly #leaseMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #onCollision: () => void;
  readonly #writes: GroupCommit<Write, Written>;
  readonly #linkedOpens: GroupCommit<OpenRecord, OpenResult>;
  readonly #wholeCloses: GroupCommit<Change, CloseResult>;
  readonly #maxWaiting: number;
  readonly #types: WrittenTypes;
  /** Store-and-forward and recovery read one transaction after the other: together they cost a fifth. */
  readonly #reads: GroupCommit<number, Found<Transaction>>;
  #counter = 0;

  /** What becomes of a write: made once and not for each. */
  readonly #openedFrom = (record: OpenRecord, submitted: Submitted<Written>): OpenResult =>
    this.#opened(record, submitted as Submitted<OpenResult>);
  readonly #closedFrom = (change: Change, submitted: Submitted<Written>): CloseResult =>
    this.#closed(change, submitted as Submitted<CloseResult>);

  private constructor(options: JournalOptions, owner: Owner, types: WrittenTypes) {
    this.#pool = options.pool;
    this.#types = types;
    this.#readingPool = options.readingPool ?? options.pool;
    this.#owner = owner;
    this.#projector = new Projector({
      ...options,
      pool: this.#readingPool,
      ownerEpoch: owner.epoch,
      tuning: options.projection,
    });
    this.#leaseMs = options.leaseMs;
    this.#onError = options.onError ?? (() => {});
    this.#onCollision = options.onCollision ?? (() => {});
    this.ownerEpoch = owner.epoch;
    owner.lowWater = () => this.#projector.oldestLive ?? this.#firstTxId + this.#counter;
    this.#maxWaiting = options.maxWaiting ?? 10_000;
    const common = {
      lanes: options.lanes ?? 2,
      maxBatch: options.maxBatch ?? 256,
      maxWaiting: this.#maxWaiting,
      isOutage,
    };
    const told = <T, R>(kind: BatchKind, write: (batch: readonly T[]) => Promise<R[]>) => ({
      ...common,
      execute: async (batch: readonly T[]): Promise<R[]> => {
        const startedMs = performance.now();
        const results = await write(batch);
        options.onFlush?.(kind, performance.now() - startedMs);
        return results;
      },
      onBatch: (size: number, waiting: number) => options.onBatch?.(kind, size, waiting),
    });
    this.#writes = new GroupCommit(told('write', (batch: readonly Write[]) => this.#writeBatch(batch)));
    // Each a commit of its own: whether it may open depends on what stands against its original.
    this.#linkedOpens = new GroupCommit({
      ...told('open-linked', (batch: readonly OpenRecord[]) => Promise.all(batch.map(one => this.#openLinked(one)))),
      maxBatch: 1,
    });
    this.#wholeCloses = new GroupCommit(told('close-whole', (batch: readonly Change[]) => this.#writeWhole(batch)));
    this.#reads = new GroupCommit({ ...common, lanes: 1, execute: txIds => this.#readBatch(txIds) });
  }

  static async start(options: JournalOptions): Promise<Journal> {
    const { rows } = await options.pool.query<Record<keyof WrittenTypes, string>>(sql.types);
    const types = { opening: Number(rows[0]?.opening), closing: Number(rows[0]?.closing) };
    const owner = await Owner.register(options.pool, options.node, options.leaseMs, options.onFenced);
    return new Journal(options, owner, types);
  }

  get #firstTxId(): number {
    return this.ownerEpoch * 2 ** 32;
  }

  get standing(): boolean {
    return this.#owner.standing;
  }

  nextTxId(): number {
    const txId = this.#firstTxId + this.#counter++;
    this.#projector.numbered(txId);
    return txId;
  }

  abandon(txId: number): void {
    this.#projector.abandoned(txId);
  }

  open(record: OpenRecord): Promise<OpenResult> {
    if (record.claim === undefined) return this.#writes.ask(record, this.#openedFrom);
    return this.#linkedOpens.ask(record, this.#openedFrom);
  }

  #opened(record: OpenRecord, submitted: Submitted<OpenResult>): OpenResult {
    if (submitted.kind !== 'done') {
      if (submitted.kind === 'refused') return { kind: 'full' };
      this.#onError(submitted.error);
      const outage = isOutage(submitted.error);
      if (outage) this.#projector.doubted(record.txId);
      else this.#projector.forgotten(record.txId);
      return { kind: outage ? 'unavailable' : 'refused' };
    }
    const { kind } = submitted.result;
    // Judged anew it is opened under the same number.
    if (kind === 'original-moved') return submitted.result;
    if (kind === 'duplicate') this.#projector.forgotten(record.txId);
    else if (kind === 'opened' && record.state === 'open') this.#projector.opened(record.txId);
    else if (kind === 'opened') this.#projector.ended(record.txId);
    return submitted.result;
  }

  close(change: Change): Promise<CloseResult> {
    // Twice the room of an OPEN: what was opened is not to stay open because others want to begin.
    if (isPlain(change)) return this.#writes.ask(change, this.#closedFrom, 2 * this.#maxWaiting);
    return this.#wholeCloses.ask(change, this.#closedFrom);
  }

  #closed(change: Change, submitted: Submitted<CloseResult>): CloseResult {
    if (submitted.kind !== 'done') {
      if (submitted.kind === 'refused') return { kind: 'unavailable' };
      this.#onError(submitted.error);
      return { kind: isOutage(submitted.error) ? 'unavailable' : 'refused' };
    }
    const { kind } = submitted.result;
    // Lost as well: whoever won has ended its being open.
    if (kind !== 'fenced') this.#projector.ended(change.txId);
    if (kind === 'closed') this.#projector.changed(change.txId, change.fromVersion + 1);
    if (kind === 'closed' && change.claim?.reinstateFrom !== undefined) {
      this.#projector.changed(change.claim.originalTxId, change.claim.reinstateFrom + 1);
    }
    return submitted.result;
  }

  async #writeBatch(batch: readonly Write[]): Promise<Written[]> {
    const opens: OpenRecord[] = [];
    const closes: Change[] = [];
    for (const one of batch) {
      if (isClose(one)) closes.push(one);
      else opens.push(one);
    }
    const written = await this.#retried(() => writeBatch(this.#pool, this.ownerEpoch, this.#types, opens, closes));
    if (written.collided) this.#onCollision();
    const heldBy = written.opened === opens.length ? null : await this.#holders(opens);
    const closed = written.closed === closes.length ? null : await this.#closedOf(closes, new Set());
    return batch.map(one => {
      if (isClose(one)) return closed === null ? closedResult : (closed.get(one) ?? { kind: 'fenced' });
      if (heldBy === null) return openedResult;
      const holder = heldBy.get(one);
      if (holder === undefined) return { kind: 'fenced' };
      // Our own number there: opened now, or by an earlier try of this batch that was committed though its answer was lost.
      return holder === one.txId ? openedResult : { kind: 'duplicate', txId: holder };
    });
  }

  /** Which transaction has the identity of each of these; of none when this process is fenced. */
  async #holders(records: readonly OpenRecord[]): Promise<ReadonlyMap<OpenRecord, number>> {
    const heldBy = new Map<OpenRecord, number>();
    if (records.length === 0) return heldBy;
    const identities = records.map(({ identity: id }) => [
      id.merchantId,
      id.terminalId,
      id.batch,
      id.trace,
      id.messageClass,
    ]);
    for (const row of await this.#query('journal-holders', sql.holders, [...columns(identities), this.ownerEpoch])) {
      const record = records[Number(row.ord) - 1];
      if (record !== undefined) heldBy.set(record, Number(row.tx_id));
    }
    return heldBy;
  }

  /** OPEN of a transaction that refers to another: together with its claim, or not at all. */
  async #openLinked(record: OpenRecord): Promise<OpenResult> {
    const opened = await this.#retried(() => openLinked(this.#pool, this.ownerEpoch, record, this.#types));
    if (opened !== 'taken') {
      const { claim } = record;
      if (opened === 'opened' && claim) this.#projector.changed(claim.originalTxId, claim.originalVersion + 1);
      return { kind: opened };
    }
    const holder = (await this.#holders([record])).get(record);
    if (holder === undefined) return { kind: 'fenced' };
    return holder === record.txId ? { kind: 'opened' } : { kind: 'duplicate', txId: holder };
  }

  async #writeWhole(changes: readonly Change[]): Promise<CloseResult[]> {
    // Of two that want the same place only the first is asked for: what it stores must not be the other's.
    const places = new Set<string>();
    const first = changes
      .toSorted((a, b) => a.txId - b.txId)
      .filter(change => !places.has(placeOf(change)) && places.add(placeOf(change)));
    const values = [this.ownerEpoch, ...columns(first.map(wholeCloseValues))];
    const written = await this.#retried(() => this.#query('journal-close', sql.close, values));
    const closed = await this.#closedOf(changes, new Set(written.map(row => `${row.tx_id}/${row.version}`)));
    return changes.map(change => closed.get(change) ?? { kind: 'fenced' });
  }

  /** How each of these ended. `byUs`: the places that are known to be written; of the others the journal says who has theirs. */
  async #closedOf(changes: readonly Change[], byUs: ReadonlySet<string>): Promise<ReadonlyMap<Change, CloseResult>> {
    const missing = changes.filter(change => !byUs.has(placeOf(change)));
    const occupied = new Map<string, Row>();
    if (missing.length > 0) {
      const wanted = columns(missing.map(change => [change.txId, change.fromVersion + 1]));
      for (const row of await this.#query('journal-occupants', sql.occupants, wanted)) {
        occupied.set(`${row.tx_id}/${row.version}`, row);
      }
    }
    const taken = new Set<string>();
    const closed = new Map<Change, CloseResult>();
    for (const change of changes) {
      const place = placeOf(change);
      const occupant = occupied.get(place);
      // The same change of ours there: an earlier try of this batch was committed though its answer was lost.
      const ours =
        Number(occupant?.owner_epoch) === this.ownerEpoch &&
        occupant?.state === change.state &&
        occupant.reason === (change.reason ?? null) &&
        occupant.response_code === (change.responseCode ?? null);
      if ((byUs.has(place) || ours) && !taken.has(place)) {
        taken.add(place);
        closed.set(change, { kind: 'closed', version: change.fromVersion + 1 });
      } else if (byUs.has(place) || occupant !== undefined) closed.set(change, { kind: 'lost' });
    }
    return closed;
  }

  /** A batch whose connection broke is written once more: the journal's keys make that harmless. */
  async #retried<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!isOutage(error)) throw error;
      this.#onError(error);
      return write();
    }
  }

  async #query(name: string, text: string, values: unknown[]): Promise<Row[]> {
    return (await this.#pool.query<Row>({ name, text, values })).rows;
  }

  /** A query whose failure means "storage away": null, and the error told. */
  async #attempt(name: string, text: string, values: unknown[]): Promise<Row[] | null> {
    try {
      return await this.#query(name, text, values);
    } catch (error) {
      this.#onError(error);
      return null;
    }
  }

  async #found(name: string, text: string, values: unknown[]): Promise<Found<Transaction>> {
    const rows = await this.#attempt(name, text, values);
    if (rows === null) return { kind: 'unavailable' };
    const value = mergeRows(rows);
    return value === null ? { kind: 'none' } : { kind: 'found', value };
  }

  async read(txId: number): Promise<Found<Transaction>> {
    const submitted = await this.#reads.submit(txId);
    if (submitted.kind === 'done') return submitted.result;
    if (submitted.kind === 'failed') this.#onError(submitted.error);
    return { kind: 'unavailable' };
  }

  async #readBatch(txIds: readonly number[]): Promise<Found<Transaction>[]> {
    const found = new Map<number, Transaction>();
    for (const one of mergeAll(await this.#query('journal-read', sql.read, [txIds]))) found.set(one.txId, one);
    return txIds.map(txId => {
      const value = found.get(txId);
      return value === undefined ? { kind: 'none' } : { kind: 'found', value };
    });
  }

  find(id: Identity): Promise<Found<Transaction>> {
    return this.#found('journal-find', sql.find, [id.merchantId, id.terminalId, id.batch, id.trace, id.messageClass]);
  }

  async tried(txId: number, tries: number, notBeforeMs: number): Promise<void> {
    await this.#attempt('journal-tried', sql.tried, [
      txId,
      tries,
      new Date(notBeforeMs).toISOString(),
      this.ownerEpoch,
    ]);
  }

  async findOriginal(query: OriginalQuery): Promise<Found<Transaction>> {
    const { merchantId, terminalId, reference, kinds, panHash } = query;
    const { batch, trace, rrn, authCode, date } = reference;
    if (batch !== undefined && trace !== undefined) {
      const rows = await this.#attempt('journal-find-named', sql.findNamed, [merchantId, terminalId, batch, trace]);
      if (rows === null) return { kind: 'unavailable' };
      const named = mergeAll(rows).filter(one => rrn === undefined || one.rrn === rrn);
      const meant = named.find(one => kinds.some(kind => kind === one.kind)) ?? named[0];
      if (meant !== undefined) return { kind: 'found', value: meant };
    }
    // At another terminal of the merchant its batch and trace mean something else.
    if (rrn !== undefined) return this.#found('journal-find-rrn', sql.findByRrn, [merchantId, rrn]);
    if (batch !== undefined || authCode === undefined) return { kind: 'none' };
    const values = [merchantId, panHash, authCode, date ?? null, kinds];
    return this.#found('journal-find-card', sql.findByCard, values);
  }

  async claims(originalTxId: number): Promise<readonly Claim[] | null> {
    return (await this.#attempt('journal-claims', sql.claims, [originalTxId]))?.map(toClaim) ?? null;
  }

  async owedMessages(limit: number): Promise<readonly StoredMessage[] | null> {
    const rows = await this.#attempt('journal-owed', sql.owedMessages, [this.ownerEpoch, limit]);
    return rows?.map(toStoredMessage) ?? null;
  }

  async retriesAsked(limit: number): Promise<readonly RetryAsked[] | null> {
    const rows = await this.#attempt('journal-retries', sql.retriesAsked, [limit]);
    return rows?.map(row => ({ txId: Number(row.tx_id), kind: row.kind as RetryAsked['kind'] })) ?? null;
  }

  async lostOwners(): Promise<readonly number[] | null> {
    const rows = await this.#attempt('journal-lost', sql.lostOwners, [null, ...this.#judge()]);
    return rows?.map(row => Number(row.epoch)) ?? null;
  }

  /** Who judges, and by what (`abandoned` in sql.ts). */
  #judge(): [number, number, boolean] {
    return [this.ownerEpoch, this.#leaseMs, this.#owner.judgesByLocks];
  }

  async fence(epoch: number): Promise<boolean> {
    try {
      const fenced = await this.#pool.query({
        name: 'journal-fence',
        text: sql.fence,
        values: [epoch, ...this.#judge()],
      });
      return fenced.rowCount === 1;
    } catch (error) {
      this.#onError(error);
      return false;
    }
  }

  async openOf(epoch: number, limit: number): Promise<readonly Transaction[] | null> {
    const range = [epoch * 2 ** 32, (epoch + 1) * 2 ** 32];
    const rows = await this.#attempt('journal-open-of', sql.openOf, [...range, epoch, limit]);
    return rows?.flatMap(row => mergeRows([row]) ?? []) ?? null;
  }

  /** Its range is projected first: from then on nobody looks for what of it is missing in `transactions`. */
  async markRecovered(epoch: number): Promise<boolean> {
    if (!(await this.#projector.projectOwner(epoch))) return false;
    return (await this.#attempt('journal-recovered', sql.recovered, [epoch])) !== null;
  }

  async takeOverMessages(): Promise<boolean> {
    return (await this.#attempt('journal-take-over', sql.takeOverMessages, [this.ownerEpoch])) !== null;
  }

  /** For metrics: messages this process owes, and open cases of all. Null when storage is away. */
  async backlog(): Promise<{ readonly owed: number; readonly cases: number } | null> {
    const row = (await this.#attempt('journal-backlog', sql.backlog, [this.ownerEpoch]))?.[0];
    return row === undefined ? null : { owed: Number(row.owed), cases: Number(row.cases) };
  }

  /** What limits must count for a merchant and business date, as of now. Null when storage is away. */
  async reservationsOf(
    merchantId: string,
    businessDate: string,
  ): Promise<readonly { readonly txId: number; readonly amountMinor: number }[] | null> {
    try {
      const { rows } = await this.#readingPool.query<Row>(sql.reservations, [merchantId, businessDate]);
      return rows.map(row => ({ txId: Number(row.tx_id), amountMinor: Number(row.amount_minor) }));
    } catch (error) {
      this.#onError(error);
      return null;
    }
  }

  async reserve(series: string, size: number): Promise<number | null> {
    const rows = await this.#attempt('journal-numbers', sql.reserveNumbers, [series, size]);
    const first = rows?.[0]?.first;
    return first === undefined ? null : Number(first);
  }

  /** Projects what still waits, before `stop`. Without it whoever recovers this owner does. */
  async flush(): Promise<void> {
    await this.#projector.flush();
  }

  /** Ends the heartbeat and gives the owner lock back. Nothing may be submitted after it. */
  stop(): void {
    this.#projector.stop();
    this.#owner.close();
  }
}
