import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { type CoreEvent, Pan, Secret } from '../../src/switch/ports.ts';
import { catalogue, metricsMarkdown } from '../../src/telemetry/catalogue.ts';
import { createDoorMeters } from '../../src/telemetry/door.ts';
import { createLogger, createLogs } from '../../src/telemetry/logs.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createObserver } from '../../src/telemetry/observer.ts';
import { createRoomMeters } from '../../src/telemetry/rooms.ts';
import { transactionWriter } from '../../src/telemetry/transaction-line.ts';

const digits = '6224242900000113';
const track = '6224242900000113=28062013949031013';

function capture(level = 'trace') {
  const lines: string[] = [];
  const log = createLogger({ level, node: 'n1' }, { write: line => void lines.push(line) });
  return { lines, log };
}

t.test('card data does not print, whichever way it is logged', async t => {
  const { lines, log } = capture();
  const pan = new Pan(digits);
  const secret = new Secret(track);
  const bytes = Buffer.from(digits);
  const failure = Object.assign(new Error(`no route for ${digits}`, { cause: new Error(`inner ${track}`) }), {
    pan,
    secret,
    detail: `Key (pan)=(${digits}) exists`,
  });
  log.info({ pan, secret, bytes, view: new Uint8Array(bytes), list: [pan, secret, bytes] });
  log.info({ deep: { deeper: { pan, secret, bytes, list: [{ pan, bytes }] } } });
  log.info({ a: { b: { c: { d: { e: { f: bytes } } } } } });
  log.info(pan);
  log.info(secret);
  const format: string = 'with %o and %O and %j and %s and %d';
  log.info({ pan }, format, pan, { pan, secret }, secret, pan, secret);
  log.info(`text ${pan} ${secret} ${digits}`);
  log.error(failure);
  log.error({ err: failure }, 'failed');
  log.error({ other: failure, list: [failure] }, 'failed');
  log.child({ pan, secret }).warn('bound');
  log.warn(
    { request: { pan, track2: secret, macInput: bytes, amountMinor: 1050, reply: () => bytes } },
    'whole request',
  );
  t.equal(lines.length, 12);
  for (const line of lines) {
    t.ok(JSON.parse(line), line);
    t.notMatch(line, /0000011|29000001|2806201|54,50,50,52/, line);
  }
  t.match(lines[0], /622424\*{6}0113/, 'a masked number is there for people');
  t.match(lines[0], /\[secret\].*\[16 bytes\]/);
  t.match(JSON.parse(lines[7] ?? ''), { err: { type: 'Error', message: `no route for ${'*'.repeat(16)}` } });
  t.match(JSON.parse(lines[7] ?? ''), {
    err: { cause: { type: 'Error' }, pan: '622424******0113' },
    level: 'error',
    node: 'n1',
  });
});

t.test('a destination that gathers lines gives them up at the end', async () => {
  const logs = createLogs({ level: 'silent', node: 'n1', asynchronous: true });
  logs.log.info('nothing');
  await logs.close();
  await createLogs({ level: 'silent', node: 'n1', asynchronous: false }).close();
});

const answered: CoreEvent = {
  event: 'answered',
  kind: 'purchase',
  merchantId: '850100082410002',
  terminalId: '10000019',
  trace: '000007',
  rrn: '632600000001',
  pan: new Pan(digits),
  amountMinor: 1050,
  responseCode: '00',
  outcome: 'approved',
  elapsedMs: 42,
  bankMs: 30,
};

