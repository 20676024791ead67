import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../../embedded/postgres.ts';
import { startRedis } from '../../embedded/redis.ts';

/** Postgres and Redis for a stack: those that are configured, or embedded ones. */
export interface Storage {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  stop(): Promise<void>;
}

export interface StorageOptions {
  readonly dataDir: string;
  /** A server to make databases on; an embedded one when absent. */
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  /** Name of a database of its own for this run. */
  readonly database: string;
  /** Databases whose names begin so are of earlier runs and are dropped. */
  readonly dropPrefix?: string | undefined;
}

export async function startStorage(options: StorageOptions): Promise<Storage> {
  mkdirSync(options.dataDir, { recursive: true });
  const postgres =
    options.databaseUrl === undefined ? await startPostgres({ dataDir: join(options.dataDir, 'postgres') }) : null;
  const redis = options.redisUrl === undefined ? await startRedis({ dataDir: join(options.dataDir, 'redis') }) : null;
  const serverUrl = postgres?.url ?? options.databaseUrl ?? '';
  await makeDatabase(serverUrl, options.database, options.dropPrefix);
  const databaseUrl = new URL(serverUrl);
  databaseUrl.pathname = `/${options.database}`;
  return {
    databaseUrl: databaseUrl.href,
    redisUrl: redis?.url ?? options.redisUrl ?? '',
    async stop() {
      await redis?.stop();
      await postgres?.stop();
    },
  };
}

async function makeDatabase(serverUrl: string, database: string, dropPrefix: string | undefined): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    if (dropPrefix !== undefined) {
      const old = await client.query<{ datname: string }>(
        'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
        [dropPrefix],
      );
      for (const { datname } of old.rows) {
        await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(datname)} WITH (FORCE)`);
      }
    }
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}
