/** Customers who come back, and what terminals repeat: the fleet against a scripted host. */

import { writeFileSync } from 'node:fs';
import t from 'tap';
import { type FinancialKind, kinds, type RecordLine, usualShares } from '../../src/simulators/terminal/index.ts';
import { codec, hostDate } from './terminal-host.ts';
import { definitions, sums, world } from './terminal-world.ts';

// They wait more than they work.
t.jobs = 6;

/** The rarer kinds as often as the others, so that a few hundred customers want each of them. */
const everything = {
  ...Object.fromEntries(Object.keys(usualShares(1)).map(kind => [kind, 0.05])),
  ...{ 'pre-authorisation': 0.2, 'offline-sale': 0.1, 'script-notice': 0.3 },
  // Two of three are at another terminal, which must happen.
  refund: 0.12,
};

type Sent = Extract<RecordLine, { t: 'sent' }>;

t.test('customers want everything that a terminal can do', { buffered: true }, async t => {
  const { host, of, records, run } = await world(t, () => ({}));
  const summary = await run({
    ...{ terminals: definitions(3), rate: 150, seconds: 3, waitMs: 5000, inquiryShare: 0.03 },
    linked: everything,
  });
  t.ok(sums(summary));
  t.match(summary, { owed: 0, reversalsSent: 0, givenUp: 0, advised: summary.advicesSent });
  t.match(summary, { approved: summary.sent, byAdviceCode: { '00': summary.advised } });
  t.ok(host.seen.every(seen => seen.mti === '0800' || seen.macStands));

  const sent = of('sent');
  t.same(new Set(sent.map(line => line.kind)).size, Object.keys(kinds).length, 'each kind');
  t.equal(new Set(sent.map(line => line.key)).size, sent.length, 'each key is used once');
  const answered = new Map(of('answer').map(line => [line.key, line]));
  t.equal(answered.size, sent.length, 'each is answered');
  const byKey = new Map(sent.map(line => [line.key, line]));
  const seen = new Map(
    host.seen.map(one => [`${one.fields[41]}/${one.fields[60]?.slice(2, 8)}/${one.fields[11]}`, one]),
  );

  const fits: Partial<Record<FinancialKind, FinancialKind[]>> = {
    'purchase-void': ['purchase'],
    refund: ['purchase'],
    'additional-pre-authorisation': ['pre-authorisation'],
    'pre-authorisation-void': ['pre-authorisation'],
    completion: ['pre-authorisation'],
    'completion-advice': ['pre-authorisation'],
    'completion-void': ['completion', 'completion-advice'],
    'settlement-adjustment': ['offline-sale', 'offline-settlement'],
    'tip-adjustment': ['purchase'],
    'script-notice': ['purchase'],
  };
  const used = new Map<string, { ended: number; refunded: number; held: number }>();
  let elsewhere = 0;
  for (const line of sent) {
    const { key, kind, original, amountMinor } = line;
    t.equal(original !== undefined, fits[kind] !== undefined, `${kind} refers as it should`);
    if (original === undefined) continue;
    const first = byKey.get(original);
    const told = answered.get(original);
    if (first === undefined || told === undefined) throw new Error(`${key} refers to nothing`);
    t.ok(fits[kind]?.includes(first.kind), `${kind} of a ${first.kind}`);
    t.equal(line.card, first.card, 'the same card');
    const fields = seen.get(key.slice(key.indexOf('/') + 1))?.fields ?? {};
    const [, terminal, batch, trace] = original.split('/');
    const here = terminal === key.split('/')[1];
    if (!here) elsewhere++;
    const digits = `${here ? `${batch}${trace}` : '000000000000'}${hostDate}`.slice(0, kinds[kind].refers);
    t.equal(fields[61], digits, `DE61 of a ${kind}`);
    if (fields[37] !== undefined) t.equal(fields[37], told.rrn);
    if (fields[38] !== undefined && kind !== 'completion-void') t.equal(fields[38], told.authCode);
    const use = used.get(original) ?? { ended: 0, refunded: 0, held: 0 };
    used.set(original, use);
    if (kind === 'refund') use.refunded += amountMinor;
    else if (kind === 'additional-pre-authorisation') use.held += amountMinor;
    else if (kind === 'pre-authorisation-void' || kind.startsWith('completion') || kind === 'purchase-void')
      use.ended++;
    if (kind === 'pre-authorisation-void') t.equal(amountMinor, first.amountMinor + use.held, 'all that is held');
    if (kind.endsWith('-void') && kind !== 'pre-authorisation-void') t.equal(amountMinor, first.amountMinor);
    if (kind === 'completion') t.ok(amountMinor * 100 <= (first.amountMinor + use.held) * 115);
  }
  t.ok(elsewhere > 0, 'some are refunded at another terminal of the merchant');
  const tips = (key: string) =>
    Math.max(
      0,
      ...sent.filter(line => line.original === key && line.kind.endsWith('-adjustment')).map(line => line.amountMinor),
    );
  for (const [key, { ended, refunded }] of used) {
    t.ok(ended <= 1 && (ended === 0 || refunded === 0), `${key} ends once`);
    t.ok(refunded <= Math.max(tips(key), byKey.get(key)?.amountMinor ?? 0), `${key} is not refunded beyond it`);
  }

  // Before the next sale goes, the notice has gone.
  for (const notice of sent.filter(line => line.kind === 'script-notice')) {
    const own = host.seen.filter(one => one.fields[41] === notice.key.split('/')[1]);
    const at = own.findIndex(one => one.fields[11] === notice.original?.slice(-6));
    t.equal(own[at + 1]?.fields[11], notice.key.slice(-6), 'the notice follows its purchase');
  }
  t.notMatch(JSON.stringify(records()), /6224242900000113|123456"/, 'no card in the records');
});

t.test('a void without an answer is reversed, and its receipt is good again', { buffered: true }, async t => {
  const { host, of, run } = await world(t, request =>
    request.text(60)?.startsWith('23') && host.seen.filter(one => one.fields[60]?.startsWith('23')).length === 1
      ? 'silent'
      : {},
  );
  const summary = await run({ linked: { 'purchase-void': 0.6 }, seconds: 3 });
  t.match(summary, { unanswered: 1, reversed: 1, owed: 0 });
  const voids = of('sent').filter(line => line.kind === 'purchase-void');
  const [reversal] = host.of('0400');
  const original = host.seen.find(one => one.mti === '0200' && one.fields[11] === voids[0]?.key.slice(-6));
  for (const field of [2, 3, 4, 11, 22, 25, 60, 61])
    t.equal(reversal?.fields[field], original?.fields[field], `DE${field}`);
  t.equal(reversal?.fields[3], '200000');
  for (const field of [26, 35, 37, 38, 52]) t.notOk(reversal?.fields[field], `DE${field} is dropped`);
  t.ok(
    voids.slice(1).some(line => line.original === voids[0]?.original),
    'the customer comes with it again',
  );
});

t.test('offline sales wait for a success online and are sent until the host has them', { buffered: true }, async t => {
  const codes = ['96', '91', '94'];
  const { host, of, run } = await world(t, request => {
    if (!request.text(60)?.startsWith('36')) return {};
    const first = host.seen.find(one => one.fields[60]?.startsWith('36'))?.fields[11];
    if (request.text(11) !== first) return {};
    const tries = host.seen.filter(one => one.fields[11] === first).length;
    return tries === 1 ? 'silent' : tries === 2 ? { wrongMac: true } : { code: codes[tries - 3] ?? '05' };
  });
  const summary = await run({ linked: { 'offline-sale': 0.4 }, seconds: 1.5 });
  const sales = of('sent').filter(line => line.kind === 'offline-sale');
  t.match(summary, { owed: 0, advised: sales.length, unanswered: 0, reversalsSent: 0 });
  t.equal(summary.advicesSent, sales.length + 4, 'one of them five times');
  const online = host.seen.filter(one => one.mti === '0200');
  t.ok(online[0]?.fields[60]?.startsWith('22'), 'none before the first success online');
  const [first] = sales;
  const tries = online.filter(one => one.fields[11] === first?.key.slice(-6));
  t.equal(tries.length, 5);
  t.ok(
    tries.every(one => Buffer.from(one.bytes).equals(tries[0]?.bytes ?? new Uint8Array())),
    'to the byte',
  );
  const own = (kind: RecordLine['t']) =>
    of(kind).filter((line): line is Extract<typeof line, { key: string }> => 'key' in line && line.key === first?.key);
  t.match(own('no-answer'), [{ why: 'timeout' }, { why: 'mac' }]);
  t.match(own('advice-answer'), [{ code: '96' }, { code: '91' }]);
  t.match(own('advice-sent'), [{ try: 1 }, { try: 2 }, { try: 3 }, { try: 4 }, { try: 5 }]);
  t.match(own('answer'), [{ code: '94' }]);
  const between = online.slice(online.indexOf(tries[0] as never), online.indexOf(tries[1] as never));
  t.ok(
    between.some(one => one.fields[60]?.startsWith('22')),
    'meanwhile customers are served',
  );
});

t.test('a refund is tried three times, and then its outcome is unknown', { buffered: true }, async t => {
  const { host, of, run } = await world(t, request => (request.mti === '0220' ? 'silent' : {}));
  const summary = await run({ linked: { refund: 0.3 }, seconds: 1, waitMs: 600 });
  const refunds = of('sent').filter(line => line.kind === 'refund');
  t.ok(refunds.length > 0);
  t.match(summary, { givenUp: refunds.length, owed: 0, reversalsSent: 0, unanswered: 0, advised: 0 });
  t.equal(host.of('0220').length, refunds.length * 3);
  t.same(
    of('given-up').map(line => line.key),
    refunds.map(line => line.key),
  );
  const messages = new Set(host.of('0220').map(one => Buffer.from(one.bytes).toString('hex')));
  t.equal(messages.size, refunds.length, 'the same message each time');
  t.equal(new Set(refunds.map(line => line.original)).size, refunds.length, 'who does not know does not come again');
});

t.test('a final refusal ends an advice', { buffered: true }, async t => {
  const { host, of, run } = await world(t, request => (request.mti === '0220' ? { code: '61' } : {}));
  const summary = await run({ linked: { 'offline-settlement': 0.3 } });
  t.match(summary, { byAdviceCode: { '61': host.of('0220').length }, owed: 0 });
  t.equal(of('advice-sent').length, host.of('0220').length);
});

t.test('a script in the answer is followed by its notice, before the next sale', { buffered: true }, async t => {
  let asked = false;
  const { host, of, run } = await world(t, request => {
    if (request.mti !== '0200' || !request.has(55) || asked) return {};
    asked = true;
    return { fields: { 55: Buffer.from('910A010203040506070809307206860400112233', 'hex') } };
  });
  await run({ linked: {} });
  const [notice] = of('sent').filter((line: Sent) => line.kind === 'script-notice');
  const at = host.seen.findIndex(one => one.mti === '0620');
  t.equal(host.of('0620').length, 1);
  t.match(host.seen[at - 1]?.fields, { 11: notice?.original?.slice(-6) });
  t.match(host.seen[at]?.fields, { 37: `5299${notice?.original?.slice(-6)}00`, 60: /^00000777951/ });
  t.match(host.seen[at]?.fields[55], /DF31052000000001/);
});

t.test(
  'what was owed at a kill is sent by the next run: notice, reversal, then the advices',
  { buffered: true },
  async t => {
    const { host, of, recordsFile, run } = await world(t, () => ({}));
    await run({ seconds: 0.1, rate: 100 });
    // As if it had been killed with all this in its memory.
    const [made] = of('sent');
    if (made === undefined) throw new Error('there was a sale');
    const stem = made.key.slice(0, -6);
    const line = (trace: string, kind: FinancialKind, more: Partial<Sent> = {}) =>
      `${JSON.stringify({ ...made, key: `${stem}${trace}`, kind, icc: undefined, control: '36000777000601', ...more })}\n`;
    const refers = { original: made.key, reference: { field61: '000777000001', rrn: '529900000100' } };
    writeFileSync(
      recordsFile,
      line('000901', 'offline-sale', { entryMode: '012' }) +
        line('000902', 'purchase-void', { control: '23000777000601', ...refers }) +
        line('000903', 'script-notice', { control: '00000777951601', icc: '9F3303E0E1C8', ...refers }) +
        line('000904', 'tip-adjustment', { control: '34000777000601', entryMode: '012', ...refers }),
      { flag: 'a' },
    );
    const before = host.seen.length;
    const summary = await run({ rate: 20 });
    t.match(summary, { owed: 0, reversed: 1, advised: 3 });
    const after = host.seen.slice(before);
    t.same(
      after
        .slice(0, 6)
        .map(one => `${one.mti} ${one.fields[60]?.slice(0, 2)} ${one.fields[11]}`)
        .slice(1),
      ['0620 00 000903', '0400 23 000902', '0200 22 000906', '0200 36 000901', '0220 34 000904'],
    );
    t.match(after[2]?.fields, { 3: '200000', 39: '06', 61: '000777000001' });
    t.ok(after.every(one => one.mti === '0800' || one.macStands));
    t.equal(codec.unpack(after[1]?.bytes ?? new Uint8Array()).text(61), '000777000001');
  },
);
