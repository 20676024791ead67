/** `npm run -s iso8583 -- unpack --spec cup-pos HEX`: the command line at a process, with its files and streams. */

import { readFileSync, readSync } from 'node:fs';
import { run } from './run.ts';

const { status, stdout, stderr } = run(process.argv.slice(2), {
  readStdin,
  readFile: path => readFileSync(path, 'utf8'),
});

// Whoever read us has had enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`standard output cannot be written: ${error.code}\n`);
  process.exitCode = 2;
});
process.exitCode = status;
process.stdout.write(stdout);
process.stderr.write(stderr);

/** All of it, also of a pipe that does not wait for its writer. */
function readStdin(): string {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(65_536);
  for (;;) {
    try {
      const length = readSync(0, chunk);
      if (length === 0) return Buffer.concat(chunks).toString('utf8');
      chunks.push(Buffer.from(chunk.subarray(0, length)));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EOF') return Buffer.concat(chunks).toString('utf8');
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
