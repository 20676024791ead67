import t from 'tap';
import { Listener, type ListenerOptions } from '../../src/terminals/listener.ts';
import {
  approve,
  Client,
  eventually,
  framed,
  HeldCore,
  makeDoor,
  purchase,
  Recorder,
  realTime,
  ScriptedCore,
} from './support.ts';

interface Test {
  teardown(run: () => void): void;
}

async function serve<C extends ScriptedCore>(t: Test, core: C, options: Partial<ListenerOptions> = {}) {
  const recorder = new Recorder();
  const listener = await Listener.listen({
    door: makeDoor(core, recorder),
    clock: realTime,
    timers: realTime,
    host: '127.0.0.1',
    port: 0,
    maxConnections: 100,
    maxFrameBytes: 4096,
    maxInFlightPerConnection: 4,
    idleTimeoutMs: 60_000,
    ...options,
  });
  t.teardown(() => listener.close());
  const client = (): Client => {
    const one = new Client(listener.port);
    t.teardown(() => one.socket.destroy());
    return one;
  };
  return { core, recorder, listener, client };
}

const ask = (trace: string) => framed(purchase({ 11: trace }));
const traces = (client: Client) => client.answers.map(answer => answer.text(11));

t.test('a kept connection and one per transaction', async t => {
  const { client, recorder, listener } = await serve(t, new ScriptedCore());
  const kept = client();
  for (const trace of ['000001', '000002', '000003']) {
    kept.send(ask(trace));
    await kept.until(({ answers }) => answers.at(-1)?.text(11) === trace);
  }
  for (const trace of ['000004', '000005']) {
    const once = client();
    once.send(ask(trace));
    // Half-closed before the answer: it must come all the same.
    once.socket.end();
    await once.until(({ ended }) => ended);
    t.same(traces(once), [trace]);
  }
  await eventually(() => listener.connections === 1);
  t.equal(recorder.open, 1);
  t.same(recorder.closed, ['ended-by-terminal', 'ended-by-terminal']);
});

t.test('garbage closes its connection, the next one is served', async t => {
  const { client, recorder } = await serve(t, new ScriptedCore());
  const noise = client();
  noise.send(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  await noise.until(({ ended }) => ended);
  const random = client();
  random.send(framed(Buffer.alloc(64, 0x5a)));
  await random.until(({ ended }) => ended);
  const good = client();
  good.send(ask('000001'));
  await good.until(({ answers }) => answers.length === 1);
  t.same(recorder.closed.toSorted(), ['bad-frame', 'unanswerable']);
  t.notMatch(recorder.details.join(), /5A5A5A/i, 'no bytes of a body');
});

t.test('one connection too many is closed and counted, the others are served', async t => {
  const { client, recorder } = await serve(t, new ScriptedCore(), { maxConnections: 1 });
  const first = client();
  first.send(ask('000001'));
  await first.until(({ answers }) => answers.length === 1);
  const second = client();
  await second.until(({ closed, ended }) => closed || ended);
  t.same(recorder.closed, ['too-many']);
  first.send(ask('000002'));
  await first.until(({ answers }) => answers.length === 2);
});

t.test('a terminal that asks and never reads is cut off', async t => {
  const { client, recorder } = await serve(t, new ScriptedCore(), { maxUnreadBytes: 8_192 });
  const greedy = client();
  greedy.socket.pause();
  const many = framed(...Array.from({ length: 200 }, (_, i) => purchase({ 11: String(i).padStart(6, '0') })));
  const flood = (): void => {
    while (!greedy.socket.destroyed && greedy.socket.writableLength < 1_000_000) greedy.send(many);
  };
  greedy.socket.on('drain', flood);
  flood();
  await eventually(() => recorder.closed.length > 0);
  t.same(recorder.closed, ['slow-reader']);
  const other = client();
  other.send(ask('000001'));
  await other.until(({ answers }) => answers.length === 1);
});

t.test('drain: no new connection, what is in flight is answered, then the end', async t => {
  const { client, core, listener, recorder } = await serve(t, new HeldCore());
  const idle = client();
  const busy = client();
  busy.send(framed(purchase({ 11: '000001' }), purchase({ 11: '000002' })));
  await eventually(() => core.waiting === 2 && listener.connections === 2);
  let drained = false;
  const draining = listener.drain(10_000).then(() => {
    drained = true;
  });
  await idle.until(({ ended }) => ended);
  idle.socket.end();
  busy.send(ask('000003'));
  const late = client();
  await late.until(({ closed }) => closed);
  t.equal(drained, false);
  core.release('000002');
  core.release('000001');
  await busy.until(({ ended }) => ended);
  busy.socket.end();
  await draining;
  t.same(traces(busy), ['000002', '000001'], 'all that was asked before, nothing after');
  t.same(recorder.closed.toSorted(), ['drained', 'drained']);
  t.equal(listener.connections, 0);
});

t.test('drain ends after its grace', async t => {
  const { client, core, listener, recorder } = await serve(t, new HeldCore());
  const busy = client();
  busy.send(ask('000001'));
  await eventually(() => core.waiting === 1);
  await listener.drain(30);
  await busy.until(({ closed, ended }) => closed || ended);
  t.same(recorder.closed, ['aborted']);
  core.release('000001');
});

t.test('many terminals at once', async t => {
  const core = new ScriptedCore();
  core.behaviour = async request => {
    await new Promise(resume => setTimeout(resume, 5));
    return approve(request);
  };
  const { client, recorder } = await serve(t, core);
  const clients = Array.from({ length: 40 }, client);
  const perClient = 25;
  await Promise.all(
    clients.map(async one => {
      const bytes = framed(
        ...Array.from({ length: perClient }, (_, i) => purchase({ 11: String(i).padStart(6, '0') })),
      );
      // Cut where it hurts: within prefixes, headers and fields.
      for (let at = 0; at < bytes.length; at += 97) one.send(bytes.subarray(at, at + 97));
      await one.until(({ answers }) => answers.length === perClient);
      t.equal(new Set(traces(one)).size, perClient);
    }),
  );
  t.equal(recorder.frames.length, 40 * perClient);
  t.same(recorder.closed, []);
});

t.test('an address that is taken ends the start', async t => {
  const { listener } = await serve(t, new ScriptedCore());
  await t.rejects(serve(t, new ScriptedCore(), { port: listener.port }), { code: 'EADDRINUSE' });
});
