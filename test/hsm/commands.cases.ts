import t from 'tap';
import { publicTestLmkCheckValue } from '../../hsm-sim/index.ts';
import {
  type Command,
  diagnostics,
  echo,
  exportKey,
  generateAndExportKey,
  generateKey,
  generateMac,
  importKey,
  KeyType,
  keyCheckValue,
  translatePinToZone,
  verifyMac,
} from '../../src/hsm/commands.ts';
import { Fields, isKey, MalformedAnswer } from '../../src/hsm/fields.ts';
import { FrameReader, packFrames } from '../../src/hsm/frames.ts';
import { isPublicTestLmk, publicTestLmkCheckValues, simulatorKeyCheckValues } from '../../src/hsm/known-keys.ts';
import { hsmAddress, poolSettings } from '../../src/hsm/options.ts';
import { clearZmk, encrypt } from './oracle.ts';

const ZMK = 'U71979DEB8587E2734F1E99D5DCAEF9AC';
const ZPK = 'U1EF828AA8F6B80EB83E19FBC373F3A85';
const TPK = 'U8463435FC4B4DAA0C49025272C29B12C';

/** Reads an answer's data as the pool does. */
function answer<T>(command: Command<T>, data: string): T {
  const fields = new Fields(data);
  const value = command.read(fields);
  fields.end();
  return value;
}

t.test('commands and answers are those of the published samples', async t => {
  t.equal(
    packFrames([`HEAD${diagnostics().body}`])
      .toString('hex')
      .toUpperCase(),
    '0006484541444E43',
  );
  t.equal(
    packFrames([`HEAD${echo('0123456789ABCDEF').body}`])
      .toString('hex')
      .toUpperCase(),
    '001A4845414442323030313030313233343536373839414243444546',
  );
  t.same(answer(diagnostics(), '5D672700000000001500-0023'), {
    lmkCheckValue: '5D67270000000000',
    firmware: '1500-0023',
  });
  t.equal(answer(echo('0123456789ABCDEF'), '0123456789ABCDEF'), '0123456789ABCDEF');

  const translate = translatePinToZone(TPK, ZPK, '6428EB94035AF53B', '550000025321');
  t.equal(translate.body, `CA${TPK}${ZPK}126428EB94035AF53B0101550000025321`, 'sample 2');
  t.same(answer(translate, '0491DDDA0A7C12CFAA01'), { pinBlock: '91DDDA0A7C12CFAA' });

  t.equal(keyCheckValue(KeyType.tpk, '0406FBB23A5214DF').body, 'BU0200406FBB23A5214DF', 'sample 12');
  t.equal(keyCheckValue(KeyType.zpk, ZPK).body, `BU011${ZPK}`, 'sample 13');
  t.equal(answer(keyCheckValue(KeyType.zpk, ZPK), '6F1E3F74F826B7EB'), '6F1E3F74F826B7EB');

  t.equal(generateKey(KeyType.zpk).body, 'A00001U', 'sample 14');
  t.same(answer(generateKey(KeyType.zpk), 'U37C214786596A294ED92DBA27208C13B18EC38'), {
    key: 'U37C214786596A294ED92DBA27208C13B',
    checkValue: '18EC38',
  });

  const real = generateAndExportKey(KeyType.tmk, 'double', { kind: 'zmk', key: 'U99D8FC778055B63D3FD53CDA9EEEFB9E' });
  t.equal(real.body, 'A01002U;0U99D8FC778055B63D3FD53CDA9EEEFB9EX', 'sample 30, from a real HSM');
  t.same(answer(real, 'UAE79B4FFA40D7B229CC683DE461BC734X4DC5B9381D893C6626A37D2F40809FEA1C96B6'), {
    key: 'UAE79B4FFA40D7B229CC683DE461BC734',
    exported: '4DC5B9381D893C6626A37D2F40809FEA',
    checkValue: '1C96B6',
  });
  const single = generateAndExportKey(KeyType.tak, 'single', { kind: 'tmk', key: TPK });
  t.equal(single.body, `A01003Z;1${TPK}Z`);
  t.same(
    answer(single, '0406FBB23A5214DFZ35ED0C0EA7F7D0FA0035BB'),
    { key: '0406FBB23A5214DF', exported: '35ED0C0EA7F7D0FA', checkValue: '0035BB' },
    'with or without the letter Z, a single-length key has one spelling',
  );

  const bringIn = importKey(KeyType.zpk, ZMK, 'C8E3118AFA853807EB7E92294663A5BA');
  t.equal(bringIn.body, `A6001${ZMK}XC8E3118AFA853807EB7E92294663A5BAU`, 'sample 16');
  t.same(answer(bringIn, `${ZPK}6F1E3F`), { key: ZPK, checkValue: '6F1E3F' });
  t.same(bringIn.warnings, ['01']);
  t.equal(exportKey(KeyType.zpk, ZMK, ZPK).body, `A8001${ZMK}${ZPK}X`);

  const method = { algorithm: 3, size: 8, keyType: KeyType.tak } as const;
  const text = 'thirty characters of plain text';
  t.equal(
    generateMac(method, TPK, text).body,
    `M600031003${TPK}001F${text}`,
    'sample 33 but for the format digit: bytes instead of text',
  );
  t.equal(answer(generateMac(method, TPK, text), 'C57E4295'), 'C57E4295', 'no length in front, as real HSMs answer');
  const check = verifyMac({ ...method, algorithm: 1, size: 16 }, TPK, '\xff\x00', '0123456789ABCDEF');
  t.equal(check.body, `M800111003${TPK}0002\xff\x000123456789ABCDEF`, 'raw bytes, the MAC behind them');
});

