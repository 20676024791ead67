import { DesKey, xorInto } from './des-key.ts';
import { schemeLength, schemeOf } from './key-scheme.ts';
import { keyTypeOf } from './key-type.ts';
import type { Lmk } from './lmk.ts';
import { withOddParity } from './parity.ts';

export interface FormKeyRequest {
  readonly lmk: Lmk;
  /** Key type code, e.g. `000` for a ZMK. */
  readonly type: string;
  /** Z, X, Y, U or T. */
  readonly scheme: string;
  /** Clear components in hex, each as long as the key. */
  readonly components: readonly string[];
}

/**
 * What custodians do at the console of a real HSM: each types in a component nobody else sees, and their XOR becomes a key that
 * leaves the HSM only under the LMK. It is no host command, and must not be one.
 */
export function formKey({ lmk, type, scheme, components }: FormKeyRequest): { key: string; kcv: string } {
  const keyType = keyTypeOf(type);
  if (!keyType) throw new Error(`no key type ${type}`);
  const keyScheme = schemeOf(scheme);
  if (!keyScheme) throw new Error(`no key scheme ${scheme}`);
  if (components.length === 0) throw new Error('a key needs at least one component');

  const sum = Buffer.alloc(schemeLength(keyScheme));
  components.forEach((component, i) => {
    // Never the component itself: this message may end in a log.
    if (!/^[0-9A-Fa-f]*$/.test(component) || component.length !== sum.length * 2) {
      throw new Error(`component ${i + 1} is not ${sum.length * 2} hex characters, as scheme ${scheme} wants`);
    }
    xorInto(sum, Buffer.from(component, 'hex'));
  });
  const clear = withOddParity(sum);
  return { key: lmk.wrap(keyType, keyScheme, clear), kcv: new DesKey(clear).checkValue().slice(0, 6) };
}
