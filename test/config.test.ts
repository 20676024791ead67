import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { catalogue } from '../src/config/catalogue.ts';
import { linkTimeoutProblem, loadConfig, settingsMarkdown } from '../src/config.ts';

const required = {
  DATABASE_URL: 'postgres://switch:hunter2@127.0.0.1:5432/switch',
  REDIS_URL: 'redis://:hunter2@127.0.0.1:6379',
  HSM_URL: 'tcp://127.0.0.1:1500',
};

function message(env: Record<string, string | undefined>): string {
  const loaded = loadConfig({ ...required, ...env });
  return loaded.kind === 'bad' ? loaded.message : 'loaded';
}

t.test('defaults', async t => {
  const loaded = loadConfig(required);
  if (loaded.kind === 'bad') return t.fail(loaded.message);
  t.match(loaded.config, {
    hsmUrl: 'tcp://127.0.0.1:1500',
    terminalListen: { host: '127.0.0.1', port: 9000 },
    httpListen: { host: '127.0.0.1', port: 9080 },
    metricsListen: { host: '127.0.0.1', port: 9464 },
    requestBudgetMs: 50_000,
    terminalWaitMs: 60_000,
    replayWindowMs: 120_000,
    timeZoneMinutes: 480,
    leaseMs: 10_000,
    tpduAnswer: 'swap',
    logTransactions: true,
    logAsync: false,
    httpTrustProxy: [],
  });
  t.equal(loaded.config.allow.size, 0);
  t.equal(Object.keys(loaded.config).length, Object.keys(catalogue).length);
});

t.test('what is given is read', async t => {
  const loaded = loadConfig({
    ...required,
    ALLOW: 'test-lmk, plain-listeners',
    TERMINAL_LISTEN: '0.0.0.0:7000',
    HTTP_LISTEN: '[::1]:0',
    TIME_ZONE: '-03:30',
    TERMINAL_WAIT_MS: '70000',
    LOG_ASYNC: 'on',
    LOG_LEVEL: '',
    HTTP_TRUST_PROXY: '10.0.0.0/8,::1',
  });
  if (loaded.kind === 'bad') return t.fail(loaded.message);
  t.same([...loaded.config.allow], ['test-lmk', 'plain-listeners']);
  t.match(loaded.config, {
    terminalListen: { host: '0.0.0.0', port: 7000 },
    httpListen: { host: '::1', port: 0 },
    timeZoneMinutes: -210,
    replayWindowMs: 140_000,
    logAsync: true,
    logLevel: 'info',
    httpTrustProxy: ['10.0.0.0/8', '::1'],
  });
});

t.test('a missing or malformed setting ends the start with one line that names it', async t => {
  for (const name of Object.keys(required)) t.equal(message({ [name]: undefined }), `${name}: is required and missing`);
  const malformed: Record<string, readonly string[]> = {
    DATABASE_URL: ['mysql://hunter2@x/y', 'hunter2'],
    REDIS_URL: ['http://hunter2', 'redis:'],
    HSM_URL: ['127.0.0.1:1500', 'tcp://127.0.0.1'],
    TERMINAL_LISTEN: ['9000', '127.0.0.1:70000', '127.0.0.1:', '::1:9000', ':9000'],
    ALLOW: ['everything', 'test-lmk,,'],
    REQUEST_BUDGET_MS: ['1e4', '-5', '10.5', '999', ' 5000'],
    REPLAY_WINDOW_MS: ['x'],
    TIME_ZONE: ['Asia/Shanghai', '+8', '+14:30', '+08:60'],
    ACQUIRER_ID: ['123456789012', 'abc'],
    TPDU_ANSWER: ['both'],
    LOG_LEVEL: ['verbose'],
    LOG_ASYNC: ['yes'],
    NODE_NAME: ['a b'],
    HTTP_TRUST_PROXY: ['proxy.example'],
    MAX_CONNECTIONS: ['0'],
  };
  for (const [name, texts] of Object.entries(malformed)) {
    for (const text of texts) {
      const loaded = loadConfig({ ...required, [name]: text });
      t.match(loaded, { kind: 'bad', setting: name });
      const found = message({ [name]: text });
      t.ok(found.startsWith(`${name}: must be `), found);
      t.notMatch(found, /\n|hunter2/);
    }
  }
});

t.test('settings that do not go together', async t => {
  t.match(message({ REQUEST_BUDGET_MS: '60000' }), /^REQUEST_BUDGET_MS: must be below TERMINAL_WAIT_MS/);
  t.match(message({ REPLAY_WINDOW_MS: '59999' }), /^REPLAY_WINDOW_MS: must not be below TERMINAL_WAIT_MS/);
  t.match(message({ HSM_TIMEOUT_MS: '50000' }), /^HSM_TIMEOUT_MS: must be below REQUEST_BUDGET_MS/);
  t.match(message({ REQUEST_BUDGET_MS: '6000', REDIS_TIMEOUT_MS: '6000' }), /^REDIS_TIMEOUT_MS: must be below/);
  t.match(message({ IDLE_TIMEOUT_MS: '50000' }), /^IDLE_TIMEOUT_MS: must exceed REQUEST_BUDGET_MS/);
  for (const name of ['TERMINAL_LISTEN', 'HTTP_LISTEN', 'METRICS_LISTEN']) {
    t.match(message({ [name]: '0.0.0.0:1' }), new RegExp(`^${name}: 0.0.0.0 is not loopback.*ALLOW=plain-listeners$`));
    t.equal(message({ [name]: '0.0.0.0:1', ALLOW: 'plain-listeners' }), 'loaded');
    t.equal(message({ [name]: '127.1.2.3:1' }), 'loaded');
  }
  const config = { requestBudgetMs: 50_000 };
  t.equal(linkTimeoutProblem(config, [{ name: 'bank', timeoutMs: 49_000 }]), null);
  t.match(linkTimeoutProblem(config, [{ name: 'bank', timeoutMs: 49_001 }]), /^REQUEST_BUDGET_MS: .*link bank/);
});

t.test('the reference page is what the catalogue says', async t => {
  const page = 'docs/reference/settings.md';
  if (process.env.UPDATE_DOCS === '1') await writeFile(page, settingsMarkdown());
  t.equal(await readFile(page, 'utf8'), settingsMarkdown());
  for (const { env } of Object.values(catalogue)) t.match(settingsMarkdown(), `\`${env}\``);
});
