import type { Test } from 'tap';
import type { Kernel } from './calls.ts';

/** A kernel whose time is that of the machine, for suites that the real parts run as well. Ends with the test. */
export function realTime(t: Test): Kernel {
  const waiting = new Set<NodeJS.Timeout>();
  t.teardown(() => {
    for (const timer of waiting) clearTimeout(timer);
  });
  return {
    get nowMs() {
      return Date.now();
    },
    random: Math.random,
    after(delayMs, run) {
      const timer = setTimeout(() => {
        waiting.delete(timer);
        run();
      }, delayMs);
      waiting.add(timer);
      return () => {
        clearTimeout(timer);
        waiting.delete(timer);
      };
    },
  };
}
