import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, isRunning } from '../../src/embedded/server.ts';

const sizeMb = 64;
const chunk = Buffer.alloc(256 * 1024, 'x');

/** A tmpfs of 64 MB that can be filled to its last byte. */
export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#filler = join(folder, 'filler');
  }

  /** Mounts it; where that is not permitted, why. Clears what a killed run left mounted there. */
  static async mount(folder: string): Promise<SmallDisk | { readonly refused: string }> {
    mkdirSync(folder, { recursive: true });
    const disk = new SmallDisk(folder);
    if (isMounted(folder)) {
      await disk.unmount();
      mkdirSync(folder);
    }
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=0755`, 'tmpfs', folder], {
      encoding: 'utf8',
    });
    if (mounted.status === 0) return disk;
    rmSync(folder, { recursive: true });
    return { refused: mounted.error?.message ?? mounted.stderr.trim() };
  }

  /** Where Postgres may have its data. */
  get postgresDir(): string {
    return join(this.folder, 'postgres');
  }

  get totalBytes(): number {
    const { bsize, blocks } = statfsSync(this.folder);
    return bsize * blocks;
  }

  get freeBytes(): number {
    const { bsize, bavail } = statfsSync(this.folder);
    return bsize * bavail;
  }

  /** Writes one file until nothing more fits; answers with its size. Called again it takes what came free since. */
  fill(): number {
    const file = openSync(this.#filler, 'a');
    let written = 0;
    try {
      // Ends with an error or, at the very end of the disk, with a part of what was asked.
      for (;;) {
        const bytes = writeSync(file, chunk);
        written += bytes;
        if (bytes < chunk.length) return written;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      return written;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  async unmount(): Promise<void> {
    const cluster = join(this.postgresDir, 'cluster');
    const pid = Number(textOf(join(cluster, 'postmaster.pid')).split('\n')[0]);
    if (pid > 0 && (await isRunning(pid, cluster))) await endProcess(pid, 'SIGQUIT');
    const unmounted = spawnSync('umount', [this.folder], { encoding: 'utf8' });
    if (unmounted.status !== 0) throw new Error(`${this.folder}: ${unmounted.stderr.trim()}`);
    rmSync(this.folder, { recursive: true });
  }
}

function isMounted(folder: string): boolean {
  return textOf('/proc/mounts')
    .split('\n')
    .some(line => line.split(' ')[1] === folder);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
