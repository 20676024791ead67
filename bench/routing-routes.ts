/** BIN tables of several sizes, and card numbers to route by them. */

import { Pan, type Route } from '../src/switch/ports.ts';
import { Routing } from '../src/switch/routing.ts';
import { type Operation, operationOn } from './support/measure.ts';
import type { Random } from './support/random.ts';
import { middleOf } from './support/sum.ts';

const sizes = [10, 1_000, 20_000];
const cards = 1024;
const leastDigits = 6;
const mostDigits = 10;

export interface RoutingInputs {
  readonly routes: readonly Route[];
  readonly pans: readonly Pan[];
}

/** One for each size of the table. One card in sixteen is of no issuer in it, unless by chance. */
export function routingInputs(random: Random): RoutingInputs[] {
  return sizes.map(size => {
    const prefixes = new Set<string>();
    while (prefixes.size < size) prefixes.add(random.number(4, 6, 1) + random.digits(digitsOf(random) - 1));
    const routes = [...prefixes].map((binPrefix, index) => {
      return { binPrefix, link: `bank-${index % 8}`, cardKind: random.pick('debit', 'credit') } as const;
    });
    const numbers = new Set<string>();
    while (numbers.size < cards) {
      const known = random.below(16) > 0 ? (routes[random.below(size)] as Route).binPrefix : '9';
      numbers.add(known + random.digits(16 - known.length));
    }
    return { routes, pans: [...numbers].map(number => new Pan(number)) };
  });
}

function digitsOf(random: Random): number {
  return leastDigits + random.below(mostDigits - leastDigits + 1);
}

export function routesOf({ routes, pans }: RoutingInputs): Operation {
  const routing = new Routing(routes);
  return operationOn(pans, `route, ${routes.length.toLocaleString('en-US')} prefixes`, pan => {
    const route = routing.route(pan);
    return route === null ? 1 : route.binPrefix.length + (middleOf(route.binPrefix) << 8);
  });
}

/** Compared with a look at every prefix. */
export function routeProblems({ routes, pans }: RoutingInputs): string[] {
  const routing = new Routing(routes);
  return pans.flatMap(pan => {
    let longest = '';
    for (const { binPrefix } of routes) {
      if (binPrefix.length > longest.length && pan.reveal().startsWith(binPrefix)) longest = binPrefix;
    }
    const found = routing.route(pan)?.binPrefix ?? '';
    return found === longest ? [] : [`${pan} is routed by "${found}" and not by "${longest}"`];
  });
}
