/**
 * `npm run bench:backlog`: what a switch owes after a death, on real processes: how long recovery takes with many open
 * transactions, and how fast store-and-forward drains a backlog over one link to the bank simulator.
 *
 * The benchmark plays the process that died: it opens transactions in the journal under an owner of its own, with cards
 * sealed under the real data keys, and lets go of it. The switch finds it dead, fences it and takes over.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { hsmAddress } from '../src/hsm/options.ts';
import { HsmPool } from '../src/hsm/pool.ts';
import { Journal } from '../src/journal/journal.ts';
import { createPool } from '../src/postgres/pool.ts';
import { type Stack, startStack } from '../src/simulators/stack/stack.ts';
import { openVault } from '../src/start-checks.ts';
import { Calendar } from '../src/switch/calendar.ts';
import { MessageKeys } from '../src/switch/message-keys.ts';
import { Numbers } from '../src/switch/numbers.ts';
import { Pan, type VaultPort } from '../src/switch/ports.ts';
import { sealPan } from '../src/switch/stored-card.ts';
import { describeMachine, thisMachine } from './support/machine.ts';
import { purchaseRecord } from './support/purchase.ts';

const help = `Recovers from the death of a process, and drains what it owed, on real processes on this machine.

  npm run bench:backlog -- [options]

  --open N         transactions that the dead process left open (default 10000)
  --messages N     reversals that it owed (default 100000)
  --json           the last line of standard output is one JSON object
  --help           this text

Exit status 1, and no figures, when something was not confirmed.
`;

const link = 'bank';
const batch = 256;
const patienceMs = 600_000;

/** What a dead process leaves: transactions, opened in the journal as the switch opens them. */
class Casualty {
  readonly #journal: Journal;
  readonly #keys: MessageKeys;
  readonly #vault: VaultPort;

  private constructor(journal: Journal, vault: VaultPort) {
    this.#journal = journal;
    this.#vault = vault;
    this.#keys = new MessageKeys(new Calendar({ nowMs: Date.now }, 480), new Numbers(journal));
  }

  static async born(pool: pg.Pool, vault: VaultPort): Promise<Casualty> {
    return new Casualty(await Journal.start({ pool, node: 'casualty', leaseMs: 60_000 }), vault);
  }

