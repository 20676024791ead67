/**
 * Preloaded (`node --import`) into every process of a stack: when whoever started it is gone, killed or not, the
 * process ends as if it had been told to, so that nothing is left to hold a port or a file.
 */
process.channel?.unref();
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
