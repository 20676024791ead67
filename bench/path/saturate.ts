import { closedLoop } from './plan.ts';
import { type Bench, flawless, type Stretch } from './stretch.ts';

/** Purchases a second that messages are built for at least: a warm-up that the machine disturbed says too little. */
const leastExpected = 6000;

/** A closed loop at saturation, and the warm-up before it. Throws when the figure would not be one of the switch. */
export async function saturate(
  bench: Bench,
  terminals: number,
  seconds: { readonly warmUpSeconds: number; readonly saturationSeconds: number },
): Promise<{ readonly warmUp: Stretch; readonly saturation: Stretch }> {
  const warmUp = await flawless(bench, 'warm-up', closedLoop(terminals, seconds.warmUpSeconds));
  const expected = Math.max(leastExpected, warmUp.result.tps);
  const phase = closedLoop(terminals, seconds.saturationSeconds, expected);
  const saturation = await flawless(bench, `closed loop, ${terminals} terminals`, phase);
  if (saturation.result.ranOut) throw new Error('a terminal ran out of messages at saturation: nothing was measured');
  return { warmUp, saturation };
}
