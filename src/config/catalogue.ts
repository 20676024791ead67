import * as parse from './parse.ts';

/** One setting of the switch, as an environment variable. */
export interface Setting<T> {
  readonly env: string;
  readonly group: 'Counterparts' | 'Listeners' | 'Identity' | 'Time' | 'Bounds' | 'Behaviour' | 'Logs';
  /** '' for a text or a word. */
  readonly unit: string;
  /** Null: required. */
  readonly fallback: string | null;
  /** What the reference says when the default is worked out from other settings. */
  readonly fallbackText?: string;
  /** Carries a password or a key: its value is never repeated. */
  readonly secret?: true;
  /** What it is, and what follows from changing it. */
  readonly about: string;
  readonly parse: parse.Parser<T>;
}

function setting<T>(one: Setting<T>): Setting<T> {
  return one;
}

const ms = (least: number, most: number) => parse.wholeNumber(least, most);

/** Every setting. `docs/reference/settings.md` is generated from this (`settingsMarkdown`). */
export const catalogue = {
  databaseUrl: setting({
    env: 'DATABASE_URL',
    group: 'Counterparts',
    unit: '',
    fallback: null,
    secret: true,
    about:
      'Postgres: journal, registry, link profiles, keys under the LMK. Start refuses a server that does not flush what it commits.',
    parse: parse.url('postgres', 'postgresql'),
  }),
  redisUrl: setting({
    env: 'REDIS_URL',
    group: 'Counterparts',
    unit: '',
    fallback: null,
    secret: true,
    about: 'Redis: projection of the registry, limits, hints. Never the only copy of anything that concerns money.',
    parse: parse.url('redis', 'rediss'),
  }),
  hsmUrl: setting({
    env: 'HSM_URL',
    group: 'Counterparts',
    unit: '',
    fallback: null,
    about: 'The payment HSM (payShield host commands over TCP), `tcp://host:port`.',
    parse: parse.text(/^tcp:\/\/(\[[0-9A-Fa-f:]+\]|[^/:\s]+):\d{1,5}\/?$/, 'tcp://host:port'),
  }),
  redisPrefix: setting({
    env: 'REDIS_PREFIX',
    group: 'Counterparts',
    unit: '',
    fallback: 'acquirer',
    about: 'First part of every key in Redis. Two installations on one Redis need two prefixes.',
    parse: parse.text(/^[A-Za-z0-9:_-]{1,40}$/, '1 to 40 letters, digits, colons, dashes or underscores'),
  }),
  postgresConnections: setting({
    env: 'POSTGRES_CONNECTIONS',
    group: 'Counterparts',
    unit: 'connections',
    fallback: '16',
    about:
      'Connections of this process to Postgres, those of the journal included. With fewer than 16 a CLOSE may wait for what else the journal writes; more hardly helps: commits go in groups.',
    parse: parse.wholeNumber(4, 200),
  }),
  hsmConnections: setting({
    env: 'HSM_CONNECTIONS',
    group: 'Counterparts',
    unit: 'connections',
    fallback: '4',
    about: 'Connections of this process to the HSM. A real HSM allows 64 or 128 in all, shared by every process.',
    parse: parse.wholeNumber(1, 64),
  }),
  hsmTimeoutMs: setting({
    env: 'HSM_TIMEOUT_MS',
    group: 'Counterparts',
    unit: 'ms',
    fallback: '5000',
    about: 'How long an HSM command that belongs to no request may take. Commands of a request end with its budget.',
    parse: ms(100, 60_000),
  }),
  redisTimeoutMs: setting({
    env: 'REDIS_TIMEOUT_MS',
    group: 'Counterparts',
    unit: 'ms',
    fallback: '200',
    about: 'How long one Redis command may take. After it admission goes to Postgres, at a bounded rate.',
    parse: ms(10, 10_000),
  }),

  terminalListen: setting({
    env: 'TERMINAL_LISTEN',
    group: 'Listeners',
    unit: 'host:port',
    fallback: '127.0.0.1:9000',
    about: 'Where terminals connect over TCP. Port 0 takes a free one.',
    parse: parse.listen,
  }),
  httpListen: setting({
    env: 'HTTP_LISTEN',
    group: 'Listeners',
    unit: 'host:port',
    fallback: '127.0.0.1:9080',
    about: '`POST /iso8583`, `/livez` and `/readyz`.',
    parse: parse.listen,
  }),
  metricsListen: setting({
    env: 'METRICS_LISTEN',
    group: 'Listeners',
    unit: 'host:port',
    fallback: '127.0.0.1:9464',
    about:
      '`/metrics` for Prometheus, on a server of its own, so that a flood at the front does not blind the operator.',
    parse: parse.listen,
  }),
  allow: setting({
    env: 'ALLOW',
    group: 'Listeners',
    unit: 'names',
    fallback: '',
    about:
      'What start otherwise refuses, by name: `test-lmk` (an HSM under the public test LMK), `simulator-keys` (keys that the seed made), ' +
      '`plain-listeners` (a listener without TLS that other machines can reach). Allow nothing of it where real cards are used.',
    parse: parse.listOf('test-lmk', 'simulator-keys', 'plain-listeners'),
  }),

  workers: setting({
    env: 'WORKERS',
    group: 'Bounds',
    unit: 'processes',
    fallback: '1',
    about:
      'Switch processes that share the ports; `--workers N` on the command line goes before it. The n-th serves its metrics at the port of METRICS_LISTEN plus n - 1, and has its number behind NODE_NAME. Each has its own connections to Postgres, the HSM and the banks. It pays where there are more cores than two: what is not the switch needs one.',
    parse: parse.wholeNumber(1, 64),
  }),

  nodeName: setting({
    env: 'NODE_NAME',
    group: 'Identity',
    unit: '',
    fallback: 'switch',
    about: 'Names this process in logs and in the list of owners. It need not be unique: the owner epoch is.',
    parse: parse.text(/^[A-Za-z0-9._-]{1,63}$/, '1 to 63 letters, digits, dots, dashes or underscores'),
  }),
  acquirerId: setting({
    env: 'ACQUIRER_ID',
    group: 'Identity',
    unit: 'n..11',
    fallback: '00000000',
    about: 'DE32 of answers for which no link was chosen. Many terminals print it.',
    parse: parse.text(/^\d{1,11}$/, '1 to 11 digits'),
  }),
  timeZoneMinutes: setting({
    env: 'TIME_ZONE',
    group: 'Identity',
    unit: '±hh:mm',
    fallback: '+08:00',
    about:
      'Offset from UTC of the local time in DE12 and DE13 and of the business date. Fixed, so that no change of clocks ever makes a date twice.',
    parse: parse.utcOffset,
  }),

  requestBudgetMs: setting({
    env: 'REQUEST_BUDGET_MS',
    group: 'Time',
    unit: 'ms',
    fallback: '50000',
    about:
      'From the last byte of a request to its answer. One deadline, passed down. Must exceed every link timeout and stay below TERMINAL_WAIT_MS, or the terminal reverses what was just approved.',
    parse: ms(1_000, 600_000),
  }),
  terminalWaitMs: setting({
    env: 'TERMINAL_WAIT_MS',
    group: 'Time',
    unit: 'ms',
    fallback: '60000',
    about: 'How long terminals wait for an answer (downloadable parameter 12). Refusals are remembered this long.',
    parse: ms(1_000, 600_000),
  }),
  replayWindowMs: setting({
    env: 'REPLAY_WINDOW_MS',
    group: 'Time',
    unit: 'ms',
    fallback: '',
    fallbackText: '2 × TERMINAL_WAIT_MS',
    about: 'How long a true repeat is given the stored answer; after it, 94.',
    parse: parse.orDerived(ms(1_000, 3_600_000)),
  }),
  leaseMs: setting({
    env: 'LEASE_MS',
    group: 'Time',
    unit: 'ms',
    fallback: '10000',
    about:
      'How long this process may be silent before a sibling fences it and takes over its open transactions. Shorter recovers sooner and mistakes a long pause for death.',
    parse: ms(1_000, 300_000),
  }),
  drainMs: setting({
    env: 'DRAIN_MS',
    group: 'Time',
    unit: 'ms',
    fallback: '20000',
    about:
      'On SIGTERM: how long requests in flight may still be answered. What is left then is recovered by a sibling or the next start. Keep it below the grace time of the supervisor (30 s in Kubernetes).',
    parse: ms(0, 600_000),
  }),
  idleTimeoutMs: setting({
    env: 'IDLE_TIMEOUT_MS',
    group: 'Time',
    unit: 'ms',
    fallback: '180000',
    about:
      'A terminal connection on which no complete message came for this long is closed, also when bytes dribble in. Terminals that keep a connection send an echo more often.',
    parse: ms(1_000, 86_400_000),
  }),

  maxConnections: setting({
    env: 'MAX_CONNECTIONS',
    group: 'Bounds',
    unit: 'connections',
    fallback: '10000',
    about:
      'Terminal connections of this process; one more is accepted, counted and closed. Needs as many file descriptors.',
    parse: parse.wholeNumber(1, 1_000_000),
  }),
  maxInFlight: setting({
    env: 'MAX_IN_FLIGHT',
    group: 'Bounds',
    unit: 'requests',
    fallback: '2000',
    about:
      'Requests without an answer in this process; one more is answered 96. As many reversals and advices are served beside them.',
    parse: parse.wholeNumber(1, 1_000_000),
  }),
  maxInFlightPerConnection: setting({
    env: 'MAX_IN_FLIGHT_PER_CONNECTION',
    group: 'Bounds',
    unit: 'requests',
    fallback: '4',
    about: 'Requests without an answer on one terminal connection; beyond it the connection is not read.',
    parse: parse.wholeNumber(1, 1_000),
  }),
  maxFrameBytes: setting({
    env: 'MAX_FRAME_BYTES',
    group: 'Bounds',
    unit: 'bytes',
    fallback: '4096',
    about:
      'The longest message a terminal may send, its length prefix excluded. A longer one closes the connection; over HTTP, 413.',
    parse: parse.wholeNumber(256, 65_535),
  }),
  admissionFallbackPerSecond: setting({
    env: 'ADMISSION_FALLBACK_PER_SECOND',
    group: 'Bounds',
    unit: 'requests/s',
    fallback: '200',
    about: 'Admissions that go to Postgres while Redis is away; beyond it, 96.',
    parse: parse.wholeNumber(0, 100_000),
  }),
  httpRequestsPerMinute: setting({
    env: 'HTTP_REQUESTS_PER_MINUTE',
    group: 'Bounds',
    unit: 'requests/min',
    fallback: '600',
    about: 'Requests of one address to the public routes; beyond it, 429. 0 switches it off (benches).',
    parse: parse.wholeNumber(0, 10_000_000),
  }),

  tpduAnswer: setting({
    env: 'TPDU_ANSWER',
    group: 'Behaviour',
    unit: '',
    fallback: 'swap',
    about:
      'Whether the TPDU of an answer has destination and source swapped, or is the request’s. Terminals accept both.',
    parse: parse.oneOf('swap', 'echo'),
  }),
  httpTrustProxy: setting({
    env: 'HTTP_TRUST_PROXY',
    group: 'Behaviour',
    unit: 'addresses',
    fallback: '',
    about:
      'Proxies (addresses or networks) whose X-Forwarded-For names the client that the rate limit counts. Empty: the peer itself is the client.',
    parse: parse.textList(/^[0-9A-Fa-f:.]+(\/\d{1,3})?$/, 'addresses or networks, separated by commas'),
  }),

  standIn: setting({
    env: 'STAND_IN',
    group: 'Behaviour',
    unit: 'on/off',
    fallback: 'off',
    about:
      'On: while no link to its bank is up, a purchase without a PIN is approved here up to the floor of its merchant, and told to the bank as an advice. What the bank then refuses is the acquirer’s loss, and a case.',
    parse: parse.onOff,
  }),
  voidDays: setting({
    env: 'VOID_DAYS',
    group: 'Behaviour',
    unit: 'business days',
    fallback: '0',
    about:
      'How many business days after its original a void or an adjustment is taken; beyond it, 22. A void always belongs to the batch of its original.',
    parse: parse.wholeNumber(0, 30),
  }),
  refundDays: setting({
    env: 'REFUND_DAYS',
    group: 'Behaviour',
    unit: 'business days',
    fallback: '180',
    about: 'How many business days after its original a refund is taken; beyond it, 22.',
    parse: parse.wholeNumber(0, 3_650),
  }),
  preAuthorisationDays: setting({
    env: 'PRE_AUTHORISATION_DAYS',
    group: 'Behaviour',
    unit: 'business days',
    fallback: '30',
    about:
      'How long a pre-authorisation may be completed or voided; beyond it, 22. Issuers release holds on their own after about as long.',
    parse: parse.wholeNumber(0, 365),
  }),
  completionMaxPercent: setting({
    env: 'COMPLETION_MAX_PERCENT',
    group: 'Behaviour',
    unit: '%',
    fallback: '115',
    about: 'How much of what is held a completion may take; beyond it, 61.',
    parse: parse.wholeNumber(100, 1_000),
  }),
  adjustmentMaxPercent: setting({
    env: 'ADJUSTMENT_MAX_PERCENT',
    group: 'Behaviour',
    unit: '%',
    fallback: '20',
    about: 'By how much a tip or an adjustment may raise its original; beyond it, 61.',
    parse: parse.wholeNumber(0, 1_000),
  }),

  logLevel: setting({
    env: 'LOG_LEVEL',
    group: 'Logs',
    unit: '',
    fallback: 'info',
    about: '`warn` and above leave out the line per transaction.',
    parse: parse.oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  }),
  logTransactions: setting({
    env: 'LOG_TRANSACTIONS',
    group: 'Logs',
    unit: 'on/off',
    fallback: 'on',
    about: 'One line per transaction, with a masked card number. Off: only counters tell of them.',
    parse: parse.onOff,
  }),
  logAsync: setting({
    env: 'LOG_ASYNC',
    group: 'Logs',
    unit: 'on/off',
    fallback: 'off',
    about: 'Log lines are gathered and written together: faster, and the last few are lost when the process is killed.',
    parse: parse.onOff,
  }),
} as const;
