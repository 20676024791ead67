/**
 * The composition root: settings, parts, listeners, drain, end. Nothing else is wired elsewhere.
 */

import cluster from 'node:cluster';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { Banks } from './banks/banks.ts';
import type { LinkEvent } from './banks/link.ts';
import { connectTcp } from './banks/tcp.ts';
import { type Config, loadConfig } from './config.ts';
import { hsmAddress } from './hsm/options.ts';
import { HsmPool } from './hsm/pool.ts';
import { TerminalCrypto } from './hsm/terminal-crypto.ts';
import { HsmZoneCrypto } from './hsm/zone-crypto.ts';
import { createHttp } from './http/app.ts';
import { createMetricsServer } from './http/metrics-server.ts';
import { Journal } from './journal/journal.ts';
import { migrate } from './postgres/migrate.ts';
import { createPool } from './postgres/pool.ts';
import { rooms } from './postgres/rooms.ts';
import { createRedis } from './registry/redis.ts';
import { Registry } from './registry/registry.ts';
import { checkHsm, checkPostgres, loadDirectory, openVault, StartRefused } from './start-checks.ts';
import { Calendar } from './switch/calendar.ts';
import { MessageKeys } from './switch/message-keys.ts';
import { Numbers } from './switch/numbers.ts';
import type { Clock, Observer, Random, Timers } from './switch/ports.ts';
import { Switch } from './switch/switch.ts';
import { createDoorMeters } from './telemetry/door.ts';
import { createLogs, type Logger, type Logs } from './telemetry/logs.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createObserver } from './telemetry/observer.ts';
import { createRoomMeters, type RoomMeters } from './telemetry/rooms.ts';
import { handleBody } from './terminals/body.ts';
import { Door } from './terminals/door.ts';
import { Listener } from './terminals/listener.ts';
import { runWorkers } from './workers.ts';

// What a transaction leaves behind is little and short-lived: threads that share the collecting of it cost more than they
// save (docs/performance.md).
setFlagsFromString('--no-parallel-scavenge');
// With 10,000 terminals at its door a switch would otherwise hold far more than it uses before all of it is collected (the same).
setFlagsFromString('--heap-growing-percent=50');

const clock: Clock = { nowMs: Date.now };
const timers: Timers = {
  after(delayMs, run) {
    // By way of an immediate: after a pause of the process, answers that are already here are read before the deadlines
    // of their requests are called.
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      immediate = setImmediate(run);
    }, delayMs);
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};
const random: Random = { next: Math.random };

/** What is not worth a setting: of each, any value in a wide range works as well. */
const gaugesMs = 1000;
const backlogMs = 5000;
const statementTimeoutMs = 10_000;
const refusalsRemembered = 100_000;
const closingReserveMs = 500;
const lastWritesMs = 2000;

/** Ends in reverse order of the starts, each once, whatever the one before did. */
class Ends {
  readonly #ends: (() => unknown)[] = [];

  add(end: () => unknown): void {
    this.#ends.push(end);
  }

  async run(log: Logger): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end();
      } catch (error) {
        log.error({ err: error }, 'a part did not end in order');
      }
    }
  }
}

/** A process that serves. */
interface Running {
  readonly listening: object;
  /** Accepts no more and lets what is under way come to its end, for as long as `DRAIN_MS`. */
  drain(): Promise<void>;
}

