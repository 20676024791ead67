import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning } from '../../embedded/server.ts';

/**
 * One command at a time in one data folder, made when it is not there: its embedded servers have one of each. Gives the
 * release. Throws while another runs; the lock of a dead one counts for nothing. `script` is part of the command line that
 * tells it from another process with its number.
 */
export async function lockFolder(dataDir: string, name: string, script: string): Promise<() => void> {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, `${name}.pid`);
  const holder = readPid(file);
  if (holder !== null && holder !== process.pid && (await isRunning(holder, script))) {
    throw new Error(`another ${name} runs here (pid ${holder}); end it first`);
  }
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

function readPid(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
