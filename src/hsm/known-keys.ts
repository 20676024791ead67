/**
 * Keys that the whole world knows, by their check values. A switch that finds one of them in its HSM or on a link
 * protects nothing; `main.ts` refuses to start with it unless that is allowed by name.
 */

/**
 * What NC shows under the public test LMK (payshield §2.1): first what the HSM simulator (and others like it) answers, then
 * the value that Thales' documentation gives for its test LMK [1], of which six characters are published.
 */
export const publicTestLmkCheckValues: readonly string[] = ['7B44AC1DDEE2A94B', '268604'];

/** Whether an LMK's check value, as NC shows it, is the public test LMK's. */
export function isPublicTestLmk(checkValue: string): boolean {
  return publicTestLmkCheckValues.some(known => checkValue.startsWith(known));
}

/**
 * The published key of the simulators, as ZMK of a bank link and as transport key of a key loader: clear
 * 851A0D9D0B2A1602622AD0B0E9E6B070, here under the public test LMK (payshield §5, sample 18).
 */
export const simulatorZmk = 'U1457FF6ADF6250C66C368416B4C9D383';

/** Check values (6 hex) of the published zone master keys: `simulatorZmk`, and ZMK4 of the samples. */
export const simulatorKeyCheckValues: readonly string[] = ['E14F4E', '8BD52F'];
