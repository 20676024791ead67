/** Transactions that build on another one: holds and what becomes of them, voids, refunds, adjustments, and their reversals. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BankSim, BankSimOptions } from '../../src/simulators/bank/index.ts';
import { BankClient, type Fields, naming, now, purchase, reversalOf } from './bank-client.ts';
import { lines, PAN, POOR, restart, start } from './bank-host.ts';

const OPENING = 10_000_000;

const preAuthorisation = (amount: number, more: Fields = {}) =>
  purchase(PAN, amount, { 3: '030000', 25: '06', ...more });
const addition = (hold: Fields, amount: number) => naming(hold, '0100', amount, { 3: '030000', 25: '60' });
const release = (hold: Fields, amount: number) => naming(hold, '0100', amount, { 3: '200000', 25: '06' });
const completion = (hold: Fields, amount: number) => naming(hold, '0100', amount, { 25: '06' });
/** A void as 0200, a refund as 0220. */
const giveBack = (sale: Fields, amount: number, mti = '0200') => naming(sale, mti, amount, { 3: '200000' });
const adjustment = (sale: Fields, type: '020000' | '220000', amount: number) =>
  naming(sale, '0200', amount, { 3: type });

/** One bank and one client that is signed on, and both again on the same book. */
class Desk {
  readonly #test: Test;
  readonly #options: Partial<BankSimOptions>;
  bank: BankSim;
  client: BankClient;

  private constructor(test: Test, options: Partial<BankSimOptions>, bank: BankSim, client: BankClient) {
    this.#test = test;
    this.#options = options;
    this.bank = bank;
    this.client = client;
  }

  static async open(test: Test, options: Partial<BankSimOptions> = {}): Promise<Desk> {
    const bank = await start(test, { rules: [], ...options });
    return new Desk(test, options, bank, await BankClient.ready(bank.port));
  }

  code(mti: string, fields: Fields): Promise<string | undefined> {
    return this.client.code(mti, fields);
  }

  /** Sends what has to be approved, and gives it back. */
  async done(mti: string, fields: Fields): Promise<Fields> {
    this.#test.equal(await this.code(mti, fields), '00', `${mti} ${fields[3]} of ${Number(fields[4])}`);
    return fields;
  }

  /** What of the opening balance is not available, by an inquiry: taken or held. */
  async gone(): Promise<number> {
    const answer = await this.client.ask('0200', purchase(PAN, 0, { 3: '310000' }));
    return OPENING - Number(answer.text(54)?.slice(8));
  }

  /** The book: taken and given, less what was reversed, and the holds that are open. */
  book(): { takenMinor: number; givenMinor: number; holds: number; heldMinor: number } {
    const { net, holds } = this.bank.totals();
    const { debitMinor: takenMinor, creditMinor: givenMinor } = net;
    return { takenMinor, givenMinor, holds: holds.count, heldMinor: holds.amountMinor };
  }

