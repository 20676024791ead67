/** `npm run terminal-sim`: the command around the fleet. */

import type { FleetProgress, FleetSummary } from './figures.ts';
import { TerminalFleet } from './fleet.ts';
import { help, parseCommand } from './options.ts';

async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2));
  if (command.kind === 'help') {
    process.stdout.write(`${help}\n`);
    return;
  }
  const fleet = await TerminalFleet.open(command.options);
  let signals = 0;
  const onSignal = () => (++signals === 1 ? fleet.stop() : fleet.abandon());
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const show = (figures: FleetProgress | FleetSummary) => {
    process.stdout.write(`${command.json ? JSON.stringify(figures) : describe(figures)}\n`);
  };
  const timer = setInterval(() => show(fleet.progress()), 1000);
  try {
    show(await fleet.run());
  } finally {
    clearInterval(timer);
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function describe(figures: FleetProgress | FleetSummary): string {
  const head =
    figures.type === 'summary' ? `end after ${figures.loadSeconds} s:` : `${figures.phase} ${figures.seconds} s:`;
  return [
    `${head} sent ${figures.sent}`,
    `approved ${figures.approved}`,
    `declined ${figures.declined}`,
    `timed out ${figures.timedOut}`,
    `unanswered ${figures.unanswered}`,
    `reversed ${figures.reversed}`,
    `owed ${figures.owed}`,
    `${figures.tps}/s`,
    `p50 ${figures.p50Ms} ms`,
    `p99 ${figures.p99Ms} ms`,
  ].join(', ');
}

try {
  await main();
} catch (error) {
  process.stderr.write(`terminal-sim: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
