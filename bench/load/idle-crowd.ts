import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { IdleCommand, IdleReply } from './idle-protocol.ts';

const script = fileURLToPath(new URL('./idle.js', import.meta.url));
/** Files, and connections to Postgres, Redis, the HSM and the bank. */
const otherDescriptors = 200;

/** Terminals that are connected and say nothing, held by a process of their own. */
export class IdleCrowd {
  readonly #process: ChildProcess = fork(script, [], { detached: true });

  /** Signs on all terminals of the file but those that load; gives their number. */
  open(command: Omit<Extract<IdleCommand, { do: 'open' }>, 'do'>): Promise<number> {
    return this.#ask({ do: 'open', ...command });
  }

  /** How many connections are still open. */
  count(): Promise<number> {
    return this.#ask({ do: 'count' });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    await exited;
  }

  async #ask(command: IdleCommand): Promise<number> {
    const gone = once(this.#process, 'exit').then(() => [{ kind: 'failed', why: 'the idle terminals ended' }]);
    const answered = once(this.#process, 'message');
    this.#process.send(command);
    const [reply] = (await Promise.race([answered, gone])) as [IdleReply];
    if (reply.kind === 'failed') throw new Error(reply.why);
    return reply.count;
  }
}

/** Throws when a process may not hold so many connections. Node raises its limit itself, up to the hard one. */
export function demandDescriptors(connections: number): void {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const needed = connections + otherDescriptors;
  if (hard >= needed) return;
  throw new Error(`${connections} connections need ${needed} file descriptors, and ulimit -Hn is ${hard}: raise it`);
}