  async leave(count: number, owed: boolean): Promise<void> {
    for (let done = 0; done < count; done += batch) {
      const size = Math.min(batch, count - done);
      await Promise.all(Array.from({ length: size }, (_, i) => this.#one(done + i, owed)));
    }
  }

  /** The lock goes with the connection: to everybody else this is death. */
  async die(): Promise<number> {
    await this.#journal.flush();
    this.#journal.stop();
    return this.#journal.ownerEpoch;
  }

  async #one(n: number, owed: boolean): Promise<void> {
    const txId = this.#journal.nextTxId();
    const key = await this.#keys.transaction(link);
    if (key === null) throw new Error('no numbers');
    const pan = new Pan('6224242900000113');
    const record = purchaseRecord({
      txId,
      identity: {
        merchantId: '104110054110001',
        terminalId: String(10_000_000 + (this.#journal.ownerEpoch % 1000)),
        batch: String(Math.floor(n / 999_999) + 1).padStart(6, '0'),
        trace: String((n % 999_999) + 1).padStart(6, '0'),
        messageClass: 'request',
      },
      businessDate: key.moment.businessDate,
      rrn: key.rrn,
      stan: key.stan,
      transmissionAt: key.moment.transmissionAt,
      localTime: key.moment.localTime,
      localDate: key.moment.localDate,
      link,
      amountMinor: 1000 + (n % 9000),
      bin: pan.bin,
      panSealed: sealPan(this.#vault, txId, pan),
      panHash: this.#vault.hashPan(pan),
      keyVersion: this.#vault.keyVersion,
      requestDigest: this.#vault.digest(Buffer.from(String(txId))),
    });
    const opened = await this.#journal.open(record);
    if (opened.kind !== 'opened') throw new Error(`OPEN is ${opened.kind}`);
    if (!owed) return;
    const stored = await this.#keys.reversal(link, txId, '98');
    if (stored === null) throw new Error('no numbers');
    const closed = await this.#journal.close({ txId, fromVersion: 1, state: 'reversing', reason: 'timeout', stored });
    if (closed.kind !== 'closed') throw new Error(`CLOSE is ${closed.kind}`);
  }
}

interface Recovery {
  readonly open: number;
  /** From fencing to the end of its last open transaction, by the log of the process that took over. */
  readonly recoveryMs: number;
}

interface Drain {
  readonly messages: number;
  readonly seconds: number;
  readonly perSecond: number;
}

async function recovery(stack: Stack, pool: pg.Pool, vault: VaultPort, open: number): Promise<Recovery> {
  const casualty = await Casualty.born(pool, vault);
  await casualty.leave(open, false);
  const epoch = await casualty.die();
  const line = await until(() => recoveredLine(stack, epoch));
  await until(async () => ((await owed(pool)) === 0 ? true : null));
  return { open: line.open, recoveryMs: line.elapsedMs };
}

async function drain(pool: pg.Pool, vault: VaultPort, messages: number): Promise<Drain> {
  const casualty = await Casualty.born(pool, vault);
  await casualty.leave(messages, true);
  await casualty.die();
  await until(async () => ((await owed(pool)) < messages ? true : null));
  const [startedMs, first] = [performance.now(), await owed(pool)];
  await until(async () => ((await owed(pool)) === 0 ? true : null));
  const seconds = (performance.now() - startedMs) / 1000;
  return { messages: first, seconds, perSecond: first / seconds };
}

async function owed(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ owed: string }>('SELECT count(*) AS owed FROM stored_messages');
  return Number(rows[0]?.owed);
}

function recoveredLine(stack: Stack, epoch: number): { open: number; elapsedMs: number } | null {
  for (const text of readFileSync(join(stack.folder, 'logs', 'switch-1.log'), 'utf8').split('\n')) {
    if (!text.includes('recovered a lost owner')) continue;
    const line = JSON.parse(text) as { epoch: number; open: number; elapsedMs: number };
    if (line.epoch === epoch) return line;
  }
  return null;
}

async function until<T>(look: () => Promise<T | null> | T | null): Promise<T> {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs) {
    const found = await look();
    if (found !== null) return found;
    await new Promise(resume => setTimeout(resume, 100));
  }
  throw new Error(`nothing came of it within ${patienceMs / 1000} s`);
}

/** Everything that was owed must have been confirmed, and nothing become a case. */
async function unconfirmed(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ unconfirmed: string }>(`
    SELECT count(*) AS unconfirmed FROM
      (SELECT DISTINCT ON (tx_id) state FROM journal ORDER BY tx_id, version DESC) last WHERE state <> 'reversed'`);
  return Number(rows[0]?.unconfirmed);
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ options: { open: text, messages: text, json: flag, help: flag } });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const [open, messages] = [Number(values.open ?? 10_000), Number(values.messages ?? 100_000)];
  if (![open, messages].every(count => Number.isInteger(count) && count > 0 && count < 10_000_000)) {
    throw new RangeError('--open and --messages are whole numbers from 1');
  }
  const machine = thisMachine();
  process.stdout.write(`${describeMachine(machine)}; Postgres with fsync, one switch process, one link\n`);
  const dataDir = mkdtempSync(join(tmpdir(), 'acquirer-backlog-'));
  const stack = await startStack({ dataDir, run: 'backlog', switches: 1, terminals: 1 });
  const pool = createPool(stack.databaseUrl, { max: 6, applicationName: 'bench', statementTimeoutMs: 60_000 });
  const hsm = new HsmPool({
    ...(hsmAddress(stack.hsmUrl) ?? { host: '', port: 0 }),
    connections: 1,
    defaultTimeoutMs: 5000,
    clock: { nowMs: Date.now },
  });
  try {
    await hsm.whenUp(5000);
    const vault = await openVault(pool, hsm);
    const recovered = await recovery(stack, pool, vault, open);
    process.stdout.write(`recovery: ${recovered.open} open transactions ended in ${recovered.recoveryMs} ms\n`);
    const drained = await drain(pool, vault, messages);
    const left = await unconfirmed(pool);
    if (left > 0) throw new Error(`${left} transactions were not confirmed as reversed`);
    process.stdout.write(
      `drain: ${drained.messages} reversals confirmed in ${drained.seconds.toFixed(1)} s, ` +
        `${Math.round(drained.perSecond)} a second\n`,
    );
    if (values.json) process.stdout.write(`${JSON.stringify({ machine, recovered, drained })}\n`);
  } finally {
    hsm.close();
    await pool.end();
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
