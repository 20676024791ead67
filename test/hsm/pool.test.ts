import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type HsmSim, newLmkFile, startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { echo, KeyType, keyCheckValue } from '../../src/hsm/commands.ts';
import { simulatorZmk } from '../../src/hsm/known-keys.ts';
import type { ConnectionChange, HsmPoolOptions } from '../../src/hsm/options.ts';
import { HsmPool } from '../../src/hsm/pool.ts';
import { UnkindNetwork } from './unkind-network.ts';

interface World {
  readonly pool: HsmPool;
  readonly network: UnkindNetwork;
  readonly outcomes: Map<string, number>;
  readonly changes: ConnectionChange[];
  stopHsm(): Promise<void>;
  startHsm(): Promise<void>;
}

/** An HSM, a network in front of it and the pool under test. */
async function world(t: Test, options: Partial<HsmPoolOptions> = {}): Promise<World> {
  const log = () => undefined;
  let sim: HsmSim | null = await startHsmSim({ port: 0, lmk: testLmk, log, headerLength: options.headerLength });
  const { port } = sim;
  const network = await UnkindNetwork.start(() => port);
  const outcomes = new Map<string, number>();
  const changes: ConnectionChange[] = [];
  const pool = new HsmPool({
    host: '127.0.0.1',
    port: network.port,
    connections: 1,
    firstRetryMs: 20,
    maxRetryMs: 200,
    onCommand: (code, outcome) => outcomes.set(`${code} ${outcome}`, (outcomes.get(`${code} ${outcome}`) ?? 0) + 1),
    onConnection: change => changes.push(change),
    ...options,
  });
  const stopHsm = async () => {
    await sim?.close();
    sim = null;
  };
  t.teardown(async () => {
    pool.close();
    network.close();
    await stopHsm();
  });
  const startHsm = async () => {
    sim = await startHsmSim({ port, lmk: testLmk, log });
  };
  return { pool, network, outcomes, changes, stopHsm, startHsm };
}

const soon = (ms = 2000) => Date.now() + ms;
const done = (value: string) => ({ kind: 'done', value });

t.test('answers come back in any order, in pieces, each to its command', async t => {
  const { pool, network, outcomes } = await world(t);
  t.ok(await pool.whenUp(2000));
  const held: (() => void)[] = [];
  network.fragments = true;
  network.answers = (frame, pass) => {
    held.push(() => pass(frame));
    if (held.length === 50) for (const release of held.reverse()) release();
  };
  const texts = Array.from({ length: 50 }, (_, i) => `command number ${i}`);
  t.same(await Promise.all(texts.map(text => pool.run(echo(text), soon()))), texts.map(done));
  t.equal(outcomes.get('B2 ok'), 50);
  t.equal(pool.load.outstanding, 0);
});

t.test('a late answer is counted and meets no other command', async t => {
  const { pool, network, outcomes, changes } = await world(t, { headerLength: 2, maxOutstanding: 8 });
  t.ok(await pool.whenUp(2000));
  const late: (() => void)[] = [];
  network.answers = (frame, pass) => {
    if (frame.includes('slow')) late.push(() => pass(frame));
    else pass(frame);
  };
  const started = Date.now();
  t.same(await pool.run(echo('slow'), soon(100)), { kind: 'unavailable' });
  t.ok(Date.now() - started < 1500, 'at its deadline, not later by much');
  // More commands than a header of two characters can number: the header of the slow one is passed over.
  for (let i = 0; i < 300; i++) {
    const text = `fast ${i}`;
    const outcome = await pool.run(echo(text), soon());
    if (outcome.kind !== 'done' || outcome.value !== text) t.fail(`${text}: ${outcome.kind}`);
  }
  t.equal(pool.load.outstanding, 1, 'the slow one keeps its place until its answer comes');
  for (const release of late) release();
  t.same(await pool.run(echo('after'), soon()), done('after'));
  t.equal(outcomes.get('B2 late'), 1);
  t.equal(outcomes.get('B2 expired'), 1);
  t.equal(pool.load.outstanding, 0);

  network.answers = (frame, pass) => {
    pass(frame);
    pass(frame);
  };
  t.same(await pool.run(echo('twice'), soon()), done('twice'));
  t.same(await pool.run(echo('then'), soon()), done('then'));
  t.ok((outcomes.get('-- unmatched') ?? 0) >= 1, 'a doubled answer is consumed and counted');
  t.same(
    changes.map(change => change.state),
    ['up'],
    'and none of it cost the connection',
  );
});

