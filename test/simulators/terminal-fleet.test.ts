/** The fleet against a scripted host: what terminals do when answers are late, wrong or missing, and when they are killed. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Message } from '../../iso8583/index.ts';
import type { FleetSummary } from '../../src/simulators/terminal/index.ts';
import { Line } from '../../src/simulators/terminal/line.ts';
import { type Act, ScriptedHost } from './terminal-host.ts';
import { cards, definitions, sums, world } from './terminal-world.ts';

// They wait more than they work.
t.jobs = 6;

const command = fileURLToPath(new URL('../../src/simulators/terminal/main.js', import.meta.url));
const onFirst = (mti: string, act: Act) => (request: Message, count: number) =>
  request.mti === mti && count === 1 ? act : {};

t.test('an open load over several terminals', { buffered: true }, async t => {
  let told = 0;
  let stored = 0;
  const { host, of, run, recordsFile } = await world(t, request => {
    if (request.mti === '0200') {
      told++;
      const trace = `/000777/${request.text(11)}"`;
      if (readFileSync(recordsFile, 'utf8').includes(`${request.text(41)}${trace}`)) stored++;
    }
    return {};
  });
  const summary = await run({
    terminals: definitions(6),
    rate: 150,
    seconds: 1,
    perTransactionShare: 0.5,
    inquiryShare: 0.1,
    waitMs: 5000,
  });
  t.ok(summary.sent > 20 && summary.sent + summary.notSent < 220, `${summary.sent} sent, ${summary.notSent} not`);
  t.ok(sums(summary));
  t.match(summary, {
    approved: summary.sent,
    owed: 0,
    reversed: 0,
    signOns: 6,
    terminals: 6,
    byCode: { '00': summary.sent },
  });
  t.ok(summary.p50Ms > 0 && summary.p99Ms >= summary.p50Ms && summary.serviceP50Ms <= summary.p50Ms);
  t.equal(stored, told, 'each was in the records before it was in the host');
  t.ok(host.of('0200').every(seen => seen.macStands));
  t.match(
    of('signed-on').map(line => line.batch),
    Array(6).fill('000777'),
  );
  t.equal(of('answer').length, summary.sent);
  t.ok(of('answer').every(line => line.rrn?.startsWith('5299') && line.code === '00'));
  const perTransaction = host.of('0200').filter(seen => Number(seen.fields[41]?.slice(-1)) % 2 === 0).length;
  t.equal(host.connections, 3 + 3 + perTransaction, 'half of them keep their connection');
  t.notMatch(readFileSync(recordsFile, 'utf8'), /6224242900000113|123456"/, 'no card in the records');
  const keys = of('sent').map(line => line.key);
  t.equal(new Set(keys).size, keys.length, 'each key is used once');
  t.ok(of('sent').some(line => line.kind === 'balance-inquiry' && line.amountMinor === 0));
});

for (const [name, act, why, reason] of [
  ['no answer in time', 'silent', 'timeout', '98'],
  ['the connection is lost after sending', 'close', 'closed', '98'],
  ['a wrong MAC', { wrongMac: true }, 'mac', 'A0'],
  ['an answer to something else', { fields: { 11: '999999' } }, 'mismatch', '98'],
] as const) {
  t.test(`${name}: the reversal goes before anything else`, { buffered: true }, async t => {
    const { host, of, records, run } = await world(t, onFirst('0200', act));
    const summary = await run();
    t.match(summary, { unanswered: 1, reversed: 1, reversalsSent: 1, owed: 0 });
    t.ok(sums(summary) && summary.approved > 0);
    const [original, , ...rest] = host.seen.filter(seen => seen.mti !== '0800');
    const [reversal] = host.of('0400');
    t.same(host.seen.map(seen => seen.mti).slice(0, 4), ['0800', '0200', '0400', '0200']);
    t.ok(rest.every(seen => seen.mti === '0200'));
    for (const field of [2, 3, 4, 11, 22, 25, 41, 42, 60]) {
      t.equal(reversal?.fields[field], original?.fields[field], `DE${field} is that of the original`);
    }
    for (const field of [26, 35, 36, 37, 52]) t.notOk(reversal?.fields[field], `DE${field} is dropped`);
    t.equal(reversal?.fields[39], reason);
    const heard = why === 'mac' || why === 'mismatch';
    t.equal(reversal?.fields[38], heard ? 'A1B2C3' : undefined, 'DE38 only where one was received');
    t.ok(reversal?.macStands);
    const [key] = of('sent').map(line => line.key);
    t.match(
      records()
        .filter(line => 'key' in line && line.key === key)
        .slice(1),
      [
        { t: 'no-answer', key, why },
        { t: 'reversal-sent', key, try: 1 },
        { t: 'reversal-answer', key, code: '00' },
      ],
    );
    t.not(reversal?.socket, original?.socket, 'on another connection: what comes late meets nobody');
  });
}

t.test('a late answer disturbs no other transaction', { buffered: true }, async t => {
  const { run } = await world(t, onFirst('0200', { lateMs: 400, reply: {} }));
  t.match(await run(), { unanswered: 1, reversed: 1, strays: 0 });
});

t.test('an answer that comes twice is counted and harms nothing', { buffered: true }, async t => {
  const { run } = await world(t, onFirst('0200', { twice: {} }));
  const summary = await run();
  t.match(summary, { unanswered: 0, strays: 1 });
});

t.test('an inquiry is never reversed', { buffered: true }, async t => {
  const { host, run } = await world(t, onFirst('0200', 'silent'));
  t.match(await run({ inquiryShare: 1 }), { unanswered: 1, reversed: 0, reversalsSent: 0 });
  t.equal(host.of('0400').length, 0);
});

t.test('declines: 98 is a time-out, nothing is reversed', { buffered: true }, async t => {
  const codes = ['51', '98', '94', '96', '91'];
  const { run } = await world(t, (request, count) =>
    request.mti === '0200' ? { code: codes[count % 5] ?? '05' } : {},
  );
  const summary = await run();
  t.ok(sums(summary));
  t.match(summary, { approved: 0, reversalsSent: 0, timedOut: summary.byCode['98'] });
  t.ok(summary.timedOut > 0);
});

t.test('a partial approval is what was approved', { buffered: true }, async t => {
  const { of, run } = await world(t, request =>
    request.mti === '0200' ? { code: '10', fields: { 4: '000000000100' } } : {},
  );
  const summary = await run();
  t.equal(summary.approved, summary.sent);
  t.ok(of('answer').every(line => line.amountMinor === 100));
});

t.test('a reversal is tried until the host confirms it', { buffered: true }, async t => {
  const { host, of, run } = await world(t, (request, count) => {
    if (request.mti === '0200') return count === 1 ? 'silent' : {};
    if (request.mti !== '0400') return {};
    return count === 1 ? 'silent' : count === 2 ? { code: '96' } : { code: '25' };
  });
  t.match(await run({ seconds: 1.5 }), { unanswered: 1, reversed: 1, reversalsSent: 3, owed: 0 });
  t.match(
    of('reversal-sent').map(line => line.try),
    [1, 2, 3],
  );
  t.match(
    of('reversal-answer').map(line => line.code),
    ['96', '25'],
  );
  t.same(host.seen.map(seen => seen.mti).slice(1, 6), ['0200', '0400', '0400', '0400', '0200']);
});

t.test('a terminal that gives up says so', { buffered: true }, async t => {
  const { host, of, run } = await world(t, (request, count) => {
    if (request.mti === '0200') return count === 1 ? 'silent' : {};
    return request.mti === '0400' ? 'silent' : {};
  });
  const summary = await run({ reversalTries: 3, seconds: 2 });
  t.match(summary, { exhausted: 1, reversed: 0, reversalsSent: 3, owed: 0 });
  t.equal(of('reversal-exhausted').length, 1);
  t.ok(host.of('0200').length > 1, 'and serves on');
});

t.test('the host asks for a new sign-on', { buffered: true }, async t => {
  const asks: Act[] = [{ code: 'A0' }, { code: '77' }, { code: '99' }, { processingRequest: 3 }];
  const { host, run } = await world(t, (request, count) => (request.mti === '0200' ? (asks[count - 1] ?? {}) : {}));
  t.match(await run(), { signOns: 5, declined: 3 });
  t.same(host.seen.map(seen => seen.mti).slice(0, 9), [
    '0800',
    '0200',
    '0800',
    '0200',
    '0800',
    '0200',
    '0800',
    '0200',
    '0800',
  ]);
});

t.test('a refused sign-on is tried again', { buffered: true }, async t => {
  const { of, run } = await world(t, (request, count) => (request.mti === '0800' && count < 3 ? { code: '96' } : {}));
  const summary = await run();
  t.match(summary, { signOns: 1, unanswered: 0 });
  t.ok(summary.approved > 0);
  t.equal(of('signed-on').length, 1);
});

t.test('an address that refuses: nothing was sent, the next one is taken', { buffered: true }, async t => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const address = closed.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  closed.close();
  const { host, of, run } = await world(t, () => ({}));
  const addresses = [
    { host: '127.0.0.1', port },
    { host: '127.0.0.1', port: host.port },
  ];
  const summary = await run({ addresses, perTransactionShare: 1 });
  t.match(summary, { unanswered: 0, reversalsSent: 0, unconnected: 0 });
  t.ok(of('sent').every(line => line.to === `127.0.0.1:${host.port}`));
});

t.test('a host that goes away and comes back', { buffered: true }, async t => {
  const { host, of, open } = await world(t, () => ({}));
  const fleet = await open({ terminals: definitions(4), rate: 200, seconds: 2.5 });
  const running = fleet.run();
  await delay(800);
  const { port } = host;
  await host.stop();
  await delay(500);
  const again = await ScriptedHost.start(() => ({}), port);
  t.teardown(() => again.stop());
  const summary = await running;
  t.ok(sums(summary));
  t.ok(summary.unconnected > 0 && again.of('0200').length > 0);
  t.match(summary, { owed: 0, reversed: summary.unanswered }, 'what was cut off is reversed, what was not sent is not');
  t.equal(of('sent').length, summary.sent);
});

t.test('nothing is lost by a kill: another fleet goes on where the records end', { buffered: true }, async t => {
  let deaf = false;
  const { host, of, recordsFile, run } = await world(t, (request, count) => {
    deaf ||= request.mti === '0200' && count === 9;
    return deaf && request.mti !== '0800' ? 'silent' : {};
  });
  const folder = t.testdir({
    'cards.json': JSON.stringify(cards),
    'terminals.json': JSON.stringify(definitions(1)),
  });
  writeFileSync(recordsFile, '');
  const killed = spawn(process.execPath, [
    command,
    ...['--terminals-file', join(folder, 'terminals.json'), '--cards', join(folder, 'cards.json')],
    ...['--records', recordsFile, '--switch', `127.0.0.1:${host.port}`, '--rate', '50', '--inquiry-share', '0'],
  ]);
  while (host.of('0200').length < 9) await delay(20);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const lastTrace = host.of('0200').at(-1)?.fields[11];
  appendFileSync(recordsFile, '{"t":"sent","key":"M0000000000');

  t.match(
    await run({ seconds: 0.3, settleSeconds: 0.2 }),
    { owed: 1, sent: 0 },
    'the reversal is not confirmed, so nothing else is sent',
  );
  const [first] = host.of('0400');
  t.match(first?.fields, { 11: lastTrace, 39: '06' }, 'killed before it knew: the reason that was stored');
  t.equal(of('sent').at(-1)?.key.slice(-6), lastTrace, 'half a line is gone, and was never sent');

  deaf = false;
  const next = await run();
  t.match(next, { reversed: 1, owed: 0 });
  t.ok(of('reversal-sent').length >= 3);
  t.match(of('reversal-sent').at(-1)?.try, of('reversal-sent').length, 'tries are counted through restarts');
  const traces = of('sent').map(line => line.key);
  t.equal(new Set(traces).size, traces.length, 'trace numbers go on');
});

t.test('damaged records are refused', { buffered: true }, async t => {
  const { open, recordsFile } = await world(t, () => ({}));
  writeFileSync(recordsFile, 'what is this\n');
  await t.rejects(open(), { message: /records\.jsonl:1: not a line of JSON/ });
});

t.test('when the record cannot be written nothing is sent', { buffered: true }, async t => {
  const { host } = await world(t, () => ({}));
  const addresses = [{ host: '127.0.0.1', port: host.port }];
  const settings = { addresses, home: 0, connectTimeoutMs: 1000, perTransaction: false, onStray: () => undefined };
  const line = new Line(settings);
  const full = () => {
    throw new Error('no space left on device');
  };
  await t.rejects(line.exchange(new Uint8Array(40), 100, full), { message: /no space/ });
  line.hangUp();
  await delay(50);
  t.equal(host.seen.length, 0);
  t.equal(host.connections, 1);
});

t.test('the command: progress, SIGTERM, summary', { buffered: true }, async t => {
  const { host, recordsFile } = await world(t, (request, count) =>
    request.mti === '0200' && count === 3 ? 'silent' : {},
  );
  const folder = t.testdir({
    'cards.json': JSON.stringify(cards),
    'terminals.json': JSON.stringify(definitions(3)),
  });
  const files = ['--terminals-file', join(folder, 'terminals.json'), '--cards', join(folder, 'cards.json')];
  const common = [command, ...files, '--records', recordsFile, '--switch', `127.0.0.1:${host.port}`];
  const child = spawn(process.execPath, [...common, '--json', '--rate', '60', '--wait-ms', '1000', '--terminals', '2']);
  const lines: Record<string, unknown>[] = [];
  const reading = createInterface({ input: child.stdout });
  reading.on('line', line => lines.push(JSON.parse(line)));
  while (lines.length < 1 || host.of('0200').length < 12) await delay(20);
  child.kill('SIGTERM');
  const [status] = await once(child, 'close');
  t.equal(status, 0);
  t.match(lines[0], { type: 'progress', sent: Number, inFlight: Number, tps: Number, p50Ms: Number, p99Ms: Number });
  const summary = lines.at(-1) as unknown as FleetSummary;
  t.match(summary, { type: 'summary', terminals: 2, reversed: 1, unanswered: 1, owed: 0 });
  t.ok(sums(summary) && summary.sent > 10);

  const wrong = spawn(process.execPath, [...common, '--rate', 'none']);
  let words = '';
  wrong.stderr.on('data', chunk => {
    words += chunk;
  });
  t.same(await once(wrong, 'close'), [2, null]);
  t.match(words, /^terminal-sim: --rate: a number from/);
  const people = spawn(process.execPath, [...common, '--seconds', '0.2']);
  let told = '';
  people.stdout.on('data', chunk => {
    told += chunk;
  });
  t.same(await once(people, 'close'), [0, null]);
  t.match(told, /^end after 0\.2 s: sent \d+, approved \d+/m);
});
