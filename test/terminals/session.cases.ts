import t from 'tap';
import { handleBody } from '../../src/terminals/body.ts';
import { Session, type Wire } from '../../src/terminals/session.ts';
import {
  framed,
  HeldCore,
  makeDoor,
  message,
  purchase,
  Recorder,
  ScriptedCore,
  unframed,
  VirtualTime,
} from './support.ts';

class FakeWire implements Wire {
  readonly remote = 'test:1';
  readonly written: Uint8Array[] = [];
  readonly calls: string[] = [];

  write(frame: Uint8Array): void {
    this.written.push(frame);
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
  }

  get traces(): (string | undefined)[] {
    return this.written.map(bytes => unframed(bytes).text(11));
  }
}

function open<C extends ScriptedCore>(core: C, maxInFlightPerConnection = 4) {
  const time = new VirtualTime();
  const recorder = new Recorder();
  const wire = new FakeWire();
  const door = makeDoor(core, recorder, time);
  const session = new Session(
    { door, clock: time, timers: time, maxFrameBytes: 4096, maxInFlightPerConnection, idleTimeoutMs: 60_000 },
    wire,
  );
  return { time, recorder, wire, door, session, core };
}

/** Lets everything run that waits for nothing but its turn. */
const settle = () => new Promise(resume => setImmediate(resume));
const traces = (...numbers: readonly number[]) => numbers.map(number => String(number).padStart(6, '0'));
const ask = (...numbers: readonly number[]) => framed(...traces(...numbers).map(trace => purchase({ 11: trace })));

t.test('a message split at every byte, and byte by byte', async t => {
  const bytes = ask(1);
  for (let cut = 1; cut < bytes.length; cut++) {
    const { session, wire } = open(new ScriptedCore());
    session.received(bytes.subarray(0, cut));
    session.received(bytes.subarray(cut));
    await settle();
    if (wire.traces[0] !== '000001') t.fail(`cut at ${cut}`);
  }
  const { session, wire } = open(new ScriptedCore());
  for (const byte of bytes) session.received(Uint8Array.of(byte));
  await settle();
  t.same(wire.traces, traces(1));
});

t.test('joined messages are all answered, in the order in which they are ready', async t => {
  const { session, wire, core, recorder } = open(new HeldCore());
  session.received(ask(1, 2, 3));
  await settle();
  t.equal(recorder.inFlight, 3);
  core.release('000003');
  core.release('000001');
  await settle();
  core.release('000002');
  await settle();
  t.same(wire.traces, traces(3, 1, 2));
  t.equal(recorder.inFlight, 0);
  t.same(recorder.frames, Array(3).fill('tcp answered'));
});

t.test('beyond the bound the connection is not read, and the budget of what waits runs on', async t => {
  const { session, wire, core, time } = open(new HeldCore(), 2);
  session.received(ask(1, 2, 3, 4));
  await settle();
  t.equal(core.waiting, 2);
  t.same(wire.calls, ['pause']);
  time.advance(700);
  core.release('000001');
  await settle();
  t.equal(core.waiting, 2, 'the next one starts');
  t.match(core.seen[2], { receivedAtMs: 1_000_000, deadlineMs: 1_050_000 }, 'its deadline counts from its arrival');
  core.release('000002');
  core.release('000003');
  await settle();
  t.same(wire.calls, ['pause', 'resume']);
  core.release('000004');
  await settle();
  t.same(wire.traces, traces(1, 2, 3, 4));
});

t.test('a frame too long or empty ends the connection after what came before it is answered', async t => {
  for (const [name, bad] of [
    ['too long', [0x10, 0x01]],
    ['empty', [0, 0]],
    ['HTTP', [...Buffer.from('GET / HTTP/1.1\r\n')]],
  ] as const) {
    const { session, wire, core, recorder } = open(new HeldCore());
    session.received(Buffer.concat([ask(1), Uint8Array.from(bad), ask(2)]));
    await settle();
    t.equal(core.waiting, 1, name);
    core.release('000001');
    await settle();
    t.same(wire.traces, traces(1), name);
    t.same(wire.calls, ['end'], name);
    t.same(recorder.closed, ['bad-frame'], name);
    t.match(recorder.details[0], /length prefix/, name);
    session.received(ask(3));
    await settle();
    t.equal(core.waiting, 0, 'nothing more is taken');
  }
});

