/**
 * The operator's hand on disputes. Database: DATABASE_URL.
 */

import { parseArgs } from 'node:util';
import { createPool } from '../postgres/pool.ts';
import { askForRetry, type Case, listCases, settleCase } from './cases.ts';

const usage = `Cases: what a bank will not confirm, and what people do about it.

  npm run -s cases -- [list] [--limit 100] [--json]
  npm run -s cases -- retry CASE --by NAME
  npm run -s cases -- settle CASE --reason TEXT --by NAME --confirmed-by NAME

list     open cases, the oldest first
retry    the reversal or the advice is sent again, with as many tries as a new one; the bank's confirmation closes the case
settle   closes a case that was settled with the bank; the reason and two names stay with it

DATABASE_URL names the Postgres of the switch. Exit status: 0 done, 1 no such open case, 2 the command was not understood.`;

class UsageError extends Error {}

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean' },
      json: { type: 'boolean' },
      limit: { type: 'string', default: '100' },
      by: { type: 'string' },
      reason: { type: 'string' },
      'confirmed-by': { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const needed = (name: 'by' | 'reason' | 'confirmed-by'): string => {
    const value = values[name]?.trim();
    if (!value) throw new UsageError(`--${name} is missing`);
    return value;
  };
  const [command = 'list', given] = positionals;
  const caseId = (): number => {
    if (given === undefined || !/^\d{1,15}$/.test(given)) throw new UsageError(`${command} needs the number of a case`);
    return Number(given);
  };
  const connectionString = process.env.DATABASE_URL;
  if (!connectionString) throw new UsageError('DATABASE_URL is not set');
  const pool = createPool(connectionString, {
    max: 1,
    applicationName: 'acquirer-switch cases',
    statementTimeoutMs: 10_000,
  });
  try {
    switch (command) {
      case 'list': {
        const limit = Number(values.limit);
        if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit is a whole number from 1');
        const cases = await listCases(pool, limit);
        process.stdout.write(values.json ? `${JSON.stringify(cases)}\n` : table(cases));
        return 0;
      }
      case 'retry':
        return report(await askForRetry(pool, caseId(), needed('by')), 'it is tried again');
      case 'settle': {
        const settled = { reason: needed('reason'), by: needed('by'), confirmedBy: needed('confirmed-by') };
        return report(await settleCase(pool, caseId(), settled), 'settled');
      }
      default:
        throw new UsageError(`there is no command ${command}`);
    }
  } finally {
    await pool.end();
  }
}

function report(outcome: Awaited<ReturnType<typeof settleCase>>, done: string): number {
  if (outcome === 'one-person') throw new UsageError('--by and --confirmed-by must be two people');
  process.stdout.write(outcome === 'done' ? `${done}\n` : 'there is no open case of that number\n');
  return outcome === 'done' ? 0 : 1;
}

function table(cases: readonly Case[]): string {
  if (cases.length === 0) return 'no open cases\n';
  const rows = cases.map(one => [
    String(one.caseId),
    one.openedAt.toISOString().slice(0, 19),
    `${one.kind} of ${one.transaction ?? `tx ${one.txId}`}`,
    `${one.merchantId ?? '?'}/${one.terminalId ?? '?'}`,
    one.rrn ?? '?',
    one.amountMinor === null ? '?' : String(one.amountMinor),
    one.link ?? '?',
    one.retryAskedBy === null ? one.detail : `${one.detail} (another try was asked for by ${one.retryAskedBy})`,
  ]);
  const all = [['case', 'opened (UTC)', 'what is owed', 'terminal', 'RRN', 'amount', 'link', 'what happened'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0))) ?? [];
  return all
    .map(
      row =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const { message } = error as Error;
  const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  process.stderr.write(isUsage ? `${message}\n\n${usage}\n` : `${message}\n`);
  process.exitCode = 2;
}