async function start(config: Config, logs: Logs, ends: Ends, onFenced: () => void): Promise<Running> {
  const { log } = logs;
  const metrics = createMetrics();
  const roomMeters = createRoomMeters(metrics.meters, log);

  // What keeps things: Postgres, the HSM and the keys it opens, Redis.
  const onIdleError = (error: Error): void => log.warn({ err: error }, 'Postgres connection lost');
  const poolOf = (name: string, max: number) => {
    const applicationName = `acquirer-switch ${config.nodeName} ${name}`;
    const pool = createPool(config.databaseUrl, {
      ...{ max, applicationName, statementTimeoutMs, onIdleError },
      // Well within the lease: when a sibling comes to fence this process, nothing of it may still hold a lock.
      idleInTransactionMs: Math.ceil(config.leaseMs / 3),
    });
    ends.add(() => pool.end());
    return pool;
  };
  // The journal's own, so that a slow look-up elsewhere never stands before a CLOSE; and what it projects and counts
  // stands before neither.
  const forReading = Math.ceil(config.postgresConnections * 0.15);
  const forJournal = Math.ceil((config.postgresConnections - forReading) * 0.6);
  const journalPool = poolOf('journal', forJournal);
  const readingPool = poolOf('reading', forReading);
  const pool = poolOf('registry', config.postgresConnections - forReading - forJournal);
  await checkPostgres(pool);
  await migrate(pool, rooms);

  const address = hsmAddress(config.hsmUrl);
  if (address === null) throw new StartRefused('HSM_URL: must be tcp://host:port');
  const hsm: HsmPool = new HsmPool({
    ...address,
    connections: config.hsmConnections,
    defaultTimeoutMs: config.hsmTimeoutMs,
    clock,
    onCommand: roomMeters.hsm.onCommand,
    onConnection: roomMeters.hsm.onConnection,
  });
  ends.add(() => hsm.close());
  await checkHsm(hsm, config);
  const vault = await openVault(pool, hsm);
  const { links, routes } = await loadDirectory(pool, hsm, config);

  const journal = await Journal.start({
    pool: journalPool,
    readingPool,
    node: config.nodeName,
    leaseMs: config.leaseMs,
    ...roomMeters.journal,
    onFenced,
  });
  ends.add(async () => {
    await journal.flush();
    journal.stop();
  });
  const redis = createRedis(config.redisUrl);
  redis.on('error', error => log.warn({ err: error }, 'Redis'));
  ends.add(() => redis.disconnect());
  const registry = new Registry({
    pool,
    redis,
    prefix: config.redisPrefix,
    clock,
    redisTimeoutMs: config.redisTimeoutMs,
    awayAdmissionsPerSecond: config.admissionFallbackPerSecond,
    replayWindowMs: config.replayWindowMs,
    leakAgeMs: config.requestBudgetMs + 10_000,
    reservationsOf: (merchantId, businessDate) => journal.reservationsOf(merchantId, businessDate),
    onEvent: roomMeters.registry.onEvent,
  });
  ends.add(() => registry.close());

  // The core, between the back door and the street door.
  const calendar = new Calendar(clock, config.timeZoneMinutes);
  const keys = new MessageKeys(calendar, new Numbers(journal));
  const banks = new Banks({
    profiles: links,
    clock,
    timers,
    random,
    connect: connectTcp,
    crypto: new HsmZoneCrypto(hsm),
    nextKey: async link => {
      const key = await keys.next(link);
      return key === null ? null : { stan: key.stan, transmissionAt: key.moment.transmissionAt };
    },
    onEvent: (link, event) => onLinkEvent(link, event, roomMeters, log),
    onRequest: roomMeters.links.onRequest,
  });
  const toTelemetry = createObserver(metrics.meters, log, config.logTransactions ? logs.transaction : null);
  const observer: Observer = {
    on(event) {
      toTelemetry.on(event);
      if (event.event === 'fenced') onFenced();
    },
  };
  const core = new Switch({
    clock,
    timers,
    random,
    calendar,
    keys,
    registry,
    hsm: new TerminalCrypto(hsm),
    banks,
    journal,
    vault,
    observer,
    links,
    routes,
    settings: {
      replayWindowMs: config.replayWindowMs,
      closingReserveMs,
      maxInFlight: config.maxInFlight,
      terminalWaitMs: config.terminalWaitMs,
      refusalsRemembered,
      standIn: config.standIn,
      voidDays: config.voidDays,
      refundDays: config.refundDays,
      preAuthorisationDays: config.preAuthorisationDays,
      completionMaxPercent: config.completionMaxPercent,
      adjustmentMaxPercent: config.adjustmentMaxPercent,
      owedPollMs: 500,
      recoveryPollMs: Math.max(250, config.leaseMs / 10),
    },
  });
  banks.start();
  // What waits for a bank ends with the links, and still has its CLOSE to write.
  ends.add(() => core.drain(lastWritesMs));
  ends.add(() => banks.stop());
  await core.start();
  ends.add(() => core.stop());

  // The doors.
  const door = new Door({
    tpduAnswer: config.tpduAnswer,
    acquirerId: config.acquirerId,
    requestBudgetMs: config.requestBudgetMs,
    clock,
    core,
    observer: createDoorMeters(metrics.meters, log),
  });
  let draining = false;
  const http = await createHttp(
    {
      maxBodyBytes: config.maxFrameBytes + 2,
      requestsPerMinute: config.httpRequestsPerMinute,
      trustProxy: config.httpTrustProxy,
      maxConnections: config.maxConnections,
    },
    {
      iso8583: (body, remote) => handleBody(door, body, remote),
      async ready() {
        const postgres = await pool.query('SELECT 1').then(
          () => true,
          () => false,
        );
        const checks = {
          postgres,
          redis: redis.status === 'ready',
          hsm: hsm.isUp,
          links: banks.states().some(({ state }) => state === 'up'),
          recovery: true,
        };
        // Without Redis this process still serves, at a bounded rate: it is not taken out for that.
        return { ready: !draining && postgres && checks.hsm && checks.links, checks };
      },
      onError: error => log.error({ err: error }, 'HTTP'),
    },
  );
  const metricsServer = createMetricsServer(metrics);
  ends.add(() => metricsServer.close());
  const gauges = setInterval(() => {
    for (const { link, inFlight } of banks.states()) roomMeters.links.onInFlight(link, inFlight);
  }, gaugesMs);
  const backlog = setInterval(async () => {
    const now = await journal.backlog();
    if (now !== null) roomMeters.storeAndForward.onBacklog(now.owed, now.cases);
  }, backlogMs);
  ends.add(() => {
    clearInterval(gauges);
    clearInterval(backlog);
  });
  const listener = await Listener.listen({
    ...config.terminalListen,
    door,
    clock,
    timers,
    maxFrameBytes: config.maxFrameBytes,
    maxInFlightPerConnection: config.maxInFlightPerConnection,
    idleTimeoutMs: config.idleTimeoutMs,
    maxConnections: config.maxConnections,
  });
  ends.add(() => listener.close());
  ends.add(() => http.close());
  const listening = {
    terminals: `${config.terminalListen.host}:${listener.port}`,
    http: await http.listen(config.httpListen),
    // Of this process alone, also where it is one of several workers.
    metrics: await metricsServer.listen({ ...config.metricsListen, exclusive: true }),
    ownerEpoch: journal.ownerEpoch,
    pid: process.pid,
  };

  return {
    listening,
    async drain() {
      draining = true;
      const grace = new Promise<void>(resume => timers.after(config.drainMs, resume));
      await Promise.race([grace, Promise.all([listener.drain(config.drainMs), http.close()])]);
      await core.drain(config.drainMs);
    },
  };
}

