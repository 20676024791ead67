import t, { type Test } from 'tap';
import { Pan } from '../../../src/switch/ports.ts';
import { hsmContract } from '../../hsm/contract.ts';
import { vaultContract } from '../../hsm/vault-contract.ts';
import { journalContract } from '../../journal/contract.ts';
import { type RegistryWorld, registryContract } from '../../registry/contract.ts';
import { today } from '../../registry/support.ts';
import { simCheckValue, simKey, simMac, simMask } from '../crypto.ts';
import type { StorageFaults } from './calls.ts';
import { SimHsm } from './hsm.ts';
import { SimJournal } from './journal.ts';
import { SimJournalStore } from './journal-store.ts';
import { clearPinBlock, isPinBlock } from './pin-block.ts';
import { realTime } from './real-time.ts';
import { SimRegistry } from './registry.ts';
import { SimRegistryStore } from './registry-store.ts';
import { SimVault } from './vault.ts';

/** Nothing is lost, and calls overtake each other. */
const unequal: StorageFaults = { latencyMs: () => Math.floor(Math.random() * 5), fate: () => 'none' };

t.test('the simulated journal keeps the contract', t =>
  journalContract(t, async (t: Test) => {
    const kernel = realTime(t);
    const store = new SimJournalStore(kernel);
    let shakyUntilMs = 0;
    const fate = (): ReturnType<StorageFaults['fate']> => {
      if (Date.now() >= shakyUntilMs) return 'none';
      const fates = ['none', 'lost-before', 'lost-after'] as const;
      return fates[Math.floor(Math.random() * 3)] ?? 'none';
    };
    const faults: StorageFaults = { ...unequal, fate };
    return {
      start: async (t, leaseMs = 1_000) => {
        let silent = false;
        const timers = { after: (ms: number, run: () => void) => kernel.after(ms, () => silent || run()) };
        const journal = new SimJournal({ store, kernel, faults, node: 'sim', leaseMs, timers });
        t.teardown(() => journal.die());
        return {
          journal,
          die: () => journal.die(),
          fallSilent: () => {
            silent = true;
          },
        };
      },
      reservationsOf: async (merchantId, date) => store.reservationsOf(merchantId, date),
      openCases: async () => store.openCases,
      cut: async () => {
        shakyUntilMs = Date.now() + 20;
        store.owners.cut();
      },
      askRetry: async txId => store.askRetry(txId),
    };
  }),
);

t.test('the simulated HSM keeps the contract, with the pads and the bank of its world', t =>
  hsmContract(t, async (t: Test) => {
    let away = false;
    const faults: StorageFaults = { ...unequal, fate: () => (away ? 'lost-before' : 'none') };
    const hsm = new SimHsm({ kernel: realTime(t), faults });
    const key = (): string => simKey(Math.random);
    const zmk = key();
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();
    return {
      hsm,
      zone: hsm,
      zmk,
      otherZmk: key(),
      pad: async () => {
        const tmk = key();
        return { tmk, load: workingKeys => loaded(tmk, hex(workingKeys)) };
      },
      bankKey: () => {
        const clear = key();
        return {
          underZmk: simMask(zmk, clear),
          checkValue: simCheckValue(clear, 6),
          mac: (_, data) => simMac(clear, data),
          pinOf: (block, pan) => pinIn(simMask(clear, block), new Pan(pan).accountDigits),
        };
      },
      stop: async () => {
        away = true;
      },
    };
  }),
);

/** A pad with the working keys of DE62, where both prove right. */
function loaded(tmk: string, field62: string) {
  const half = field62.length / 2;
  const keys = [field62.slice(0, half), field62.slice(half)].map(part => {
    const sent = part.slice(0, -8).replace(/^(.{16})0{16}$/, '$1');
    return { clear: simMask(tmk, sent), checkValue: part.slice(-8) };
  });
  const [tpk, tak] = keys;
  if (tpk === undefined || tak === undefined) return null;
  if (keys.some(({ clear, checkValue }) => simCheckValue(clear, 8) !== checkValue)) return null;
  return {
    mac: (data: Uint8Array) => simMac(tak.clear, data),
    pinBlock: (pin: string, pan: string) => simMask(tpk.clear, clearPinBlock(pin, new Pan(pan).accountDigits)),
  };
}

/** What stands in a clear PIN block. */
function pinIn(clear: string, accountDigits: string): string | null {
  if (!isPinBlock(clear, accountDigits)) return null;
  for (const pin of ['1234', '123456', '123456789012']) if (clearPinBlock(pin, accountDigits) === clear) return pin;
  return null;
}

t.test('the simulated vault keeps the contract', t => vaultContract(t, newest => new SimVault(newest)));

t.test('the simulated registry keeps the contract', t =>
  registryContract(t, async (t: Test) => {
    const kernel = realTime(t);
    const journal: RegistryWorld['journal'] = new Map();
    const reservationsOf = (merchantId: string, date: string) =>
      date === today ? (journal.get(merchantId) ?? []) : [];
    const store = new SimRegistryStore(kernel, { reservationsOf });
    const process = () => new SimRegistry({ store, kernel, faults: unequal, settleMs: 50 });
    return {
      one: process(),
      other: process(),
      createMerchant: async merchant => store.createMerchant(merchant),
      createTerminal: async terminal => store.createTerminal(terminal),
      setMerchantStatus: async (merchantId, status) => store.setMerchantStatus(merchantId, status),
      setTerminalStatus: async (ref, status) => store.setTerminalStatus(ref, status),
      setLimits: async (merchantId, limits) => store.setLimits(merchantId, limits),
      journal,
      loseRedis: async () => store.loseRedis(),
    };
  }),
);
