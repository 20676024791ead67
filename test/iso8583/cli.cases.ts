/** The command line as a function, and its reference page. */

import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { type Outcome, run } from '../../iso8583/cli/run.ts';
import { samples } from '../../iso8583/dialects/samples.ts';
import { dialects } from '../../iso8583/index.ts';
import { cliMarkdown } from '../../iso8583/reference/cli.ts';
import { cupPosSample, cupPosSamples } from './vectors.ts';

/** With what there is to be read; files by path. */
function called(args: readonly string[], input?: string, files: Readonly<Record<string, string>> = {}): Outcome {
  return run(args, {
    readStdin() {
      if (input === undefined) throw Object.assign(new Error('closed'), { code: 'EBADF' });
      return input;
    },
    readFile(path) {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
  });
}

function output(args: readonly string[], input?: string, files?: Readonly<Record<string, string>>): string {
  const { status, stdout, stderr } = called(args, input, files);
  if (status !== 0 || stderr !== '') throw new Error(stderr);
  return stdout;
}

const SIGN_ON = cupPosSample('A1').hex;
const SIGN_ON_JSON = `${JSON.stringify({
  mti: '0800',
  tpdu: '6000000000',
  header: '602200000000',
  fields: {
    11: '000172',
    12: '170510',
    13: '0510',
    41: '50080001',
    42: '309310083985008',
    60: '00000172003',
    63: 'CUP',
  },
  parts: { 60: { 1: '00', 2: '000172', 3: '003' }, 63: { 1: 'CUP' } },
})}\n`;
const POS = ['--spec', 'cup-pos'];
const PAN = '6224242900000113';

t.test('the page is what the tables and the command line say', async t => {
  const page = 'docs/reference/iso8583-cli.md';
  if (process.env.UPDATE_DOCS === '1') await writeFile(page, cliMarkdown());
  t.equal(await readFile(page, 'utf8'), cliMarkdown());
});

t.test('unpack prints JSON alone, on one line', async t => {
  t.strictSame(called(['unpack', ...POS, SIGN_ON]), { status: 0, stdout: SIGN_ON_JSON, stderr: '' });
  t.equal(output(['unpack', ...POS], SIGN_ON), SIGN_ON_JSON, 'from standard input');
  t.equal(output(['unpack', ...POS, '-'], SIGN_ON), SIGN_ON_JSON, 'which a hyphen stands for');
  const broken = SIGN_ON.toLowerCase().replace(/.{16}/g, '$& \n');
  t.equal(output(['unpack', ...POS, broken]), SIGN_ON_JSON, 'blanks and line breaks do not matter');
  t.equal(output(['unpack', ...POS, ...broken.split(/\s+/)]), SIGN_ON_JSON, 'nor where a shell cuts');
});

t.test('pack takes what unpack prints in full', async t => {
  const all = [
    ...samples.map(({ dialect, hex }) => [dialect, hex] as const),
    ...cupPosSamples().map(({ hex }) => ['cup-pos', hex] as const),
  ];
  for (const [spec, hex] of all) {
    const json = output(['unpack', '--spec', spec, '--unmasked', hex]);
    t.match(json, /^[\x20-\x7e]+\n$/, 'ASCII alone');
    t.equal(output(['pack', '--spec', spec, json]), `${hex.toUpperCase()}\n`);
    t.equal(output(['pack', '--spec', spec], json), `${hex.toUpperCase()}\n`, 'from standard input');
  }
});

t.test('card data is masked unless it is asked for', async t => {
  const json = { mti: '0200', tpdu: '6000000000', header: '603100000000', fields: { 2: PAN } };
  const hex = output(['pack', ...POS, JSON.stringify(json)]).trim();
  t.match(output(['unpack', ...POS, hex]), '"2":"62242429****0113"');
  t.match(output(['unpack', ...POS, '--bin-digits', '6', hex]), '"2":"622424******0113"');
  t.match(output(['unpack', ...POS, '--unmasked', hex]), `"2":"${PAN}"`);
  t.notMatch(output(['describe', ...POS, hex]), PAN);
  t.match(output(['describe', ...POS, '--unmasked', hex]), PAN);
  t.notMatch(output(['describe', ...POS, '--json', hex]), PAN);
});

t.test('a length prefix is expected and added where there is one', async t => {
  t.equal(output(['unpack', ...POS, '--framed', `0041${SIGN_ON}`]), SIGN_ON_JSON);
  t.equal(output(['unpack', ...POS, '--framing', 'ascii4', `30303635${SIGN_ON}`]), SIGN_ON_JSON);
  t.equal(output(['pack', ...POS, '--framed', SIGN_ON_JSON]), `0041${SIGN_ON}\n`);
  t.equal(output(['pack', ...POS, '--framed', '--framing', 'bcd2', SIGN_ON_JSON]), `0065${SIGN_ON}\n`);
  t.strictSame(called(['unpack', ...POS, '--framed', `0042${SIGN_ON}`]), {
    status: 1,
    stdout: '',
    stderr: 'bad-framing: length prefix says 66 bytes, 65 bytes follow\n',
  });
  t.equal(called(['unpack', ...POS, '--framed', SIGN_ON]).status, 1);
});

t.test('headers that messages lack are left out by name', async t => {
  const [tpdu, header, rest] = [SIGN_ON.slice(0, 10), SIGN_ON.slice(10, 22), SIGN_ON.slice(22)];
  const without = JSON.parse(output(['unpack', ...POS, '--no-header', tpdu + rest]));
  t.equal(without.tpdu, tpdu);
  t.equal(without.header, undefined);
  t.equal(output(['pack', ...POS, '--no-header', JSON.stringify(without)]), `${tpdu}${rest}\n`);
  t.match(output(['unpack', ...POS, '--no-tpdu', header + rest]), `"header":"${header}"`);
  t.match(output(['unpack', ...POS, '--no-tpdu', '--no-header', rest]), '{"mti":"0800","fields":');
  t.match(called(['pack', ...POS, JSON.stringify(without)]).stderr, 'bad-header: header.header');
  t.match(called(['pack', ...POS, '--no-header', SIGN_ON_JSON]), {
    status: 1,
    stderr: 'value-does-not-fit: header: expected one of mti, tpdu, fields, parts, found another key\n',
  });
  t.match(
    called(['unpack', ...POS, '--no-visa', SIGN_ON]).stderr,
    'cup-pos has no header of that name, but tpdu, header',
  );
  t.match(called(['unpack', '--spec', 'postilion', '--no-tpdu', '00']).stderr, 'but none at all');
});

t.test('a spec of your own comes from a file', async t => {
  const own = output(['specs', 'cup-pos']).replace('"terminal trace"', '"trace"');
  const files = { 'own.json': own, 'bad.json': own.replace('"mti": "bcd"', '"mti": "bdc"'), 'no.json': '{"name":}' };
  t.equal(output(['unpack', '--spec-file', 'own.json', SIGN_ON], '', files), SIGN_ON_JSON);
  t.match(output(['describe', '--spec-file', 'own.json', SIGN_ON], '', files), '11             trace   ');
  const wrong = (...args: string[]) => called(['unpack', '--spec-file', ...args, SIGN_ON], '', files);
  t.strictSame(wrong('bad.json'), {
    status: 2,
    stdout: '',
    stderr: 'bad-spec: mti must be bcd, ascii or ebcdic, not "bdc"\n',
  });
  t.strictSame(JSON.parse(wrong('bad.json', '--json').stderr), {
    code: 'bad-spec',
    problems: ['mti must be bcd, ascii or ebcdic, not "bdc"'],
    message: 'bad-spec: mti must be bcd, ascii or ebcdic, not "bdc"',
  });
  t.match(wrong('no.json'), { status: 2, stderr: /^bad-spec: --spec-file is no JSON document.*\n$/ });
  t.match(wrong('missing.json'), { status: 2, stderr: 'usage: --spec-file cannot be read: ENOENT' });
});

t.test('a name that would act on a terminal is refused, in one line', async t => {
  const own = output(['specs', 'cup-pos']).replace('"terminal trace"', '"\\u001b[2J\\nerror"');
  const { stderr } = called(['unpack', '--spec-file', 'own.json', SIGN_ON.slice(0, 46)], '', { 'own.json': own });
  t.match(stderr, 'bad-spec: field 11: name must be text, not');
  t.match(stderr, /^[^\n]+\n$/);
});

t.test('a bad message is told in one line, or as JSON', async t => {
  const cut = SIGN_ON.slice(0, -2);
  const message = 'truncated: field 63 (private 63) at byte 62: expected 3 bytes of content, found 2';
  t.strictSame(called(['unpack', ...POS, cut]), { status: 1, stdout: '', stderr: `${message}\n` });
  for (const command of ['unpack', 'describe']) {
    const { status, stdout, stderr } = called([command, ...POS, '--json', cut]);
    t.strictSame({ status, stdout }, { status: 1, stdout: '' });
    t.equal(
      stderr,
      `${JSON.stringify({
        code: 'truncated',
        field: 63,
        path: '63',
        offset: 62,
        expected: '3 bytes of content',
        found: '2',
        message,
      })}\n`,
    );
  }
  t.match(called(['pack', ...POS, '--json', '{"fields":{}}']), {
    status: 1,
    stderr: /^\{"code":"bad-mti","path":"mti",/,
  });
});

t.test('what is no hex or no JSON is told by its place', async t => {
  const said = (...args: string[]) => called([args[0] ?? '', ...POS, ...args.slice(1)], '');
  const cases: readonly (readonly [Outcome, string])[] = [
    [said('unpack', '60 00x0'), 'bad-hex: character 6 is no hex digit\n'],
    [said('unpack', '600'), 'bad-hex: 3 digits, half a byte too many\n'],
    [said('unpack'), 'bad-hex: there is none\n'],
    [said('pack'), 'bad-json: the message is no JSON document\n'],
    [said('pack', `{"mti":"0200" "${PAN}"}`), 'bad-json: the message is no JSON document, at character 15\n'],
    [said('pack', `{"mti":${PAN}x}`), 'bad-json: the message is no JSON document, at character 24\n'],
  ];
  for (const [{ status, stdout, stderr }, line] of cases) {
    t.equal(stderr.replace(/, at character \d+/, ''), line.replace(/, at character \d+/, ''));
    t.strictSame({ status, stdout }, { status: 1, stdout: '' });
  }
});

t.test('a wrong call is told in one line that says where help is', async t => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[], 'which command? unpack, pack, describe, specs'],
    [['inspect'], 'which command? unpack, pack, describe, specs'],
    [['unpack', SIGN_ON], '--spec NAME or --spec-file FILE is needed; there are cup-pos, '],
    [['unpack', '--spec', PAN, SIGN_ON], 'no such spec; there are cup-pos, '],
    [['unpack', ...POS, '--spec-file', 'x', SIGN_ON], '--spec and --spec-file are one or the other'],
    [['unpack', `--${PAN}`], "unpack: Unknown option '--62242429****0113'"],
    [['pack', ...POS, '--unmasked'], "pack: Unknown option '--unmasked'"],
    [['unpack', '--spec'], "unpack: Option '--spec <value>' argument missing"],
    [['unpack', '--spec', '--framed'], "unpack: Option '--spec' argument is ambiguous"],
    [['unpack', ...POS, '--framing', 'morse', SIGN_ON], '--framing: no such framing; there are binary2, '],
    [['unpack', ...POS, '--bin-digits', '7', SIGN_ON], '--bin-digits: 6 or 8'],
    [['unpack', ...POS], 'standard input cannot be read: EBADF'],
    [['specs', 'cups', 'postilion'], 'specs: one NAME at a time'],
    [['specs', 'morse'], 'no such spec; there are cup-pos, '],
  ];
  for (const [args, reason] of cases) {
    const { status, stdout, stderr } = called(args);
    t.strictSame({ status, stdout }, { status: 2, stdout: '' });
    t.ok(stderr.startsWith(`usage: ${reason}`), stderr);
    t.match(stderr, /^[^\n]+ \(--help says how\)\n$/);
  }
  t.match(JSON.parse(called(['unpack', '--json']).stderr), { code: 'usage', message: /^usage: --spec NAME/ });
  const unframed = output(['specs', 'cups']).replace(/"framing": \{[^}]*\},/, '');
  const call = called(['unpack', '--spec-file', 'f', '--framed', '00'], '', { f: unframed });
  t.match(call, { status: 2, stderr: 'usage: --framed: spec cups does not say how; --framing says it' });
});

