import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresOptions } from '../../embedded/postgres.ts';
import type { RedisOptions } from '../../embedded/redis.ts';
import { freePort } from '../../embedded/server.ts';
import type { Supervised } from '../../embedded/supervised.ts';
import { seed, seedDefaults } from '../seed.ts';
import { Child } from './child.ts';
import { startStorage } from './storage.ts';

export interface StackOptions {
  /** Everything of this run goes below it. */
  readonly dataDir: string;
  /** Names the run: its folder, its database, its prefix in Redis. Lower-case letters, digits, underscores. */
  readonly run: string;
  readonly switches: number;
  readonly terminals: number;
  /** Workers that share the ports of each switch; 1 when absent. */
  readonly workers?: number | undefined;
  /** A Postgres to make a database on, and a Redis; embedded ones when absent. */
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  /** Databases of earlier runs whose names begin so are dropped. */
  readonly dropPrefix?: string | undefined;
  /** How long a link waits for the bank, ms. */
  readonly bankTimeoutMs?: number | undefined;
  /** Given the folder of this run. */
  readonly bankArgs?: readonly string[] | ((folder: string) => readonly string[]) | undefined;
  /** Settings of the switch processes over those of a demo. */
  readonly switchEnv?: Readonly<Record<string, string>> | undefined;
  /** Options of Node for a process: profiling. */
  readonly nodeArgs?: ((process: 'switch' | 'hsm' | 'bank') => readonly string[]) | undefined;
  /** How the embedded servers are started, where not as usual. */
  readonly postgres?: Partial<PostgresOptions> | undefined;
  readonly redis?: Partial<RedisOptions> | undefined;
  /** What stands between the switches and the bank: given the bank's port, the port that switches dial. */
  readonly wayToBank?: ((bankPort: number) => Promise<number>) | undefined;
  readonly onStep?: ((what: string) => void) | undefined;
}

/** One switch process and where it listens. */
export interface SwitchProcess {
  /** Its NODE_NAME. */
  readonly name: string;
  readonly child: Child;
  /** HOST:PORT for terminals. */
  readonly terminals: string;
  readonly httpUrl: string;
  readonly metricsUrl: string;
}

