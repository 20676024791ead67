import t from 'tap';
import { forbiddenImports, RULES } from './rules.ts';
import { allFiles, importsOf, read } from './source.ts';

const sources = allFiles().filter(path => path.endsWith('.ts'));
/** What the ports hand on (`Pan`, `Secret`) may be named where it is, too. */
const reexported = [...read('src/switch/ports.ts').matchAll(/^export .* from '\.\/([^']+)';$/gm)].map(
  match => `src/switch/${match[1]}`,
);

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
