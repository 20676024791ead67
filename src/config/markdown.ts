import { catalogue, type Setting } from './catalogue.ts';

/** The text of `docs/reference/settings.md`. */
export function settingsMarkdown(): string {
  const settings = Object.values<Setting<unknown>>(catalogue);
  const groups = [...new Set(settings.map(setting => setting.group))];
  const sections = groups.map(group => {
    return [`## ${group}`, '', ...table(settings.filter(one => one.group === group)), ''].join('\n');
  });
  return `${head}\n${sections.join('\n')}`;
}

const head = `# Settings

Every setting of a switch process is an environment variable. All are read once, at start; a missing or malformed one
ends the start with one line that names it. This page is generated from \`src/config/catalogue.ts\`
(\`UPDATE_DOCS=1\` with the tests writes it); a test holds the two together.
`;

function table(settings: readonly Setting<unknown>[]): string[] {
  return [
    '| setting | unit | default | what it is, and what follows |',
    '|---|---|---|---|',
    ...settings.map(one => `| \`${one.env}\` | ${one.unit || 'text'} | ${fallback(one)} | ${one.about} |`),
  ];
}

function fallback(setting: Setting<unknown>): string {
  if (setting.fallback === null) return '**required**';
  if (setting.fallbackText !== undefined) return setting.fallbackText;
  return setting.fallback === '' ? 'none' : `\`${setting.fallback}\``;
}
