import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Test } from 'tap';
import type { RegistryEvent, RegistryTuning, ReservationsOf } from '../../src/registry/options.ts';
import { createRedis } from '../../src/registry/redis.ts';
import { Registry } from '../../src/registry/registry.ts';
import { createMerchant, createTerminal, type NewMerchant } from '../../src/registry/store.ts';
import type { Admission, AdmissionRequest, RegistryPort, TerminalRef } from '../../src/switch/ports.ts';

export const today = '2026-03-10';

/** Short times, so that the tests do not wait for the long ones. */
const quick: Partial<RegistryTuning> = {
  settleMs: 50,
  leakAgeMs: 100,
  sweepMs: 50,
  countRetryMs: 20,
  redisRetryMs: 100,
  // Never: most tests have no journal to compare with.
  recountMs: 1e13,
  // Long: a machine that is busy with other tests is no Redis and no Postgres that is away.
  redisTimeoutMs: 2_000,
  lookupTimeoutMs: 5_000,
};

export interface Instance {
  readonly registry: Registry;
  readonly redis: ReturnType<typeof createRedis>;
  /** How often each event came. */
  count(event: RegistryEvent): number;
}

/** A registry as one process would have it: a connection to Redis and a cache of its own. */
export function instance(
  t: Test,
  at: { readonly pool: pg.Pool; readonly redisUrl: string; readonly prefix: string },
  tuning: Partial<RegistryTuning> = {},
  reservationsOf: ReservationsOf = async () => [],
): Instance {
  const events = new Map<RegistryEvent, number>();
  const redis = createRedis(at.redisUrl, { commandTimeoutMs: 5_000 });
  const registry = new Registry({
    ...quick,
    ...tuning,
    pool: at.pool,
    redis,
    prefix: at.prefix,
    clock: { nowMs: () => Date.now() },
    reservationsOf,
    onEvent: event => events.set(event, (events.get(event) ?? 0) + 1),
  });
  t.teardown(async () => {
    await registry.close();
    redis.disconnect();
  });
  return { registry, redis, count: event => events.get(event) ?? 0 };
}

let names = 0;

/** A merchant and an active terminal of it, under names that no other test has. */
export async function register(pool: pg.Pool, merchant: Partial<NewMerchant> = {}): Promise<TerminalRef> {
  const number = ++names;
  const ref = { merchantId: `M${String(number).padStart(14, '0')}`, terminalId: `T${String(number).padStart(7, '0')}` };
  await createMerchant(pool, { name: 'Corner Shop', mcc: '5411', ...merchant, merchantId: ref.merchantId });
  await createTerminal(pool, { ...ref, tmk: 'U'.padEnd(33, 'A'), status: 'active' });
  return ref;
}

let transactions = 1_000;

/** A purchase under an identity of its own, unless told otherwise. */
export function purchase(ref: TerminalRef, change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const txId = ++transactions;
  const trace = String(txId).padStart(6, '0');
  return {
    merchantId: ref.merchantId,
    terminalId: ref.terminalId,
    txId,
    identity: { ...ref, batch: '000001', trace, messageClass: 'request' },
    kind: 'purchase',
    amountMinor: 1_000,
    businessDate: today,
    ...change,
  };
}

/** Asks until the answer is not 'unavailable': a limit that is being counted, a Redis that comes back. */
export async function settled(registry: RegistryPort, request: AdmissionRequest, limitMs = 5_000): Promise<Admission> {
  const end = Date.now() + limitMs;
  for (;;) {
    const admission = await registry.admit(request);
    if (admission.kind !== 'unavailable' || Date.now() > end) return admission;
    await sleep(10);
  }
}

/** Polls until it holds, and tells whether it did. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<boolean> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) return false;
    await sleep(10);
  }
  return true;
}

/** Response code of a refusal, otherwise the kind of the answer. */
export function outcome(admission: Admission): string {
  return admission.kind === 'refused' ? admission.responseCode : admission.kind;
}
