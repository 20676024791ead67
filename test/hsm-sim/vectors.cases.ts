import { readFileSync } from 'node:fs';
import t from 'tap';
import { formKey, type HsmSim, publicTestLmkCheckValue, startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { accountOf, desDecrypt, desEncrypt, Host, hex4, underLmk } from './host.ts';

interface PinBlock {
  readonly format: string;
  readonly pan: string;
  readonly block: string;
}

interface Vectors {
  readonly samples: readonly {
    readonly sample: number;
    readonly request: string;
    readonly answer: string;
    readonly random?: string;
  }[];
  readonly checkValues: readonly { readonly key: string; readonly checkValue: string }[];
  readonly pinBlocks: {
    readonly encode: readonly (PinBlock & { readonly pin: string })[];
    readonly decode: readonly (PinBlock & { readonly pin: string })[];
    readonly mustFail: readonly (PinBlock & { readonly error: string; readonly why: string })[];
  };
  readonly macs: readonly {
    readonly id: string;
    readonly key: string;
    readonly algorithm: string;
    readonly padding: string;
    readonly data: string;
    readonly mac: string;
  }[];
  readonly workingKeys: readonly {
    readonly source: string;
    readonly tmkComponents: readonly string[];
    readonly tmkCheckValue: string;
    readonly type: string;
    readonly key: string;
    readonly underTmk: string;
    readonly checkValue: string;
  }[];
  readonly pinUnderWorkingKey: {
    readonly pik: string;
    readonly pin: string;
    readonly withPan: { readonly account: string; readonly block: string };
    readonly withoutPan: { readonly account: string; readonly block: string };
  };
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/hsm/payshield.json', import.meta.url), 'utf8'),
);

/** What the random source gives next: tests of generated keys set it. */
let random = Buffer.alloc(0);
let hsm: HsmSim;
let host: Host;

t.before(async () => {
  hsm = await startHsmSim({ port: 0, lmk: testLmk, random: bytes => Buffer.from(random.subarray(0, bytes)) });
  host = await Host.connect(hsm.port);
});

t.teardown(async () => {
  host.socket.destroy();
  await hsm.close();
});

t.test('every sample of a command this HSM has', async t => {
  t.ok(vectors.samples.length >= 30);
  for (const { sample, request, answer, random: given } of vectors.samples) {
    if (given !== undefined) random = Buffer.from(given, 'hex');
    t.equal(await host.ask(request), answer, `sample ${sample}: ${request.slice(0, 2)}`);
  }
});

t.test('NC shows the check value of the public test LMK', async t => {
  t.equal(publicTestLmkCheckValue, '7B44AC1DDEE2A94B', 'as other simulators with this LMK show');
  t.match(await host.ask('NC'), /^ND007B44AC1DDEE2A94B[0-9A-Z]{4}-[0-9A-Z]{4}$/);
});

t.test('check values, by BU under every key type of the path', async t => {
  for (const { key, checkValue } of vectors.checkValues) {
    for (const type of ['000', '001', '002', '003', '008', '009', '00A', '00B']) {
      const field = underLmk(type, key);
      const flag = key.length === 16 ? '0' : '1';
      const full = await host.ask(`BU${type.slice(1)}${flag}${field}`);
      t.equal(full.slice(0, 4 + checkValue.length), `BV00${checkValue}`, `type ${type}`);
      t.equal(full.length, 20);
      t.equal(await host.ask(`BU${type.slice(1)}${flag}${field};001`), full.slice(0, 10), '6 characters when asked');
    }
    const clear = key.length === 16 ? key.repeat(2) : key;
    const cvk = formKey({ lmk: testLmk, type: '402', scheme: 'U', components: [clear] });
    t.equal(
      await host.ask(`BUFF1${cvk.key};402`),
      await host.ask(`BU021${underLmk('002', clear)}`),
      'a type with variant',
    );
  }
});

t.test('all key schemes under the LMK, and under a ZMK by export and import', async t => {
  const clear = {
    Z: '0B681FC20E62C734',
    X: 'C7152C20BC2C830EA7EC9E8334ABE3FE',
    Y: `${'0B681FC20E62C734'.repeat(2)}C7152C20BC2C830E`,
  };
  const zmk = underLmk('000', '851A0D9D0B2A1602622AD0B0E9E6B070');
  for (const [scheme, component] of [
    ['Z', clear.Z],
    ['X', clear.X],
    ['U', clear.X],
    ['Y', clear.Y],
    ['T', clear.Y],
  ] as const) {
    const { key, kcv } = formKey({ lmk: testLmk, type: '001', scheme, components: [component] });
    t.equal(kcv, desEncrypt(component, '0'.repeat(16)).slice(0, 6));
    t.equal(key.length, component.length + (scheme === 'Z' ? 0 : 1));
    const exported = await host.ask(`A8001${zmk}${key}${scheme}`);
    t.equal(exported.slice(0, 4), 'A900');
    t.equal(exported.slice(-6), kcv);
    const underZmk = exported.slice(4, -6);
    t.equal(await host.ask(`A6001${zmk}${underZmk}${scheme}`), `A700${key}${kcv}`, `scheme ${scheme} there and back`);
    if (scheme === 'U' || scheme === 'T') {
      t.not(desDecrypt('851A0D9D0B2A1602622AD0B0E9E6B070', underZmk.slice(1)), component, 'its parts have variants');
    } else {
      const bare = underZmk.replace(/^[A-Z](?=[0-9A-F]{32})/, '');
      t.equal(desDecrypt('851A0D9D0B2A1602622AD0B0E9E6B070', bare), component, 'plain ECB under the ZMK');
    }
  }
});

t.test('PIN blocks made, read and refused', async t => {
  const clearZpk = 'C7152C20BC2C830EA7EC9E8334ABE3FE';
  const zpk = underLmk('001', clearZpk);
  random = Buffer.from('000102030405060708090A0B0C0D', 'hex');
  for (const { format, pin, pan, block } of vectors.pinBlocks.encode) {
    const answer = await host.ask(`JG${zpk}${format}${accountOf(pan)}0${pin}`);
    t.equal(answer.slice(0, 4), 'JH00');
    t.match(desDecrypt(clearZpk, answer.slice(4)), new RegExp(`^${block}$`), `format ${format}, PIN of ${pin.length}`);
    t.equal(await host.ask(`JE${zpk}${answer.slice(4)}${format}${accountOf(pan)}`), `JF000${pin}`, 'and back');
  }
  for (const { format, pin, pan, block } of vectors.pinBlocks.decode) {
    t.equal(await host.ask(`JE${zpk}${desEncrypt(clearZpk, block)}${format}${accountOf(pan)}`), `JF000${pin}`);
  }
  const [tpk, account] = [underLmk('002', clearZpk), accountOf('5555555551234567')];
  for (const { format, pan, block, error, why } of vectors.pinBlocks.mustFail) {
    const encrypted = desEncrypt(clearZpk, block);
    t.equal(await host.ask(`JE${zpk}${encrypted}${format}${accountOf(pan)}`), `JF${error}`, why);
    t.equal(await host.ask(`CA${tpk}${zpk}12${encrypted}${format}${format}${account}`), `CB${error}`, `${why}, by CA`);
  }
});

t.test('PIN blocks change format only where none loses its account', async t => {
  const key = '1C1C2A2A3B3B4C4C5D5D6E6E7F7F8080';
  const [tpk, zpk, account] = [underLmk('002', key), underLmk('001', key), '555555123456'];
  const blocks = {
    '01': '041261AAAAEDCBA9',
    '03': '1234FFFFFFFFFFFF',
    '05': '1412340123456789',
    '34': '241234FFFFFFFFFF',
    '47': '341261AAAABDCBA9',
  };
  for (const [from, block] of Object.entries(blocks)) {
    for (const to of Object.keys(blocks)) {
      const answer = await host.ask(`CA${tpk}${zpk}12${desEncrypt(key, block)}${from}${to}${account}`);
      const loses = (from === '01' || from === '47') && to !== '01' && to !== '47';
      if (loses) {
        t.equal(answer, 'CB69', `${from} to ${to}`);
        continue;
      }
      t.match(answer, new RegExp(`^CB0004[0-9A-F]{16}${to}$`), `${from} to ${to}`);
      const moved = answer.slice(6, 22);
      if (from === to) t.equal(moved, desEncrypt(key, block), 'only the key changes');
      t.equal(await host.ask(`JE${zpk}${moved}${to}${account}`), 'JF0001234');
    }
  }
});

t.test('MACs: generated, verified, and in pieces', async t => {
  for (const { id, key, algorithm, padding, data, mac } of vectors.macs) {
    const bytes = Buffer.from(data, 'hex').toString('latin1');
    for (const type of ['003', '008']) {
      const field = underLmk(type, key);
      const wide = await host.ask(`M6011${algorithm}${padding}${type}${field}${hex4(data.length)}${data}`);
      t.equal(wide.slice(0, 4 + mac.length), `M700${mac}`, `${id} as hex, type ${type}`);
      t.equal(wide.length, 20);
      for (const format of ['0', '2']) {
        const request = `0${format}0${algorithm}${padding}${type}${field}${hex4(bytes.length)}${bytes}`;
        t.equal(await host.ask(`M6${request}`), wide.slice(0, 12), `${id}, input format ${format}, 8 characters`);
        t.equal(await host.ask(`M8${request}${wide.slice(4, 12)}`), 'M900');
        const other = wide[11] === '0' ? '1' : '0';
        t.equal(await host.ask(`M8${request}${wide.slice(4, 11)}${other}`), 'M901', 'one digit off');
      }
      t.equal(
        await host.ask(`M8001${algorithm}${padding}${type}${field}${hex4(bytes.length)}${bytes}${wide.slice(4)}`),
        'M900',
      );
    }
    // First, middle and last block of it give the same MAC as the whole, wherever it is cut.
    const tak = underLmk('003', key);
    const whole = await host.ask(`M6001${algorithm}${padding}003${tak}${hex4(bytes.length)}${bytes}`);
    for (let cut = 8; cut < bytes.length; cut += 8) {
      const start = `0${'1'}${algorithm}${padding}003${tak}`;
      let iv = '';
      for (let at = 0; at < cut; at += 8) {
        const piece = bytes.slice(at, at + 8);
        const code = at % 16 === 0 ? 'M6' : 'M8';
        const answer = await host.ask(`${code}${at === 0 ? '1' : '2'}${start}${iv}${hex4(8)}${piece}`);
        iv = answer.slice(4);
        t.equal(iv.length, 16);
      }
      const rest = bytes.slice(cut);
      t.equal(await host.ask(`M63${start}${iv}${hex4(rest.length)}${rest}`), whole, `${id} cut at ${cut}`);
      t.equal(await host.ask(`M83${start}${iv}${hex4(rest.length)}${rest}${whole.slice(4)}`), 'M900');
    }
  }
});

t.test('working keys of a sign-on: generated, exported under the TMK, and their check values', async t => {
  for (const { source, tmkComponents, tmkCheckValue, type, key, underTmk, checkValue } of vectors.workingKeys) {
    const tmk = formKey({ lmk: testLmk, type: '002', scheme: 'U', components: tmkComponents });
    t.equal(tmk.kcv, tmkCheckValue);
    random = Buffer.from(key, 'hex');
    const single = key.length === 16;
    const [scheme, out, tag] = single ? ['Z', 'Z', ''] : ['U', 'X', 'X'];
    const made = underLmk(type, key);
    t.equal(
      await host.ask(`A01${type}${scheme};1${tmk.key}${out}`),
      `A100${made}${tag}${underTmk}${checkValue.slice(0, 6)}`,
      `${source}, type ${type}`,
    );
    const full = await host.ask(`BU${type.slice(1)}${single ? '0' : '1'}${made}`);
    t.equal(full.slice(0, 12), `BV00${checkValue}`, 'four bytes, as DE62 has them');
    // The older commands give the same keys.
    const older = type === '002' ? 'HC' : 'HA';
    const response = type === '002' ? 'HD' : 'HB';
    t.equal(await host.ask(`${older}${tmk.key};${out}${scheme}0`), `${response}00${tag}${underTmk}${made}`);
  }
});

t.test('the PIN of a terminal reaches the bank, with PAN and without', async t => {
  const { pik, pin, withPan, withoutPan } = vectors.pinUnderWorkingKey;
  const clearZpk = 'C7152C20BC2C830EA7EC9E8334ABE3FE';
  const [tpk, zpk] = [underLmk('002', pik), underLmk('001', clearZpk)];
  for (const { account, block } of [withPan, withoutPan]) {
    const clear = desDecrypt(pik, block);
    const answer = `CB0006${desEncrypt(clearZpk, clear)}01`;
    t.equal(await host.ask(`CA${tpk}${zpk}12${block}0101${account}`), answer);
    t.equal(await host.ask(`JC${tpk}${block}01${account}`), `JD000${pin}`);
  }
  t.equal(await host.ask(`CA${tpk}${zpk}12${withoutPan.block}0101${withPan.account}`), 'CB20', 'the wrong account');
});

t.test('keys exchanged with a bank: generated here, imported there, and the other way around', async t => {
  const clearZmk = '851A0D9D0B2A1602622AD0B0E9E6B070';
  const clear = 'C7152C20BC2C830EA7EC9E8334ABE3FE';
  const zmk = underLmk('000', clearZmk);
  const underZmk = desEncrypt(clearZmk, clear);
  const check = desEncrypt(clear, '0'.repeat(16));
  random = Buffer.from(clear, 'hex');
  const zpk = underLmk('001', clear);

  t.equal(await host.ask(`A01001U;0${zmk}X`), `A100${zpk}X${underZmk}${check.slice(0, 6)}`);
  t.equal(await host.ask(`A01001U${zmk}X`), `A100${zpk}X${underZmk}${check.slice(0, 6)}`, 'old form without ;0');
  t.equal(await host.ask(`IA${zmk};XU0`), `IB00X${underZmk}${zpk}${check}`);
  t.equal(await host.ask(`IA${zmk};XU1`), `IB00X${underZmk}${zpk}${check.slice(0, 6)}`);
  t.equal(
    await host.ask(`IA${zmk}`),
    `IB00${desEncrypt(clearZmk, clear.slice(0, 16))}${underLmk('001', clear.slice(0, 16))}${desEncrypt(clear.slice(0, 16), '0'.repeat(16))}`,
    'without options single length',
  );

  const pairs = [
    ['FA', 'FB', 'GC', 'GD', '001', ''],
    ['FC', 'FD', 'FE', 'FF', '002', ''],
    ['FK', 'FL', 'FM', 'FN', '00A', '0'],
    ['FK', 'FL', 'FM', 'FN', '008', '1'],
    ['MI', 'MJ', 'MG', 'MH', '003', ''],
    ['DW', 'DX', 'DY', 'DZ', '009', ''],
    ['AW', 'AX', 'AU', 'AV', '402', ''],
  ] as const;
  for (const [inwards, inAnswer, outwards, outAnswer, type, flag] of pairs) {
    const stored = formKey({ lmk: testLmk, type, scheme: 'U', components: [clear] }).key;
    t.equal(await host.ask(`${inwards}${flag}${zmk}X${underZmk};0U1`), `${inAnswer}00${stored}${check.slice(0, 6)}`);
    t.equal(await host.ask(`${outwards}${flag}${zmk}${stored};X01`), `${outAnswer}00X${underZmk}${check.slice(0, 6)}`);
  }
});

t.test('an imported key with even parity is corrected, and told', async t => {
  const clearZmk = '851A0D9D0B2A1602622AD0B0E9E6B070';
  const even = 'C6142D21BD2D820FA6ED9F8235AAE2FF';
  const odd = 'C7152C20BC2C830EA7EC9E8334ABE3FE';
  const zmk = underLmk('000', clearZmk);
  const answer = `${underLmk('001', odd)}6F1E3F`;
  t.equal(await host.ask(`A6001${zmk}X${desEncrypt(clearZmk, even)}U`), `A701${answer}`);
  t.equal(await host.ask(`FA${zmk}X${desEncrypt(clearZmk, even)};0U1`), `FB01${answer}`);
  t.equal(await host.ask(`A6001${zmk}X${desEncrypt(clearZmk, '0'.repeat(32))}U`), 'A711', 'zeros are no key');
});

t.test('data under a ZEK and a DEK', async t => {
  const clear = '0123456789ABCDEFFEDCBA9876543210';
  const data = '00112233445566778899AABBCCDDEEFF0123456701234567';
  const iv = 'A1B2C3D4E5F60718';
  const blocks = [data.slice(0, 16), data.slice(16, 32), data.slice(32)];
  const xor = (a: string, b: string) =>
    (BigInt(`0x${a}`) ^ BigInt(`0x${b}`)).toString(16).toUpperCase().padStart(16, '0');
  let chain = iv;
  const cbc = blocks.map(block => {
    chain = desEncrypt(clear, xor(block, chain));
    return chain;
  });
  for (const type of ['00A', '00B']) {
    const key = underLmk(type, clear);
    const ecb = desEncrypt(clear, data);
    t.equal(await host.ask(`M00011${type}${key}0030${data}`), `M1000030${ecb}`, 'ECB');
    t.equal(await host.ask(`M20011${type}${key}0030${ecb}`), `M3000030${data}`);
    // Twice, as a cached cipher must not carry anything from one message to the next.
    for (let round = 0; round < 2; round++) {
      t.equal(await host.ask(`M00111${type}${key}${iv}0030${data}`), `M100${cbc[2]}0030${cbc.join('')}`, 'CBC');
      t.equal(await host.ask(`M20111${type}${key}${iv}0030${cbc.join('')}`), `M300${cbc[2]}0030${data}`);
    }
    const raw = Buffer.from(data, 'hex').toString('latin1');
    const rawEcb = Buffer.from(ecb, 'hex').toString('latin1');
    t.equal(await host.ask(`M00000${type}${key}0018${raw}`), `M1000018${rawEcb}`, 'bytes as bytes');
    t.equal(await host.ask(`M20002${type}${key}0018${rawEcb}`), `M3000018${raw}`);
  }
});
