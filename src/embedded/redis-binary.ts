import { execFile } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const APT_LIMIT_MS = 180_000;

/** A Redis server that can be started: the program, and where its libraries are when they are not the system's. */
export interface RedisBinary {
  readonly path: string;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

/**
 * `redis-server` or `valkey-server` from PATH; else, on Debian and Ubuntu, the distribution's own packages, unpacked
 * without root into a cache folder, once. No npm package carries a Redis.
 */
export async function redisBinary(): Promise<RedisBinary> {
  const installed = fromPath(['redis-server', 'valkey-server'], process.env.PATH ?? '');
  if (installed !== null) return { path: installed, env: process.env };

  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'acquirer-switch');
  const folder = join(cache, `redis-${distribution()}-${process.arch}`);
  if (existsSync(folder)) return unpacked(folder);
  if (fromPath(['apt-get', 'dpkg'], process.env.PATH ?? '') === null) throw new Error(ADVICE);
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(`${folder}.`);
  try {
    await unpackPackages(unfinished);
    const { path, env } = unpacked(join(unfinished, 'root'));
    await run(path, ['--version'], { env });
    renameSync(join(unfinished, 'root'), folder);
  } catch (error) {
    // Another process was first: what it unpacked is as good.
    if (!existsSync(folder)) throw new Error(`${ADVICE} (${(error as Error).message.trim().split('\n').at(-1)})`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return unpacked(folder);
}

const ADVICE =
  'no Redis found and none could be unpacked: install redis-server or valkey-server, or set REDIS_URL to a running one';

function fromPath(names: readonly string[], path: string): string | null {
  for (const name of names) {
    for (const folder of path.split(delimiter).filter(part => part !== '')) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {}
    }
  }
  return null;
}

/** Packages of one release do not run on another: the cache is kept per release. */
function distribution(): string {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(release)?.[1] ?? 'unknown';
    return `${value('ID')}-${value('VERSION_ID')}`.replace(/[^\w.-]/g, '_');
  } catch {
    return process.platform;
  }
}

function unpacked(root: string): RedisBinary {
  const libraries = ['lib', 'usr/lib'].flatMap(folder => {
    const path = join(root, folder);
    if (!existsSync(path)) return [];
    const triplets = readdirSync(path).filter(name => name.includes('-linux-'));
    return [path, ...triplets.map(name => join(path, name))];
  });
  return {
    path: join(root, 'usr/bin/redis-server'),
    env: { ...process.env, LD_LIBRARY_PATH: libraries.join(delimiter) },
  };
}

/** Downloads what apt itself would install, so that the libraries are those of this release, and unpacks it. */
async function unpackPackages(folder: string): Promise<void> {
  const downloads = join(folder, 'packages');
  mkdirSync(downloads);
  try {
    await download(downloads, []);
  } catch {
    // No package lists, or lists so old that the files they name are gone: fetch lists of our own.
    const state = ['state/lists/partial', 'cache/archives/partial'].map(name => join(folder, name));
    for (const path of state) mkdirSync(path, { recursive: true });
    const own = [
      ...['-o', `Dir::State=${join(folder, 'state')}`],
      ...['-o', 'Dir::State::status=/var/lib/dpkg/status'],
      ...['-o', `Dir::Cache=${join(folder, 'cache')}`],
    ];
    await apt(downloads, [...own, 'update']);
    await download(downloads, own);
  }
  for (const name of readdirSync(downloads).filter(file => file.endsWith('.deb'))) {
    await run('dpkg', ['-x', join(downloads, name), join(folder, 'root')]);
  }
}

async function download(folder: string, options: readonly string[]): Promise<void> {
  const plan = await apt(folder, [...options, '--simulate', '--no-install-recommends', 'install', 'redis-server']);
  const names = [...plan.matchAll(/^Inst (\S+)/gm)].map(match => match[1] ?? '');
  // The loader that runs it is the system's: another C library beside it would not fit.
  await apt(folder, [...options, 'download', ...names.filter(name => name !== 'libc6')]);
}

async function apt(cwd: string, args: readonly string[]): Promise<string> {
  // As root, apt drops to a user who cannot write here, and warns.
  const asRoot = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
  const env = { ...process.env, LC_ALL: 'C' };
  const { stdout } = await run('apt-get', ['-q', ...asRoot, ...args], { cwd, env, timeout: APT_LIMIT_MS });
  return stdout;
}
