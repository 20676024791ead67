import t from 'tap';
import { allFiles, codeOnly, importsOf, read } from './source.ts';

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

t.test('the seams take the world as ports', async t => {
  const files = allFiles();
  for (const seam of SEAMS) {
    const paths = files.filter(path => seam.test(path));
    t.ok(paths.length > 0, `${seam} names something`);
    for (const path of paths) t.same(leaks(path, read(path)), [], path);
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
