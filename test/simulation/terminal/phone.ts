import type { Faults } from '../faults.ts';
import type { Kernel } from '../kernel.ts';
import type { End, EndEvents, Network, PathFaults } from '../network.ts';
import { type Expected, type Received, readAnswer } from './messages.ts';
import { type Tricks, waitMs } from './tricks.ts';

export interface PhoneParts {
  /** Name of the terminal on the network. */
  readonly name: string;
  readonly merchantId: string;
  readonly terminalId: string;
  /** Keeps its connection for several transactions. */
  readonly keepsConnection: boolean;
  readonly kernel: Kernel;
  readonly network: Network;
  readonly faults: Faults;
  readonly path: PathFaults;
  /** Names of the switch processes it may dial. */
  readonly hosts: readonly string[];
}

/** What came of a question. */
export type Outcome = (Received & { readonly kind: 'valid' }) | { readonly kind: 'none'; readonly why: string };

/** What is asked: what its answer must agree with, and whether it may be sent twice and refused once for all. */
export type Question = Omit<Expected, 'merchantId' | 'terminalId'>;

const refusedWaitMs = 3000;

/** The line of a terminal: one question at a time, to one of several hosts, and copies that nobody waits for. */
export class Phone {
  readonly #parts: PhoneParts;
  #host: number;
  #kept: End | null = null;
  #heard: ((frame: Uint8Array, end: End) => void) | null = null;
  #lost: (() => void) | null = null;
  /** Of the terminal; what an earlier one asked is of no interest to anyone. */
  #life = 0;
  /** Copies that are still to be sent. */
  pending = 0;

  constructor(parts: PhoneParts, host: number) {
    this.#parts = parts;
    this.#host = host;
  }

  /** The power fails: whoever waits is never answered. */
  hangUp(): void {
    this.#life++;
    this.#heard = null;
    this.#lost = null;
    this.#kept?.cut();
    this.#kept = null;
  }

  /** Asks and waits. Every frame that is no answer to this question is passed over. */
  ask(frame: Uint8Array, question: Question, tricks: Tricks): Promise<Outcome> {
    const { kernel, keepsConnection, merchantId, terminalId } = this.#parts;
    const { again } = tricks;
    const expected = { ...question, merchantId, terminalId };
    const advice = question.mti === '0220' || question.mti === '0620';
    const life = this.#life;
    return new Promise(resolve => {
      const ends: End[] = [];
      /** Copies that may still be answered. */
      let awaited = again === undefined ? 1 : 2;
      let refusal: Outcome | null = null;
      let unanswered = false;
      let done = false;
      const heardFrom = new Set<End>();
      const finish = (outcome: Outcome): void => {
        if (done) return;
        done = true;
        cancel();
        this.#heard = null;
        this.#lost = null;
        const [first] = ends;
        this.#kept = null;
        if (keepsConnection && outcome.kind === 'valid' && ends.length === 1 && first?.open) this.#kept = first;
        else for (const end of ends) end.close();
        if (life === this.#life) resolve(outcome);
      };
      const cancel = kernel.after(tricks.waitMs, () => finish({ kind: 'none', why: 'timeout' }));
      this.#heard = (answer, end) => {
        const received = readAnswer(answer, expected);
        if (received.kind === 'other') return;
        if (received.kind === 'invalid') {
          if (received.why === 'mac' || again === undefined) finish({ kind: 'none', why: received.why });
          return;
        }
        if (received.approved || again === undefined) return finish(received);
        // A copy was sent: a refusal of one says nothing of the other, and 94 only says that there is another.
        // The network may have copied one of them: the other host has not spoken yet.
        if (again.elsewhere && heardFrom.has(end)) return;
        heardFrom.add(end);
        awaited--;
        if (received.code !== '94' || advice) refusal ??= received;
        else unanswered = true;
        if (awaited === 0) finish(unanswered || refusal === null ? { kind: 'none', why: 'duplicate' } : refusal);
      };
      this.#lost = () => {
        if (again === undefined) finish({ kind: 'none', why: 'closed' });
      };
      const send = (end: End): void => {
        end.send(frame);
        if (tricks.cutAfterMs !== undefined) kernel.after(tricks.cutAfterMs, () => end.cut());
      };
      if (this.#kept?.open) {
        ends.push(this.#kept);
        send(this.#kept);
      } else {
        const end = this.#dial(() => send(end));
        ends.push(end);
      }
      if (again === undefined) return;
      kernel.after(again.afterMs, () => {
        if (done) return;
        const [first] = ends;
        if (!again.elsewhere && first?.open) return first.send(frame);
        this.#host++;
        const end = this.#dial(() => end.send(frame));
        ends.push(end);
      });
    });
  }

  /** Sends something whose answer nobody waits for, on a connection of its own. */
  later(name: string, frame: Uint8Array, afterMs: number): void {
    const { kernel, faults, hosts } = this.#parts;
    const host = faults.details(`${name} host`).pick(hosts);
    this.pending++;
    kernel.after(afterMs, () => {
      this.pending--;
      const end = this.#connect(host, { onOpen: () => end.send(frame), onData: () => end.close(), onClose: () => {} });
      kernel.after(waitMs, () => end.cut());
    });
  }

  /** A connection whose frames go to whoever waits. Refused or lost: another host is dialled the next time. */
  #dial(onOpen: () => void): End {
    const { hosts, kernel } = this.#parts;
    const host = hosts[this.#host % hosts.length] as string;
    const life = this.#life;
    let opened = false;
    const ifAlive = (run: () => void): void => {
      if (life === this.#life) run();
    };
    const end = this.#connect(host, {
      onOpen: () => {
        opened = true;
        onOpen();
      },
      onData: frame => ifAlive(() => this.#heard?.(frame, end)),
      onClose: () => {
        this.#host++;
        kernel.after(opened ? 0 : refusedWaitMs, () => ifAlive(() => this.#lost?.()));
      },
    });
    return end;
  }

  #connect(host: string, events: EndEvents & { onOpen(): void }): End {
    const { network, path, name } = this.#parts;
    return network.connect(name, host, path, events);
  }
}
