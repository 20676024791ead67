import type { Pan, VaultPort } from '../../../src/switch/ports.ts';
import { simMac } from '../crypto.ts';

const tagBytes = 8;
const headBytes = 1 + tagBytes;

/**
 * Card data at rest, cheaply: a sealed value is the key version, a tag over context and text, and the text behind a mask.
 * Bound to its context, never to be read by accident, and of no strength.
 */
export class SimVault implements VaultPort {
  readonly keyVersion: number;

  constructor(keyVersion = 1) {
    this.keyVersion = keyVersion;
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    const sealed = new Uint8Array(headBytes + plain.length);
    sealed[0] = this.keyVersion;
    sealed.set(tagOf(this.keyVersion, context, plain), 1);
    mask(plain, sealed, 0, headBytes);
    return sealed;
  }

  /** Throws when it was damaged, moved from another context, or sealed under a later version. */
  open(sealed: Uint8Array, context: string): Uint8Array {
    const version = sealed[0] ?? 0;
    if (sealed.length < headBytes || version < 1 || version > this.keyVersion) {
      throw new Error('simulated vault: no sealed value');
    }
    const plain = new Uint8Array(sealed.length - headBytes);
    mask(sealed, plain, headBytes, 0);
    if (tagOf(version, context, plain).some((byte, i) => byte !== sealed[1 + i])) {
      throw new Error('simulated vault: a sealed value is damaged or belongs elsewhere');
    }
    return plain;
  }

  hashPan(pan: Pan): Uint8Array {
    return bytesOf(simMac(`pan/${this.keyVersion}`, Buffer.from(pan.reveal(), 'latin1')));
  }

  digest(data: Uint8Array, keyVersion = this.keyVersion): Uint8Array {
    if (keyVersion < 1 || keyVersion > this.keyVersion) throw new Error('simulated vault: no such key version');
    return bytesOf(simMac(`digest/${keyVersion}`, data));
  }
}

function tagOf(version: number, context: string, plain: Uint8Array): Uint8Array {
  return bytesOf(simMac(`${version}:${context}`, plain));
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

/** The same mask puts on and takes off. */
function mask(from: Uint8Array, to: Uint8Array, fromAt: number, toAt: number): void {
  const length = from.length - fromAt;
  for (let i = 0; i < length; i++) to[toAt + i] = (from[fromAt + i] ?? 0) ^ 0xa5 ^ (i & 0x1f);
}
