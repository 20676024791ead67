import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { FrameReader, MAX_MESSAGE } from '../../hsm-sim/framing.ts';
import { formKey, type HsmSim, startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { KeyRing } from '../../hsm-sim/key-ring.ts';
import { knownKeyType } from '../../hsm-sim/key-type.ts';
import { desEncrypt, frame, Host, hex4, underLmk } from './host.ts';

const CLEAR = 'C7152C20BC2C830EA7EC9E8334ABE3FE';
const SINGLE = '0B681FC20E62C734';
const [ZMK, ZPK, TPK, TAK, ZEK] = (['000', '001', '002', '003', '00A'] as const).map(type => underLmk(type, CLEAR)) as [
  string,
  string,
  string,
  string,
  string,
];
const PIN_BLOCK = desEncrypt(CLEAR, '041261AAAAEDCBA9');
const ACCOUNT = '555555123456';
const ECHO = 'B20005HELLO';

const log: string[] = [];
let hsm: HsmSim;

async function openHsm(options: { headerLength?: number } = {}): Promise<HsmSim> {
  return startHsmSim({ port: 0, lmk: testLmk, log: line => log.push(line), ...options });
}

t.before(async () => {
  hsm = await openHsm();
});

t.teardown(async () => {
  await hsm.close();
});

/** Everything the HSM sends until it closes the connection. */
async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', piece => {
    text += piece.toString('latin1');
  });
  await once(socket, 'close');
  return text;
}

