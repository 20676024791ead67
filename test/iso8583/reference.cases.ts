/** The reference pages are what the code says. */

import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { ERROR_CODES } from '../../iso8583/errors.ts';
import { errorsMarkdown } from '../../iso8583/reference/errors.ts';
import { EXAMPLES } from '../../iso8583/reference/examples.ts';
import { specFormatMarkdown } from '../../iso8583/reference/spec-format.ts';
import * as fieldKeys from '../../iso8583/spec-check/field-keys.ts';
import * as messageKeys from '../../iso8583/spec-check/message-keys.ts';
import * as partKeys from '../../iso8583/spec-check/part-keys.ts';
import * as specKeys from '../../iso8583/spec-check/spec-keys.ts';
import { problemsOf } from '../../iso8583/spec-check.ts';

const PAGES: readonly (readonly [string, string])[] = [
  ['docs/reference/iso8583-spec.md', specFormatMarkdown()],
  ['docs/reference/iso8583-errors.md', errorsMarkdown()],
];

t.test('the pages are what the tables say', async t => {
  for (const [page, text] of PAGES) {
    if (process.env.UPDATE_DOCS === '1') await writeFile(page, text);
    t.equal(await readFile(page, 'utf8'), text, page);
  }
});

t.test('every error has its line', async t => {
  for (const code of Object.keys(ERROR_CODES)) t.match(errorsMarkdown(), `| \`${code}\` |`);
});

/** The tables of keys that modules export, alone or in a record. */
function tablesIn(value: object): readonly object[] {
  if ('keys' in value && typeof value.keys === 'object' && value.keys !== null) return [value.keys];
  return Object.values(value).flatMap(inner => (typeof inner === 'object' && inner !== null ? tablesIn(inner) : []));
}

t.test('every key that is checked has its line', async t => {
  const tables = [fieldKeys, messageKeys, partKeys, specKeys].flatMap(tablesIn);
  t.equal(tables.length, 24);
  const lines = specFormatMarkdown().split('\n');
  for (const [key, { about }] of tables.flatMap(keys => Object.entries<{ readonly about: string }>({ ...keys }))) {
    const documented = lines.some(line => line.startsWith(`| \`${key}\` |`) && line.endsWith(`| ${about} |`));
    t.ok(documented, `${key}: ${about}`);
  }
});

t.test('every link of the page leads somewhere', async t => {
  const page = specFormatMarkdown();
  const anchors = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)));
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  t.ok(links.length > 20);
  t.strictSame(
    links.filter(anchor => !anchors.has(anchor)),
    [],
  );
});

/** As hosts of Markdown make them. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll('`', '').replaceAll(' ', '-');
}

t.test('the examples are specs', async t => {
  const shown = [...specFormatMarkdown().matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text));
  t.strictSame(shown, JSON.parse(JSON.stringify(EXAMPLES)));
  for (const spec of shown) t.strictSame(problemsOf(spec), []);
});
