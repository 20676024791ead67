import type { PathFaults } from './network.ts';

/** What may happen to a message between a terminal and a switch, out of 1. */
export const terminalPath: PathFaults = {
  prefix: 'terminal',
  shares: {
    'terminal-delay': 0.008,
    'terminal-drop': 0.004,
    'terminal-repeat': 0.006,
    'terminal-corrupt': 0.005,
    'terminal-cut': 0.004,
    'terminal-half-open': 0.002,
    'terminal-stall': 0.003,
  },
};

/** The same between a switch and a bank. */
export const linkPath: PathFaults = {
  prefix: 'link',
  shares: {
    'link-delay': 0.008,
    'link-drop': 0.004,
    'link-repeat': 0.006,
    'link-reorder': 0.005,
    'link-corrupt': 0.005,
    'link-cut': 0.0015,
    'link-half-open': 0.0007,
    'link-stall': 0.002,
  },
};

/** Length, TPDU and header of a terminal's frame stay as they are: what is wrong begins at the MTI. */
const beforeMti = 13;

/**
 * Flips bytes where the receiver must notice: under a MAC anywhere; on a line without MACs so that nothing can be read,
 * for what TCP does not keep whole nobody there could tell.
 */
export function corrupt(
  payload: Uint8Array,
  kind: 'terminal' | 'with-mac' | 'without-mac',
  random: () => number,
): Uint8Array {
  const out = payload.slice();
  if (kind === 'without-mac') {
    out[0] = 0xff;
    return out;
  }
  const from = kind === 'terminal' ? beforeMti : 0;
  const flips = 1 + Math.floor(random() * 3);
  for (let i = 0; i < flips; i++) {
    const at = from + Math.floor(random() * (out.length - from));
    out[at] = (out[at] as number) ^ (1 + Math.floor(random() * 255));
  }
  return out;
}
