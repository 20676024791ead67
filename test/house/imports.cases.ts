import t from 'tap';
import { forbiddenImports, RULES } from './rules.ts';
import { allFiles, codeOnly, importsOf, read } from './source.ts';

const sources = allFiles().filter(path => path.endsWith('.ts'));
/** What the ports hand on (`Pan`, `Secret`) may be named where it is, too. */
const reexported = [...read('src/switch/ports.ts').matchAll(/^export .* from '\.\/([^']+)';$/gm)].map(
  match => `src/switch/${match[1]}`,
);

/**
 * What takes time, chance, network and storage as ports, so that a whole acquirer runs in one process under a
 * seeded virtual clock.
 */
const SEAMS: readonly RegExp[] = [
  /^src\/switch\/.*\.ts$/,
  /^src\/banks\/(mux|link)[^/]*\.ts$/,
  /^src\/terminals\/session[^/]*\.ts$/,
  /^src\/journal\/group-commit[^/]*\.ts$/,
];

const WORLD =
  /\b(Date|setTimeout|setInterval|setImmediate|nextTick|queueMicrotask|getRandomValues|randomUUID|Math\.random)\b|\b(?:process|performance)\./g;

/** What a seam takes from the world instead of from a port. */
function leaks(path: string, source: string): readonly string[] {
  const names = [...codeOnly(source).matchAll(WORLD)].map(match => match[0]);
  return [...names, ...importsOf(path, source).filter(target => target.startsWith('node:'))];
}

t.test('rooms know whom they may know', async t => {
  for (const path of sources) {
    for (const target of forbiddenImports(path, importsOf(path, read(path)), reexported)) {
      t.fail(`${path} imports ${target}`);
    }
  }
  t.ok(sources.length > 50, 'the sources were found');
});

t.test('every rule is for something that exists', async t => {
  // A room that later issues build has its rule already.
  const later = ['src/settlement/', 'src/console/'];
  for (const { of } of RULES.filter(rule => !later.includes(rule.of))) {
    t.ok(
      sources.some(path => path === of || (of.endsWith('/') && path.startsWith(of))),
      of,
    );
  }
});

t.test('the rules tell good from bad', async t => {
  const forbidden = (path: string, source: string) => forbiddenImports(path, importsOf(path, source), reexported);
  const bad: readonly [string, string][] = [
    ['iso8583/field.ts', `import type { Pan } from '../src/switch/ports.ts';`],
    ['iso8583/field.ts', `import { Redis } from 'ioredis';`],
    ['hsm-sim/mac.ts', `export { unpack } from '../iso8583/index.ts';`],
    ['src/switch/switch.ts', `import { randomInt } from 'node:crypto';`],
    ['src/switch/switch.ts', `import pg from 'pg';`],
    ['src/switch/switch.ts', `import { unpack } from '../../iso8583/unpack.ts';`],
    ['src/switch/switch.ts', `const { Pool } = await import('pg');`],
    ['src/banks/mux.ts', `import { decide } from '../switch/decide.ts';`],
    ['src/banks/mux.ts', `import type { Journal } from '../journal/journal.ts';`],
    ['src/banks/mux.ts', `import { config } from '../config.ts';`],
    ['src/http/app.ts', `import type {\n  Registry,\n} from '../registry/registry.ts';`],
    ['src/audit/judge.ts', `import type { State } from '../switch/ports.ts';`],
    ['src/audit/judge.ts', `import '../journal/sql.ts';`],
    ['src/simulators/bank/pin.ts', `import { des } from '../../../hsm-sim/des-key.ts';`],
    ['src/simulators/bank/pin.ts', `import { des } from '../terminal/des.ts';`],
    ['src/simulators/demo.ts', `import { Switch } from '../switch/switch.ts';`],
    ['src/main.ts', `import { testDatabase } from '../test/support/servers.ts';`],
    ['src/elsewhere/new.ts', `import pg from 'pg';`],
    ['src/main.ts', `import { skipOpen } from '../test/simulation/planted/journal-faults.ts';`],
    ['test/simulation/auditor/books.ts', `import { states } from '../../../src/switch/states.ts';`],
    ['test/simulation/auditor/books.ts', `import { SimJournalStore } from '../ports/journal-store.ts';`],
    ['test/simulation/terminal/phone.ts', `import { decide } from '../../../src/switch/decide.ts';`],
  ];
  for (const [path, source] of bad) t.equal(forbidden(path, source).length, 1, `${path}: ${source}`);

  const good: readonly [string, string][] = [
    [
      'src/banks/mux.ts',
      `import type { BankPort } from '../switch/ports.ts';\nimport { Pan } from '../switch/secrets.ts';`,
    ],
    [
      'src/banks/mux.ts',
      `// not like import x from '../journal/x.ts'\n/* nor from '../hsm/y.ts' */ import './link.ts';`,
    ],
    ['src/switch/switch.ts', `import type { Message } from '../../iso8583/index.ts';`],
    ['src/main.ts', `import { mux } from './banks/mux.ts';\nimport { createServer } from 'node:net';`],
  ];
  for (const [path, source] of good) t.same(forbidden(path, source), [], `${path}: ${source}`);
});

t.test('the seams take the world as ports', async t => {
  const files = allFiles();
  for (const seam of SEAMS) {
    const paths = files.filter(path => seam.test(path));
    t.ok(paths.length > 0, `${seam} names something`);
    for (const path of paths) t.same(leaks(path, read(path)), [], path);
  }
});

t.test('a simulated world has no time and no chance but its own', async t => {
  const outside = /\/(main|fleet|worker|real-time)\.ts$|\.test\.ts$/;
  const paths = sources.filter(path => path.startsWith('test/simulation/') && !outside.test(path));
  t.ok(paths.length > 20, 'it was found');
  for (const path of paths) {
    t.notMatch(
      codeOnly(read(path)),
      /\bDate\.now|new Date\(\)|Math\.random|\bset(Timeout|Interval|Immediate)\b|performance\./,
      path,
    );
  }
});

t.test('a leak is found', async t => {
  const path = 'src/switch/a.ts';
  const found = (source: string) => leaks(path, source).length;
  t.equal(found('const now = Date.now();'), 1);
  t.equal(found('function f(at: Date) {}'), 1);
  t.equal(found('globalThis.setTimeout(run, 5);'), 1);
  t.equal(found('const { random } = Math; Math.random();'), 1);
  t.equal(found(`import { setTimeout as sleep } from 'node:timers/promises';`), 2);
  t.equal(found(`const split = /['"]/; Date.now();`), 1);
  t.equal(found(`const text = 'it is Date'; // nor is this: Date.now()\n/* setTimeout */`), 0);
  t.equal(found('businessDate.slice(0, 4); this.processingCode; dateOf(ms);'), 0);
});