t.test('error codes', async t => {
  const host = await Host.connect(hsm.port);
  t.teardown(() => host.socket.destroy());
  const pvk = underLmk('002', '0123456789ABCDEFFEDCBA9876543210');
  const cvkSingle = formKey({ lmk: testLmk, type: '402', scheme: 'Z', components: [SINGLE] }).key;
  const zmkSingle = underLmk('000', SINGLE);
  const zmkX = `X${desEncrypt(CLEAR, CLEAR)}`;
  const mac = (head: string, rest: string) => `M6${head}${rest}`;
  const cases: readonly (readonly [what: string, request: string, answer: string])[] = [
    ['no such command', 'ZZ', 'Z[68'],
    ['no such command, with data', 'EI0102', 'EJ68'],
    ['too much', 'NC1', 'ND15'],
    ['too little', 'NO0', 'NP15'],
    ['no such status', 'NO02', 'NP15'],
    ['generate: mode', 'A02001U', 'A115'],
    ['generate: key type', 'A00FFFU', 'A128'],
    ['generate: key block scheme', 'A00001S', 'A126'],
    ['generate: no scheme', 'A00001', 'A115'],
    ['generate: flag', `A01001U;2${ZMK}X`, 'A115'],
    ['generate: export as another length', `A01001U;0${ZMK}Z`, 'A127'],
    ['generate: ZMK of another type', `A01001U;0${TPK}X`, 'A110'],
    ['generate: variants need a double ZMK', `A01001U;0${zmkSingle}U`, 'A127'],
    ['form: one component', `A41001U${ZPK}`, 'A503'],
    ['form: component of another length', `A42001U${ZPK}${underLmk('001', SINGLE)}`, 'A527'],
    ['form: component of another type', `A42001U${ZPK}${TPK}`, 'A510'],
    ['import: ZMK parity', `A6001${TPK}${zmkX}U`, 'A710'],
    ['import: scheme of another length', `A6001${ZMK}${zmkX}Z`, 'A727'],
    ['import: key block', `A6001${ZMK}S${'0'.repeat(72)}U`, 'A726'],
    ['import: key cut short', `A6001${ZMK}${zmkX.slice(0, 20)}`, 'A715'],
    ['export: ZMK parity', `A8001${TPK}${ZPK}X`, 'A910'],
    ['export: key of another type', `A8001${ZMK}${TPK}X`, 'A911'],
    ['check value: length flag', `BU013${ZPK}`, 'BV05'],
    ['check value: key type', `BU0F1${ZPK}`, 'BV04'],
    ['check value: no long key type', `BUFF1${ZPK}`, 'BV15'],
    ['check value: length against flag', `BU010${ZPK}`, 'BV27'],
    ['check value: wrong type', `BU021${ZPK}`, 'BV10'],
    ['check value: its type', `BU011${ZPK};002`, 'BV15'],
    ['import ZAK: flag', `FK2${ZMK}${zmkX}`, 'FL15'],
    ['import ZPK: ZMK parity', `FA${ZPK}${zmkX}`, 'FB10'],
    ['export ZPK: its parity', `GC${ZMK}${TPK}`, 'GD11'],
    ['new terminal key: TMK parity', `HC${ZPK};XU0`, 'HD10'],
    ['translate: source parity', `CA${ZPK}${ZPK}12${PIN_BLOCK}0101${ACCOUNT}`, 'CB10'],
    ['translate: destination parity', `CA${TPK}${TPK}12${PIN_BLOCK}0101${ACCOUNT}`, 'CB11'],
    ['translate: zone to zone', `CC${TPK}${ZPK}12${PIN_BLOCK}0101${ACCOUNT}`, 'CD10'],
    ['translate: longest PIN', `CA${TPK}${ZPK}11${PIN_BLOCK}0101${ACCOUNT}`, 'CB15'],
    ['translate: block is not hex', `CA${TPK}${ZPK}12${'G'.repeat(16)}0101${ACCOUNT}`, 'CB15'],
    ['translate: lower case', `CA${TPK.toLowerCase()}${ZPK}12${PIN_BLOCK}0101${ACCOUNT}`, 'CB15'],
    ['translate: format', `CA${TPK}${ZPK}12${PIN_BLOCK}0199${ACCOUNT}`, 'CB23'],
    ['translate: account', `CA${TPK}${ZPK}12${PIN_BLOCK}010155555512345A`, 'CB22'],
    ['translate: account too short', `CA${TPK}${ZPK}12${PIN_BLOCK}0101${ACCOUNT.slice(1)}`, 'CB15'],
    ['translate: something behind', `CA${TPK}${ZPK}12${PIN_BLOCK}0101${ACCOUNT}1`, 'CB15'],
    ['translate: block under another key', `CA${TPK}${ZPK}120123456789ABCDEF0101${ACCOUNT}`, 'CB20'],
    ['stored PIN of three digits', `JG${ZPK}01${ACCOUNT}0123`, 'JH14'],
    ['PVV: PVK of single length', `DC${TPK}${`Z${underLmk('002', SINGLE)}`}${PIN_BLOCK}01${ACCOUNT}11234`, 'DD27'],
    ['PVV: PVK parity', `DC${TPK}${ZPK}${PIN_BLOCK}01${ACCOUNT}11234`, 'DD11'],
    ['PVV: PIN block', `DC${TPK}${pvk}0123456789ABCDEF01${ACCOUNT}11234`, 'DD20'],
    ['CVV: CVK of single length', `CWZ${cvkSingle}4123456789012345;8701101`, 'CX27'],
    ['CVV: CVK parity', `CW${ZPK}4123456789012345;8701101`, 'CX10'],
    ['CVV: no delimiter', `CW${ZPK}41234567890123458701101`, 'CX15'],
    ['CVV: no PAN', `CW${ZPK};8701101`, 'CX15'],
    ['MAC: mode', mac('40011003', `${TAK}0008ABCDEFGH`), 'M702'],
    ['MAC: input format', mac('03011003', `${TAK}0008ABCDEFGH`), 'M703'],
    ['MAC: size', mac('00211003', `${TAK}0008ABCDEFGH`), 'M715'],
    ['MAC: algorithm', mac('00051003', `${TAK}0008ABCDEFGH`), 'M704'],
    ['MAC: padding', mac('00013003', `${TAK}0008ABCDEFGH`), 'M709'],
    ['MAC: key type', mac('00011001', `${TAK}0008ABCDEFGH`), 'M705'],
    ['MAC: nothing', mac('00011003', `${TAK}0000`), 'M706'],
    ['MAC: no whole block, no padding', mac('00010003', `${TAK}0007ABCDEFG`), 'M706'],
    ['MAC: first block not whole', mac('10011003', `${TAK}0007ABCDEFG`), 'M706'],
    ['MAC: half a byte', mac('01011003', `${TAK}0003ABC`), 'M706'],
    ['MAC: data is not hex', mac('01011003', `${TAK}0004WXYZ`), 'M715'],
    ['MAC: length is not hex', mac('00011003', `${TAK}00ZZABCDEFGH`), 'M715'],
    ['MAC: too little data', mac('00011003', `${TAK}0009ABCDEFGH`), 'M780'],
    ['MAC: too much data', mac('00011003', `${TAK}0007ABCDEFGH`), 'M715'],
    ['MAC: no IV', mac('30011003', `${TAK}0008ABCDEFGH`), 'M715'],
    ['MAC: key of another type', mac('00011003', `${ZPK}0008ABCDEFGH`), 'M710'],
    ['MAC: retail with a single key', mac('00031003', `${underLmk('003', SINGLE)}0008ABCDEFGH`), 'M727'],
    ['MAC to verify is missing', `M800011003${TAK}0008ABCDEFGH`, 'M915'],
    ['data: mode', `M00211${'00A'}${ZEK}0010${'0'.repeat(16)}`, 'M102'],
    ['data: input format', `M00031${'00A'}${ZEK}0010${'0'.repeat(16)}`, 'M103'],
    ['data: encrypted text', `M00012${'00A'}${ZEK}0010${'0'.repeat(16)}`, 'M104'],
    ['data: encrypted text comes in', `M20021${'00A'}${ZEK}0010${'0'.repeat(16)}`, 'M303'],
    ['data: a PIN key is no data key', `M20011${'001'}${ZPK}0010${PIN_BLOCK}`, 'M305'],
    ['data: a PIN key in disguise', `M20011${'00A'}${ZPK}0010${PIN_BLOCK}`, 'M310'],
    ['data: no whole block', `M00011${'00A'}${ZEK}000E${'0'.repeat(14)}`, 'M106'],
  ];
  for (const [what, request, answer] of cases) {
    t.equal(await host.ask(request), answer, what);
    t.equal(await host.ask(ECHO), 'B300HELLO', 'and the connection serves on');
  }
});

