import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../../../src/embedded/server.ts';
import type { Child } from '../../../src/simulators/stack/child.ts';
import type { Stack } from '../../../src/simulators/stack/stack.ts';
import { type Fault, type Kill, kill } from '../fault.ts';
import { processState, signalAll } from '../processes.ts';

const backWithinMs = 30_000;
/** Longer than a link waits for the bank, so that requests run into their deadline. */
const silentMs = 3500;

function childKilled(name: string, about: string, childOf: (stack: Stack) => Child): Kill {
  return kill(name, about, async ({ stack }) => {
    const child = childOf(stack);
    const { pid } = child;
    if (pid === null) throw new Error(`${name}: it does not run`);
    return {
      strike: () => signalAll([pid], 'SIGKILL'),
      async prove() {
        await waitUntil(() => child.pid !== null && child.pid !== pid, backWithinMs);
        return { proven: child.pid !== null && child.pid !== pid, facts: { [name]: `pid ${pid} -> ${child.pid}` } };
      },
    };
  });
}

export const hsmKilled = childKilled('hsm-killed', 'kill -9 of the HSM simulator', ({ hsm }) => hsm);

export const bankKilled = childKilled('bank-killed', 'kill -9 of the bank simulator', ({ bank }) => bank);

export const bankStopped: Fault = {
  name: 'bank-stopped',
  about: 'SIGSTOP of the bank simulator for longer than a link waits, then SIGCONT',
  async inflict({ stack }) {
    const { pid } = stack.bank;
    if (pid === null) throw new Error('the bank does not run');
    const atMs = Date.now();
    signalAll([pid], 'SIGSTOP');
    await sleep(silentMs);
    const stopped = processState(pid);
    const healedAtMs = Date.now();
    signalAll([pid], 'SIGCONT');
    return {
      atMs,
      healedAtMs,
      async prove() {
        const after = processState(pid);
        return {
          proven: stopped === 'T' && after !== null && after !== 'T' && stack.bank.pid === pid,
          facts: {
            bank: `pid ${pid}`,
            'state while stopped': stopped,
            'state after': after,
            'stopped for, ms': healedAtMs - atMs,
          },
        };
      },
    };
  },
};

export const linkHalfOpen: Fault = {
  name: 'link-half-open',
  about: 'the proxy before the bank takes every byte and passes on nothing in either direction; later it cuts',
  async inflict({ proxy }) {
    const connections = proxy.connections;
    const atMs = Date.now();
    const swallowed = proxy.hold();
    await sleep(silentMs);
    const cut = proxy.heal();
    const healedAtMs = Date.now();
    return {
      atMs,
      healedAtMs,
      async prove() {
        const { toServer, toClient } = swallowed;
        return {
          proven: connections > 0 && toServer > 0 && toClient > 0 && cut >= connections && proxy.connections > 0,
          facts: {
            'connections half open': connections,
            'bytes to the bank swallowed': toServer,
            'bytes to the switches swallowed': toClient,
            'half open for, ms': healedAtMs - atMs,
            'connections cut': cut,
            'connections since': proxy.connections,
          },
        };
      },
    };
  },
};
