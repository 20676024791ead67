import { diagnostics } from './commands.ts';
import type { HsmPool } from './pool.ts';

/** What the HSM says about itself. */
export interface HsmIdentity {
  /** Check value of the LMK, 16 hex characters. */
  readonly lmkCheckValue: string;
  readonly firmware: string;
}

/** Asks the HSM who it is (NC); null when it does not answer in time. Used before the first key is trusted to it. */
export async function inspect(hsm: HsmPool): Promise<HsmIdentity | null> {
  const outcome = await hsm.run(diagnostics(), hsm.defaultDeadline());
  return outcome.kind === 'done' ? outcome.value : null;
}
