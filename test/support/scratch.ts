import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A fresh folder that every user can enter (Postgres may run as another), removed when the test ends. */
export function scratchFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'acquirer-switch-test-'));
  chmodSync(folder, 0o755);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
