import { closedLoop } from './plan.ts';
import { type Bench, flawless, type Stretch } from './stretch.ts';

/** Purchases a second that messages are built for at least: a warm-up that the machine disturbed says too little. */
const leastExpected = 6000;

/** The load that a saturation is preceded by; gives what it reached, purchases a second. */
export async function warmUp(bench: Bench, terminals: number, seconds: number): Promise<Stretch> {
  return flawless(bench, 'warm-up', closedLoop(terminals, seconds));
}

/**
 * A closed loop at saturation. `expectedTps`: what was reached before. Throws when the figure would not be one of the
 * switch.
 */
export async function saturate(
  bench: Bench,
  terminals: number,
  seconds: number,
  expectedTps: number,
  onOpen?: () => void,
): Promise<Stretch> {
  const phase = closedLoop(terminals, seconds, Math.max(leastExpected, expectedTps));
  const saturation = await flawless(bench, `closed loop, ${terminals} terminals`, phase, onOpen);
  if (saturation.result.ranOut) throw new Error('a terminal ran out of messages at saturation: nothing was measured');
  return saturation;
}

/** Both, one after the other. */
export async function warmedSaturation(
  bench: Bench,
  terminals: number,
  seconds: { readonly warmUpSeconds: number; readonly saturationSeconds: number },
): Promise<{ readonly warm: Stretch; readonly saturation: Stretch }> {
  const warm = await warmUp(bench, terminals, seconds.warmUpSeconds);
  return { warm, saturation: await saturate(bench, terminals, seconds.saturationSeconds, warm.result.tps) };
}
