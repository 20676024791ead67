import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { assetPath } from '../postgres/assets.ts';

type Argument = string | number;
type Script<Reply> = (...keysAndArguments: Argument[]) => Promise<Reply>;

/** The words that admit.lua answers for one request: a verdict, then what goes with it. */
export type AdmitWords = readonly string[];

/** The scripts of this room as commands. KEYS, ARGV and the answers are described on top of each Lua file. */
export interface Scripts {
  /** Given the number of keys first. */
  readonly registryAdmit: Script<readonly string[]>;
  readonly registryRelease: Script<number>;
  readonly registryRestore: Script<number>;
  readonly registryProject: Script<number>;
  readonly registryCountBegin: Script<'absent' | 'busy' | 'build' | 'check'>;
  readonly registryCountLoad: Script<number>;
  readonly registryCountEnd: Script<number>;
}

const files: Readonly<Record<keyof Scripts, readonly [file: string, numberOfKeys?: number]>> = {
  registryAdmit: ['admit.lua'],
  registryRelease: ['release.lua', 2],
  registryRestore: ['restore.lua', 2],
  registryProject: ['project.lua', 1],
  registryCountBegin: ['count-begin.lua', 2],
  registryCountLoad: ['count-load.lua', 2],
  registryCountEnd: ['count-end.lua', 2],
};

/** Makes the scripts commands of a connection. The client sends their hash, and their text where Redis lost it. */
export function defineScripts(redis: Redis): Redis & Scripts {
  for (const [name, [file, numberOfKeys]] of Object.entries(files)) {
    const lua = readFileSync(assetPath(import.meta.url, file), 'utf8');
    redis.defineCommand(name, numberOfKeys === undefined ? { lua } : { lua, numberOfKeys });
  }
  return redis as Redis & Scripts;
}
