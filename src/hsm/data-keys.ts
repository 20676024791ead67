import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type pg from 'pg';
import { decryptBlocks, encryptBlocks, generateKey, KeyType } from './commands.ts';
import type { HsmPool, Outcome } from './pool.ts';
import type { DataKeySet } from './vault.ts';

const PURPOSES = ['pan-encryption', 'pan-hash', 'message-digest'] as const;
type Purpose = (typeof PURPOSES)[number];

interface Row {
  readonly version: number;
  readonly purpose: Purpose;
  readonly dek: string;
  readonly wrapped: string;
  readonly check_value: string;
}

const sql = {
  all: 'SELECT version, purpose, dek, wrapped, check_value FROM data_keys ORDER BY version, purpose',
  has: 'SELECT count(*)::int AS keys FROM data_keys WHERE version = $1',
  // In one statement and in one order: of two processes that start on an empty database, one makes all keys of a version.
  add: `INSERT INTO data_keys (version, purpose, dek, wrapped, check_value)
        SELECT $1::smallint, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
        ON CONFLICT DO NOTHING`,
};

/** Data keys that are missing, damaged, or not this HSM's. The start ends with it; its text carries no key. */
export class DataKeyError extends Error {
  override readonly name = 'DataKeyError';
}

/**
 * Unwraps all data keys through the HSM, for `DataKeyVault`. The clear keys never leave this process's memory.
 * Throws DataKeyError when there are none, when the HSM does not answer, or when a key's check value differs.
 */
export async function openDataKeys(pool: pg.Pool, hsm: HsmPool): Promise<readonly DataKeySet[]> {
  const { rows } = await pool.query<Row>(sql.all);
  if (rows.length === 0) throw new DataKeyError('there are no data keys: run the seed, or restore the table data_keys');
  const opened = await Promise.all(rows.map(async row => ({ row, key: await unwrap(hsm, row) })));
  const versions = [...new Set(rows.map(row => row.version))];
  return versions.map(version => {
    const find = (purpose: Purpose): KeyObject => {
      const match = opened.find(({ row }) => row.version === version && row.purpose === purpose);
      if (match === undefined) throw new DataKeyError(`data key ${purpose} of version ${version} is missing`);
      return match.key;
    };
    return {
      version,
      panEncryption: find('pan-encryption'),
      panHash: find('pan-hash'),
      messageDigest: find('message-digest'),
    };
  });
}

/**
 * Makes the data keys of `version`, unless they are there already: random, each under a data encryption key of its own
 * that the HSM makes. Processes use a new version when they are started again. Returns whether this call made them.
 */
export async function createDataKeys(pool: pg.Pool, hsm: HsmPool, version: number): Promise<boolean> {
  const { rows } = await pool.query<{ keys: number }>(sql.has, [version]);
  if (rows[0]?.keys === PURPOSES.length) return false;
  const made = await Promise.all(PURPOSES.map(purpose => wrapNew(hsm, purpose, version)));
  const added = await pool.query(sql.add, [
    version,
    made.map(row => row.purpose),
    made.map(row => row.dek),
    made.map(row => row.wrapped),
    made.map(row => row.check_value),
  ]);
  return added.rowCount === PURPOSES.length;
}

async function wrapNew(hsm: HsmPool, purpose: Purpose, version: number): Promise<Row> {
  const name = `data key ${purpose} of version ${version}`;
  const { key: dek } = done(await hsm.run(generateKey(KeyType.dek), hsm.defaultDeadline()), name);
  const clear = randomBytes(32);
  const iv = hex(randomBytes(8));
  const encrypted = done(await hsm.run(encryptBlocks(dek, iv, hex(clear)), hsm.defaultDeadline()), name);
  const check_value = hex(checkValue(clear, purpose, version));
  clear.fill(0);
  return { version, purpose, dek, wrapped: iv + encrypted, check_value };
}

async function unwrap(hsm: HsmPool, row: Row): Promise<KeyObject> {
  const name = `data key ${row.purpose} of version ${row.version}`;
  const command = decryptBlocks(row.dek, row.wrapped.slice(0, 16), row.wrapped.slice(16));
  const clear = Buffer.from(done(await hsm.run(command, hsm.defaultDeadline()), name), 'hex');
  const right = Buffer.from(row.check_value, 'hex');
  const found = checkValue(clear, row.purpose, row.version);
  const key = createSecretKey(clear);
  clear.fill(0);
  if (!timingSafeEqual(found, right)) {
    throw new DataKeyError(`${name} does not match its check value: the row is damaged, or wrapped by another HSM`);
  }
  return key;
}

/** CBC does not authenticate: this tells a damaged key, and one that was moved to another purpose or version. */
function checkValue(clear: Buffer, purpose: Purpose, version: number): Buffer {
  return createHmac('sha256', clear).update(`data key ${purpose} ${version}`).digest().subarray(0, 16);
}

function done<T>(outcome: Outcome<T>, name: string): T {
  if (outcome.kind === 'done') return outcome.value;
  const reason = outcome.kind === 'refused' ? `refused with error ${outcome.error}` : 'did not answer';
  throw new DataKeyError(`${name}: the HSM ${reason}`);
}

function hex(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase();
}