t.test('an answer of another layout is not read', async t => {
  const refuses = (data: string, command: Command<unknown>) => t.throws(() => answer(command, data), MalformedAnswer);
  refuses('5D672700000000001500-002', diagnostics());
  refuses('5D672700000000001500-0023 ', diagnostics());
  refuses('5d672700000000001500-0023', diagnostics());
  refuses('U37C214786596A294ED92DBA27208C13', generateKey(KeyType.zpk));
  refuses('000008C57E4295', generateMac({ algorithm: 1, size: 8, keyType: KeyType.tak }, TPK, 'x'));
  refuses('xx91DDDA0A7C12CFAA01', translatePinToZone(TPK, ZPK, '6428EB94035AF53B', '550000025321'));
  try {
    answer(translatePinToZone(TPK, ZPK, '6428EB94035AF53B', '550000025321'), '0491DDDA0A7C12CF_A01');
    t.fail('read');
  } catch (error) {
    t.notMatch(String(error), /91DD/, 'the text names the field, not the content');
  }
});

t.test('a damaged key is not sent, and not shown either', async t => {
  for (const key of ['', 'U1EF8', ZPK.toLowerCase(), `${ZPK}0`, 'S0007', 'U'.padEnd(33, 'G'), '0'.repeat(32)]) {
    t.equal(isKey(key), false);
    t.throws(() => keyCheckValue(KeyType.zpk, key), { message: 'a key given to a host command is not spelled as one' });
  }
  for (const key of [ZPK, 'X'.padEnd(33, 'A'), 'T'.padEnd(49, '0'), '0406FBB23A5214DF']) t.equal(isKey(key), true);
});

t.test('frames survive any split, and a length prefix of any value', async t => {
  const bodies = ['0000NC', '', '\x00\xff\x19', 'x'.repeat(65_535)];
  const stream = packFrames(bodies);
  for (const step of [1, 2, 3, 7, 4096, stream.length]) {
    const reader = new FrameReader();
    const got: string[] = [];
    for (let at = 0; at < stream.length; at += step) got.push(...reader.push(stream.subarray(at, at + step)));
    t.ok(got.length === bodies.length && got.every((body, i) => body === bodies[i]), `in pieces of ${step}`);
  }
  t.throws(() => packFrames(['x'.repeat(65_536)]), RangeError);
});

t.test('settings and known keys', async t => {
  t.same(hsmAddress('tcp://127.0.0.1:1500'), { host: '127.0.0.1', port: 1500 });
  t.same(hsmAddress('tcp://[::1]:1500'), { host: '::1', port: 1500 });
  for (const url of [
    '127.0.0.1:1500',
    'http://a:1500',
    'tcp://a',
    'tcp://a:0',
    'tcp://a:70000',
    'tcp://a:1/x',
    'tcp://:1',
  ]) {
    t.equal(hsmAddress(url), null, url);
  }
  const address = { host: 'a', port: 1 };
  t.throws(() => poolSettings({ ...address, connections: 0 }), /connections must be/);
  t.throws(() => poolSettings({ ...address, headerLength: 1 }), /headerLength must be/);
  t.throws(() => poolSettings({ ...address, headerLength: 2, maxOutstanding: 129 }), /maxOutstanding must be/);

  t.equal(publicTestLmkCheckValues[0], publicTestLmkCheckValue, "the HSM simulator's own value");
  t.ok(isPublicTestLmk(publicTestLmkCheckValue));
  t.ok(isPublicTestLmk('2686040000000000'));
  t.notOk(isPublicTestLmk('5D67270000000000'));
  t.equal(simulatorKeyCheckValues[0], encrypt(clearZmk, '0'.repeat(16)).slice(0, 6));
  t.equal(simulatorKeyCheckValues[1], encrypt('E951A1D6EF08EA15', '0'.repeat(16)).slice(0, 6));
});
