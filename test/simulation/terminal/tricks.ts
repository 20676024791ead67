import type { Faults } from '../faults.ts';

/** How long a terminal waits for an answer. */
export const waitMs = 20_000;

/** What goes wrong with one question on the terminal's side. */
export interface Tricks {
  readonly waitMs: number;
  /** It is sent once more while the first is in flight. */
  readonly again?: { readonly afterMs: number; readonly elsewhere: boolean };
  readonly cutAfterMs?: number;
}

/** `mayCut`: its connection may be cut, for the terminal will undo it. */
export function drawTricks(faults: Faults, name: string, mayCut: boolean): Tricks {
  const trick = faults.oneOf(name, {
    'terminal-repeats-in-flight': 0.015,
    'terminal-repeats-elsewhere': 0.02,
    'terminal-gives-up': 0.015,
    ...(mayCut ? { 'terminal-cuts-after-sending': 0.015 } : {}),
  });
  const details = faults.details(name);
  switch (trick) {
    case 'terminal-repeats-in-flight':
      return { waitMs, again: { afterMs: details.integer(1, 3000), elsewhere: false } };
    case 'terminal-repeats-elsewhere':
      return { waitMs, again: { afterMs: details.integer(0, 3000), elsewhere: true } };
    case 'terminal-gives-up':
      return { waitMs: details.integer(100, 6000) };
    case 'terminal-cuts-after-sending':
      return { waitMs, cutAfterMs: details.integer(0, 400) };
    case null:
      return { waitMs };
  }
}
