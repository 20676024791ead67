import type { Pan, Route } from './ports.ts';

/** The BIN table: the longest prefix that fits a PAN chooses the link. */
export class Routing {
  readonly #byPrefix = new Map<string, Route>();
  readonly #lengths: readonly number[];

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#byPrefix.set(route.binPrefix, route);
    this.#lengths = [...new Set(routes.map(route => route.binPrefix.length))].sort((a, b) => b - a);
  }

  /** Null: no such issuer (15). */
  route(pan: Pan): Route | null {
    const digits = pan.reveal();
    for (const length of this.#lengths) {
      const route = this.#byPrefix.get(digits.slice(0, length));
      if (route !== undefined) return route;
    }
    return null;
  }
}