t.test('no error shows what would be masked', async t => {
  const json = JSON.stringify({ ...JSON.parse(SIGN_ON_JSON), parts: undefined, mti: '0200', fields: { 2: PAN } });
  const hex = output(['pack', ...POS, json]).trim();
  const calls: readonly (readonly [readonly string[], Readonly<Record<string, string>>?])[] = [
    [['unpack', ...POS, hex.slice(0, -2)]],
    [['unpack', ...POS, hex.replace('290000', '29000A')]],
    [['unpack', ...POS, '--framed', hex]],
    [['unpack', '--spec', hex, hex]],
    [['unpack', hex]],
    [['unpack', `--${hex}`]],
    [['unpack', ...POS, `--no-${hex}`, hex]],
    [['unpack', ...POS, '--framing', hex, hex]],
    [['unpack', ...POS, '--bin-digits', hex, hex]],
    [[hex]],
    [['pack', ...POS, json.replace(PAN, `${PAN}${PAN}`)]],
    [['pack', ...POS, json.replace('}}', '}')]],
    [['pack', ...POS, json.replace('"2"', '"3"')]],
    [['pack', '--spec-file', 'm', json], { m: json }],
  ];
  for (const [args, files] of calls) {
    for (const more of [[], ['--json']]) {
      const { status, stderr } = called([...args.slice(0, 1), ...more, ...args.slice(1)], '', files);
      t.not(status, 0);
      t.notMatch(stderr, PAN.slice(0, 13), stderr);
    }
  }
});

