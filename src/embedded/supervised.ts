import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedServer, endProcess, isAlive, UNRESPONSIVE_LIMIT_MS } from './server.ts';

const LOOK_MS = 50;
/** As a service manager waits, so that a server that cannot start does not take the machine. */
const RESTART_MS = 300;
const PROBE_MS = 2000;
/** One that lives and says nothing for so long is ended by force: a Postgres can outlive its own recovery on a full disk. */
const SILENT_LIMIT_MS = 15_000;

/**
 * A server that is started again whenever it dies or falls silent, for as long as it takes, as a service manager would: its
 * clients find it at the same address, with the same data.
 */
export class Supervised {
  readonly #start: (before: EmbeddedServer | null) => Promise<EmbeddedServer>;
  readonly #watching: Promise<void>;
  #server: EmbeddedServer;
  #up = true;
  #stopping = false;
  /** How often it was started again, and how many starts failed. */
  restarts = 0;
  failedStarts = 0;
  /** How often it was ended because it was silent. */
  silences = 0;
  /** Called between its death and its next start. */
  beforeRestart: () => void = () => {};

  private constructor(start: (before: EmbeddedServer | null) => Promise<EmbeddedServer>, server: EmbeddedServer) {
    this.#start = start;
    this.#server = server;
    this.#watching = this.#watch();
  }

  /** `start` is given the server that died, so that the next one takes its port and its password. Rejects when the first does. */
  static async start(start: (before: EmbeddedServer | null) => Promise<EmbeddedServer>): Promise<Supervised> {
    return new Supervised(start, await start(null));
  }

  get url(): string {
    return this.#server.url;
  }

  get dataDir(): string {
    return this.#server.dataDir;
  }

  /** Null while it is down. */
  get pid(): number | null {
    return this.#up && isAlive(this.#server.pid) ? this.#server.pid : null;
  }

  /** Shuts it down in order, and for good. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#watching;
    if (this.#up) await this.#server.stop();
  }

  async #watch(): Promise<void> {
    let heardAtMs = performance.now();
    let probedAtMs = heardAtMs;
    while (!this.#stopping) {
      if (this.pid === null) {
        await this.#restart();
        heardAtMs = performance.now();
      } else if (performance.now() - probedAtMs > PROBE_MS) {
        if (await this.#server.answers()) heardAtMs = performance.now();
        else if (performance.now() - heardAtMs > SILENT_LIMIT_MS) await this.#end();
        probedAtMs = performance.now();
      }
      await sleep(LOOK_MS);
    }
  }

  async #end(): Promise<void> {
    this.silences++;
    await endProcess(this.#server.pid, 'SIGQUIT', UNRESPONSIVE_LIMIT_MS);
  }

  async #restart(): Promise<void> {
    this.#up = false;
    await sleep(RESTART_MS);
    if (this.#stopping) return;
    try {
      this.beforeRestart();
      this.#server = await this.#start(this.#server);
      this.#up = true;
      this.restarts++;
    } catch {
      // Why stands in its own log; it may be able to start when whatever is in its way is gone.
      this.failedStarts++;
    }
  }
}
