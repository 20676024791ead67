/** How a benchmark begins and ends. */

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What goes on, and what is wrong. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Gives `main` the arguments of the command line and ends with its exit status, or with 1 and the reason why it threw. */
export async function runBench(
  name: string,
  main: (args: readonly string[]) => number | Promise<number>,
): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    tell(`bench:${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
