/**
 * What the core needs from the rooms around it, and the terms they share.
 *
 * The core knows no I/O: every room beside it implements one of these ports, and `main.ts` plugs them together. A port
 * takes one request; batching is its adapter's own affair. Every call of a port is a possible place to crash, so
 * each port says what is durable when its promise settles. Expected outcomes are values; a rejected promise is a bug.
 */

export { countedKinds, type Direction } from './kinds.ts';
export type * from './ports/banks.ts';
export type * from './ports/hsm.ts';
export type * from './ports/journal.ts';
export type * from './ports/registry.ts';
export type * from './ports/telemetry.ts';
export type * from './ports/terminal.ts';
export type * from './ports/time.ts';
export { Pan, Secret } from './secrets.ts';
export type { State } from './states.ts';
