/**
 * Preloaded (`node --import`) into every process of a stack: when whoever started it is gone, killed or not, the
 * process ends as if it had been told to, so that nothing is left to hold a port or a file.
 */
const endLimitMs = 15_000;

process.channel?.unref();
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  // What it may still want to wait for went with whoever started it.
  setTimeout(() => process.exit(1), endLimitMs).unref();
});