function onLinkEvent(link: string, event: LinkEvent, { links }: RoomMeters, log: Logger): void {
  switch (event.event) {
    case 'state':
      if (event.state !== 'starting') links.onState(link, event.state === 'up');
      log.info({ link, state: event.state, reason: event.reason }, 'link state');
      return;
    case 'keys':
      links.onEvent(link, 'keys');
      log.info({ link, generation: event.generation }, 'link has new keys');
      return;
    case 'stray':
      links.onEvent(link, event.what);
      // Late answers come in crowds and are told of by the core; what is wrong in itself is worth a line each.
      if (event.what !== 'unmatched') log.warn({ link, what: event.what }, 'a message of the bank was consumed');
      return;
  }
}

/** Settings as the environment and the command line give them; null, and why on standard error, when they are no good. */
function settings(): Config | null {
  let asked: string | undefined;
  try {
    asked = parseArgs({ options: { workers: { type: 'string' } } }).values.workers;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return null;
  }
  const loaded = loadConfig(asked === undefined ? process.env : { ...process.env, WORKERS: asked });
  if (loaded.kind === 'loaded') return loaded.config;
  process.stderr.write(`${loaded.message}\n`);
  return null;
}

/** The first of several processes: it serves nothing itself. */
async function supervise(config: Config): Promise<void> {
  const { nodeName, metricsListen, workers } = config;
  const logs = createLogs({ level: config.logLevel, node: nodeName, asynchronous: false });
  const { host, port } = metricsListen;
  const metrics = (number: number): string => {
    const name = host.includes(':') ? `[${host}]` : host;
    return `${name}:${port === 0 ? 0 : port + number}`;
  };
  process.exitCode = await runWorkers({
    workers,
    env: number => ({
      NODE_NAME: `${nodeName}-${number + 1}`,
      METRICS_LISTEN: metrics(number),
    }),
    onRestart: (number, status) => logs.log.error({ worker: number + 1, status }, 'a worker ended: another is started'),
  });
  await logs.close();
  process.exit();
}

/** Exit statuses: 0 ended in order, 1 fenced or a bug, 2 the start was refused. */
async function main(): Promise<void> {
  const config = settings();
  if (config === null) {
    process.exitCode = 2;
    return;
  }
  if (cluster.isPrimary && config.workers > 1) return supervise(config);
  const logs = createLogs({ level: config.logLevel, node: config.nodeName, asynchronous: config.logAsync });
  const { log } = logs;
  const ends = new Ends();
  let ending: Promise<void> | null = null;
  const end = (status: number, drain: () => Promise<void>): Promise<void> => {
    ending ??= (async () => {
      process.exitCode = status;
      await drain();
      await ends.run(log);
      log.info({ status }, 'ended');
      await logs.close();
      // Whatever timer or socket is left has nothing to do any more.
      process.exit();
    })();
    return ending;
  };
  const nothing = async (): Promise<void> => {};
  const crash = (error: unknown): void => {
    log.fatal({ err: error }, 'a bug: this process ends, and what it left open is recovered');
    void end(1, nothing);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  let drain = nothing;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'draining');
      void end(0, () => drain());
    });
  }
  try {
    const running = await start(config, logs, ends, () => void end(1, nothing));
    drain = () => running.drain();
    // Told to end while it was starting: what came up since the ends were run is ended too.
    if (ending !== null) await ends.run(log);
    else log.info(running.listening, 'ready');
  } catch (error) {
    if (error instanceof StartRefused) process.stderr.write(`${error.message}\n`);
    else log.fatal({ err: error }, 'the start failed');
    await end(2, nothing);
  }
}

await main();