t.test('describe has words for people and JSON for programs', async t => {
  t.match(output(['describe', ...POS, SIGN_ON]), /^cup-pos 0800, sign-on, 65 bytes\n[\s\S]*\n$/);
  t.strictSame(JSON.parse(output(['describe', ...POS, '--json', SIGN_ON])), {
    spec: 'cup-pos',
    verdict: { name: 'sign-on', problems: [] },
    ...JSON.parse(SIGN_ON_JSON),
  });
});

t.test('specs lists what there is, and prints one', async t => {
  const lines = output(['specs']).trimEnd().split('\n');
  t.strictSame(
    lines.map(line => line.split(/ {2,}/)),
    dialects.map(({ name, title }) => [name, title]),
  );
  t.strictSame(
    JSON.parse(output(['specs', '--json'])),
    dialects.map(({ name, title }) => ({ name, title })),
  );
  for (const spec of dialects) t.strictSame(JSON.parse(output(['specs', spec.name])), spec);
});

t.test('--help says how', async t => {
  const whole = output(['--help']);
  for (const command of ['unpack', 'pack', 'describe', 'specs']) {
    t.match(whole, new RegExp(`^ {2}${command} `, 'm'));
    const own = output([command, '--help']);
    t.match(own, `npm run -s iso8583 -- ${command} `);
    t.equal(output([command, '-h']), own);
  }
  t.match(output(['unpack', '--help']), '--bin-digits 6|8');
  t.notMatch(output(['pack', '--help']), /^ {2}--unmasked/m);
});
