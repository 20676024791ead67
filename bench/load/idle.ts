/** A process that signs terminals on and then holds their connections, as terminals in shops do between customers. */

import { readFileSync } from 'node:fs';
import { parseTerminals, simulatorTransportKey, unwrapMasterKey } from '../../src/simulators/terminal/index.ts';
import type { IdleCommand, IdleReply } from './idle-protocol.ts';
import { spreadOver, Till } from './till.ts';

const together = 20;

const tills: Till[] = [];

async function open({ terminalsFile, switches, loading }: Extract<IdleCommand, { do: 'open' }>): Promise<void> {
  const known = parseTerminals(JSON.parse(readFileSync(terminalsFile, 'utf8')));
  const busy = new Set(Array.from({ length: loading }, (_, at) => spreadOver(known.length, loading, at)));
  const idle = known.filter((_, at) => !busy.has(at));
  for (let at = 0; at < idle.length; at += together) {
    const opened = idle.slice(at, at + together).map((terminal, i) => {
      const tmk = unwrapMasterKey(terminal, simulatorTransportKey);
      return Till.open({ ...terminal, tmk }, switches[(at + i) % switches.length] ?? '');
    });
    tills.push(...(await Promise.all(opened)));
  }
}

async function obey(command: IdleCommand): Promise<IdleReply> {
  try {
    if (command.do === 'open') await open(command);
    return { kind: 'open', count: tills.filter(till => till.flaws.size === 0).length };
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', (command: IdleCommand) => void obey(command).then(reply => process.send?.(reply)));
process.on('disconnect', () => {
  for (const till of tills) till.close();
});
