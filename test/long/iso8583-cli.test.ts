/** The command line as people call it: through npm, with pipes. */

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cupPosSample } from '../iso8583/vectors.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function shell(command: string, input = ''): Promise<Outcome> {
  return new Promise(resolve => {
    const child = execFile('bash', ['-o', 'pipefail', '-c', command], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

const ISO8583 = 'npm run -s iso8583 --';
const { hex } = cupPosSample('A3');

t.test('unpack and pack through a pipe give the same message back', async t => {
  const there = await shell(`${ISO8583} unpack --spec cup-pos --unmasked ${hex}`);
  t.match(there, { code: 0, stderr: '' });
  t.match(JSON.parse(there.stdout), { mti: '0400', tpdu: /^60/, header: /^60/ });
  t.equal(there.stdout.indexOf('\n'), there.stdout.length - 1, 'one line');
  const back = `${ISO8583} unpack --spec cup-pos --unmasked | ${ISO8583} pack --spec cup-pos`;
  t.strictSame(await shell(back, `${hex}\n`), { code: 0, stdout: `${hex}\n`, stderr: '' });
});

t.test('JSON reaches pack through npm as it was quoted', async t => {
  const json = JSON.stringify({ mti: '0800', fields: { 41: '"$A" \\\'' } });
  const command = `${ISO8583} pack --spec cup-pos --no-header --no-tpdu '${json.replaceAll("'", "'\\''")}'`;
  const expected = `08000000000000800000${Buffer.from('"$A" \\\'').toString('hex').padEnd(16, '20')}`.toUpperCase();
  t.strictSame(await shell(command), { code: 0, stdout: `${expected}\n`, stderr: '' });
});

t.test('the exit status says whose fault it is', async t => {
  const bad = await shell(`${ISO8583} unpack --spec cup-pos ${hex.slice(0, -2)}`);
  t.match(bad, { code: 1, stdout: '', stderr: /^truncated: field 64 \(MAC\) at byte \d+: [^\n]+\n$/ });
  const wrong = await shell(`${ISO8583} unpack --spec morse ${hex}`);
  t.match(wrong, { code: 2, stdout: '', stderr: /^usage: no such spec; [^\n]+\n$/ });
});

t.test('a spec of your own is read from its file', async t => {
  const file = join(t.testdir(), 'own.json');
  const { stdout } = await shell(`${ISO8583} specs cup-pos`);
  writeFileSync(file, stdout.replace('"name": "cup-pos"', '"name": "own"'));
  t.match((await shell(`${ISO8583} describe --spec-file ${file} ${hex}`)).stdout, /^own 0400, /);
  t.match(await shell(`${ISO8583} describe --spec-file ${file}.not ${hex}`), { code: 2, stderr: /ENOENT/ });
});

t.test('who has read enough may leave', async t => {
  const { code, stdout, stderr } = await shell(`${ISO8583} specs cup-pos | head -n 1`);
  t.strictSame({ code, stdout, stderr }, { code: 0, stdout: '{\n', stderr: '' });
});
