import { closedLoop } from './plan.ts';
import { type Bench, flawless, type Stretch } from './stretch.ts';

/** A closed loop at saturation, and the warm-up before it. Throws when the figure would not be one of the switch. */
export async function saturate(
  bench: Bench,
  terminals: number,
  seconds: { readonly warmUpSeconds: number; readonly saturationSeconds: number },
): Promise<{ readonly warmUp: Stretch; readonly saturation: Stretch }> {
  const warmUp = await flawless(bench, 'warm-up', closedLoop(terminals, seconds.warmUpSeconds));
  const phase = closedLoop(terminals, seconds.saturationSeconds, warmUp.result.tps);
  const saturation = await flawless(bench, `closed loop, ${terminals} terminals`, phase);
  if (saturation.result.ranOut) throw new Error('a terminal ran out of messages at saturation: nothing was measured');
  return { warmUp, saturation };
}