t.test('the bound holds, and the next command is served when there is room again', async t => {
  const { pool, network, outcomes } = await world(t, { maxOutstanding: 5, connections: 2 });
  t.ok(await pool.whenUp(2000));
  while (pool.load.up < 2) await sleep(5);
  const held: (() => void)[] = [];
  network.answers = (frame, pass) => held.push(() => pass(frame));
  const waiting = Array.from({ length: 10 }, (_, i) => pool.run(echo(`${i}`), soon()));
  const started = Date.now();
  t.same(await pool.run(echo('one too many'), soon()), { kind: 'unavailable' });
  t.ok(Date.now() - started < 1500, 'without waiting for the deadline');
  t.equal(outcomes.get('B2 full'), 1);
  while (held.length < 10) await sleep(5);
  network.answers = (frame, pass) => pass(frame);
  for (const release of held) release();
  t.same(
    await Promise.all(waiting),
    Array.from({ length: 10 }, (_, i) => done(`${i}`)),
  );
  t.same(await pool.run(echo('again'), soon()), done('again'));
});

t.test('the HSM stops and comes back, and nobody has to help', async t => {
  const { pool, outcomes, changes, stopHsm, startHsm } = await world(t, { connections: 3 });
  t.ok(await pool.whenUp(2000));
  await stopHsm();
  const started = Date.now();
  t.same(await pool.run(echo('nobody home'), soon(500)), { kind: 'unavailable' });
  t.ok(Date.now() - started <= 1500, 'within the deadline');
  while (pool.isUp) await sleep(5);
  t.same(await pool.run(echo('still nobody'), soon(500)), { kind: 'unavailable' });
  t.equal(outcomes.get('B2 down'), 1, 'known to be down: refused without waiting');
  t.equal(await pool.whenUp(50), false);
  await startHsm();
  t.ok(await pool.whenUp(3000));
  t.same(await pool.run(echo('back'), soon()), done('back'));
  while (pool.load.up < 3) await sleep(5);
  const downs = changes.filter(change => change.index === 0 && change.state === 'down');
  t.ok(downs.length <= 3, 'an HSM that stays away is not told at every try');
});

t.test('a connection that breaks under a command: it is asked again elsewhere, once', async t => {
  const { pool, network, outcomes } = await world(t, { connections: 2 });
  t.ok(await pool.whenUp(2000));
  while (pool.load.up < 2) await sleep(5);
  let cuts = 1;
  network.answers = (frame, pass) => {
    if (!frame.includes('moved')) pass(frame);
    else if (cuts > 0) {
      cuts -= 1;
      // A frame of another command's code: the stream cannot be trusted, the client must leave it.
      const foreign = Buffer.from(frame);
      foreign.write('M7', 6);
      pass(foreign);
    } else pass(frame);
  };
  t.same(await pool.run(echo('moved'), soon()), done('moved'));
  cuts = 2;
  while (pool.load.up < 2) await sleep(5);
  t.same(await pool.run(echo('moved'), soon()), { kind: 'unavailable' }, 'but not for ever');
  t.equal(outcomes.get('B2 lost'), 1);
  t.ok(await pool.whenUp(1000));
  network.cut();
  await sleep(10);
  t.ok(await pool.whenUp(1000));
  t.same(await pool.run(echo('on'), soon()), done('on'));
});

t.test('a half-open connection is found out and left', async t => {
  const { pool, network, changes } = await world(t, { probeTimeoutMs: 300, idleProbeMs: 150, connections: 2 });
  t.ok(await pool.whenUp(2000));
  while (pool.load.up < 2) await sleep(5);

  await sleep(400);
  t.equal(network.connections, 2, 'idle connections that answer the probe are kept');

  // Silence swallows everything, as a firewall that forgot the connection does.
  const silent = network.connections;
  network.answers = () => undefined;
  t.same(await pool.run(echo('into the void'), soon(50)), { kind: 'unavailable' });
  while (pool.load.up > 0) await sleep(5);
  t.ok(changes.some(change => change.state === 'down' && change.reason === 'silent'));
  network.answers = (frame, pass) => pass(frame);
  t.ok(await pool.whenUp(2000), 'also while new connections were answered by nobody');
  t.ok(network.connections > silent);
  t.same(await pool.run(echo('out of it'), soon()), done('out of it'));
});