t.test('a message that cannot be answered ends the connection; one that is refused does not', async t => {
  const { session, wire, recorder } = open(new ScriptedCore());
  session.received(framed(purchase({ 25: '64' }), purchase({ 2: '6224242900000114', 35: undefined })));
  await settle();
  t.same(
    wire.written.map(bytes => unframed(bytes).text(39)),
    ['40', '14'],
  );
  t.same(recorder.refused, ['unsupported-0200', 'bad-pan']);
  session.received(Buffer.concat([framed(message('0210', { 11: '000001' }), purchase({ 11: '000009' }))]));
  await settle();
  t.same(recorder.closed, ['unanswerable']);
  t.same(recorder.details, ['an answer, not a request']);
  t.same(wire.calls, ['end']);
  t.notOk(wire.traces.includes('000001'));
});

t.test('silence and failures of the core leave the connection open', async t => {
  const { session, wire, core, recorder } = open(new ScriptedCore());
  core.behaviour = () => Promise.resolve(null);
  session.received(ask(1));
  await settle();
  core.behaviour = () => Promise.reject(new Error('a bug'));
  session.received(ask(2));
  await settle();
  core.behaviour = request => Promise.resolve(request.reply({ responseCode: '00' }, true).seal());
  session.received(ask(3));
  await settle();
  t.same(recorder.frames, ['tcp silent', 'tcp failed', 'tcp failed']);
  t.equal(recorder.failures.length, 2);
  t.same(wire.written, []);
  t.same(wire.calls, []);
});

t.test('the terminal’s last byte: what it asked is answered, then the connection closes', async t => {
  const { session, wire, core, recorder } = open(new HeldCore(), 1);
  session.received(ask(1, 2));
  session.ended();
  await settle();
  core.release('000001');
  await settle();
  core.release('000002');
  await settle();
  t.same(wire.traces, traces(1, 2));
  t.equal(wire.calls.at(-1), 'end');
  t.same(recorder.closed, ['ended-by-terminal']);
  session.ended();
  session.drain();
  session.close('socket-error');
  t.same(recorder.closed, ['ended-by-terminal'], 'a session ends once');
});

t.test('idle: no complete message for long, with dribbling bytes too; never while a request is in flight', async t => {
  const silent = open(new ScriptedCore());
  silent.time.advance(59_999);
  t.same(silent.recorder.closed, []);
  silent.time.advance(1);
  t.same(silent.recorder.closed, ['idle']);
  t.same(silent.wire.calls, ['destroy']);
  t.equal(silent.time.armed, 0);

  const dribbling = open(new ScriptedCore());
  const bytes = ask(1);
  for (let i = 0; i < 7; i++) {
    dribbling.session.received(bytes.subarray(i, i + 1));
    dribbling.time.advance(10_000);
  }
  t.same(dribbling.recorder.closed, ['idle']);

  const busy = open(new HeldCore());
  busy.time.advance(50_000);
  busy.session.received(ask(1));
  await settle();
  busy.time.advance(55_000);
  t.same(busy.recorder.closed, [], 'a request is in flight');
  busy.core.release('000001');
  await settle();
  busy.time.advance(59_000);
  t.same(busy.recorder.closed, [], 'counted from the answer');
  busy.time.advance(120_000);
  t.same(busy.recorder.closed, ['idle']);
});

t.test('a lost connection: the answer that comes is not written', async t => {
  const { session, wire, core, recorder } = open(new HeldCore());
  session.received(ask(1));
  await settle();
  session.close('socket-error', 'ECONNRESET');
  core.release('000001');
  await settle();
  t.same(wire.written, []);
  t.same(recorder.closed, ['socket-error']);
  t.equal(recorder.inFlight, 0);
});

t.test('an HTTP body is exactly one frame', async t => {
  const { door, recorder, core } = open(new ScriptedCore());
  const answered = await handleBody(door, ask(1), '192.0.2.1');
  if (answered.kind !== 'answered') return t.fail(answered.kind);
  t.equal(unframed(answered.frame).text(39), '00');
  const bad = async (body: Uint8Array) => {
    const handled = await handleBody(door, body, '192.0.2.1');
    return handled.kind === 'bad-body' ? handled.reason : handled.kind;
  };
  t.equal(await bad(new Uint8Array(0)), 'the body is empty: a framed message is expected');
  t.equal(await bad(Uint8Array.of(0)), 'the body ends within the length prefix');
  t.match(await bad(ask(1).subarray(0, -1)), /^the length prefix says \d+ bytes, \d+ follow$/);
  t.match(await bad(ask(1, 2)), /^the length prefix says \d+ bytes, \d+ follow$/);
  t.equal(await bad(framed(message('0210', { 11: '000001' }))), 'an answer, not a request');
  t.equal(recorder.badBodies.length, 5);
  core.behaviour = () => Promise.resolve(null);
  t.equal(await bad(ask(2)), 'silent');
});
