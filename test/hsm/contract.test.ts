import { createSecretKey, randomBytes } from 'node:crypto';
import t from 'tap';
import { startHsmSim, testLmk } from '../../hsm-sim/index.ts';
import { importKey, KeyType } from '../../src/hsm/commands.ts';
import { simulatorZmk } from '../../src/hsm/known-keys.ts';
import { HsmPool } from '../../src/hsm/pool.ts';
import { TerminalCrypto } from '../../src/hsm/terminal-crypto.ts';
import { type DataKeySet, DataKeyVault } from '../../src/hsm/vault.ts';
import { HsmZoneCrypto } from '../../src/hsm/zone-crypto.ts';
import { DesKey as BankDes } from '../../src/simulators/bank/des.ts';
import { decodePin } from '../../src/simulators/bank/pin.ts';
import { cupMac, hex, DesKey as PadDes, pinBlock } from '../../src/simulators/terminal/crypto.ts';
import { loadWorkingKeys } from '../../src/simulators/terminal/working-keys.ts';
import { hsmContract } from './contract.ts';
import { vaultContract } from './vault-contract.ts';

/** `simulatorZmk` in the clear, as its documentation publishes it. */
const clearZmk = new BankDes(Buffer.from('851A0D9D0B2A1602622AD0B0E9E6B070', 'hex'));

t.test('the client of the HSM keeps the contract, with pads and a bank that share no code with it', t =>
  hsmContract(t, async t => {
    const sim = await startHsmSim({ port: 0, lmk: testLmk, log: () => undefined });
    const pool = new HsmPool({ host: '127.0.0.1', port: sim.port, connections: 2, defaultTimeoutMs: 1_000 });
    const stop = once(() => sim.close());
    t.teardown(async () => {
      pool.close();
      await stop();
    });
    await pool.whenUp(5_000);
    /** A key under the LMK, that came under the simulators' ZMK. */
    const underLmk = async (type: typeof KeyType.tmk | typeof KeyType.zmk, clear: Buffer) => {
      const command = importKey(type, simulatorZmk, hex(clearZmk.encrypt(clear)));
      const outcome = await pool.run(command, Date.now() + 5_000);
      if (outcome.kind !== 'done') throw new Error(outcome.kind);
      return outcome.value.key;
    };
    return {
      hsm: new TerminalCrypto(pool),
      zone: new HsmZoneCrypto(pool),
      zmk: simulatorZmk,
      otherZmk: await underLmk(KeyType.zmk, randomBytes(16)),
      pad: async () => {
        const clear = randomBytes(16);
        return {
          tmk: await underLmk(KeyType.tmk, clear),
          load: workingKeys => {
            const loaded = loadWorkingKeys(new PadDes(clear), workingKeys);
            if (loaded.kind !== 'loaded') return null;
            const { pik, mak } = loaded.keys;
            return { mac: data => hex(cupMac(mak, data)), pinBlock: (pin, pan) => hex(pinBlock(pik, pin, pan)) };
          },
        };
      },
      bankKey: () => {
        const key = BankDes.random();
        return {
          underZmk: key.under(clearZmk),
          checkValue: key.checkValue,
          mac: (algorithm, data) => hex(key.mac(algorithm, data)),
          pinOf: (block, pan) => decodePin(Buffer.from(block, 'hex'), key, pan),
        };
      },
      stop,
    };
  }),
);

t.test('the vault keeps the contract', t => {
  const key = () => createSecretKey(randomBytes(32));
  const sets: DataKeySet[] = [1, 2].map(version => ({
    version,
    panEncryption: key(),
    panHash: key(),
    messageDigest: key(),
  }));
  return vaultContract(t, newest => new DataKeyVault(sets.slice(0, newest)));
});

function once(run: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= run();
    return done;
  };
}