t.test('an HSM that is slow with the probe but answers others is busy, and kept', async t => {
  const { pool, network, changes } = await world(t, { probeTimeoutMs: 400 });
  t.ok(await pool.whenUp(2000));
  network.answers = (frame, pass) => {
    if (frame.toString('latin1', 6, 8) === 'ND') setTimeout(() => pass(frame), 600);
    else if (!frame.includes('slow')) pass(frame);
  };
  t.same(await pool.run(echo('slow'), soon(30)), { kind: 'unavailable' });
  for (let i = 0; i < 60; i++) {
    t.same(await pool.run(echo('quick'), soon()), done('quick'));
    await sleep(10);
  }
  t.same(
    changes.map(change => change.state),
    ['up'],
  );
  t.equal(network.connections, 1);
});

t.test('a command that is never answered gives its place back with its connection', async t => {
  const { pool, network, changes } = await world(t, { staleMs: 150 });
  t.ok(await pool.whenUp(2000));
  network.answers = (frame, pass) => {
    if (!frame.includes('lost')) pass(frame);
  };
  t.same(await pool.run(echo('lost'), soon(50)), { kind: 'unavailable' });
  t.ok(pool.load.outstanding > 0);
  const started = Date.now();
  while (!changes.some(change => change.reason === 'command never answered') && Date.now() - started < 2000) {
    await pool.run(echo('others go on'), soon());
    await sleep(5);
  }
  t.ok(Date.now() - started < 1000);
  t.ok(await pool.whenUp(1000));
  t.equal(pool.load.outstanding, 0);
});

t.test('an HSM with another LMK behind the same address is not used', async t => {
  const log = () => undefined;
  const first = await startHsmSim({ port: 0, lmk: testLmk, log });
  const other = await startHsmSim({ port: 0, lmk: newLmkFile(`${t.testdir()}/lmk.json`), log });
  let { port } = first;
  const network = await UnkindNetwork.start(() => port);
  const changes: ConnectionChange[] = [];
  const onConnection = (change: ConnectionChange) => changes.push(change);
  const retries = { firstRetryMs: 20, maxRetryMs: 50 };
  const pool = new HsmPool({ host: '127.0.0.1', port: network.port, connections: 1, ...retries, onConnection });
  t.teardown(async () => {
    pool.close();
    network.close();
    await Promise.all([first.close(), other.close()]);
  });
  t.ok(await pool.whenUp(2000), 'a pool takes the first LMK it sees');
  port = other.port;
  network.cut();
  while (pool.isUp) await sleep(5);
  t.equal(await pool.whenUp(300), false, 'and none but it');
  t.equal(changes.at(-1)?.reason, 'another LMK');
  port = first.port;
  t.ok(await pool.whenUp(2000));
});

t.test('error codes of the device are no judgement on the data', async t => {
  const { pool, network, outcomes } = await world(t);
  t.ok(await pool.whenUp(2000));
  network.answers = (frame, pass) => {
    const failed = Buffer.from('\x00\x08....BV42', 'latin1');
    frame.copy(failed, 2, 2, 6);
    pass(frame.toString('latin1', 6, 8) === 'BV' ? failed : frame);
  };
  t.same(await pool.run(keyCheckValue(KeyType.zmk, simulatorZmk), soon()), { kind: 'unavailable' });
  t.equal(outcomes.get('BU refused-42'), 1);
  network.answers = (frame, pass) => {
    const longer = Buffer.concat([frame, Buffer.from('0')]);
    longer.writeUInt16BE(frame.length - 1, 0);
    pass(longer);
  };
  t.same(await pool.run(keyCheckValue(KeyType.zmk, simulatorZmk), soon()), { kind: 'unavailable' });
  t.equal(outcomes.get('BU malformed'), 1);
  network.answers = (frame, pass) => pass(frame);
  t.same(
    await pool.run(echo('gone'), Date.now() - 1),
    { kind: 'unavailable' },
    'a deadline that has passed sends nothing',
  );
  t.equal(outcomes.get('B2 expired'), 1);
  pool.close();
  t.same(await pool.run(echo('closed'), soon()), { kind: 'unavailable' });
  t.equal(await pool.whenUp(10), false);
});
