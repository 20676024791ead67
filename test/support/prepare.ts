/** Before a test run: removes what was compiled from files that are gone, and builds tap once after each install. */

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/postgres/assets.ts';

const here = fileURLToPath(import.meta.url);
const root = packageRoot(here);
const output = join(dirname(here), '..', '..');

// A test whose source was removed or renamed must not run on.
for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
  const compiled = join(entry.parentPath, entry.name);
  const source = /^(.*)\.(?:d\.ts|js|js\.map)$/.exec(relative(output, compiled))?.[1];
  if (entry.isFile() && source !== undefined && !existsSync(join(root, `${source}.ts`))) rmSync(compiled);
}

// tap generates its own test class from the list of plugins in .taprc: a fresh install still has the one with them all.
// Looked up in the file and not asked of `tap`, which is a test run by itself as soon as it is imported.
const tap = createRequire(createRequire(import.meta.url).resolve('tap'));
const built = readFileSync(tap.resolve('@tapjs/test/test-built'), 'utf8');
if (['typescript', 'mock'].some(plugin => built.includes(`@tapjs/${plugin}`))) {
  execFileSync(process.execPath, [join(root, 'node_modules', '.bin', 'tap'), 'build'], { cwd: root });
}
