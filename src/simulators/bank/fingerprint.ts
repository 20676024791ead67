/**
 * How the book names a card without holding its number.
 *
 * A plain hash beside the last four digits would give the number away: with a known BIN about a hundred thousand
 * candidates are left. So the hash is keyed, and the key lies beside the book in a file of its own.
 */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';

/** Where the key of a book lies. */
function keyPath(book: string): string {
  return `${book}.key`;
}

/** Makes the function that names a card: 16 hex characters of an HMAC-SHA-256 of the PAN, then its last four digits. */
export function openFingerprint(book: string): (pan: string) => string {
  // As an object: Node 24 looks through its stack for each key that comes as bytes, which costs more than the hash.
  const key = createSecretKey(readKey(book) ?? makeKey(book));
  return pan => createHmac('sha256', key).update(pan).digest('hex').slice(0, 16) + pan.slice(-4);
}

function readKey(book: string): Buffer | null {
  const path = keyPath(book);
  if (!existsSync(path)) {
    if (existsSync(book) && statSync(book).size > 0)
      throw new Error(`${path} is missing: it names the cards of ${book}`);
    return null;
  }
  const hex = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new Error(`${path} does not hold a key of 64 hex characters`);
  return Buffer.from(hex, 'hex');
}

/** Under another name first, so that a kill in between leaves no half of a key. */
function makeKey(book: string): Buffer {
  const path = keyPath(book);
  const key = randomBytes(32);
  const fd = openSync(`${path}.new`, 'w', 0o600);
  writeSync(fd, `${key.toString('hex')}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(`${path}.new`, path);
  return key;
}