t.test('header, LMK selector and trailer', async t => {
  const host = await Host.connect(hsm.port);
  t.teardown(() => host.socket.destroy());
  const longest = 'T'.repeat(32);
  t.equal(await host.ask(`${ECHO}\x19abc`), 'B300HELLO\x19abc');
  t.equal(await host.ask(`${ECHO}\x19`), 'B300HELLO\x19', 'an empty trailer');
  t.equal(await host.ask(`${ECHO}\x19${longest}`), `B300HELLO\x19${longest}`);
  t.equal(await host.ask(`${ECHO}\x19${longest}T`), 'B315', 'a trailer too long is none');
  t.equal(await host.ask(`${ECHO}%00`), 'B300HELLO');
  t.equal(await host.ask(`${ECHO}%00\x19abc`), 'B300HELLO\x19abc');
  t.equal(await host.ask(`${ECHO}%01\x19abc`), 'B313\x19abc', 'an LMK that is not there');
  t.equal(await host.ask('QQ\x19abc'), 'QR68\x19abc');
  t.equal(await host.ask(`CA${ZPK}\x19abc`), 'CB15\x19abc', 'a refused command has its trailer too');
  t.equal(
    await host.ask(`CA${ZPK}${ZPK}12${PIN_BLOCK}0101${ACCOUNT}\x19abc`),
    'CB10\x19abc',
    'also when refused after its last field',
  );
  const binary = '\x19;%00\x19\x00\xff\x80';
  const clean = await host.ask(`M600011003${TAK}${hex4(binary.length)}${binary}`);
  t.match(clean, /^M700[0-9A-F]{8}$/, 'binary data may hold every mark');
  t.equal(await host.ask(`M600011003${TAK}${hex4(binary.length)}${binary}\x19abc`), `${clean}\x19abc`);

  for (const header of ['', '\x00\x19\xff;%HEADER12']) {
    const other = await openHsm({ headerLength: header.length });
    const socket = connect(other.port, '127.0.0.1');
    socket.write(frame(`${header}${ECHO}`));
    const [piece] = (await once(socket, 'data')) as [Buffer];
    t.same(piece, frame(`${header}B300HELLO`), `a header of ${header.length}`);
    socket.destroy();
    await other.close();
  }
  await t.rejects(openHsm({ headerLength: 256 }), RangeError);
});

t.test('frames, split at every byte', async t => {
  const messages = [
    '0001NC',
    `0002${ECHO}\x19x`,
    `0003M600011003${TAK}0008\x00\x06\x19%;\xff\x00\x02`,
    '0004ZZ'.padEnd(700, 'x'),
  ];
  const stream = Buffer.concat(messages.map(frame));
  for (let cut = 0; cut <= stream.length; cut++) {
    const frames = new FrameReader(6);
    const seen: string[] = [];
    for (const piece of [stream.subarray(0, cut), stream.subarray(cut)]) {
      frames.push(piece, message => seen.push(message.toString('latin1')));
    }
    if (seen.join('|') !== messages.join('|')) t.fail(`cut at ${cut}`);
  }
  const frames = new FrameReader(6);
  const seen: string[] = [];
  for (const byte of stream) frames.push(Buffer.from([byte]), message => seen.push(message.toString('latin1')));
  t.same(seen, messages, 'byte by byte');

  const largest = new FrameReader(6);
  largest.push(frame('x'.repeat(MAX_MESSAGE)), message => t.equal(message.length, MAX_MESSAGE));
  t.throws(() => largest.push(frame('x'.repeat(MAX_MESSAGE + 1)), () => t.fail('handed out')), { name: 'BadLength' });
  t.throws(() => new FrameReader(6).push(frame('12345'), () => t.fail('handed out')), { name: 'BadLength' });

  const host = await Host.connect(hsm.port);
  t.teardown(() => host.socket.destroy());
  const answers = host.awaiting(['0001', '0002', '0003', '0004']);
  for (const byte of stream) {
    host.socket.write(Buffer.from([byte]));
    await nextTurn();
  }
  const [nc, echo, mac, unknown] = await answers;
  t.match(nc, /^ND00/);
  t.equal(echo, 'B300HELLO\x19x');
  t.match(mac, /^M700[0-9A-F]{8}$/);
  t.equal(unknown, 'Z[68');
});

