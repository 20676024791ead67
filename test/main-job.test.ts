/** The main job on real parts: two switch processes, HSM, bank, Postgres, Redis, and terminals over TCP and HTTP. */

import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { AuditReport } from '../src/audit/index.ts';
import { waitUntil } from '../src/embedded/server.ts';
import { settleAndAudit } from '../src/simulators/stack/settle.ts';
import {
  Card,
  clearPinBlock,
  parseCards,
  parseTerminals,
  RecordBook,
  simulatorTransportKey,
  TerminalFleet,
} from '../src/simulators/terminal/index.ts';
import { emptyRedis } from './support/servers.ts';
import { metric, testStack } from './support/stack.ts';
import { ask, dial, misformed, next, rewritten, Till } from './support/till.ts';
import { unframed } from './terminals/support.ts';

const contentTypes = ['application/octet-stream', 'x-ISO-TPDU/x-auth'] as const;
const auditCommand = fileURLToPath(new URL('../src/audit/main.js', import.meta.url));
const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

t.setTimeout(120_000);

t.test('the main job', async t => {
  const world = await testStack(t, {
    switches: 2,
    terminals: 10,
    bankTimeoutMs: 1000,
    bankArgs: ['--late-ms', '1500'],
  });
  const { stack, query } = world;
  const [first, second] = stack.switches;
  if (first === undefined || second === undefined) throw new Error('two switches were asked for');
  const cards = parseCards(readJson(stack.cardsFile));
  const terminals = parseTerminals(readJson(stack.terminalsFile));
  const overBoth = async (name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> =>
    (await metric(first.metricsUrl, name, labels)) + (await metric(second.metricsUrl, name, labels));

  await t.test('a fleet shops while banks are silent, late and double, and while Redis is emptied', async t => {
    const fleet = await TerminalFleet.open({
      terminals: terminals.slice(0, 8),
      transportKey: simulatorTransportKey,
      cards,
      addresses: stack.switches.map(({ terminals }) => ({
        host: '127.0.0.1',
        port: Number(terminals.slice(terminals.indexOf(':') + 1)),
      })),
      recordsFile: stack.recordsFile,
      rate: 80,
      seconds: 4,
      waitMs: stack.terminalWaitMs,
      perTransactionShare: 0.25,
      signOn: '003',
      reversalTries: 0,
      settleSeconds: 30,
      oddShare: 0.4,
      wrongPinShare: 0.02,
      inquiryShare: 0.05,
      seed: 1,
    });
    const running = fleet.run();
    t.ok(await waitUntil(() => fleet.progress().approved > 20, 30_000), 'customers are served');
    const emptied: number[] = [];
    for (let time = 0; time < 2; time++) {
      emptied.push(await emptyRedis(world.prefix));
      await delay(700);
    }
    const whenEmptied = fleet.progress().approved;
    const summary = await running;
    t.ok(
      emptied.every(keys => keys > 0),
      `Redis held something each time it was emptied: ${emptied}`,
    );
    t.ok(summary.approved > whenEmptied, 'customers were served after Redis was emptied');
    t.ok((await emptyRedis(`${world.prefix}{m:${terminals[0]?.merchantId}}:t:`)) > 0, 'the projection came back');
    const { sent, approved, declined, timedOut, unanswered, owed, exhausted, byCode } = summary;
    t.ok(approved > 100, `approved ${approved}`);
    t.ok(timedOut > 0, `timed out ${timedOut}`);
    t.same([unanswered, owed, exhausted], [0, 0, 0], 'each terminal got its answer');
    t.equal(sent, approved + declined + timedOut);
    t.ok((byCode['51'] ?? 0) > 0 && (byCode['05'] ?? 0) > 0, "the bank's declines came through");
    const refusals = Object.keys(byCode).filter(code => !['00', '05', '51', '55', '91', '98'].includes(code));
    t.same(refusals, [], 'nobody was refused because Redis was empty');
    t.ok((await overBoth('switch_link_late_answers_total')) > 0, 'late and double answers were consumed');
  });

  // Worked by hand from here: terminals that the fleet did not use, one for each length of MAC key.
  const records = await RecordBook.open(stack.recordsFile);
  const [firstTill, secondTill] = terminals.slice(8).map(definition => new Till(definition, cards, records));
  if (firstTill === undefined || secondTill === undefined) throw new Error('two terminals are left');
  const at = [dial(first.terminals), dial(second.terminals)] as const;
  const [one, two] = at;
  t.teardown(() => {
    for (const client of at) client.socket.destroy();
    records.close();
  });
  const rowsOf = async (key: string): Promise<Record<string, unknown>[]> =>
    query(
      'SELECT * FROM journal WHERE merchant_id = $1 AND terminal_id = $2 AND batch = $3 AND trace = $4',
      key.split('/'),
    );

  await t.test('keys travel: signed on at one switch, served at the other', async t => {
    for (const till of [firstTill, secondTill]) {
      t.equal(await till.signOn(one), 'signed-on');
      t.equal(await till.buy(two), '00', 'a purchase with a PIN, right after the sign-on');
      t.equal(await till.buy(one, { pin: null, entryMode: '022' }), '00', 'and one without');
      t.equal(await till.buy(two, { pin: till.card(0).wrongPin }), '55', 'the PIN reached the bank');
      t.equal(await till.buy(one, { card: cards.length - 1 }), '00', 'a card of another BIN');
    }
    t.equal(await firstTill.signOn(two), 'signed-on', 'again, at the other switch');
    t.equal(await firstTill.buy(one), '00');
    t.equal(await firstTill.buy(two), '00');
  });

  await t.test('balance inquiry, echo and sign-off are answered', async t => {
    const balance = firstTill.pos.balanceFrame({
      card: firstTill.card(1),
      entryMode: '051',
      pin: firstTill.card(1).pin,
    });
    const told = await ask(one, balance.frame);
    t.equal(told?.text(39), '00');
    t.match(told?.text(54), /^\d{4}156C\d{12}/, 'with the balance');
    for (const request of [firstTill.pos.echoFrame(), firstTill.pos.signOffFrame()]) {
      const answer = await ask(two, request.frame);
      t.match(answer && firstTill.pos.checkAnswer(request, answer.bytes), { kind: 'valid', code: '00' });
    }
  });

  await t.test('a connection for each transaction', async t => {
    for (const { terminals } of [first, second, first]) {
      const client = dial(terminals);
      t.equal(await secondTill.buy(client), '00');
      client.socket.end();
      await client.until(({ closed }) => closed);
    }
  });

  await t.test('messages split and joined at any byte', async t => {
    const slow = secondTill.sale();
    const before = one.answers.length;
    for (let from = 0, size = 1; from < slow.request.frame.length; from += size, size = (size % 7) + 1) {
      one.send(slow.request.frame.subarray(from, from + size));
      await delay(1);
    }
    t.match(secondTill.hear(slow, await next(one, before)), { kind: 'valid', code: '00' }, 'sent in pieces');

    const sales = [firstTill.sale(), secondTill.sale({ card: 2 })] as const;
    const already = two.answers.length;
    const joined = Buffer.concat(sales.map(({ request }) => request.frame));
    // The second message begins in the first piece.
    two.send(joined.subarray(0, sales[0].request.frame.length + 1));
    two.send(joined.subarray(sales[0].request.frame.length + 1));
    await two.until(({ answers }) => answers.length >= already + 2);
    const of = (till: Till) =>
      two.answers.slice(already).find(answer => answer.text(41) === till.pos.terminalId) ?? null;
    t.match(firstTill.hear(sales[0], of(firstTill)), { kind: 'valid', code: '00' }, 'the first of two');
    t.match(secondTill.hear(sales[1], of(secondTill)), { kind: 'valid', code: '00' }, 'the second of two');
  });

  await t.test('a wrong MAC is refused and leaves nothing behind', async t => {
    const sale = firstTill.sale();
    const forged = sale.request.frame.slice();
    forged.set([(forged.at(-1) ?? 0) ^ 1], forged.length - 1);
    t.equal((await ask(one, forged))?.text(39), 'A0');
    t.same(await rowsOf(sale.key), [], 'no journal row');
    t.match(
      firstTill.hear(sale, await ask(one, sale.request.frame)),
      { kind: 'valid', code: '00' },
      'the right one is new',
    );
  });

  await t.test('what can be answered is refused with its code, and the connection serves on', async t => {
    const purchase = () => firstTill.draft().request.frame;
    const pan = firstTill.card(0).pan;
    const misprinted = new Card(
      `${pan.slice(0, -1)}${(Number(pan.at(-1)) + 1) % 10}`,
      firstTill.card(0).expiry,
      '1234',
    );
    const refusals: readonly [string, string, Uint8Array][] = [
      ['unknown terminal', '97', rewritten(purchase(), { fields: { 41: 'NOSUCH99' } })],
      ['unknown merchant', '97', rewritten(purchase(), { fields: { 42: '999999999999999' } })],
      [
        'sign-on of an unknown terminal',
        '97',
        rewritten(firstTill.pos.signOnFrame().frame, { fields: { 41: 'NOSUCH99' } }),
      ],
      ['unknown MTI', '12', rewritten(purchase(), { mti: '0900' })],
      ['field out of format', '30', misformed(purchase(), 60)],
      ['a needed field is missing', '30', rewritten(purchase(), { fields: { 25: null } })],
      ['amount zero', '13', firstTill.draft({ amountMinor: 0 }).request.frame],
      ['no amount', '13', rewritten(purchase(), { fields: { 4: null } })],
      [
        'wrong check digit',
        '14',
        firstTill.pos.purchaseFrame({ card: misprinted, entryMode: '022', amountMinor: 100 }).frame,
      ],
      [
        'e-cash load, not built',
        '40',
        rewritten(purchase(), { fields: { 3: '630000', 25: '91', 60: '46000001000600' } }),
      ],
      ['no MAC', 'A0', rewritten(purchase(), { fields: { 64: null } })],
    ];
    const rowsBefore = await query('SELECT count(*) FROM journal');
    for (const [name, code, bytes] of refusals) {
      const answer = await ask(one, bytes);
      t.equal(answer?.text(39), code, name);
      t.equal((await ask(one, firstTill.pos.echoFrame().frame))?.text(39), '00', `${name}: the next is served`);
    }
    t.same(await query('SELECT count(*) FROM journal'), rowsBefore, 'nothing was written');
    t.equal(await firstTill.buy(one), '00', 'a purchase on the same connection');
    t.ok((await metric(first.metricsUrl, 'switch_terminal_refusals_total')) >= 6, 'each is counted');
  });

  await t.test('what cannot be answered closes its connection, and the next one is served', async t => {
    const purchase = firstTill.draft().request.frame;
    const message = (bytes: readonly number[]) => Buffer.from([bytes.length >> 8, bytes.length & 255, ...bytes]);
    const strangeBitmap = purchase.slice();
    // Bit 1 promises a second bitmap, which the dialect does not have.
    strangeBitmap.set([(strangeBitmap[15] ?? 0) | 0x80], 15);
    const unanswerable: readonly [string, Uint8Array][] = [
      ['a frame too long', Buffer.from([0x20, 0x00, 0x60, 0x00])],
      ['a frame of nothing', Buffer.from([0, 0])],
      ['a frame too short', message([0x60, 0, 3])],
      ['garbage', message(Array.from({ length: 80 }, (_, i) => (i * 73 + 41) & 255))],
      ['another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
      ['a bad bitmap', strangeBitmap],
      ['a fault before it names its terminal', misformed(purchase, 4)],
      ['an answer', rewritten(purchase, { mti: '0210' })],
    ];
    for (const [name, bytes] of unanswerable) {
      const client = dial(second.terminals);
      t.equal(await ask(client, bytes), null, `${name}: closed`);
      client.socket.destroy();
      const after = dial(second.terminals);
      t.equal(await secondTill.buy(after), '00', `${name}: the next is served`);
      after.socket.destroy();
    }
    const closed = await metric(second.metricsUrl, 'switch_terminal_connections_closed_total', {
      reason: 'unanswerable',
    });
    const badFrames = await metric(second.metricsUrl, 'switch_terminal_connections_closed_total', {
      reason: 'bad-frame',
    });
    t.equal(closed + badFrames, unanswerable.length, 'each is counted');
    t.equal(await firstTill.buy(two), '00', 'other connections stand');
  });

  await t.test('the same message over HTTP is answered in kind, and posted once', async t => {
    const post = async (url: string, type: string, body: Uint8Array) =>
      await fetch(`${url}/iso8583`, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) });
    const sale = firstTill.sale({ amountMinor: 45_600 });
    const rrns: (string | undefined)[] = [];
    for (const [i, type] of contentTypes.entries()) {
      const response = await post(stack.switches[i]?.httpUrl ?? '', type, sale.request.frame);
      t.equal(response.status, 200, type);
      t.equal(response.headers.get('content-type')?.toLowerCase(), type.toLowerCase());
      const answer = unframed(new Uint8Array(await response.arrayBuffer()));
      const checked = firstTill.pos.checkAnswer(sale.request, answer.bytes);
      t.match(checked, { kind: 'valid', code: '00' });
      rrns.push(answer.text(37));
      if (i === 0) firstTill.hear(sale, answer);
    }
    t.ok(rrns[0] !== undefined && rrns[0] === rrns[1], 'the repeat got the stored answer');
    const posts = bookLines(stack.bookFile).filter(line => line.t === 'post' && line.rrn === rrns[0]);
    t.equal(posts.length, 1, 'and the bank posted once');

    const echo = firstTill.pos.echoFrame().frame;
    for (const body of [echo.subarray(0, -1), Buffer.concat([echo, echo]), Buffer.from([1]), Buffer.alloc(0)]) {
      t.equal(
        (await post(first.httpUrl, contentTypes[0], body)).status,
        400,
        `${body.length} bytes that are not one frame`,
      );
    }
    t.equal((await post(first.httpUrl, 'application/json', Buffer.from('{}'))).status, 415, 'another content type');
    t.equal((await post(first.httpUrl, contentTypes[0], echo)).status, 200, 'the next is served');
  });

  await t.test('a terminal that missed an approval reverses it, once', async t => {
    const sale = firstTill.sale({ amountMinor: 78_900 });
    const answer = await ask(one, sale.request.frame);
    t.equal(answer?.text(39), '00');
    firstTill.missTheAnswer(sale);
    const told = await firstTill.reverse(two, sale);
    t.equal(told.code, '00', 'durable at the other switch');
    t.same(await firstTill.reverse(one, sale), told, 'repeated: the same answer');
    t.same(await firstTill.reverse(two, sale), told);
    const rrn = answer?.text(37);
    const ended = async () =>
      (
        await query(
          "SELECT FROM journal WHERE state = 'reversed' AND tx_id IN (SELECT tx_id FROM journal WHERE rrn = $1)",
          [rrn],
        )
      ).length === 1;
    t.ok(await waitUntil(ended, 15_000), 'the bank confirms');
    const lines = bookLines(stack.bookFile).filter(line => line.rrn === rrn);
    t.same(
      lines.map(({ t, amountMinor }) => [t, amountMinor]),
      [
        ['post', 78_900],
        ['reverse', 78_900],
      ],
      "the bank's book shows one reversal",
    );
    t.equal((await ask(one, sale.request.frame))?.text(39), '94', 'the original again: reversed');
  });

  await t.test('a reversal of what never came is answered 25, and its original later 94', async t => {
    const sale = secondTill.sale();
    secondTill.missTheAnswer(sale);
    t.equal((await secondTill.reverse(one, sale)).code, '25');
    t.equal((await ask(two, sale.request.frame))?.text(39), '94');
    t.equal((await secondTill.reverse(two, sale)).code, '25');
  });

  await t.test('health and metrics tell what they should, and no card number', async t => {
    for (const { httpUrl, metricsUrl } of stack.switches) {
      t.equal((await fetch(`${httpUrl}/livez`)).status, 200);
      const ready = await fetch(`${httpUrl}/readyz`);
      t.equal(ready.status, 200);
      t.same(await ready.json(), {
        ready: true,
        checks: { postgres: true, redis: true, hsm: true, links: true, recovery: true },
      });
      t.equal((await fetch(`${httpUrl}/metrics`)).status, 404, 'metrics are on a port of their own');
      const text = await (await fetch(`${metricsUrl}/metrics`)).text();
      const approved = text.match(/^switch_transactions_total\{kind="purchase",outcome="approved",code="00"\} (\d+)$/m);
      t.ok(Number(approved?.[1]) > 0, 'approvals are counted');
      t.same(traces(text), [], 'no card data');
    }
  });

  const sources = ['--database-url', stack.databaseUrl, '--json'];
  const runAudit = (recordsFile: string, bookFile: string) => {
    const args = ['--records', recordsFile, '--book', bookFile, ...sources];
    const { status, stdout, stderr } = spawnSync(process.execPath, [auditCommand, ...args], { encoding: 'utf8' });
    if (status === null || status > 1) throw new Error(`audit: ${stderr}`);
    const lines = stdout.trim().split('\n');
    return { status, told: stdout, report: JSON.parse(lines.at(-1) ?? '') as AuditReport };
  };

  await t.test('the three books agree', async t => {
    const report = await settleAndAudit(stack, 30_000);
    t.same(report.named, []);
    t.match(report, { differences: 0, cases: 0, unfinished: 0 });
    t.ok(report.reversed > 1, `reversed ${report.reversed}`);
    t.ok(report.journal.count > 100);
    t.same([report.terminals, report.bank], [report.journal, report.journal]);
    t.equal(runAudit(stack.recordsFile, stack.bookFile).status, 0, 'says the command as well');
  });

  await t.test('told to end, every process ends in order, and at once when it has nothing to do', async t => {
    for (const client of at) client.socket.destroy();
    const startMs = performance.now();
    await stack.stopProcesses();
    t.ok(performance.now() - startMs < 5000, `after ${Math.round(performance.now() - startMs)} ms`);
    for (const name of ['switch-1.log', 'switch-2.log']) {
      t.match(world.logs().get(name)?.trim().split('\n').at(-1), /"status":0,"msg":"ended"/, name);
    }
  });

  await t.test('logs tell of refusals, and hold no card data', async t => {
    const logs = world.logs();
    t.same([...logs.keys()].sort(), ['bank-sim.log', 'hsm-sim.log', 'switch-1.log', 'switch-2.log']);
    t.equal(traces(`"${cards[3]?.pan}" ${firstTill.pinBlocks[0]}`).length, 2, 'the search finds what it looks for');
    for (const [name, text] of logs) t.same(traces(text), [], name);
    t.match(logs.get('switch-1.log'), /"reason":"unknown-mti"/);
    t.match(logs.get('switch-2.log'), /"reason":"bad-frame"/);
    const errors = [...logs.values()].join('\n').match(/^\{"level":"(?:error|fatal)".*$/gm);
    t.same(errors, null, 'and of no error');
    const columns = (await query('SELECT journal::text AS row FROM journal')).map(({ row }) => String(row)).join('\n');
    t.same(traces(columns), [], 'nor does the journal');
    t.same(traces(readFileSync(stack.bookFile, 'utf8') + readFileSync(stack.recordsFile, 'utf8')), [], 'nor the books');
  });

  await t.test('one error planted in each book: the audit names each', async t => {
    const approved = await query<{ tx_id: string; key: string; rrn: string }>(
      `SELECT tx_id, concat_ws('/', merchant_id, terminal_id, batch, trace) AS key, rrn FROM journal first
       WHERE version = 1 AND EXISTS (SELECT FROM journal last WHERE last.tx_id = first.tx_id AND version = 2 AND state = 'approved')
         AND NOT EXISTS (SELECT FROM journal later WHERE later.tx_id = first.tx_id AND version > 2)
       ORDER BY tx_id LIMIT 3`,
    );
    const [deleted, changed, reversed] = approved;
    if (deleted === undefined || changed === undefined || reversed === undefined) throw new Error('too few sales');
    const recordsFile = join(stack.folder, 'planted-records.jsonl');
    const bookFile = join(stack.folder, 'planted-book.jsonl');
    copyFileSync(stack.bookFile, bookFile);

    await query('DELETE FROM journal WHERE tx_id = $1 AND version = 2', [deleted.tx_id]);
    const isIts = (line: string) => line.includes('"t":"answer"') && line.includes(`"key":"${changed.key}"`);
    const planted = readFileSync(stack.recordsFile, 'utf8').replace(/^.*$/gm, line =>
      isIts(line) ? line.replace(/"amountMinor":(\d+)/, (_, amount) => `"amountMinor":${Number(amount) + 1}`) : line,
    );
    writeFileSync(recordsFile, planted);
    const post = bookLines(bookFile).find(line => line.t === 'post' && line.rrn === reversed.rrn);
    const { mti, stan, transmissionAt, acquirerId, rrn, card, amountMinor, sign, settlementDate } = post ?? {};
    const original = { mti, stan, transmissionAt, acquirerId };
    const reversal = { t: 'reverse', n: 0, atMs: 0, original, rrn, card, amountMinor, sign, settlementDate };
    appendFileSync(bookFile, `${JSON.stringify(reversal)}\n`);

    const { status, told, report } = runAudit(recordsFile, bookFile);
    t.equal(status, 1);
    const found = new Map(report.named.filter(({ kind }) => kind === 'difference').map(({ key, what }) => [key, what]));
    t.same([...found.keys()].sort(), approved.map(({ key }) => key).sort(), 'these three and no other');
    t.match(found.get(deleted.key), /terminal and journal differ/);
    t.match(found.get(changed.key), /terminal and journal differ/);
    t.match(found.get(reversed.key), /journal and bank differ/);
    for (const { key } of approved) t.match(told, `difference ${key}`, 'named for people too');
  });

  /** Whose data is in a text: card numbers, PIN blocks in the clear and as they were sent, as digits or as bytes. */
  function traces(text: string): string[] {
    const lower = text.toLowerCase();
    const sent = [firstTill, secondTill].flatMap(till => till?.pinBlocks ?? []).filter(block => holds(lower, block));
    const shown = cards.filter(({ pan, pin }) =>
      [pan, Buffer.from(pan).toString('hex'), clearPinBlock(pin, pan).toString('hex')].some(form => holds(lower, form)),
    );
    return [...shown.map(String), ...sent];
  }
});

function holds(lower: string, form: string): boolean {
  return lower.includes(form.toLowerCase());
}

function bookLines(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>);
}
