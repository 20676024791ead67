/** `npm run -s iso8583 -- unpack --spec cup-pos HEX`: the command line at a process, with its files and streams. */

import { readFileSync } from 'node:fs';
import { run } from './run.ts';

const { status, stdout, stderr } = run(process.argv.slice(2), {
  readStdin: () => readFileSync(0, 'utf8'),
  readFile: path => readFileSync(path, 'utf8'),
});

// Whoever read us has had enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = status;
process.stdout.write(stdout);
process.stderr.write(stderr);
