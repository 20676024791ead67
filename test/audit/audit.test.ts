import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type AuditReport, audit, describe, type FindingKind, passes } from '../../src/audit/index.ts';
import { testDatabase } from '../support/servers.ts';
import { answer, type Books, equalBooks, keyOf, post, reverse, row, rrnOf, sent, writeBooks } from './books.ts';

const command = fileURLToPath(new URL('../../src/audit/main.js', import.meta.url));

t.test('the audit over three books', async t => {
  const { pool, url } = await testDatabase(t);
  const folder = t.testdir();
  const records = join(folder, 'terminals.jsonl');
  const book = join(folder, 'bank.jsonl');
  const sources = { databaseUrl: url, records: [records], books: [book] };

  async function judged(books: Books): Promise<AuditReport> {
    await writeBooks(books, pool, records, book);
    return audit(sources);
  }

  function run(...more: string[]) {
    const args = ['--records', records, '--book', book, '--database-url', url, '--json', ...more];
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
    return { status, stdout, stderr, report: JSON.parse(stdout.trim().split('\n').at(-1) || 'null') as AuditReport };
  }

  await t.test('equal books pass', async t => {
    const report = await judged(equalBooks());
    t.same(report.named, []);
    const total = { count: 3, sumMinor: 107 + 207 + 307 };
    t.match(report, { terminals: total, journal: total, bank: total, differences: 0, cases: 0, unfinished: 0 });
    t.ok(passes(report, false));
    const { status, report: printed } = run();
    t.equal(status, 0);
    t.same(printed, report);
  });

  type Plant = [name: string, key: string, kind: FindingKind, what: RegExp, plant: (books: Books) => void];
  const without = (
    books: Books,
    drop: { records?: string; bank?: unknown; journal?: (of: Books['journal'][number]) => boolean },
  ) => {
    if (drop.records !== undefined) books.records = books.records.filter(line => line.key !== drop.records);
    if (drop.bank !== undefined) books.bank = books.bank.filter(line => line.rrn !== drop.bank);
    const { journal } = drop;
    if (journal !== undefined) books.journal = books.journal.filter(row => !journal(row));
  };
  const change = (lines: Record<string, unknown>[], matching: Record<string, unknown>, to: Record<string, unknown>) => {
    for (const line of lines) {
      if (Object.entries(matching).every(([name, value]) => line[name] === value)) Object.assign(line, to);
    }
  };
  const second = keyOf(2);
  const bankOnly = 'bank 00012345/1022101530/000042';
  const plants: Plant[] = [
    ['terminals: rows deleted', second, 'difference', /no terminal recorded/, b => without(b, { records: second })],
    [
      'terminals: the answer deleted',
      second,
      'unfinished',
      /terminal still owes/,
      b => {
        b.records = b.records.filter(line => line.key !== second || line.t !== 'answer');
      },
    ],
    [
      'terminals: an amount changed',
      second,
      'difference',
      /terminal and journal differ/,
      b => change(b.records, { t: 'answer', key: second }, { amountMinor: 208 }),
    ],
    [
      'terminals: a reversal added',
      second,
      'difference',
      /terminal reversed what had an outcome; terminal and journal differ/,
      b => b.records.push({ t: 'reversal-answer', key: second, code: '00' }),
    ],
    ['terminals: a trace used twice', second, 'difference', /one trace twice/, b => b.records.push(sent(2))],
    ['terminals: an answer to nothing', keyOf(42), 'difference', /never sent/, b => b.records.push(answer(42, '00'))],
    [
      'terminals: another RRN',
      second,
      'difference',
      /was told RRN 999999999999/,
      b => change(b.records, { t: 'answer', key: second }, { rrn: '999999999999' }),
    ],
    [
      'journal: a transaction deleted',
      second,
      'difference',
      /terminal and journal differ; the bank posted what no journal row names/,
      b => without(b, { journal: row => row.tx === 2 }),
    ],
    [
      'journal: the last row deleted',
      second,
      'difference',
      /terminal and journal differ/,
      b => without(b, { journal: row => row.tx === 2 && row.version === 2 }),
    ],
    [
      'journal: a row between deleted',
      keyOf(5),
      'difference',
      /lacks a row between/,
      b => without(b, { journal: row => row.tx === 5 && row.version === 2 }),
    ],
    [
      'journal: an amount changed',
      second,
      'difference',
      /terminal and journal differ; journal and bank differ/,
      b => change(b.journal as never, { tx: 2, version: 2 }, { approvedMinor: 208 }),
    ],
    [
      'journal: approved without an amount',
      second,
      'difference',
      /without an amount/,
      b => change(b.journal as never, { tx: 2, version: 2 }, { approvedMinor: null }),
    ],
    [
      'journal: a reversal added',
      second,
      'difference',
      /terminal and journal differ; journal and bank differ/,
      b => b.journal.push(row(2, 3, 'reversing'), row(2, 4, 'reversed')),
    ],
    ['journal: a transaction left open', keyOf(8), 'unfinished', /still open/, b => b.journal.push(row(8, 1, 'open'))],
    [
      'journal: a reversal on its way',
      keyOf(7),
      'unfinished',
      /still reversing; store-and-forward still owes/,
      b => {
        without(b, { journal: row => row.tx === 7 && row.version === 4 });
        b.stored.push(7);
        b.bank = b.bank.filter(line => line.t !== 'reverse' || line.rrn !== rrnOf(7));
      },
    ],
    ['journal: a stored reversal of nothing', 'tx 77', 'unfinished', /does not hold/, b => b.stored.push(77)],
    [
      'journal: told approved while reversing',
      second,
      'difference',
      /terminal and journal differ/,
      b => b.journal.push(row(2, 3, 'reversing')),
    ],
    [
      'journal: in dispute',
      second,
      'case',
      /in dispute/,
      b => b.journal.push(row(2, 3, 'reversing'), row(2, 4, 'in dispute')),
    ],
    ['bank: a row deleted', second, 'difference', /journal and bank differ/, b => without(b, { bank: rrnOf(2) })],
    [
      'bank: an amount changed',
      second,
      'difference',
      /journal and bank differ/,
      b => change(b.bank, { t: 'post', rrn: rrnOf(2) }, { amountMinor: 208 }),
    ],
    ['bank: a reversal added', second, 'difference', /journal and bank differ/, b => b.bank.push(reverse(2))],
    ['bank: posted twice', second, 'difference', /posted it 2 times/, b => b.bank.push(post(2))],
    ['bank: reversed twice', keyOf(5), 'difference', /reversed it 2 times/, b => b.bank.push(reverse(5))],
    [
      'bank: a reversal deleted',
      keyOf(5),
      'difference',
      /journal and bank differ/,
      b => {
        b.bank = b.bank.filter(line => line.t !== 'reverse' || line.rrn !== rrnOf(5));
      },
    ],
    [
      'bank: reversed without an original',
      bankOnly,
      'difference',
      /without an original/,
      b => b.bank.push(reverse(42)),
    ],
    ['bank: posted what nobody sent', bankOnly, 'difference', /no journal row names/, b => b.bank.push(post(42))],
    [
      'bank: posted and reversed what nobody sent',
      bankOnly,
      'difference',
      /no journal row names/,
      b => b.bank.push(post(42), reverse(42)),
    ],
    [
      'bank: another terminal',
      second,
      'difference',
      /told terminal M00000000000001\/T0000009/,
      b => change(b.bank, { t: 'post', rrn: rrnOf(2) }, { terminalId: 'T0000009' }),
    ],
    [
      'bank: another RRN',
      second,
      'difference',
      /the bank was told RRN 999999999999/,
      b => change(b.bank, { t: 'post', rrn: rrnOf(2) }, { rrn: '999999999999' }),
    ],
    [
      'a terminal that gave up',
      keyOf(7),
      'case',
      /gave up its reversal/,
      b => {
        b.records = b.records.filter(line => line.t !== 'reversal-answer');
        b.records.push({ t: 'reversal-exhausted', key: keyOf(7) });
      },
    ],
  ];

  await t.test('one planted error is named, and nothing else', async t => {
    for (const [name, key, kind, what, plant] of plants) {
      const books = equalBooks();
      plant(books);
      const report = await judged(books);
      const found = report.named.find(finding => finding.kind === kind);
      t.equal(found?.key, key, `${name}: names the transaction`);
      t.match(found?.what, what, `${name}: says what`);
      t.equal(report.named.filter(finding => finding.kind === kind).length, 1, `${name}: once`);
      t.notOk(
        report.named.some(finding => finding.key !== key),
        `${name}: no other transaction`,
      );
      t.notOk(passes(report, false), `${name}: fails`);
      t.match(describe(report), `${kind} ${key}`, `${name}: a line for people`);
    }
  });

  await t.test('rows that lost their first row name nobody: both halves are named', async t => {
    const books = equalBooks();
    books.journal = books.journal.filter(row => row.tx !== 2 || row.version !== 1);
    const report = await judged(books);
    t.equal(report.differences, 2);
    t.match(report.named, [
      { key: 'tx 2', what: /lacks its first row/, terminal: null, bank: null },
      {
        key: second,
        what: /no journal row names/,
        terminal: { netMinor: 207 },
        journal: null,
        bank: { netMinor: 207 },
      },
    ]);
  });

  await t.test('the command: exit status and words', async t => {
    for (const plant of [0, 10, 19, 20]) {
      const books = equalBooks();
      plants[plant]?.[4](books);
      await writeBooks(books, pool, records, book);
      const { status, stdout, report } = run();
      t.equal(status, 1, `plant ${plant}`);
      t.equal(report.differences, 1);
      t.match(
        stdout,
        new RegExp(`^difference ${second} rrn ${rrnOf(2)}: .*\\(terminal .*, journal .*, bank .*\\)$`, 'm'),
      );
    }
    const books = equalBooks();
    books.journal.push(row(2, 3, 'reversing'), row(2, 4, 'in dispute'));
    await writeBooks(books, pool, records, book);
    t.equal(run().status, 1, 'a case fails');
    t.match(run('--allow-cases'), { status: 0, report: { cases: 1, differences: 0 } }, 'unless it is allowed');
  });

  await t.test('a flood of findings: all counted, the first named', async t => {
    const books = equalBooks();
    for (let tx = 1000; tx < 1250; tx++) books.bank.push(post(tx));
    const report = await judged(books);
    t.equal(report.differences, 250);
    t.equal(report.named.length, 100);
    t.match(describe(report), '... and 150 more');
  });

  await t.test('what a killed writer left is passed over, a damaged line ends the audit', async t => {
    await writeBooks(equalBooks(), pool, records, book);
    appendFileSync(records, '{"t":"sent","key":"M/T/0000');
    appendFileSync(book, '{"t":"post","acqu');
    t.equal(run().status, 0);
    appendFileSync(book, '\n{"t":"x"}\n');
    const { status, stderr } = run();
    t.equal(status, 2);
    t.match(stderr, /bank\.jsonl:\d+: not a line of JSON/);
  });

  await t.test('nothing is said without all three books', async t => {
    const bare = (...args: string[]) =>
      spawnSync(process.execPath, [command, ...args], { encoding: 'utf8', env: { ...process.env, DATABASE_URL: '' } });
    t.match(bare('--records', records, '--book', book), { status: 2, stderr: /--database-url/ });
    t.match(bare('--database-url', url, '--book', book), { status: 2, stderr: /--records is needed/ });
    t.match(bare('--database-url', url, '--records', records), { status: 2, stderr: /--book is needed/ });
    t.match(bare('--database-url', url, '--records', '/nowhere', '--book', book), { status: 2, stderr: /nowhere/ });
    t.match(bare('--nonsense'), { status: 2, stderr: /nonsense/ });
    t.match(bare('--help'), { status: 0, stdout: /Exit status/ });
  });
});
