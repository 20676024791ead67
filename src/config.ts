/**
 * The settings of one switch process: read from the environment once, validated as a whole, then plain values.
 *
 * What a setting means, its unit, default and consequence stand in `config/catalogue.ts`; the reference page is
 * generated from there.
 */

import { catalogue, type Setting } from './config/catalogue.ts';
import { isLoopback, type Listen } from './config/parse.ts';

export { settingsMarkdown } from './config/markdown.ts';

type Catalogue = typeof catalogue;

type Values = { readonly [K in keyof Catalogue]: Catalogue[K] extends Setting<infer T> ? T : never };

/** All settings, by their names in the code. */
export type Config = Omit<Values, 'replayWindowMs'> & { readonly replayWindowMs: number };

export type Loaded =
  | { readonly kind: 'loaded'; readonly config: Config }
  /** `message` is one line that names the setting and holds no secret. */
  | { readonly kind: 'bad'; readonly setting: string; readonly message: string };

/** Reads and validates every setting. The first that is missing or malformed ends it. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Loaded {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting<unknown>>(catalogue)) {
    // An empty variable is one that nobody set: compose files and charts pass those on.
    const given = env[setting.env] || null;
    const text = given ?? setting.fallback;
    if (text === null) return bad(setting.env, 'is required and missing');
    const parsed = setting.parse(text);
    if (!parsed.ok) {
      const shown = setting.secret || given === null ? '' : `, not ${JSON.stringify(given.slice(0, 80))}`;
      return bad(setting.env, `must be ${parsed.expected}${shown}`);
    }
    values[name] = parsed.value;
  }
  const read = values as Values;
  const config: Config = { ...read, replayWindowMs: read.replayWindowMs ?? 2 * read.terminalWaitMs };
  return contradiction(config) ?? { kind: 'loaded', config };
}

/** What a request needs besides its bank: admission, the journal twice, the MAC of the answer. */
const aroundTheBankMs = 1_000;

/**
 * What is wrong between the budget and the timeouts of the link profiles, which live in Postgres; null when nothing.
 * A link that may take longer than the budget leaves would be cut short, and its approvals reversed.
 */
export function linkTimeoutProblem(
  config: Pick<Config, 'requestBudgetMs'>,
  links: readonly { readonly name: string; readonly timeoutMs: number }[],
): string | null {
  const slow = links.find(link => link.timeoutMs + aroundTheBankMs > config.requestBudgetMs);
  return slow === undefined
    ? null
    : `REQUEST_BUDGET_MS: must exceed the timeout of link ${slow.name} (${slow.timeoutMs} ms) by ${aroundTheBankMs} ms`;
}

/** Settings that are each well formed and do not go together. */
function contradiction(config: Config): Loaded | null {
  if (config.requestBudgetMs >= config.terminalWaitMs) {
    return bad(catalogue.requestBudgetMs.env, `must be below TERMINAL_WAIT_MS (${config.terminalWaitMs})`);
  }
  if (config.replayWindowMs < config.terminalWaitMs) {
    return bad(catalogue.replayWindowMs.env, `must not be below TERMINAL_WAIT_MS (${config.terminalWaitMs})`);
  }
  if (config.hsmTimeoutMs >= config.requestBudgetMs) {
    return bad(catalogue.hsmTimeoutMs.env, `must be below REQUEST_BUDGET_MS (${config.requestBudgetMs})`);
  }
  if (config.redisTimeoutMs >= config.requestBudgetMs) {
    return bad(catalogue.redisTimeoutMs.env, `must be below REQUEST_BUDGET_MS (${config.requestBudgetMs})`);
  }
  if (config.idleTimeoutMs <= config.requestBudgetMs) {
    return bad(catalogue.idleTimeoutMs.env, `must exceed REQUEST_BUDGET_MS (${config.requestBudgetMs})`);
  }
  if (config.allow.has('plain-listeners')) return null;
  const listeners: readonly (readonly [string, Listen])[] = [
    [catalogue.terminalListen.env, config.terminalListen],
    [catalogue.httpListen.env, config.httpListen],
    [catalogue.metricsListen.env, config.metricsListen],
  ];
  const open = listeners.find(([, listener]) => !isLoopback(listener.host));
  return open === undefined
    ? null
    : bad(open[0], `${open[1].host} is not loopback and this listener has no TLS; allow it with ALLOW=plain-listeners`);
}

function bad(setting: string, problem: string): Loaded {
  return { kind: 'bad', setting, message: `${setting}: ${problem}` };
}
