/** `npm run audit`: the command around the judge. */

import { parseArgs } from 'node:util';
import { type AuditReport, audit, describe, passes } from './index.ts';

const help = `Compares three books transaction by transaction: the terminals' records, the journal, the bank's book.

  npm run audit -- --records FILE --book FILE [--database-url URL] [--allow-cases] [--json]

  --records FILE      a record file of terminals (may be given several times)
  --book FILE         a bank's append-only book (may be given several times)
  --database-url URL  the journal's database (default: DATABASE_URL)
  --allow-cases       open cases do not fail the audit; they are still counted and named
  --json              the last line of standard output is the report as one JSON object
  --help              this text

Exit status: 0 the books are equal; 1 they differ, or work is unfinished; 2 they could not be judged.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', multiple: true },
      book: { type: 'string', multiple: true },
      'database-url': { type: 'string' },
      'allow-cases': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const databaseUrl = values['database-url'] ?? process.env.DATABASE_URL;
  if (!databaseUrl)
    throw new Error('--database-url or DATABASE_URL is needed: without the journal nothing can be judged');
  if (!values.records) throw new Error('--records is needed: without the terminals nothing can be judged');
  if (!values.book) throw new Error('--book is needed: without the bank nothing can be judged');
  const report: AuditReport = await audit({ databaseUrl, records: values.records, books: values.book });
  process.stdout.write(`${describe(report)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return passes(report, values['allow-cases']) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`audit: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
