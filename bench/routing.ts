/**
 * `npm run bench:routing`: what the core itself does for a request, without a message, a key or a row: it chooses the link,
 * remembers what is under way, numbers, dates and decides.
 */

import { ChurnMap } from '../src/collections/churn-map.ts';
import { Calendar } from '../src/switch/calendar.ts';
import { decide } from '../src/switch/decide.ts';
import { Numbers } from '../src/switch/numbers.ts';
import type { Identity } from '../src/switch/ports.ts';
import { Glimpses, identityKey, RefusalRing } from '../src/switch/refusals.ts';
import { makeDecisions } from './routing-decisions.ts';
import { routeProblems, routesOf, routingInputs } from './routing-routes.ts';
import { type Operation, operationOn } from './support/measure.ts';
import { benchOperations, type Prepared } from './support/operations.ts';
import { optionsHelp } from './support/options.ts';
import { Random } from './support/random.ts';
import { middleOf } from './support/sum.ts';

const help = `Measures what the core does for a request in this process: routing, what it remembers, numbers, dates, verdicts.

  npm run bench:routing -- [options]

${optionsHelp}
Exit status 1 when a result is wrong or a checksum changes; never because of the speed.
`;

const seed = 7812;
/** More than a generation holds, so that generations follow each other as in a switch. */
const requests = 131_072;
/** As the switch has them. */
const remembered = 100_000;
const terminalWaitMs = 60_000;
const requestsPerSecond = 4096;
const underWay = 500;
/** 000001 to 999999. */
const stans = 999_999;

interface Looked {
  readonly identity: Identity;
  readonly mac: string;
  readonly key: string;
}

function makeRequests(random: Random): Looked[] {
  return Array.from({ length: requests }, (_, index) => {
    const merchantId = random.digits(15);
    const terminalId = random.digits(8);
    const trace = String(index + 1).padStart(6, '0');
    const identity = { merchantId, terminalId, batch: '000001', trace, messageClass: 'request' } as const;
    return { identity, mac: random.digits(16), key: identityKey(identity) };
  });
}

/** A clock that goes on by one request at each look. */
function steppingClock(fromMs: number): { nowMs(): number } {
  let ms = fromMs;
  return {
    nowMs: () => {
      ms += 1000 / requestsPerSecond;
      return ms;
    },
  };
}

function memoryOperations(looked: readonly Looked[]): Operation[] {
  const [refusals, glimpses] = [new RefusalRing(remembered, terminalWaitMs), new Glimpses(remembered, terminalWaitMs)];
  const clock = steppingClock(Date.UTC(2026, 2, 10));
  const churned = new ChurnMap<string, number>();
  const wait = looked.slice(-underWay);
  for (const [index, { key }] of wait.entries()) churned.set(key, looked.length - underWay + index);
  const places = Array.from({ length: looked.length }, (_, index) => index);
  return [
    operationOn(looked, 'RefusalRing: remember, recall', ({ key }) => {
      const nowMs = clock.nowMs();
      refusals.remember(key, '51', nowMs);
      return middleOf(refusals.recall(key, nowMs) ?? undefined) + middleOf(key);
    }),
    operationOn(looked, 'Glimpses: note, has', request => {
      glimpses.note(request, clock.nowMs());
      return (glimpses.has(request) ? 1 : 0) + middleOf(request.mac);
    }),
    operationOn(places, `ChurnMap: set, delete, ${underWay} under way`, place => {
      churned.set((looked[place] as Looked).key, place);
      const { key } = looked[(place + looked.length - underWay) % looked.length] as Looked;
      return (churned.delete(key) ? 1 : 0) + churned.size + place;
    }),
  ];
}

function memoryProblems([first, second]: readonly Looked[]): string[] {
  if (first === undefined || second === undefined) return ['there are no requests'];
  const refusals = new RefusalRing(2, terminalWaitMs);
  refusals.remember(first.key, '51', 0);
  const recalled = [refusals.recall(first.key, 1), refusals.recall(second.key, 1), refusals.recall(first.key, 1e9)];
  const glimpses = new Glimpses(2, terminalWaitMs);
  glimpses.note(first, 0);
  const churned = new ChurnMap<string, number>();
  churned.set(first.key, 1);
  const deleted = [churned.get(first.key), churned.delete(second.key), churned.delete(first.key), churned.size];
  return [
    ...(recalled.join() === '51,,' ? [] : [`a refusal is recalled as ${recalled.join()}`]),
    ...(glimpses.has(first) && !glimpses.has(second) ? [] : ['what was looked at is not told from what was not']),
    ...(deleted.join() === '1,false,true,0' ? [] : [`what was under way: ${deleted.join()}`]),
  ];
}

