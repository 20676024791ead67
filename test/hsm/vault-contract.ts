import type { Test } from 'tap';
import { Pan, type VaultPort } from '../../src/switch/ports.ts';

/**
 * What every implementation of `VaultPort` does, real or simulated. `vault(n)` has key versions 1 to n: the same each time
 * it is asked.
 */
export async function vaultContract(t: Test, vault: (newest: 1 | 2) => VaultPort): Promise<void> {
  const pan = new Pan('6224242900000113');
  const plain = Buffer.from('6224242900000113');

  await t.test('what was sealed opens unchanged in its place, and nowhere else', async t => {
    const one = vault(1);
    for (const value of [plain, Buffer.alloc(0), Buffer.alloc(5_000, 7)]) {
      t.same(Buffer.from(one.open(one.seal(value, 'pan/1'), 'pan/1')), value);
    }
    const sealed = one.seal(plain, 'pan/1');
    t.notOk(Buffer.from(sealed).includes(plain), 'and cannot be read as it is');
    t.throws(() => one.open(sealed, 'pan/2'), 'moved to another row');
    for (let at = 0; at < sealed.length; at++) {
      const damaged = Buffer.from(sealed);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      t.throws(() => one.open(damaged, 'pan/1'), `byte ${at} changed`);
    }
    for (const length of [0, 1, sealed.length - 1]) {
      t.throws(() => one.open(sealed.subarray(0, length), 'pan/1'), `cut to ${length}`);
    }
  });

  await t.test('a later version opens what an earlier one sealed, and not the other way', async t => {
    const [one, two] = [vault(1), vault(2)];
    t.equal(one.keyVersion, 1);
    t.equal(two.keyVersion, 2);
    t.same(Buffer.from(two.open(one.seal(plain, 'x'), 'x')), plain);
    t.throws(() => one.open(two.seal(plain, 'x'), 'x'));
    t.same(two.digest(plain, 1), one.digest(plain), 'a repeat is known by the keys of its first');
    t.notSame(two.digest(plain), one.digest(plain));
    t.throws(() => one.digest(plain, 2));
  });

  await t.test('hashes tell values and purposes apart, and are the same in every process', async t => {
    t.same(vault(1).hashPan(pan), vault(1).hashPan(new Pan(pan.reveal())));
    t.notSame(vault(1).hashPan(pan), vault(1).hashPan(new Pan('6224242900000121')));
    t.notSame(vault(1).hashPan(pan), vault(1).digest(plain));
    t.notSame(vault(1).digest(plain), vault(1).digest(plain.subarray(1)));
  });
}
