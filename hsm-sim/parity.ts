/** For every byte, the same byte with its lowest bit set so that the number of ones is odd. */
const ODD = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let bits = byte >> 1; bits > 0; bits >>= 1) ones += bits & 1;
  return (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0);
});

/** Whether every byte of a DES key has odd parity, as every key under the LMK must. */
export function hasOddParity(key: Buffer): boolean {
  for (const byte of key) if (ODD[byte] !== byte) return false;
  return true;
}

/** The same key with odd parity. DES ignores the parity bits, so it encrypts, and checks, alike. */
export function withOddParity(key: Buffer): Buffer {
  return Buffer.from(key.map(byte => ODD[byte] ?? byte));
}