export interface Stack {
  readonly databaseUrl: string;
  readonly hsmUrl: string;
  readonly hsm: Child;
  readonly bank: Child;
  /** Null where a server was configured. */
  readonly postgres: Supervised | null;
  readonly redis: Supervised | null;
  /** The bank's control, `http://127.0.0.1:PORT`. */
  readonly bankControlUrl: string;
  readonly folder: string;
  readonly bookFile: string;
  readonly terminalsFile: string;
  readonly cardsFile: string;
  /** Where a fleet of this run keeps its records. */
  readonly recordsFile: string;
  readonly switches: readonly SwitchProcess[];
  /** How long terminals wait for an answer in this stack, ms. */
  readonly terminalWaitMs: number;
  /** The switches drain, then the bank and the HSM end; the books can still be read. */
  stopProcesses(): Promise<void>;
  /** All of it, Postgres and Redis last. */
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const terminalWaitMs = 6000;
/** As `npm start` and the container image start a switch. */
const asStarted = ['--max-semi-space-size=32'];

/** Times of a demo: short, so that silence of the bank and its reversal are seen within seconds. */
const demoSettings = {
  ALLOW: 'test-lmk,simulator-keys',
  TERMINAL_WAIT_MS: String(terminalWaitMs),
  REQUEST_BUDGET_MS: '5000',
  HSM_TIMEOUT_MS: '2000',
  LEASE_MS: '3000',
  DRAIN_MS: '8000',
  // The load comes from one address.
  HTTP_REQUESTS_PER_MINUTE: '0',
  LOG_ASYNC: 'on',
};

/**
 * A whole acquirer of real processes on this machine: Postgres and Redis, the HSM simulator, the bank simulator, and
 * switches, each on ports of its own, on the loopback interface. Used by the demo, the tests and the benchmarks.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const step = options.onStep ?? (() => {});
  const nodeArgs = options.nodeArgs ?? (() => []);
  const folder = join(options.dataDir, options.run);
  const logFolder = join(folder, 'logs');
  mkdirSync(logFolder, { recursive: true });
  const storageStops: (() => Promise<void>)[] = [];
  const processes: Child[] = [];
  const stopProcesses = async (): Promise<void> => {
    const switches = processes.splice(2);
    await Promise.all(switches.map(child => child.stop()));
    await Promise.all(processes.splice(0).map(child => child.stop()));
  };
  const stop = async (): Promise<void> => {
    await stopProcesses();
    for (const stopStorage of storageStops.splice(0)) await stopStorage();
  };
  const launch = (child: Child): Child => {
    processes.push(child);
    return child;
  };
  try {
    step('Postgres and Redis');
    const storage = await startStorage({ ...options, database: options.run });
    storageStops.push(storage.stop);

    step('HSM simulator');
    const hsmArgs = ['--port', String(await freePort()), '--lmk', 'test'];
    const hsm = launch(
      new Child({
        ...{ name: 'hsm-sim', script: 'hsm-sim/main.js', args: hsmArgs, nodeArgs: nodeArgs('hsm') },
        ...{ logFolder, supervised: true },
      }),
    );
    const hsmUrl = `tcp://${await hsm.start(line => text(line.listening))}`;

    step('keys, merchants and terminals');
    const bankPort = await freePort();
    const dialledPort = (await options.wayToBank?.(bankPort)) ?? bankPort;
    const seeded = await seed({
      ...seedDefaults,
      databaseUrl: storage.databaseUrl,
      hsmUrl,
      terminals: options.terminals,
      merchants: Math.min(seedDefaults.merchants, options.terminals),
      outDir: folder,
      links: [{ name: 'bank', host, port: dialledPort }],
      bankTimeoutMs: options.bankTimeoutMs ?? 2000,
    });

    step('bank simulator');
    const bookFile = join(folder, 'bank-book.jsonl');
    const bankArgs = ['--port', String(bankPort), '--cards', seeded.cardsFile];
    const bank = launch(
      new Child({
        name: 'bank-sim',
        script: 'src/simulators/bank/main.js',
        nodeArgs: nodeArgs('bank'),
        args: [
          ...bankArgs,
          '--control-port',
          String(await freePort()),
          '--book',
          bookFile,
          ...(typeof options.bankArgs === 'function' ? options.bankArgs(folder) : (options.bankArgs ?? [])),
        ],
        logFolder,
        supervised: true,
      }),
    );
    const control = await bank.start(line => (line.listening === undefined ? undefined : text(line.control)));

    step(`${options.switches} switch processes`);
    const startSwitch = async (name: string): Promise<SwitchProcess> => {
      const [terminalPort, httpPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
      const child = new Child({
        name,
        script: 'src/main.js',
        nodeArgs: [...asStarted, ...nodeArgs('switch')],
        env: {
          ...demoSettings,
          DATABASE_URL: storage.databaseUrl,
          REDIS_URL: storage.redisUrl,
          REDIS_PREFIX: options.run,
          HSM_URL: hsmUrl,
          TERMINAL_LISTEN: `${host}:${terminalPort}`,
          HTTP_LISTEN: `${host}:${httpPort}`,
          METRICS_LISTEN: `${host}:${metricsPort}`,
          NODE_NAME: name,
          WORKERS: String(options.workers ?? 1),
          ...options.switchEnv,
        },
        logFolder,
        supervised: true,
      });
      launch(child);
      await child.start(line => (line.msg === 'ready' ? true : undefined));
      return {
        name,
        child,
        terminals: `${host}:${terminalPort}`,
        httpUrl: `http://${host}:${httpPort}`,
        metricsUrl: `http://${host}:${metricsPort}`,
      };
    };
    const names = Array.from({ length: options.switches }, (_, i) => `switch-${i + 1}`);
    const switches = await Promise.all(names.map(startSwitch));
    return {
      databaseUrl: storage.databaseUrl,
      hsmUrl,
      hsm,
      bank,
      postgres: storage.postgres,
      redis: storage.redis,
      bankControlUrl: `http://${control}`,
      folder,
      bookFile,
      terminalsFile: seeded.terminalsFile,
      cardsFile: seeded.cardsFile,
      recordsFile: join(folder, 'terminal-records.jsonl'),
      switches,
      terminalWaitMs,
      stopProcesses,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
