import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { allFiles, read, root } from './source.ts';

/** The image cannot be built on every machine that runs the tests: what it copies and runs must exist all the same. */
interface Instruction {
  readonly word: string;
  readonly rest: string;
}

interface Stage {
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

function parse(dockerfile: string): readonly Stage[] {
  const lines = dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n');
  const stages: { name: string; instructions: Instruction[] }[] = [];
  for (const line of lines.filter(text => text.trim() !== '')) {
    const [word = '', ...words] = line.trim().split(/\s+/);
    if (word === 'FROM') stages.push({ name: words[2] ?? 'image', instructions: [] });
    stages.at(-1)?.instructions.push({ word, rest: words.join(' ') });
  }
  return stages;
}

const stages = parse(read('Dockerfile'));
const all = (stage: Stage | undefined, word: string) =>
  (stage?.instructions ?? []).filter(instruction => instruction.word === word).map(({ rest }) => rest);
const stage = (name: string) => stages.find(one => one.name === name);
const image = stage('image');

/** Patterns of `.dockerignore` are: everything out, then these back in. */
const sent = read('.dockerignore')
  .split('\n')
  .filter(line => line.startsWith('!'))
  .map(line => line.slice(1));

t.test('what is copied from the checkout is there, and is not kept out', async t => {
  const sources = stages
    .flatMap(one => all(one, 'COPY'))
    .filter(rest => !rest.startsWith('--from='))
    .flatMap(rest => rest.split(' ').slice(0, -1));
  t.ok(sources.length > 5);
  for (const source of sources) {
    t.ok(existsSync(join(root, source)), `${source} exists`);
    t.ok(sent.includes(source), `${source} is sent to the build`);
  }
  for (const pattern of sent) t.ok(sources.includes(pattern), `${pattern} is sent because something copies it`);
});

t.test('what is copied from another stage is made there', async t => {
  for (const rest of stages.flatMap(one => all(one, 'COPY')).filter(text => text.startsWith('--from='))) {
    const [, from = '', path = ''] = /^--from=(\S+) \/app\/(\S+) /.exec(rest) ?? [];
    const made = all(stage(from), 'RUN').join('\n');
    const how: Record<string, RegExp> = { node_modules: /npm ci/, build: /npm run build/, assets: /mkdir assets/ };
    t.match(made, how[path] ?? /(?!)/, `${path} of ${from}`);
  }
});

t.test('what it runs is there', async t => {
  const [command = '[]'] = all(image, 'CMD');
  const [program, ...args] = JSON.parse(command) as readonly string[];
  t.equal(program, 'node');
  const entry = args.at(-1) ?? '';
  t.ok(existsSync(join(root, entry)), `${entry} was built`);
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
  t.ok(scripts.start?.endsWith(`exec node ${args.join(' ')}`), 'as npm start starts it');
  for (const [, name = ''] of all(stage('build'), 'RUN')
    .join('\n')
    .matchAll(/npm run (\S+)/g))
    t.ok(scripts[name], name);
  t.match(all(image, 'HEALTHCHECK').join(), /\/livez/);
});

t.test('the compiler needs no folder that is not copied to build what the image runs', async t => {
  const copied = all(stage('build'), 'COPY').flatMap(rest => rest.split(' ').slice(0, -1));
  const imports = allFiles()
    .filter(path => path.endsWith('.ts') && copied.includes(path.split('/')[0] ?? ''))
    .flatMap(path => [...read(path).matchAll(/from '(\.\.?\/[^']+)'/g)].map(match => join(path, '..', match[1] ?? '')));
  t.ok(imports.length > 50);
  for (const target of imports) if (!copied.includes(target.split('/')[0] ?? '')) t.fail(target);
});

t.test('every SQL and Lua file that is read at run time goes with it', async t => {
  const found = allFiles().filter(path => /^src\/.*\.(sql|lua)$/.test(path));
  t.ok(found.length > 0);
  t.match(all(stage('build'), 'RUN').join('\n'), /find src .*'\*\.sql'.*'\*\.lua'.*cp --parents/);
  t.same(
    allFiles().filter(path => /^src\//.test(path) && !/\.(ts|sql|lua|md)$/.test(path)),
    [],
    'no other kind of file that the image would lack',
  );
});

t.test('it is not root, and carries production dependencies only', async t => {
  const order = (image?.instructions ?? []).map(({ word }) => word);
  t.equal(all(image, 'USER').join(), 'node');
  t.ok(order.indexOf('USER') > order.lastIndexOf('COPY') && order.indexOf('USER') < order.indexOf('CMD'));
  t.match(all(stage('dependencies'), 'RUN').join(), /npm ci .*--omit=dev/);
  t.match(all(image, 'ENV').join(), /NODE_ENV=production/);
  t.equal(new Set(stages.flatMap(one => all(one, 'FROM')).map(rest => rest.split(' ')[0])).size, 1, 'one base image');
});
