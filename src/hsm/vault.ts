import { createCipheriv, createDecipheriv, createHmac, type Hmac, type KeyObject, randomFillSync } from 'node:crypto';
import type { VaultPort } from '../switch/ports.ts';
import type { Pan } from '../switch/secrets.ts';

/** The clear data keys of one version, 32 bytes each, in objects that print nothing. */
export interface DataKeySet {
  /** 1 to 255: it stands in the first byte of what it sealed. */
  readonly version: number;
  readonly panEncryption: KeyObject;
  readonly panHash: KeyObject;
  readonly messageDigest: KeyObject;
}

/** A sealed value that cannot be opened: damaged, from another row, or of a version that is not open here. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
}

const NONCE = 12;
const TAG = 16;
const HEAD = 1 + NONCE;
const NONCES = 256;

/**
 * Card data at rest. A sealed value is version (1 byte), nonce (12), ciphertext, tag (16): AES-256-GCM with the
 * version and the context as associated data.
 *
 * Nonces are random: one version may seal 2^32 values before the chance of a repeat passes 2^-32 (NIST SP 800-38D);
 * a new version starts anew.
 */
export class DataKeyVault implements VaultPort {
  readonly #sets: ReadonlyMap<number, DataKeySet>;
  readonly #newest: DataKeySet;
  readonly #nonces = Buffer.alloc(NONCES * NONCE);
  #noncesUsed = this.#nonces.length;

  /** Opens with any of `sets`, seals and hashes with the highest version. Throws RangeError when there is none. */
  constructor(sets: readonly DataKeySet[]) {
    const newest = sets.reduce<DataKeySet | null>((a, b) => (a !== null && a.version > b.version ? a : b), null);
    if (newest === null) throw new RangeError('a vault needs data keys of at least one version');
    this.#newest = newest;
    this.#sets = new Map(sets.map(set => [set.version, set]));
  }

  get keyVersion(): number {
    return this.#newest.version;
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    const { version, panEncryption } = this.#newest;
    const nonce = this.#nextNonce();
    const cipher = createCipheriv('aes-256-gcm', panEncryption, nonce);
    cipher.setAAD(associated(version, context));
    const body = cipher.update(plain);
    cipher.final();
    const sealed = Buffer.allocUnsafe(HEAD + body.length + TAG);
    sealed[0] = version;
    sealed.set(nonce, 1);
    sealed.set(body, HEAD);
    sealed.set(cipher.getAuthTag(), HEAD + body.length);
    return sealed;
  }

  /** Random bytes are drawn for many at once: asking for them one by one costs as much as the encryption. */
  #nextNonce(): Uint8Array {
    if (this.#noncesUsed === this.#nonces.length) {
      randomFillSync(this.#nonces);
      this.#noncesUsed = 0;
    }
    const from = this.#noncesUsed;
    this.#noncesUsed += NONCE;
    return this.#nonces.subarray(from, this.#noncesUsed);
  }

  /** Throws VaultError; its text carries nothing of the value. */
  open(sealed: Uint8Array, context: string): Uint8Array {
    if (sealed.length < HEAD + TAG) throw new VaultError('a sealed value is too short');
    const version = sealed[0] ?? 0;
    const set = this.#sets.get(version);
    if (set === undefined) throw new VaultError(`a sealed value needs data keys of version ${version}`);
    const decipher = createDecipheriv('aes-256-gcm', set.panEncryption, sealed.subarray(1, HEAD));
    decipher.setAAD(associated(version, context));
    decipher.setAuthTag(sealed.subarray(-TAG));
    const plain = decipher.update(sealed.subarray(HEAD, -TAG));
    try {
      decipher.final();
    } catch {
      throw new VaultError('a sealed value is damaged or belongs elsewhere');
    }
    return plain;
  }

  hashPan(pan: Pan): Uint8Array {
    return digestOf(createHmac('sha256', this.#newest.panHash).update(pan.reveal(), 'latin1'));
  }

  digest(data: Uint8Array, keyVersion = this.#newest.version): Uint8Array {
    const set = this.#sets.get(keyVersion);
    if (set === undefined) throw new VaultError(`no data keys of version ${keyVersion} are open`);
    return digestOf(createHmac('sha256', set.messageDigest).update(data));
  }
}

/** By way of a string: 32 bytes of Node's pool cost less than memory of their own, which the collector must give back. */
function digestOf(hmac: Hmac): Uint8Array {
  return Buffer.from(hmac.digest('binary'), 'binary');
}

function associated(version: number, context: string): Buffer {
  return Buffer.from(`${version}:${context}`);
}