/** A lap is a second, so that each lap sees the same. */
function calendarOperation(): Operation {
  const clock = steppingClock(Date.UTC(2026, 2, 10));
  let ms = 0;
  const watched = {
    nowMs: () => {
      ms = clock.nowMs();
      return ms;
    },
  };
  const calendar = new Calendar(watched, 480);
  const ticks = Array.from({ length: requestsPerSecond }, (_, index) => index);
  return operationOn(ticks, `Calendar.now, ${requestsPerSecond} a second`, () => {
    const moment = calendar.now();
    return Math.round((ms - moment.ms) * 1000) + moment.transmissionAt.length;
  });
}

function calendarProblems(): string[] {
  return Array.from({ length: 1000 }, (_, index) => Date.UTC(2024, 1, 27) + index * 40_000_037).flatMap(ms => {
    const { transmissionAt, businessDate, localTime } = new Calendar({ nowMs: () => ms }, 480).now();
    const [utc, local] = [new Date(ms).toISOString(), new Date(ms + 8 * 3_600_000).toISOString()];
    const expected = [
      utc.slice(5, 19).replace(/[-T:]/g, ''),
      local.slice(0, 10),
      local.slice(11, 19).replace(/:/g, ''),
    ];
    const found = [transmissionAt, businessDate, localTime];
    return found.join() === expected.join() ? [] : [`${utc} becomes ${found.join()}`];
  });
}

/** One block for the whole run: a next one comes with a promise, for which an operation here cannot wait. */
async function numbersInMemory(): Promise<Numbers> {
  const numbers = new Numbers({ reserve: async () => 0 }, 2 ** 40);
  await numbers.stan('bank');
  return numbers;
}

/** A lap gives out each STAN once, wherever it begins. */
function stanOperation(numbers: Numbers): Operation {
  const run = (_from: number, count: number): number => {
    let sum = 0;
    for (let given = 0; given < count; given++) sum = (sum + middleOf(numbers.stan('bank') as string)) | 0;
    return sum;
  };
  return { name: 'Numbers.stan', inputs: stans, run };
}

async function stanProblems(): Promise<string[]> {
  const numbers = await numbersInMemory();
  const given = new Set<string>();
  for (let left = stans; left > 0; left--) given.add((await numbers.stan('bank')) ?? '');
  const wellFormed = [...given].every(stan => /^\d{6}$/.test(stan)) && !given.has('000000');
  return given.size === stans && wellFormed ? [] : [`${given.size} STANs of ${stans}`];
}

async function prepare(): Promise<Prepared> {
  const random = new Random(seed);
  const routings = routingInputs(random);
  const looked = makeRequests(random);
  const decisions = makeDecisions(random);
  const wrongVerdicts = decisions.filter(({ asked, outcome, state }) => decide(asked, outcome).state !== state);
  return {
    operations: [
      ...routings.map(routesOf),
      ...memoryOperations(looked),
      calendarOperation(),
      stanOperation(await numbersInMemory()),
      operationOn(decisions, 'decide', ({ asked, outcome }) => {
        const { state, responseCode } = decide(asked, outcome);
        return middleOf(state) + (middleOf(responseCode) << 8);
      }),
    ],
    problems: [
      ...routings.flatMap(routeProblems),
      ...memoryProblems(looked),
      ...calendarProblems(),
      ...(await stanProblems()),
      ...wrongVerdicts.map(({ asked, state }) => `the verdict on a ${asked.kind} is not ${state}`),
    ],
    targets: new Map(),
    text: () => [`${routings[0]?.pans.length} card numbers are routed; ${requests.toLocaleString('en-US')} requests.`],
    facts: () => ({}),
  };
}

await benchOperations({ key: 'routing', help, prepare });
