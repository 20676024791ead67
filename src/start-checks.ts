import type pg from 'pg';
import { loadLinks, loadRoutes } from './banks/store.ts';
import { type Config, linkTimeoutProblem } from './config.ts';
import { KeyType, keyCheckValue } from './hsm/commands.ts';
import { DataKeyError, openDataKeys } from './hsm/data-keys.ts';
import { inspect } from './hsm/identity.ts';
import { isPublicTestLmk, simulatorKeyCheckValues } from './hsm/known-keys.ts';
import type { HsmPool } from './hsm/pool.ts';
import { DataKeyVault } from './hsm/vault.ts';
import { assertDurable } from './postgres/durability.ts';
import type { LinkProfile, Route } from './switch/ports.ts';

/** Why this process must not serve: one line that names what has to be changed. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused';
}

/** Postgres must flush what it commits; OPEN and CLOSE promise nothing else. */
export async function checkPostgres(pool: pg.Pool): Promise<void> {
  const durability = await assertDurable(pool).catch((error: NodeJS.ErrnoException) => {
    throw new StartRefused(`DATABASE_URL: Postgres cannot be asked: ${error.code ?? error.message}`);
  });
  if (durability.kind === 'durable') return;
  throw new StartRefused(`DATABASE_URL: Postgres has ${durability.setting} = ${durability.value}; it must not be off`);
}

/** Waits for the HSM, and refuses one whose master key the whole world knows. */
export async function checkHsm(hsm: HsmPool, config: Config): Promise<void> {
  const up = await hsm.whenUp(config.hsmTimeoutMs);
  const identity = up ? await inspect(hsm) : null;
  if (identity === null) throw new StartRefused(`HSM_URL: no HSM answers at ${config.hsmUrl}`);
  if (!isPublicTestLmk(identity.lmkCheckValue) || config.allow.has('test-lmk')) return;
  throw new StartRefused('HSM_URL: the HSM runs under the public test LMK; allow it with ALLOW=test-lmk');
}

/** Opens the data keys of the vault; what is wrong with them is the operator's to mend. */
export async function openVault(pool: pg.Pool, hsm: HsmPool): Promise<DataKeyVault> {
  try {
    return new DataKeyVault(await openDataKeys(pool, hsm));
  } catch (error) {
    if (error instanceof DataKeyError) throw new StartRefused(`data_keys: ${error.message}`);
    throw error;
  }
}

export interface Directory {
  readonly links: readonly LinkProfile[];
  readonly routes: readonly Route[];
}

/** Link profiles and BIN table. Refuses simulator keys, by what the HSM says of each key and not by what is written of it. */
export async function loadDirectory(pool: pg.Pool, hsm: HsmPool, config: Config): Promise<Directory> {
  const [links, routes] = await Promise.all([loadLinks(pool), loadRoutes(pool)]);
  const slow = linkTimeoutProblem(config, links);
  if (slow !== null) throw new StartRefused(slow);
  for (const link of links) {
    const { refusesLateOriginals, longestDelayMs } = link.reversal;
    // Otherwise "not found" could confirm a reversal whose original a process that was taken for dead sends later.
    if (!refusesLateOriginals && longestDelayMs < config.requestBudgetMs) {
      const budget = `REQUEST_BUDGET_MS (${config.requestBudgetMs})`;
      throw new StartRefused(`links: reversal.longestDelayMs of ${link.name} must not be below ${budget}`);
    }
    const checked = await hsm.run(keyCheckValue(KeyType.zmk, link.zmk), hsm.defaultDeadline());
    if (checked.kind !== 'done') throw new StartRefused(`links: the HSM does not take the ZMK of ${link.name}`);
    const checkValue = checked.value.slice(0, 6);
    if (checkValue !== link.zmkCheckValue) {
      throw new StartRefused(`links: the ZMK of ${link.name} has check value ${checkValue}, not ${link.zmkCheckValue}`);
    }
    if (simulatorKeyCheckValues.includes(checkValue) && !config.allow.has('simulator-keys')) {
      throw new StartRefused(`links: the ZMK of ${link.name} is a simulator's; allow it with ALLOW=simulator-keys`);
    }
  }
  return { links, routes };
}
