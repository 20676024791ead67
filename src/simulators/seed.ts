/** `npm run seed`: everything that a demo needs before the first terminal signs on. */

import { mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { saveLink, saveRoute } from '../banks/store.ts';
import { KeyType, keyCheckValue } from '../hsm/commands.ts';
import { createDataKeys } from '../hsm/data-keys.ts';
import { hsmAddress } from '../hsm/options.ts';
import { HsmPool } from '../hsm/pool.ts';
import { migrate } from '../postgres/migrate.ts';
import { createPool } from '../postgres/pool.ts';
import { rooms } from '../postgres/rooms.ts';
import { seedCards, testBins } from './seed-cards.ts';
import { readSeedOptions, type SeedOptions, SeedSettingError, seedHelp } from './seed-options.ts';
import { seedTerminals } from './seed-terminals.ts';

export { type SeedOptions, seedDefaults } from './seed-options.ts';

/** What was there in the end, and how much of it this call made. */
export interface SeedSummary {
  readonly terminals: number;
  readonly terminalsMade: number;
  readonly dataKeysMade: boolean;
  readonly links: readonly string[];
  readonly terminalsFile: string;
  readonly cardsFile: string;
}

const HSM_WAIT_MS = 10_000;

/**
 * Tables, data keys, links and routes, merchants and terminals, and the two files for the simulators. What is there
 * already is kept: keys are exported again and not made again. No clear key is written anywhere; the PINs in cards.json
 * are of cards of no one's. Throws SeedSettingError for what the caller can put right.
 */
export async function seed(options: SeedOptions): Promise<SeedSummary> {
  if (options.terminals < options.merchants) throw new SeedSettingError('--terminals is less than --merchants');
  const address = hsmAddress(options.hsmUrl);
  if (address === null) throw new SeedSettingError('HSM_URL is not tcp://host:port');
  const pool = createPool(options.databaseUrl, { max: 4, applicationName: 'seed', statementTimeoutMs: 60_000 });
  const hsm = new HsmPool({ ...address, connections: 2 });
  try {
    await migrate(pool, rooms);
    if (!(await hsm.whenUp(HSM_WAIT_MS))) throw new SeedSettingError('the HSM at HSM_URL does not answer');
    const dataKeysMade = await createDataKeys(pool, hsm, 1);
    await seedLinks(pool, hsm, options);
    const { terminals, made } = await seedTerminals(pool, hsm, options);
    mkdirSync(options.outDir, { recursive: true });
    return {
      terminals: terminals.length,
      terminalsMade: made,
      dataKeysMade,
      links: options.links.map(link => link.name),
      terminalsFile: writePrivate(join(options.outDir, 'terminals.json'), terminals),
      cardsFile: writePrivate(join(options.outDir, 'cards.json'), seedCards(options.cards, new Date())),
    };
  } finally {
    hsm.close();
    await pool.end();
  }
}

async function seedLinks(pool: pg.Pool, hsm: HsmPool, options: SeedOptions): Promise<void> {
  if (options.links.length === 0) return;
  const checked = await hsm.run(keyCheckValue(KeyType.zmk, options.zmk), hsm.defaultDeadline());
  if (checked.kind !== 'done') throw new SeedSettingError('--zmk: the HSM does not take it for a ZMK under its LMK');
  for (const { name, host, port } of options.links) {
    await saveLink(pool, {
      name,
      host,
      port,
      acquirerId: '03062900',
      forwarderId: '03062900',
      timeoutMs: options.bankTimeoutMs,
      maxInFlight: 1_000,
      echoIntervalMs: 10_000,
      mac: options.linkMac,
      zmk: options.zmk,
      zmkCheckValue: checked.value.slice(0, 6),
      reversal: {
        mti: '0420',
        refusesLateOriginals: true,
        longestDelayMs: 2 * options.bankTimeoutMs,
        firstRetryMs: 500,
        maxRetryMs: 5_000,
        maxTries: 100,
        capacity: 10_000,
      },
    });
  }
  for (const [index, { prefix, cardKind }] of testBins.entries()) {
    const link = options.links[index % options.links.length];
    if (link !== undefined) await saveRoute(pool, { binPrefix: prefix, link: link.name, cardKind });
  }
}

/** Whole or not at all, and readable by its owner only: it holds keys under the transport key, or PINs. */
function writePrivate(file: string, content: unknown): string {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(unfinished, file);
  return file;
}

async function main(): Promise<void> {
  const options = readSeedOptions(process.argv.slice(2), process.env);
  process.stdout.write(options === null ? seedHelp : `${JSON.stringify(await seed(options))}\n`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`seed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
