import { readdirSync, readFileSync } from 'node:fs';

/** The letter of a process's state, as the kernel gives it: R, S, D, T (stopped), Z; null when there is none. */
export function processState(pid: number): string | null {
  return statOf(pid)?.state ?? null;
}

/** A process and its children, the parent first: of Postgres, the postmaster and all its backends. */
export function withChildren(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(other => statOf(other)?.parent === pid);
  return [pid, ...children];
}

/** Sends a signal to each; those that are gone already are passed over. Answers how many it reached. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): number {
  let reached = 0;
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
      reached++;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  return reached;
}

function statOf(pid: number): { readonly state: string; readonly parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}
