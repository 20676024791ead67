import { connect } from 'node:net';
import t from 'tap';
import { createHttp, type HttpHandlers, type HttpOptions } from '../../src/http/app.ts';
import type { Readiness } from '../../src/http/health.ts';
import { createMetricsServer } from '../../src/http/metrics-server.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { handleBody } from '../../src/terminals/body.ts';
import {
  eventually,
  framed,
  HeldCore,
  makeDoor,
  purchase,
  Recorder,
  ScriptedCore,
  unframed,
} from '../terminals/support.ts';

interface Test {
  teardown(run: () => Promise<unknown>): void;
}

const up: Readiness = { ready: true, checks: { postgres: true, redis: true, hsm: true, links: true, recovery: true } };

async function serve<C extends ScriptedCore>(
  t: Test,
  core: C,
  options: Partial<HttpOptions> = {},
  handlers: Partial<HttpHandlers> = {},
) {
  const recorder = new Recorder();
  const door = makeDoor(core, recorder);
  const errors: unknown[] = [];
  const remotes: string[] = [];
  const app = await createHttp(
    { maxBodyBytes: 4098, requestsPerMinute: 0, trustProxy: [], maxConnections: 100, ...options },
    {
      iso8583(body, remote) {
        remotes.push(remote);
        return handleBody(door, body, remote);
      },
      ready: () => Promise.resolve(up),
      onError: error => errors.push(error),
      ...handlers,
    },
  );
  t.teardown(() => app.close());
  const post = (payload: Buffer, contentType = 'application/octet-stream', headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/iso8583', payload, headers: { 'content-type': contentType, ...headers } });
  return { app, core, recorder, errors, remotes, post };
}

const body = framed(purchase());

t.test('a framed message is answered in kind', async t => {
  const { post, core } = await serve(t, new ScriptedCore());
  for (const type of ['application/octet-stream', 'x-ISO-TPDU/x-auth']) {
    const response = await post(body, type);
    t.equal(response.statusCode, 200);
    t.equal(response.headers['content-type'], type);
    const answer = unframed(response.rawPayload);
    t.equal(answer.mti, '0210');
    t.equal(answer.text(39), '00');
  }
  const odd = await post(body, 'X-iso-TPDU/x-auth; charset=binary');
  t.equal(odd.headers['content-type'], 'x-ISO-TPDU/x-auth');
  const refused = await post(framed(purchase({ 25: '64' })));
  t.equal(refused.statusCode, 200);
  t.equal(unframed(refused.rawPayload).text(39), '40', 'a refusal is an answer');
  t.match(core.seen[0], { kind: 'purchase', identity: { trace: '000007' } });
});

t.test('what is no framed message', async t => {
  const { post, app, recorder } = await serve(t, new ScriptedCore());
  const cases: readonly (readonly [string, Buffer, number, RegExp])[] = [
    ['empty', Buffer.alloc(0), 400, /^the body is empty.*\n$/],
    ['one byte', Buffer.from([0]), 400, /^the body ends within the length prefix\n$/],
    ['short', body.subarray(0, -1), 400, /^the length prefix says \d+ bytes, \d+ follow\n$/],
    ['two frames', Buffer.concat([body, body]), 400, /^the length prefix says/],
    ['without prefix', body.subarray(2), 400, /^the length prefix says/],
    ['garbage', framed(Buffer.alloc(40, 0xee)), 400, /^bad-mti at mti\n$/],
    ['too long', framed(Buffer.alloc(4097)), 413, /too large\n$/i],
  ];
  for (const [name, payload, status, text] of cases) {
    const response = await post(payload);
    t.equal(response.statusCode, status, name);
    t.match(response.body, text, name);
    t.match(response.headers['content-type'], /^text\/plain/, name);
  }
  t.equal(recorder.badBodies.length, 6);
  t.equal((await post(body, 'application/json')).statusCode, 415);
  t.equal((await app.inject({ method: 'POST', url: '/iso8583' })).statusCode, 400, 'no body at all');
  t.equal((await app.inject({ method: 'GET', url: '/iso8583' })).statusCode, 404);
  t.equal((await app.inject({ method: 'GET', url: '/metrics' })).statusCode, 404, 'metrics have a server of their own');
  t.equal((await post(body)).statusCode, 200, 'and the next good one is served');
});

t.test('no answer is 504, a failure is 500 without its text', async t => {
  const { post, core, recorder } = await serve(t, new ScriptedCore());
  core.behaviour = () => Promise.resolve(null);
  const silent = await post(body);
  t.equal(silent.statusCode, 504);
  core.behaviour = () => Promise.reject(new Error('secret of the house'));
  const failed = await post(body);
  t.equal(failed.statusCode, 500);
  t.notMatch(failed.body, /secret/);
  t.equal(recorder.failures.length, 1);
});

t.test('the rate limit counts per address and spares the probes', async t => {
  const { post, app, remotes } = await serve(t, new ScriptedCore(), {
    requestsPerMinute: 2,
    trustProxy: ['127.0.0.1'],
  });
  const from = (address: string) => post(body, 'application/octet-stream', { 'x-forwarded-for': address });
  const codes: number[] = [];
  for (let i = 0; i < 3; i++) codes.push((await from('192.0.2.1')).statusCode);
  t.same(codes, [200, 200, 429]);
  t.equal((await from('192.0.2.2')).statusCode, 200, 'another terminal is not affected');
  t.same(remotes, ['192.0.2.1', '192.0.2.1', '192.0.2.2']);
  for (let i = 0; i < 5; i++) t.equal((await app.inject('/livez')).statusCode, 200);
  const deaf = await serve(t, new ScriptedCore(), { requestsPerMinute: 1 });
  const forged = (address: string) => deaf.post(body, 'application/octet-stream', { 'x-forwarded-for': address });
  t.same([(await forged('192.0.2.1')).statusCode, (await forged('192.0.2.2')).statusCode], [200, 429]);
});

t.test('probes', async t => {
  let readiness = up;
  const { app, errors } = await serve(
    t,
    new ScriptedCore(),
    {},
    {
      ready: () => (readiness.checks.hsm ? Promise.resolve(readiness) : Promise.reject(new Error('probe broke'))),
    },
  );
  t.equal((await app.inject('/livez')).statusCode, 200);
  const ready = await app.inject('/readyz');
  t.equal(ready.statusCode, 200);
  t.same(ready.json(), up);
  readiness = { ready: false, checks: { ...up.checks, links: false } };
  const notReady = await app.inject('/readyz');
  t.equal(notReady.statusCode, 503);
  t.same(notReady.json(), readiness);
  readiness = { ready: false, checks: { ...up.checks, hsm: false } };
  t.equal((await app.inject('/readyz')).statusCode, 500);
  t.equal(errors.length, 1);
});

t.test('over real sockets: kept alive, and closing lets requests in flight end', async t => {
  const { app, core } = await serve(t, new HeldCore());
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  if (address === null || typeof address === 'string') return t.fail('no port');
  const url = `http://127.0.0.1:${address.port}/iso8583`;
  const send = () => fetch(url, { method: 'POST', body, headers: { 'content-type': 'x-ISO-TPDU/x-auth' } });
  const first = send();
  await eventually(() => core.waiting === 1);
  core.release('000007');
  t.equal(unframed(Buffer.from(await (await first).arrayBuffer())).text(39), '00');
  const second = send();
  await eventually(() => core.waiting === 1);
  const closing = app.close();
  core.release('000007');
  t.equal((await second).status, 200);
  await closing;
});

t.test('a raw request split within its body', async t => {
  const { app } = await serve(t, new ScriptedCore());
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  if (address === null || typeof address === 'string') return t.fail('no port');
  const socket = connect(address.port, '127.0.0.1');
  t.teardown(async () => socket.destroy());
  let received = '';
  socket.on('data', chunk => {
    received += chunk.toString('latin1');
  });
  socket.write(
    `POST /iso8583 HTTP/1.1\r\nHost: x\r\nContent-Type: x-ISO-TPDU/x-auth\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  socket.write(body.subarray(0, 60));
  await new Promise(resume => setTimeout(resume, 10));
  socket.write(body.subarray(60));
  await eventually(() => received.includes('\r\n\r\n'));
  t.match(received, /^HTTP\/1\.1 200 OK/);
  t.match(received, /content-type: x-ISO-TPDU\/x-auth/i);
});

t.test('metrics on a server of their own', async t => {
  const app = createMetricsServer(createMetrics());
  t.teardown(() => app.close());
  const response = await app.inject('/metrics');
  t.equal(response.statusCode, 200);
  t.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.match(response.body, /# TYPE switch_transactions_total counter/);
  t.match(response.body, /process_cpu_seconds_total/);
});
