/** A fleet, its records and a scripted host for it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Message } from '../../iso8583/index.ts';
import {
  Card,
  DesKey,
  type FleetOptions,
  type FleetSummary,
  type RecordLine,
  simulatorTransportKey,
  type TerminalDefinition,
  TerminalFleet,
} from '../../src/simulators/terminal/index.ts';
import { type Act, ScriptedHost } from './terminal-host.ts';

export const cards = [{ pan: '6224242900000113', expiry: '2806', pin: '123456' }];

export function definitions(count: number): TerminalDefinition[] {
  const transport = new DesKey(Buffer.from(simulatorTransportKey, 'hex'));
  const tmkUnderTransport = transport.encrypt(Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex')).toString('hex');
  return Array.from({ length: count }, (_, at) => ({
    merchantId: 'M00000000000001',
    terminalId: `T${String(at + 1).padStart(7, '0')}`,
    tmkUnderTransport,
    tmkCheckValue: '08D7B4FB',
  }));
}

export interface World {
  readonly host: ScriptedHost;
  readonly records: () => RecordLine[];
  readonly of: <T extends RecordLine['t']>(kind: T) => Extract<RecordLine, { t: T }>[];
  readonly recordsFile: string;
  readonly run: (more?: Partial<FleetOptions>) => Promise<FleetSummary>;
  readonly open: (more?: Partial<FleetOptions>) => Promise<TerminalFleet>;
}

/** One terminal with a customer every 20 ms for half a second, that waits 300 ms for an answer. */
export async function world(
  t: Pick<Test, 'teardown' | 'testdir'>,
  script: (request: Message, count: number) => Act,
): Promise<World> {
  const host = await ScriptedHost.start(script);
  t.teardown(() => host.stop());
  const recordsFile = join(t.testdir(), 'records.jsonl');
  const records = () =>
    readFileSync(recordsFile, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as RecordLine);
  const open = (more: Partial<FleetOptions> = {}) =>
    TerminalFleet.open({
      terminals: definitions(1),
      transportKey: simulatorTransportKey,
      cards: cards.map(({ pan, expiry, pin }) => new Card(pan, expiry, pin)),
      addresses: [{ host: '127.0.0.1', port: host.port }],
      recordsFile,
      rate: 50,
      seconds: 0.5,
      waitMs: 300,
      perTransactionShare: 0,
      signOn: '003',
      reversalTries: 0,
      settleSeconds: 10,
      oddShare: 0,
      wrongPinShare: 0,
      inquiryShare: 0,
      seed: 1,
      ...more,
    });
  return {
    host,
    records,
    of: kind => records().filter((line): line is Extract<RecordLine, { t: typeof kind }> => line.t === kind),
    recordsFile,
    open,
    run: async more => (await open(more)).run(),
  };
}

/** Money that an auditor would hold against the other books. */
export function sums({ sent, approved, declined, timedOut, unanswered }: FleetSummary): boolean {
  return sent === approved + declined + timedOut + unanswered;
}
