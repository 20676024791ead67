import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type PostgresOptions, startPostgres } from '../../embedded/postgres.ts';
import { type RedisOptions, startRedis } from '../../embedded/redis.ts';
import type { EmbeddedServer } from '../../embedded/server.ts';
import { Supervised } from '../../embedded/supervised.ts';

/** Postgres and Redis for a stack: those that are configured, or embedded ones. */
export interface Storage {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Null where a server was configured. */
  readonly postgres: Supervised | null;
  readonly redis: Supervised | null;
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
  /** How the embedded servers are started, where not as usual. */
  readonly postgres?: Partial<PostgresOptions> | undefined;
  readonly redis?: Partial<RedisOptions> | undefined;
}

export async function startStorage(options: StorageOptions): Promise<Storage> {
  mkdirSync(options.dataDir, { recursive: true });
  let postgres: Supervised | null = null;
  let redis: Supervised | null = null;
  const stop = async (): Promise<void> => {
    await redis?.stop();
    await postgres?.stop();
  };
  try {
    if (options.databaseUrl === undefined) {
      const common = { dataDir: join(options.dataDir, 'postgres'), ...options.postgres };
      postgres = await Supervised.start(before => startPostgres({ ...common, ...portOf(before) }));
    }
    if (options.redisUrl === undefined) {
      const common = { dataDir: join(options.dataDir, 'redis'), ...options.redis };
      redis = await Supervised.start(before => startRedis({ ...common, ...accessOf(before) }));
    }
    const serverUrl = postgres?.url ?? options.databaseUrl ?? '';
    await makeDatabase(serverUrl, options.database, options.dropPrefix);
    const databaseUrl = new URL(serverUrl);
    databaseUrl.pathname = `/${options.database}`;
    return {
      databaseUrl: databaseUrl.href,
      redisUrl: redis?.url ?? options.redisUrl ?? '',
      postgres,
      redis,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function portOf(before: EmbeddedServer | null): { readonly port?: number } {
  return before === null ? {} : { port: before.port };
}

/** Postgres keeps its password in its cluster; a Redis is told the one that its clients know. */
function accessOf(before: EmbeddedServer | null): { readonly port?: number; readonly password?: string } {
  return before === null ? {} : { port: before.port, password: new URL(before.url).password };
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