t.test('many commands in flight on one connection', async t => {
  const before = hsm.counts();
  const host = await Host.connect(hsm.port);
  t.teardown(() => host.socket.destroy());
  const texts = Array.from({ length: 3000 }, (_, i) => `${i}`.padEnd((i * 7) % 300, '.'));
  const answers = await Promise.all(texts.map(text => host.ask(`B2${hex4(text.length)}${text}`)));
  t.same(
    answers,
    texts.map(text => `B300${text}`),
  );
  await host.ask('ZZ');
  await host.ask('ZY');
  const after = hsm.counts();
  t.equal((after.B2 ?? 0) - (before.B2 ?? 0), 3000, 'counted by code');
  t.equal((after.unknown ?? 0) - (before.unknown ?? 0), 2, 'unknown codes under one name');
  t.notOk(Object.hasOwn(after, 'ZZ'));
});

t.test('a malformed frame closes its connection only', async t => {
  const bystander = await Host.connect(hsm.port);
  t.teardown(() => bystander.socket.destroy());
  const tooShort = frame('0001N');
  const tooLong = Buffer.from([0xff, 0xff, 0x30, 0x30]);
  for (const bad of [Buffer.from([0, 0]), tooShort, tooLong, frame('0001\x00\x01'), frame('0001nc')]) {
    log.length = 0;
    const socket = connect(hsm.port, '127.0.0.1');
    const closed = untilClosed(socket);
    socket.write(Buffer.concat([frame(`0007${ECHO}`), bad, frame(`0008${ECHO}`)]));
    t.equal(await closed, frame('0007B300HELLO').toString('latin1'), 'what came before is answered, nothing after');
    t.equal(log.length, 1);
    t.match(log[0], /^hsm-sim: closed 127\.0\.0\.1:\d+: message /);
  }
  t.equal(await bystander.ask(ECHO), 'B300HELLO');
});

t.test('a host that does not read is not read from', async t => {
  const socket = connect(hsm.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  const data = 'x'.repeat(30_000);
  const request = frame(`0001B2${hex4(data.length)}${data}`);
  const commands = 1500;
  for (let i = 0; i < commands; i++) socket.write(request);
  const before = hsm.counts().B2 ?? 0;
  await pause(400);
  const stalled = hsm.counts().B2 ?? 0;
  await pause(200);
  t.equal(hsm.counts().B2, stalled, 'it stopped working for this host');
  t.ok(stalled - before < commands / 2, `${stalled - before} of ${commands} answered ahead`);

  let received = 0;
  const expected = commands * frame(`0001B300${data}`).length;
  const done = new Promise<void>(resolve => {
    socket.on('data', piece => {
      received += piece.length;
      if (received >= expected) resolve();
    });
  });
  socket.resume();
  await done;
  t.equal(received, expected, 'and goes on when it reads again');
});

t.test('no more than 64 connections', async t => {
  const crowded = await openHsm();
  log.length = 0;
  const hosts = await Promise.all(Array.from({ length: 64 }, () => Host.connect(crowded.port)));
  t.match(await hosts[0]?.ask('NO00'), /^NP003164/, 'as NO says');
  const refused = connect(crowded.port, '127.0.0.1');
  refused.on('error', () => undefined);
  t.equal(await untilClosed(refused), '');
  t.match(log, ['hsm-sim: refused a connection, 64 are open']);
  t.equal(await hosts[63]?.ask(ECHO), 'B300HELLO');
  await crowded.close();
  const late = connect(crowded.port, '127.0.0.1');
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  t.equal(error.code, 'ECONNREFUSED', 'closed, with 64 hosts still connected');
});

t.test('the table of open keys is bounded', async t => {
  const ring = new KeyRing(testLmk, 2);
  const type = knownKeyType('001');
  const field = (clear: string) => ({ scheme: 'Z' as const, hex: underLmk('001', clear) });
  const [first, second, third] = [SINGLE, CLEAR.slice(0, 16), '0123456789ABCDEF'].map(field) as [
    ReturnType<typeof field>,
    ReturnType<typeof field>,
    ReturnType<typeof field>,
  ];
  const opened = ring.open(first, type);
  t.equal(ring.open(first, type), opened, 'kept');
  const other = ring.open(second, type);
  t.equal(ring.open(first, type), opened, 'used again');
  ring.open(third, type);
  t.equal(ring.open(first, type), opened, 'the most recently used stays');
  t.not(ring.open(second, type), other, 'the one used longest ago went');
});
