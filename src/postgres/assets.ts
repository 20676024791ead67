import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The path of a file that stands beside a module's source (SQL, Lua). Compiled modules run from an output folder that
 * repeats the source tree, so that the file is found from the package root and not beside the compiled module.
 */
export function assetPath(moduleUrl: string, name: string): string {
  const modulePath = fileURLToPath(moduleUrl);
  const tree = modulePath.lastIndexOf('/src/');
  return join(packageRoot(modulePath), dirname(modulePath.slice(tree + 1)), name);
}

/** The folder that holds package.json, upwards of a module. */
export function packageRoot(modulePath: string): string {
  for (let folder = dirname(modulePath); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${modulePath}`);
  }
}
