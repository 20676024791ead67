import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command, Phase, PhaseResult, Reply, Start } from './protocol.ts';

const script = fileURLToPath(new URL('./main.js', import.meta.url));

/** Called when the generator says that its window opens or ends. */
export interface WindowMarks {
  readonly onOpen: () => void;
  readonly onEnd: () => void;
}

/** The load generator, seen from the benchmark that started it. */
export class Generator {
  readonly #process: ChildProcess;

  constructor() {
    // A group of its own: Ctrl-C reaches the benchmark, which ends its parts in order.
    this.#process = fork(script, [], { serialization: 'advanced', detached: true });
  }

  get pid(): number {
    if (this.#process.pid === undefined) throw new Error('the load generator did not start');
    return this.#process.pid;
  }

  /** Connects the terminals and signs them on. Rejects when one of them gets no keys. */
  async start(command: Omit<Start, 'do'>): Promise<void> {
    await this.#ask({ do: 'start', ...command }, reply => (reply.kind === 'started' ? true : undefined));
  }

  /** Builds, loads, verifies. */
  run(phase: Omit<Phase, 'do'>, { onOpen, onEnd }: WindowMarks): Promise<PhaseResult> {
    return this.#ask({ do: 'phase', ...phase }, reply => {
      if (reply.kind === 'window-opens') onOpen();
      if (reply.kind === 'window-ends') onEnd();
      return reply.kind === 'done' ? reply.result : undefined;
    });
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    await exited;
  }

  #ask<T>(command: Command, take: (reply: Reply) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const hear = (reply: Reply): void => {
        const taken = take(reply);
        if (reply.kind === 'failed') settle(() => reject(new Error(reply.why)));
        else if (taken !== undefined) settle(() => resolve(taken));
      };
      const gone = (): void => settle(() => reject(new Error('the load generator ended')));
      const settle = (how: () => void): void => {
        this.#process.off('message', hear).off('exit', gone);
        how();
      };
      this.#process.on('message', hear).on('exit', gone);
      this.#process.send(command);
    });
  }
}
