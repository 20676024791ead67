import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/postgres/assets.ts';

export const root = packageRoot(fileURLToPath(import.meta.url));

/** What a checkout holds that is not part of it: made by tools, listed in .gitignore. */
const MADE = /^(\.git|node_modules|build|\.tap|\.data|\.build-.*|.*\.log)$/;

/** Entries of the top level that are part of the checkout. */
export function topLevel(): readonly string[] {
  return readdirSync(root).filter(name => !MADE.test(name));
}

/** Every file of the checkout, by its path from the top level. */
export function allFiles(): readonly string[] {
  return topLevel()
    .flatMap(name => filesUnder(join(root, name)))
    .map(path => relative(root, path));
}

function filesUnder(path: string): readonly string[] {
  try {
    return readdirSync(path).flatMap(name => filesUnder(join(path, name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return [path];
    throw error;
  }
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Comments, regular expressions where an expression may begin, and strings: whichever begins first wins. */
const TOKENS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|(?<=[(,=:[!&|?{};>]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;

/** A source without its comments. */
function withoutComments(source: string): string {
  return source.replace(TOKENS, token => (/^\/[*/]/.test(token) ? ' ' : token));
}

/** A source without comments and without the contents of strings: only what is executed by name. */
export function codeOnly(source: string): string {
  return source.replace(TOKENS, token => (/^\/[*/]/.test(token) ? ' ' : `${token[0]}${token[0]}`));
}

/**
 * What a module imports, types included: paths from the top level for files of ours (`src/switch/ports.ts`), names as they
 * stand for packages and `node:` modules.
 */
export function importsOf(path: string, source: string): readonly string[] {
  const pattern =
    /(?:\b(?:import|export)\b[^'"`;]*?\bfrom\s*|\b(?:import|require)\s*\(\s*|^\s*import\s*)(?:'([^']+)'|"([^"]+)")/gm;
  return [...withoutComments(source).matchAll(pattern)].map(match => {
    const specifier = match[1] ?? match[2] ?? '';
    return specifier.startsWith('.') ? join(dirname(path), specifier) : specifier;
  });
}