  /** A new bank on the same book, which has to know all that this one knew. */
  async restart(options: Partial<BankSimOptions> = {}): Promise<void> {
    const { batches, largestBatch, ...before } = this.bank.totals();
    const gone = await this.gone();
    this.bank = await restart(this.#test, this.bank, { rules: [], ...this.#options, ...options });
    this.client = await BankClient.ready(this.bank.port);
    this.#test.match(this.bank.totals(), before, 'the book is the same after a restart');
    this.#test.equal(await this.gone(), gone, 'and so is what the card has left');
  }
}

t.test('a pre-authorisation and its addition hold, and post nothing', async t => {
  const desk = await Desk.open(t);
  const hold = await desk.done('0100', preAuthorisation(5000));
  t.same(desk.book(), { takenMinor: 0, givenMinor: 0, holds: 1, heldMinor: 5000 });
  const more = await desk.done('0100', addition(hold, 700));
  t.same(desk.book(), { takenMinor: 0, givenMinor: 0, holds: 1, heldMinor: 5700 }, 'an addition is no hold of its own');
  t.equal(await desk.gone(), 5700, 'what is held is not available');
  t.equal(desk.bank.totals().posted.count, 0);
  t.match(lines(t), [
    { t: 'post', mti: '0100', processingCode: '030000', sign: 'H', amountMinor: 5000 },
    {
      t: 'post',
      sign: 'H',
      amountMinor: 700,
      tie: 'addition',
      original: { mti: '0100', stan: hold[11], transmissionAt: hold[7], acquirerId: '10000001' },
    },
  ]);
  t.notOk('original' in (lines(t)[0] ?? {}));

  await desk.done('0100', purchase(POOR, 800, { 3: '030000', 25: '06' }));
  t.equal(await desk.code('0200', purchase(POOR, 300)), '51', 'what is held cannot be spent');
  t.equal(await desk.code('0100', purchase(POOR, 300, { 3: '030000', 25: '06' })), '51', 'nor held again');

  t.equal(await desk.code('0100', preAuthorisation(100, { 25: '60' })), '30', 'an addition to nothing');
  t.equal(
    await desk.code('0100', preAuthorisation(100, { 90: '0'.repeat(42) })),
    '00',
    'a DE90 of zeros names nothing',
  );
  t.equal(await desk.code('0200', preAuthorisation(100)), '40', 'a financial request holds nothing');
  t.equal(await desk.code('0100', addition(preAuthorisation(100), 100)), '25', 'an addition to what never was');
  t.equal(await desk.code('0100', addition(more, 100)), '25', 'nor to another addition');
  t.equal(await desk.code('0100', { ...addition(hold, 100), 2: POOR }), '25', "nor to another card's");
  t.equal(await desk.code('0100', addition(await desk.done('0200', purchase(PAN, 100)), 100)), '25', 'nor to a sale');

  t.equal(await desk.code('0100', more), '00', 'its repeat holds nothing more');
  t.equal(desk.book().heldMinor, 5700 + 800 + 100);
  t.equal(await desk.code('0100', { ...more, 90: undefined, 25: '06' }), '94', 'a repeat that names no original');
});

t.test('the void of a pre-authorisation releases it with its additions', async t => {
  const desk = await Desk.open(t);
  const hold = await desk.done('0100', preAuthorisation(5000));
  await desk.done('0100', addition(hold, 700));
  t.equal(await desk.code('0100', release(hold, 5000)), '64', 'it has to name all that is held');
  t.equal(await desk.code('0100', release(preAuthorisation(5000), 5000)), '25', 'of what never was');
  t.equal(await desk.code('0100', preAuthorisation(5700, { 3: '200000' })), '30', 'of nothing');
  const freed = await desk.done('0100', release(hold, 5700));
  t.same(desk.book(), { takenMinor: 0, givenMinor: 0, holds: 0, heldMinor: 0 });
  t.equal(await desk.gone(), 0);
  t.match(lines(t).at(-1), { t: 'post', sign: 'R', amountMinor: 5700, tie: 'release', original: { stan: hold[11] } });
  await desk.restart();
  t.equal(await desk.code('0100', freed), '00', 'repeated');
  t.equal(await desk.code('0100', release(hold, 5700)), '25', 'a second one finds nothing that stands');
  t.equal(await desk.code('0200', completion(hold, 100)), '25', 'nor does a completion');
  t.equal(await desk.code('0100', addition(hold, 100)), '25', 'nor an addition');

  t.equal(await desk.code('0400', reversalOf(hold, '0100')), '12', 'beneath its release it is not reversed');
  t.equal(await desk.code('0400', reversalOf(freed, '0100')), '00', 'the reversal of a release restores the hold');
  t.same(desk.book(), { takenMinor: 0, givenMinor: 0, holds: 1, heldMinor: 5700 });
  t.match(lines(t).at(-1), { t: 'reverse', sign: 'R', amountMinor: 5700 });
  await desk.restart();
  await desk.done('0100', release(hold, 5700));
});

t.test('a completion takes its amount and ends the hold, once', async t => {
  const desk = await Desk.open(t);
  const hold = await desk.done('0100', preAuthorisation(5000));
  await desk.done('0100', addition(hold, 1000));
  t.equal(await desk.code('0200', completion(hold, 6901)), '61', 'more than 115 of a hundred');
  t.equal(await desk.code('0220', completion(preAuthorisation(5000), 100)), '25', 'of what never was');
  t.equal(await desk.code('0200', purchase(PAN, 100, { 25: '06' })), '30', 'of nothing');
  const sale = await desk.done('0200', completion(hold, 6900));
  t.same(desk.book(), { takenMinor: 6900, givenMinor: 0, holds: 0, heldMinor: 0 });
  t.equal(await desk.gone(), 6900);
  t.match(lines(t).at(-1), { t: 'post', mti: '0200', sign: 'D', amountMinor: 6900, tie: 'completion' });
  t.equal(await desk.code('0220', completion(hold, 10)), '25', 'a second one');
  t.equal(await desk.code('0100', release(hold, 6000)), '25', 'nor is it released');
  await desk.restart();
  t.equal(await desk.code('0220', completion(hold, 10)), '25', 'nor after a restart');

  t.equal(await desk.code('0400', reversalOf(sale)), '00', 'its reversal takes the post back and restores the hold');
  t.same(desk.book(), { takenMinor: 0, givenMinor: 0, holds: 1, heldMinor: 6000 });
  t.equal(await desk.gone(), 6000);
  await desk.restart();

  const advice = completion(hold, 4000);
  await desk.done('0220', advice);
  t.equal(await desk.code('0221', advice), '00', 'repeated as an advice');
  t.same(desk.book(), { takenMinor: 4000, givenMinor: 0, holds: 0, heldMinor: 0 }, 'what is left of the hold is free');
  const back = await desk.done('0200', { ...giveBack(advice, 4000, '0220'), 25: '06' });
  t.same(desk.book(), { takenMinor: 4000, givenMinor: 4000, holds: 0, heldMinor: 0 }, 'its void restores no hold');
  t.equal(await desk.code('0200', completion(hold, 100)), '25');
  await desk.restart();
  t.equal(await desk.code('0400', reversalOf(back)), '00', 'the reversal of that void');
  t.same(desk.book(), { takenMinor: 4000, givenMinor: 0, holds: 0, heldMinor: 0 }, 'restores the completion');
  t.equal(await desk.gone(), 4000);

  const generous = await restart(t, desk.bank, { completionPercent: 200, rules: [] });
  const client = await BankClient.ready(generous.port);
  const other = preAuthorisation(1000);
  t.equal(await client.code('0100', other), '00');
  t.equal(await client.code('0200', completion(other, 2001)), '61', 'the share is a setting');
  t.equal(await client.code('0200', { ...completion(other, 2000), 25: '18' }), '00', 'by telephone, with its own DE25');
  t.equal(generous.totals().holds.count, 0);
});

t.test('a completion may spend what its hold kept back, and not more', async t => {
  const desk = await Desk.open(t);
  const hold = purchase(POOR, 900, { 3: '030000', 25: '06' });
  await desk.done('0100', hold);
  t.equal(await desk.code('0200', completion(hold, 1001)), '51');
  await desk.done('0200', completion(hold, 1000));
  t.equal(await desk.code('0200', purchase(POOR, 1)), '51');
});

t.test('a reversal of a hold or of an addition frees what it held', async t => {
  const desk = await Desk.open(t);
  const hold = await desk.done('0100', preAuthorisation(5000));
  const more = await desk.done('0100', addition(hold, 700));
  t.equal(await desk.code('0400', reversalOf(hold, '0100')), '12', 'not beneath an addition');
  t.equal(await desk.code('0400', reversalOf(more, '0100')), '00');
  t.equal(desk.book().heldMinor, 5000);
  await desk.restart();
  t.equal(await desk.code('0400', reversalOf(more, '0100')), '00', 'repeated');
  t.equal(await desk.code('0400', reversalOf(hold, '0100')), '00');
  t.same(desk.book(), { takenMinor: 0, givenMinor: 0, holds: 0, heldMinor: 0 });
  t.equal(await desk.gone(), 0);
  t.equal(desk.bank.totals().reversed.count, 0, 'no money was reversed');
  await desk.restart();
  t.equal(await desk.code('0200', completion(hold, 100)), '25', 'a hold that was reversed is not completed');
  t.equal(await desk.code('0100', release(hold, 5000)), '25', 'nor released');
  const early = preAuthorisation(300);
  t.equal(await desk.code('0400', reversalOf(early, '0100')), '25');
  t.equal(await desk.code('0100', early), '94', 'a hold that comes after its reversal');
  t.equal(desk.book().heldMinor, 0);
});

t.test('a void gives back all of a sale that stands, once', async t => {
  const desk = await Desk.open(t);
  const sale = await desk.done('0200', purchase(PAN, 5000));
  t.equal(await desk.code('0200', giveBack(sale, 4999)), '64');
  t.equal(await desk.code('0200', giveBack(sale, 5000, '0100')), '25', 'another kind of original');
  t.equal(await desk.code('0200', { ...giveBack(sale, 5000), 2: POOR }), '25', "another card's");
  t.equal(await desk.code('0200', giveBack(purchase(PAN, 5000), 5000)), '25', 'what never was');
  const back = await desk.done('0200', giveBack(sale, 5000));
  t.same(desk.book(), { takenMinor: 5000, givenMinor: 5000, holds: 0, heldMinor: 0 });
  t.match(lines(t).at(-1), { t: 'post', sign: 'C', tie: 'void', original: { mti: '0200', stan: sale[11] } });
  t.equal(await desk.code('0200', back), '00', 'repeated');
  await desk.restart();
  t.equal(await desk.code('0200', giveBack(sale, 5000)), '25', 'a second one');
  t.equal(await desk.code('0200', giveBack(back, 5000)), '25', 'a void is not voided');
  t.equal(await desk.code('0220', giveBack(sale, 1)), '25', 'nor is the sale refunded');
  t.equal(await desk.code('0400', reversalOf(sale)), '12', 'nor reversed, or it would be given back twice');
  t.same(desk.book(), { takenMinor: 5000, givenMinor: 5000, holds: 0, heldMinor: 0 });

  t.equal(await desk.code('0400', reversalOf(back)), '00');
  t.same(desk.book(), { takenMinor: 5000, givenMinor: 0, holds: 0, heldMinor: 0 }, 'the sale stands again');
  await desk.restart();
  const again = await desk.done('0200', giveBack(sale, 5000));
  await desk.done('0400', reversalOf(again));
  await desk.done('0400', reversalOf(sale));
  t.equal(await desk.code('0200', giveBack(sale, 5000)), '25', 'what was reversed is not voided');
  t.equal(await desk.gone(), 0);

  const refused = purchase(POOR, 5000);
  t.equal(await desk.code('0200', refused), '51');
  t.equal(await desk.code('0200', giveBack(refused, 5000)), '25', 'nor is what was declined');
  const offline = await desk.done('0220', purchase(PAN, 800));
  await desk.done('0200', giveBack(offline, 800, '0220'));
  const overtaken = giveBack(await desk.done('0200', purchase(PAN, 600)), 600);
  t.equal(await desk.code('0400', reversalOf(overtaken)), '25');
  t.equal(await desk.code('0200', overtaken), '94', 'a void that comes after its reversal');
});

t.test('refunds together never exceed the sale and its adjustments', async t => {
  const desk = await Desk.open(t);
  const sale = await desk.done('0200', purchase(PAN, 5000));
  const first = await desk.done('0220', giveBack(sale, 3000));
  t.equal(await desk.code('0221', first), '00', 'repeated');
  t.match(lines(t).at(-1), { t: 'post', mti: '0220', sign: 'C', amountMinor: 3000, tie: 'refund' });
  t.equal(await desk.code('0220', giveBack(sale, 2001)), '61');
  t.equal(await desk.code('0200', giveBack(sale, 2000)), '25', 'what was refunded is not voided');
  await desk.done('0220', giveBack(sale, 1500));
  await desk.restart();
  t.equal(await desk.code('0220', giveBack(sale, 501)), '61');
  await desk.done('0220', adjustment(sale, '020000', 250));
  t.equal(await desk.code('0220', giveBack(sale, 751)), '61');
  await desk.done('0221', giveBack(sale, 750));
  t.equal(await desk.code('0220', giveBack(sale, 1)), '61', 'nothing is left');
  t.equal(await desk.code('0420', reversalOf(first, '0220')), '00', 'the reversal of a refund');
  t.equal(await desk.gone(), 3000);
  await desk.restart();
  t.equal(await desk.code('0220', giveBack(sale, 3001)), '61');
  await desk.done('0220', giveBack(sale, 3000));
  t.equal(await desk.gone(), 0);
  t.equal(await desk.code('0220', giveBack(purchase(PAN, 5000), 100)), '25', 'of what never was');

  // Two at once: whatever the order, one of them is too much.
  const wanted = await desk.done('0200', purchase(PAN, 1000));
  const second = await BankClient.ready(desk.bank.port);
  const race = [desk.code('0220', giveBack(wanted, 600)), second.code('0220', giveBack(wanted, 600))];
  t.same((await Promise.all(race)).sort(), ['00', '61']);
});

t.test('adjustments move a sale up and down', async t => {
  const desk = await Desk.open(t);
  const sale = await desk.done('0200', purchase(PAN, 5000));
  const tip = await desk.done('0220', adjustment(sale, '020000', 600));
  t.match(lines(t).at(-1), { t: 'post', sign: 'D', processingCode: '020000', tie: 'adjustment' });
  t.equal(await desk.code('0221', tip), '00', 'repeated');
  await desk.done('0220', adjustment(sale, '220000', 100));
  t.match(lines(t).at(-1), { t: 'post', sign: 'C', processingCode: '220000', tie: 'adjustment' });
  t.same(desk.book(), { takenMinor: 5600, givenMinor: 100, holds: 0, heldMinor: 0 });
  await desk.restart();
  t.equal(await desk.code('0220', adjustment(sale, '220000', 5501)), '61', 'below nothing');
  t.equal(
    await desk.code('0220', { ...adjustment(tip, '020000', 1), 90: naming(tip, '0220', 1)[90] }),
    '25',
    'an adjustment is not adjusted',
  );
  t.equal(await desk.code('0200', giveBack(tip, 600, '0220')), '25', 'nor voided');
  t.equal(await desk.code('0220', adjustment(purchase(PAN, 1), '020000', 1)), '25', 'nor is what never was');
  t.equal(await desk.code('0220', purchase(PAN, 1, { 3: '020000' })), '30', 'nor nothing');
  t.equal(await desk.code('0400', reversalOf(sale)), '12', 'not reversed beneath them');
  t.equal(await desk.code('0200', giveBack(sale, 5000)), '64', 'a void covers the adjustments');
  await desk.done('0200', giveBack(sale, 5500));
  t.equal(await desk.gone(), 0);
  t.equal(await desk.code('0220', adjustment(sale, '020000', 1)), '25', 'what is voided is not adjusted');
});

t.test('a script notice is confirmed, alike each time, and moves nothing', async t => {
  const desk = await Desk.open(t, { mac: 'x9.19' });
  desk.client.macs = true;
  const sale = await desk.done('0200', purchase(PAN, 5000));
  const notice: Fields = {
    ...naming(sale, '0200', 5000),
    4: undefined,
    49: undefined,
    55: Buffer.from('df3105', 'hex'),
  };
  const answer = await desk.client.ask('0620', notice);
  t.same([answer.mti, answer.text(39), answer.text(11)], ['0630', '00', notice[11]]);
  t.ok(answer.content(64), 'with a MAC');
  t.same((await desk.client.ask('0621', notice)).bytes, answer.bytes);
  t.equal(await desk.code('0620', naming(sale, '0200', 5000)), '00', 'with the amount of its original');
  for (const field of [2, 32])
    t.equal(await desk.code('0620', { ...notice, [field]: undefined }), '30', `without DE${field}`);
  t.equal(lines(t).length, 1, 'no line of the book');
  t.match(desk.bank.counts(), { 'outcome.notice': 3, 'sent.0630.30': 2 });
});

t.test('a trusting bank posts what it is asked, and keeps its own sums right', async t => {
  const desk = await Desk.open(t, { originals: 'trust' });
  const unknown = preAuthorisation(5000);
  await desk.done('0100', addition(unknown, 700));
  t.equal(desk.book().heldMinor, 700, 'an addition to nothing holds by itself');
  await desk.done('0100', release(unknown, 123));
  await desk.done('0200', completion(unknown, 100));
  await desk.done('0200', giveBack(purchase(PAN, 1), 10));
  await desk.done('0220', giveBack(purchase(PAN, 1), 20));
  await desk.done('0220', adjustment(purchase(PAN, 1), '020000', 5));
  t.same(desk.book(), { takenMinor: 105, givenMinor: 30, holds: 1, heldMinor: 700 });

  const hold = await desk.done('0100', preAuthorisation(1000));
  const sale = await desk.done('0200', completion(hold, 9000));
  const twice = await desk.done('0200', completion(hold, 9000));
  t.same(desk.book(), { takenMinor: 18_105, givenMinor: 30, holds: 1, heldMinor: 700 });
  await desk.done('0200', giveBack(sale, 1));
  await desk.done('0220', giveBack(sale, 99_999));
  await desk.done('0400', reversalOf(twice));
  await desk.restart();
  t.equal(desk.book().heldMinor, 700, 'the hold is completed still');
  await desk.done('0400', reversalOf(sale));
  t.equal(desk.book().heldMinor, 1700, 'with its last completion reversed it is open');
  await desk.restart();
  const { takenMinor, givenMinor, heldMinor } = desk.book();
  t.equal(await desk.gone(), takenMinor - givenMinor + heldMinor);
  t.equal(desk.bank.totals().declined, 0);
});

t.test('rules reach the new kinds', async t => {
  const desk = await Desk.open(t);
  const sale = await desk.done('0200', purchase(PAN, 5000));
  const hold = await desk.done('0100', preAuthorisation(2000));
  const silence = (mti: string, fields: Fields) => desk.client.code(mti, fields, 60);
  const rules = [
    { when: { mti: '0220', processingCode: '20', times: 1 }, do: 'silent-before-posting' },
    { when: { mti: '022', processingCode: '02', times: 1 }, do: 'silent-after-posting' },
    { when: { mti: '0220', processingCode: '22', amountMod: [1000, 500], times: 1 }, do: { decline: '91' } },
    { when: { mti: '0220', processingCode: '22', amountMod: [1000, 400] }, do: { decline: '05' } },
    { when: { mti: '0200', processingCode: '20' }, do: { decline: '05' } },
    { when: { mti: '0200', conditionCode: '06', times: 1 }, do: 'silent-after-posting' },
    { when: { mti: '0100', processingCode: '20' }, do: { partial: 1 } },
    { when: { mti: '0100', processingCode: '03' }, do: { partial: 300 } },
  ];
  desk.bank.setRules(rules);
  const posted = () => desk.bank.totals().posted.count;
  const refund = giveBack(sale, 1000);
  t.equal(await silence('0220', refund), 'silence');
  t.equal(posted(), 1, 'an advice that was dropped');
  await desk.done('0221', refund);
  const tip = adjustment(sale, '020000', 500);
  t.equal(await silence('0220', tip), 'silence');
  t.equal(posted(), 3, 'an advice that was posted, and not answered');
  await desk.done('0221', tip);
  t.equal(posted(), 3);
  const less = adjustment(sale, '220000', 500);
  t.equal(await desk.code('0220', less), '91', 'an advice that is put off');
  t.equal(posted(), 3);
  await desk.done('0220', less);
  const worse = adjustment(sale, '220000', 400);
  t.equal(await desk.code('0220', worse), '05', 'an advice that is declined');
  desk.bank.setRules(rules.filter(({ when }) => when.processingCode !== '22'));
  t.equal(await desk.code('0221', worse), '05', 'is declined for ever');
  t.equal(await desk.code('0200', giveBack(await desk.done('0200', purchase(PAN, 100)), 100)), '05');

  const extra = addition(hold, 900);
  t.equal(await desk.code('0100', extra), '10', 'a part of an addition');
  t.equal(desk.book().heldMinor, 2300);
  t.equal(await silence('0200', completion(hold, 2500)), 'silence');
  t.same(desk.book(), { takenMinor: 5000 + 500 + 100 + 2500, givenMinor: 1500, holds: 0, heldMinor: 0 });
  const partly = preAuthorisation(400);
  t.equal(await desk.code('0100', partly), '10');
  t.equal(await desk.code('0100', release(partly, 400)), '64', 'what was asked is not what is held');
  await desk.done('0100', release(partly, 300));
  t.equal(desk.book().heldMinor, 0, 'a release is whole, whatever a rule says');

  desk.bank.setRules([{ when: { amountMod: [100, 98], times: 1 }, do: 'silent-after-posting' }]);
  const other = purchase(PAN, 798);
  t.equal(await silence('0200', other), 'silence');
  t.equal(await silence('0200', giveBack(other, 798)), 'silence', 'a void is counted by itself, not by its original');

  desk.bank.setRules([
    { when: { mti: '0620', times: 1 }, do: 'silent-before-posting' },
    { when: { mti: '0621' }, do: { decline: '96' } },
  ]);
  const notice = naming(sale, '0200', 5000);
  t.equal(await silence('0620', notice), 'silence');
  t.equal(await desk.code('0621', notice), '96');
});

t.test('what builds on a forgotten original is tried again', async t => {
  const desk = await Desk.open(t, { indexLimit: 20 });
  const at = (second: number) => ({ 7: `${now().slice(0, 8)}${second}` });
  const early = await desk.done('0200', purchase(PAN, 100, at(10)));
  for (let i = 0; i < 30; i++) await desk.done('0200', purchase(PAN, 1, at(11 + i)));
  t.equal(await desk.code('0220', { ...giveBack(early, 100), ...at(59) }), '91', '25 would say that it never was');
  t.equal(await desk.code('0220', { ...giveBack(purchase(PAN, 5, at(58)), 5), ...at(59) }), '25');
});

t.test('a book whose ties are damaged is not opened', async t => {
  const desk = await Desk.open(t);
  const hold = await desk.done('0100', preAuthorisation(5000));
  await desk.done('0100', addition(hold, 700));
  await desk.bank.close();
  const path = join(t.testdirName, 'book.jsonl');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace('"addition"', '"edition"'));
  await t.rejects(restart(t, desk.bank), { message: /line 2: unknown tie: edition$/ });
  writeFileSync(path, text.replace('"original"', '"origin"'));
  await t.rejects(restart(t, desk.bank), { message: /line 2: original is missing$/ });
  writeFileSync(path, text.replace(/"stan":"\d/, '"stan":"x'));
  await t.rejects(restart(t, desk.bank), { message: /line 1: no digits: \d{10} x\d{5}$/ });
});
