/** The audit over transactions of every kind, and over what must hold among those that refer to each other. */

import { join } from 'node:path';
import t from 'tap';
import { type AuditReport, audit, describe, type FindingKind, passes } from '../../src/audit/index.ts';
import { testDatabase } from '../support/servers.ts';
import { type Books, enter, keyOf, type Line, linkedBooks, post, reverse, row, rrnOf, writeBooks } from './books.ts';

t.test('the audit of what refers to something', async t => {
  const { pool, url } = await testDatabase(t);
  const folder = t.testdir();
  const records = join(folder, 'terminals.jsonl');
  const book = join(folder, 'bank.jsonl');

  async function judged(plant: (books: Books) => void): Promise<AuditReport> {
    const books = linkedBooks();
    plant(books);
    await writeBooks(books, pool, records, book);
    return audit({ databaseUrl: url, records: [records], books: [book] });
  }

  /** What was found, as one line for each finding: "kind trace: words". */
  const lines = ({ named }: AuditReport) => named.map(({ kind, key, what }) => `${kind} ${key.slice(-6)}: ${what}`);
  const bankLine = (books: Books, tx: number) => find(books.bank, line => line.t === 'post' && line.rrn === rrnOf(tx));
  const firstRow = (books: Books, tx: number) => find(books.journal, one => one.tx === tx && one.first);
  const record = (books: Books, tx: number, event: string) =>
    find(books.records, line => line.t === event && line.key === keyOf(tx));
  const forget = (books: Books, tx: number, event: string) => {
    books.records = books.records.filter(line => line.t !== event || line.key !== keyOf(tx));
  };
  /** Undone in all three books, as its terminal asked for it. */
  const undo = (books: Books, tx: number) => {
    forget(books, tx, 'answer');
    books.records.push(
      { t: 'no-answer', key: keyOf(tx), why: 'closed' },
      { t: 'reversal-answer', key: keyOf(tx), code: '00' },
    );
    const version = books.journal.filter(one => one.tx === tx).length;
    books.journal.push(row(tx, version + 1, 'reversing'), row(tx, version + 2, 'reversed'));
    const { sign, amountMinor } = bankLine(books, tx);
    books.bank.push({ ...reverse(tx), sign, amountMinor });
  };
  /** What another transaction made of it is undone too. */
  const reinstate = (books: Books, tx: number) => {
    books.journal.push(row(tx, books.journal.filter(one => one.tx === tx).length + 1, 'approved'));
  };
  const plain = (books: Books, tx: number) => {
    const last = books.journal.findLast(one => one.tx === tx);
    if (last !== undefined && last.version > 2) last.approvedMinor = null;
  };

  await t.test('equal books of every kind pass', async t => {
    const report = await judged(() => undefined);
    t.same(lines(report), []);
    t.ok(passes(report, false));
    const { terminals, journal, bank } = report;
    t.same(terminals, journal);
    t.same(bank, journal);
    t.same(report.untold, { count: 0, sumMinor: 0, heldMinor: 0 });
    t.equal(journal.heldMinor, 700 + 300 + 900);
    const sum = 107 + 207 + 307 + 5750 + 1500 - 300 + 1000 + 100 - 1100 + 800;
    t.match(journal, { count: 17, sumMinor: sum });
    t.match(describe(report), /journal +17 +\d+\.\d\d +19\.00/);
  });

  await t.test('what a terminal cannot know is not held against it, but journal and bank are', async t => {
    const unknown: [string, (books: Books) => void][] = [
      [
        'a refund that was given up',
        books => {
          forget(books, 54, 'answer');
          books.records.push({ t: 'no-answer', key: keyOf(54), why: 'timeout' }, { t: 'given-up', key: keyOf(54) });
        },
      ],
      [
        'a notice that was given up',
        books => {
          forget(books, 55, 'answer');
          books.records.push({ t: 'given-up', key: keyOf(55) });
        },
      ],
      [
        'an advice answered with 94',
        books => Object.assign(record(books, 56, 'answer'), { code: '94', rrn: undefined }),
      ],
      ['a completion advice answered with 94', books => Object.assign(record(books, 46, 'answer'), { code: '94' })],
      ['an adjustment answered with 94', books => Object.assign(record(books, 53, 'answer'), { code: '94' })],
    ];
    for (const [name, plant] of unknown) {
      const { terminals, untold, journal, ...report } = await judged(plant);
      t.same(lines({ terminals, untold, journal, ...report }), [], name);
      t.equal(terminals.sumMinor + untold.sumMinor, journal.sumMinor, `${name}: the sum is whole`);
      t.equal(terminals.heldMinor + untold.heldMinor, journal.heldMinor, `${name}: so is what is held`);
      t.equal(terminals.count + untold.count, journal.count);
    }
    const report = await judged(books => {
      unknown[0]?.[1](books);
      bankLine(books, 54).amountMinor = 1099;
    });
    t.same(lines(report), ['difference 000054: journal and bank differ']);
    const lost = await judged(books => {
      Object.assign(record(books, 56, 'answer'), { code: '94', rrn: undefined });
      books.journal = books.journal.filter(one => one.tx !== 56);
      books.bank = books.bank.filter(line => line.rrn !== rrnOf(56));
    });
    t.same(lines(lost), ['difference 000056: the terminal was told that the host has it, and the journal does not']);
  });

  await t.test('what is undone leaves its original as it was', async t => {
    const undone: [string, (books: Books) => void][] = [
      [
        'a void',
        books => {
          undo(books, 31);
          reinstate(books, 30);
        },
      ],
      [
        'a completion: it is held again',
        books => {
          undo(books, 42);
          reinstate(books, 40);
        },
      ],
      [
        'a release: it is held again',
        books => {
          undo(books, 44);
          reinstate(books, 43);
        },
      ],
      ['an addition', books => undo(books, 21)],
    ];
    for (const [name, plant] of undone) {
      const report = await judged(books => {
        plant(books);
        for (const tx of [30, 40, 43]) plain(books, tx);
      });
      t.same(lines(report), [], name);
      t.equal(report.terminals.heldMinor, report.journal.heldMinor, name);
      t.equal(report.bank.heldMinor, report.journal.heldMinor, name);
    }
  });

  type Plant = [name: string, kind: FindingKind, tx: number, what: RegExp, plant: (books: Books) => void];
  const plants: Plant[] = [
    [
      'the bank took instead of gave',
      'difference',
      31,
      /^journal and bank differ$/,
      books => Object.assign(bankLine(books, 31), { sign: 'D' }),
    ],
    [
      'the bank posted what it was to hold',
      'difference',
      20,
      /journal and bank differ/,
      books => Object.assign(bankLine(books, 20), { sign: 'D' }),
    ],
    [
      'another amount held',
      'difference',
      20,
      /^journal and bank differ$/,
      books => Object.assign(bankLine(books, 20), { amountMinor: 701 }),
    ],
    [
      'the wrong direction',
      'difference',
      33,
      /gives a refund the direction D/,
      books => Object.assign(firstRow(books, 33).more, { direction: 'D' }),
    ],
    [
      'another kind',
      'difference',
      56,
      /terminal sent a offline-settlement, the journal has a offline-sale/,
      books => Object.assign(firstRow(books, 56).more, { kind: 'offline-sale' }),
    ],
    [
      'a kind that nobody knows',
      'difference',
      56,
      /calls it a "gift", which nobody knows/,
      books => Object.assign(firstRow(books, 56).more, { kind: 'gift' }),
    ],
    [
      'more than was asked for',
      'difference',
      56,
      /approved more than it asked the bank for/,
      books => Object.assign(firstRow(books, 56).more, { forwarded_minor: 799 }),
    ],
    [
      'an advice without an amount',
      'difference',
      56,
      /accepted without an amount/,
      books => {
        for (const one of books.journal) if (one.tx === 56) one.approvedMinor = null;
      },
    ],
    [
      'a terminal that adds up otherwise',
      'difference',
      53,
      /^terminal and journal differ$/,
      books => Object.assign(record(books, 53, 'answer'), { amountMinor: 1101 }),
    ],
    [
      'an adjustment for its total instead of the difference',
      'difference',
      53,
      /^terminal and journal differ$/,
      books => {
        Object.assign(firstRow(books, 53).more, { forwarded_minor: 1100 });
        Object.assign(
          find(books.journal, one => one.tx === 53 && one.version === 2),
          { approvedMinor: 1100 },
        );
        bankLine(books, 53).amountMinor = 1100;
      },
    ],
    [
      'an advice that its terminal still has',
      'unfinished',
      56,
      /terminal still owes the offline-settlement/,
      books => forget(books, 56, 'answer'),
    ],
    [
      'an advice that the bank must still be told',
      'unfinished',
      56,
      /still stood-in; store-and-forward still owes the advice/,
      books => {
        Object.assign(
          find(books.journal, one => one.tx === 56 && one.version === 2),
          { state: 'stood-in' },
        );
        books.stored.push(56);
        books.storedKind = 'advice';
        books.bank = books.bank.filter(line => line.rrn !== rrnOf(56));
      },
    ],
    [
      'an advice that the bank refused afterwards',
      'case',
      56,
      /in dispute with the bank/,
      books => {
        Object.assign(
          find(books.journal, one => one.tx === 56 && one.version === 2),
          { state: 'stood-in' },
        );
        books.journal.push(row(56, 3, 'in dispute'));
        books.bank = books.bank.filter(line => line.rrn !== rrnOf(56));
      },
    ],
    [
      'a purchase that its terminal gave up without reversing',
      'difference',
      32,
      /gave up what it must reverse/,
      books => books.records.push({ t: 'given-up', key: keyOf(32) }),
    ],
    [
      'the terminal meant another one',
      'difference',
      33,
      /the terminal refers to .*000052, the journal to .*000032/,
      books => Object.assign(record(books, 33, 'sent'), { original: keyOf(52) }),
    ],
    [
      'the bank was told of another one',
      'difference',
      33,
      /the bank was told that it refers to .*000052, not to .*000032/,
      books => Object.assign(bankLine(books, 33).original as Line, { stan: '000052' }),
    ],
    [
      'the bank was told of none',
      'difference',
      33,
      /the bank was told that it refers to nothing/,
      books => Object.assign(bankLine(books, 33), { original: undefined }),
    ],
    [
      'the bank was told of one for nothing',
      'difference',
      56,
      /the bank was told that it refers to 00012345.*000032/,
      books => Object.assign(bankLine(books, 56), { original: bankLine(books, 33).original }),
    ],
    [
      'a void of nothing',
      'difference',
      31,
      /the journal has a purchase-void of nothing/,
      books => Object.assign(firstRow(books, 31).more, { original_tx_id: null }),
    ],
    [
      'an original that the journal lost',
      'difference',
      33,
      /it refers to what the journal does not hold/,
      books => {
        books.journal = books.journal.filter(one => one.tx !== 32);
      },
    ],
    [
      'a refund too many',
      'difference',
      32,
      /^refunds of 5100 exceed the 5000 that it posted$/,
      books => enter(books, { tx: 60, kind: 'refund', direction: 'C', amountMinor: 100, original: 32 }),
    ],
    [
      'a refund of what an adjustment took back',
      'difference',
      50,
      /^refunds of 1500 exceed the 1200 that it posted$/,
      books => enter(books, { tx: 60, kind: 'refund', direction: 'C', amountMinor: 1500, original: 50 }),
    ],
    [
      'a purchase voided twice',
      'difference',
      30,
      /^it is voided 2 times$/,
      books => enter(books, { tx: 60, kind: 'purchase-void', direction: 'C', amountMinor: 1000, original: 30 }),
    ],
    [
      'a purchase voided and refunded',
      'difference',
      30,
      /^it is voided and refunded$/,
      books => enter(books, { tx: 60, kind: 'refund', direction: 'C', amountMinor: 500, original: 30 }),
    ],
    [
      'a void of a part',
      'difference',
      60,
      /^its void gives back 400 of 500$/,
      books => {
        enter(books, { tx: 60, kind: 'purchase', direction: 'D', amountMinor: 500, after: 'voided' });
        enter(books, { tx: 61, kind: 'purchase-void', direction: 'C', amountMinor: 400, original: 60 });
      },
    ],
    [
      'a release without the addition',
      'difference',
      60,
      /^its void gives back 500 of 700$/,
      books => {
        enter(books, { tx: 60, kind: 'pre-authorisation', direction: 'H', amountMinor: 500, after: 'voided' });
        enter(books, { tx: 61, kind: 'additional-pre-authorisation', direction: 'H', amountMinor: 200, original: 60 });
        enter(books, { tx: 62, kind: 'pre-authorisation-void', direction: 'R', amountMinor: 500, original: 60 });
      },
    ],
    [
      'a completion beyond 115 %',
      'difference',
      60,
      /^it is completed for 1151, more than 115 % of the 1000 that it held$/,
      books => {
        enter(books, { tx: 60, kind: 'pre-authorisation', direction: 'H', amountMinor: 1000, after: 'completed' });
        enter(books, { tx: 61, kind: 'completion', direction: 'D', amountMinor: 1151, original: 60 });
      },
    ],
    [
      'two completions',
      'difference',
      40,
      /it is completed 2 times; it is completed for 5850/,
      books => enter(books, { tx: 60, kind: 'completion-advice', direction: 'D', amountMinor: 100, original: 40 }),
    ],
    [
      'completed and released',
      'difference',
      40,
      /it is completed and released/,
      books =>
        enter(books, { tx: 60, kind: 'pre-authorisation-void', direction: 'R', amountMinor: 5000, original: 40 }),
    ],
    [
      'a refund of what does not stand',
      'difference',
      60,
      /^it stands, and its original does not$/,
      books => {
        undo(books, 3);
        enter(books, { tx: 60, kind: 'refund', direction: 'C', amountMinor: 307, original: 3 });
      },
    ],
    [
      'a completion of a purchase',
      'difference',
      60,
      /^a completion of a purchase stands$/,
      books => {
        enter(books, { tx: 60, kind: 'completion', direction: 'D', amountMinor: 100, original: 3 });
      },
    ],
    [
      'called voided for no reason',
      'difference',
      3,
      /^the journal calls it voided, and nothing did that$/,
      books => books.journal.push(row(3, 3, 'voided')),
    ],
    [
      'a void that did not mark its original',
      'difference',
      30,
      /^the journal calls it approved, and it is voided$/,
      books => {
        books.journal = books.journal.filter(one => one.tx !== 30 || one.version < 3);
      },
    ],
    [
      'a reversed completion that did not reinstate: nothing is held, and the others hold it',
      'difference',
      40,
      /the journal calls it completed, and nothing did that; the terminal still holds 4000, the journal 0; the bank/,
      books => undo(books, 42),
    ],
    [
      'a hold that the bank let go by itself',
      'difference',
      22,
      /^the bank still holds 0, the journal 900$/,
      books => {
        const { original } = bankLine(books, 21);
        const named = { ...(original as Line), stan: '000022' };
        books.bank.push({ ...post(61), sign: 'R', amountMinor: 900, original: named });
      },
    ],
  ];

  await t.test('one planted error is found where it is, and said in words', async t => {
    for (const [name, kind, tx, what, plant] of plants) {
      const report = await judged(plant);
      const found = report.named.find(one => one.kind === kind && one.key === keyOf(tx));
      t.match(found?.what ?? lines(report).join(' | '), what, name);
      t.notOk(passes(report, false), `${name}: fails`);
    }
  });

  await t.test('a record of a kind that nobody knows ends the audit', async t => {
    await t.rejects(
      judged(books => Object.assign(record(books, 56, 'sent'), { kind: 'gift' })),
      { message: /terminals\.jsonl:\d+: a "gift" is nothing that a terminal does/ },
    );
    await t.rejects(
      judged(books => Object.assign(bankLine(books, 56), { sign: 'X' })),
      { message: /bank\.jsonl:\d+: "sign" is "X", which is none of D, C, H, R/ },
    );
  });
});

function find<T>(among: readonly T[], test: (one: T) => boolean): T {
  const found = among.find(test);
  if (found === undefined) throw new Error('there is no such line');
  return found;
}
