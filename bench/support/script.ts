/** What every benchmark script does around its work. */

/** To people who wait, not to standard output, which is for figures. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs `main` and takes its exit status; an error is told in one line, with status 1. */
export async function runScript(name: string, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

/** An option that is a whole number from `least` up. Throws an error that says what is wrong. */
export function wholeOption(name: string, value: string | undefined, fallback: number, least = 1): number {
  const number = Number(value ?? fallback);
  if (!Number.isInteger(number) || number < least) throw new RangeError(`--${name}: a whole number from ${least} up`);
  return number;
}
