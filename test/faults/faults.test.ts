import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { waitUntil } from '../../src/embedded/server.ts';
import { stateAt } from './caught.ts';
import { processState, withChildren } from './processes.ts';
import { TcpProxy } from './proxy.ts';
import { isApproved, Records } from './records.ts';

const faultMs = 10_000;
const sent = { key: 'm/t/000001/000001', terminal: 'm/t', to: 'switch', sentAtMs: 9000 };

t.test('a caught request is told by what was durable and what had crossed at the fault', async t => {
  const at = (
    commits: { openedAtMs: number; closedAtMs: number | null } | undefined,
    crossing: { requestAtMs?: number; answerAtMs?: number },
    endedAtMs?: number,
  ) => stateAt(faultMs, endedAtMs === undefined ? sent : { ...sent, endedAtMs }, commits, crossing);
  t.equal(at(undefined, {}), 'notOpen');
  t.equal(at({ openedAtMs: 10_001, closedAtMs: null }, {}), 'notOpen', 'committed after the fault');
  const open = { openedAtMs: 9990, closedAtMs: 10_300 };
  t.equal(at(open, {}), 'openUnsent');
  t.equal(at(open, { requestAtMs: 10_400 }), 'openUnsent', 'sent long after the fault');
  t.equal(at(open, { requestAtMs: 10_010 }), 'sentUnanswered', 'on the wire at the fault');
  t.equal(at(open, { requestAtMs: 9991, answerAtMs: 10_001 }), 'sentUnanswered');
  t.equal(at(open, { requestAtMs: 9991, answerAtMs: 9999 }), 'answeredUnclosed');
  const closed = { openedAtMs: 9000, closedAtMs: 9999 };
  t.equal(at(closed, { requestAtMs: 9001, answerAtMs: 9998 }), 'closedUntold', 'never told');
  t.equal(at(closed, { requestAtMs: 9001, answerAtMs: 9998 }, 16_000), 'closedUntold', 'its terminal gave up');
  t.equal(at(closed, { requestAtMs: 9001, answerAtMs: 9998 }, 10_020), null, 'its answer was on the way');
});

t.test('the terminals’ records are read while they grow', async t => {
  const path = join(t.testdir(), 'records.jsonl');
  const write = (...lines: readonly (object | string)[]): void =>
    writeFileSync(path, lines.map(line => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`)).join(''), {
      flag: 'a',
    });
  const records = new Records(path);
  t.teardown(() => records.close());
  const sale = (trace: number, atMs: number) => ({ t: 'sent', key: `m/t/000001/${trace}`, to: 'a:1', atMs });
  write(sale(1, 1000), sale(2, 1100), '{"t":"answer","key":"m/t/000001/1","co');
  records.read();
  t.equal(records.inFlightAt(1200, 6000).length, 2);
  write('de":"00","atMs":1150}\n', { t: 'no-answer', key: 'm/t/000001/2', why: 'closed' });
  records.read();
  t.same(
    records.all.filter(isApproved).map(({ key }) => key),
    ['m/t/000001/1'],
  );
  t.equal(records.inFlightAt(1200, 6000).length, 1, 'a line without a time is not older than the next with one');
  write({ ...sale(3, 1500), to: '' }, sale(4, 1600));
  records.read();
  t.equal(records.all[1]?.endedAtMs, 1500);
  t.same(
    records.between(1001, 1700).map(({ key }) => key),
    ['m/t/000001/2', 'm/t/000001/4'],
    'what waits in a terminal was not sent',
  );
});

/** A server that gives back what it gets. */
async function echo(t: Test): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}));
    socket.pipe(socket);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function dial(t: Test, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
  socket.resume();
  t.teardown(() => socket.destroy());
  return socket;
}

t.test('a proxy passes everything on, until its links are half open', async t => {
  const heard = { toServer: 0, toClient: 0 };
  const proxy = new TcpProxy({
    listenIn: () => ({
      toServer: chunk => {
        heard.toServer += chunk.length;
      },
      toClient: chunk => {
        heard.toClient += chunk.length;
      },
    }),
  });
  const port = await proxy.start(await echo(t));
  t.teardown(() => proxy.stop());
  const frame = Buffer.from('a frame');
  const client = dial(t, port);
  client.write(frame);
  t.ok(await waitUntil(() => heard.toClient === frame.length, 5000), 'there and back');
  t.equal(heard.toServer, frame.length);

  const swallowed = proxy.hold();
  client.write(frame);
  const late = dial(t, port);
  late.write(frame);
  t.ok(
    await waitUntil(() => swallowed.toServer === 2 * frame.length, 5000),
    'it takes bytes of old and new connections',
  );
  t.same([heard.toServer, swallowed.toClient], [frame.length, 0], 'and passes on none');
  t.notOk(client.destroyed || late.destroyed, 'nobody is told');
  t.equal(proxy.heal(), 2);
  t.ok(await waitUntil(() => client.destroyed && late.destroyed, 5000), 'until both are cut');

  const after = dial(t, port);
  after.write(frame);
  t.ok(await waitUntil(() => heard.toClient === 2 * frame.length, 5000), 'what comes later is whole');
});

t.test('a process is known by its state, and its children with it', async t => {
  t.equal(processState(process.pid), 'R');
  t.equal(processState(2 ** 22 + 1), null);
  t.ok(withChildren(process.ppid).includes(process.pid));
});