t.test('every event of the core is counted, and a transaction is one line', async t => {
  const metrics = createMetrics();
  const { lines, log } = capture('info');
  const transaction = transactionWriter('n1', { write: line => void lines.push(line) });
  const observer = createObserver(metrics.meters, log, transaction);
  observer.on(answered);
  t.equal(lines.length, 1);
  const { time, ...line } = JSON.parse(lines[0] ?? '');
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const { event: _, ...told } = answered;
  t.same(line, { level: 'info', node: 'n1', ...told, pan: '622424******0113', msg: 'transaction' });
  t.ok(lines[0]?.endsWith('}\n'));
  transaction({ ...answered, merchantId: 'a "quoted\\ \n one', rrn: undefined });
  t.match(
    JSON.parse(lines.pop() ?? ''),
    { merchantId: 'a "quoted\\ \n one', rrn: undefined },
    'nothing breaks out of it',
  );
  createObserver(metrics.meters, log, null).on({
    ...answered,
    responseCode: '?!',
    elapsedMs: 70_000,
  });
  t.equal(lines.length, 1, 'switched off, it is counted only');
  for (const event of [
    { event: 'unanswered', kind: 'purchase', reason: 'fenced' },
    { event: 'late-answer', link: 'bank', responseCode: '00', known: true },
    { event: 'message-sent', link: 'bank', kind: 'reversal', txId: 1, tries: 1 },
    { event: 'message-sent', link: 'bank', kind: 'reversal', txId: 1, tries: 2 },
    { event: 'message-ended', link: 'bank', kind: 'reversal', txId: 1, state: 'reversed', tries: 2, reason: '00' },
    {
      event: 'message-ended',
      link: 'bank',
      kind: 'reversal',
      txId: 2,
      state: 'in dispute',
      tries: 9,
      reason: 'too-many-tries',
    },
    { event: 'recovered', epoch: 3, open: 7, elapsedMs: 12 },
    { event: 'fenced' },
    { event: 'close-retried', txId: 4, state: 'approved' },
  ] as const satisfies readonly CoreEvent[]) {
    observer.on(event);
  }
  const text = await metrics.exposition();
  for (const line of [
    'switch_transactions_total{kind="purchase",outcome="approved",code="00"} 1',
    'switch_transactions_total{kind="purchase",outcome="approved",code="other"} 1',
    'switch_transaction_seconds_bucket{le="0.05",kind="purchase",outcome="approved"} 1',
    'switch_transaction_seconds_count{kind="purchase",outcome="approved"} 2',
    'switch_unanswered_total{kind="purchase",reason="fenced"} 1',
    'switch_link_late_answers_total{link="bank",known="true"} 1',
    'switch_stored_messages_sent_total{link="bank",kind="reversal",repeat="false"} 1',
    'switch_stored_messages_sent_total{link="bank",kind="reversal",repeat="true"} 1',
    'switch_stored_messages_ended_total{link="bank",kind="reversal",state="reversed"} 1',
    'switch_stored_messages_ended_total{link="bank",kind="reversal",state="in dispute"} 1',
    'switch_recoveries_total 1',
    'switch_recovered_transactions_total 7',
    'switch_fenced_total 1',
    'switch_close_retries_total 1',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  t.notMatch(text, digits);
});

t.test('the rooms beside the core', async t => {
  const metrics = createMetrics();
  const { lines, log } = capture();
  const rooms = createRoomMeters(metrics.meters, log);
  rooms.hsm.onCommand('M8', 'refused-01', 2);
  for (const index of [0, 1]) rooms.hsm.onConnection({ index, state: 'up', reason: 'connected' });
  rooms.hsm.onConnection({ index: 0, state: 'down', reason: 'reset' });
  rooms.registry.onEvent('cache-miss');
  rooms.links.onState('bank', true);
  rooms.links.onInFlight('bank', 5);
  rooms.links.onRequest('bank', 'timeout', 30_000);
  rooms.links.onEvent('bank', 'echo-unanswered');
  rooms.journal.onBatch('open', 12, 3);
  rooms.journal.onFlush('open', 4);
  rooms.journal.onCollision();
  rooms.journal.onError(new Error('storage away'));
  rooms.storeAndForward.onBacklog(2, 1);
  const door = createDoorMeters(metrics.meters, log);
  door.onConnections(9);
  door.onClosed('bad-frame', '192.0.2.1:5', 'length prefix 18245');
  door.onClosed('drained', '192.0.2.1:6');
  door.onFrame('tcp', 'answered');
  door.onRefused('bad-pan');
  door.onBadBody('192.0.2.1', 'the body is empty');
  door.onInFlight(4);
  door.onFailure(new Error('a bug'));
  const text = await metrics.exposition();
  for (const line of [
    'switch_hsm_commands_total{command="M8",outcome="refused-01"} 1',
    'switch_hsm_seconds_bucket{le="0.0025",command="M8"} 1',
    'switch_hsm_connections 1',
    'switch_registry_events_total{event="cache-miss"} 1',
    'switch_link_up{link="bank"} 1',
    'switch_link_in_flight{link="bank"} 5',
    'switch_link_requests_total{link="bank",outcome="timeout"} 1',
    'switch_link_seconds_sum{link="bank",outcome="timeout"} 30',
    'switch_link_events_total{link="bank",event="echo-unanswered"} 1',
    'switch_journal_batch_size_sum{kind="open"} 12',
    'switch_journal_waiting{kind="open"} 3',
    'switch_journal_flush_seconds_bucket{le="0.005",kind="open"} 1',
    'switch_journal_collisions_total 1',
    'switch_store_and_forward_depth 2',
    'switch_cases_open 1',
    'switch_terminal_connections 9',
    'switch_terminal_connections_closed_total{reason="bad-frame"} 1',
    'switch_terminal_connections_closed_total{reason="drained"} 1',
    'switch_terminal_frames_total{way="tcp",outcome="answered"} 1',
    'switch_terminal_refusals_total{reason="bad-pan"} 1',
    'switch_terminal_bad_bodies_total 1',
    'switch_terminal_in_flight 4',
    'switch_terminal_failures_total 1',
  ]) {
    t.ok(text.split('\n').includes(line), line);
  }
  t.match(text, /nodejs_eventloop_lag_seconds/);
  t.ok(lines.some(line => line.includes('"reason":"bad-frame"') && line.includes('"level":"warn"')));
});

t.test('the reference page is what the catalogue says', async t => {
  const page = 'docs/reference/metrics.md';
  if (process.env.UPDATE_DOCS === '1') await writeFile(page, metricsMarkdown());
  t.equal(await readFile(page, 'utf8'), metricsMarkdown());
  const names = Object.values(catalogue).map(({ name }) => name);
  t.equal(new Set(names).size, names.length, 'each name once');
  for (const one of Object.values(catalogue)) {
    t.match(one.name, one.type === 'counter' ? /^switch_[a-z0-9_]+_total$/ : /^switch_[a-z0-9_]+$/);
  }
});
