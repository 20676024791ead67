/**
 * The tags of field 55: names, sizes and formats (iso8583-fields §8, CUP's own from cup-pos §2.3). They stand in the
 * order in which CUP terminals send them, as far as a JSON object can say it: keys that look like numbers (82, 95) come
 * first in JavaScript, wherever they are written.
 */

import type { BerTlvSpec, PositionalSpec, TagSpec } from '../spec.ts';

/** 5 bytes for each script that the card was sent. */
const scriptResults: PositionalSpec = {
  kind: 'positional',
  repeat: true,
  parts: [{ id: 'result', name: 'result of one script', length: 5 }],
};

/** 71 and 72: commands of the issuer to the card. */
const script: BerTlvSpec = {
  kind: 'ber-tlv',
  tags: {
    '9F18': { name: 'issuer script identifier', min: 4, max: 4 },
    '86': { name: 'issuer script command', max: 261 },
  },
};

/** Every tag that is known, by tag. */
export const emvTags: { readonly [tag: string]: TagSpec } = {
  '9F26': { name: 'application cryptogram', min: 8, max: 8 },
  '9F27': { name: 'cryptogram information data', min: 1, max: 1 },
  '9F10': { name: 'issuer application data', max: 32 },
  '9F37': { name: 'unpredictable number', min: 4, max: 4 },
  '9F36': { name: 'application transaction counter', min: 2, max: 2 },
  '95': { name: 'terminal verification results', min: 5, max: 5 },
  '9A': { name: 'transaction date', content: 'n', min: 3, max: 3 },
  '9C': { name: 'transaction type', content: 'n', min: 1, max: 1 },
  '9F02': { name: 'amount, authorised', content: 'n', min: 6, max: 6 },
  '5F2A': { name: 'transaction currency code', content: 'n', min: 2, max: 2 },
  '82': { name: 'application interchange profile', min: 2, max: 2 },
  '9F1A': { name: 'terminal country code', content: 'n', min: 2, max: 2 },
  '9F03': { name: 'amount, other', content: 'n', min: 6, max: 6 },
  '9F33': { name: 'terminal capabilities', min: 3, max: 3 },
  '9F34': { name: 'cardholder verification method results', min: 3, max: 3 },
  '9F35': { name: 'terminal type', content: 'n', min: 1, max: 1 },
  '9F1E': { name: 'interface device serial number', content: 'ans', min: 8, max: 8 },
  '84': { name: 'dedicated file name', min: 5, max: 16 },
  '9F09': { name: 'application version number, terminal', min: 2, max: 2 },
  '9F41': { name: 'transaction sequence counter', content: 'n', min: 2, max: 4 },
  '9F63': { name: 'product identification', min: 16, max: 16 },
  '9F74': { name: 'e-cash issuer authorisation code', content: 'ans', min: 6, max: 6 },
  '91': { name: 'issuer authentication data', min: 8, max: 16 },
  '71': { name: 'issuer script template 1', max: 128, parts: script },
  '72': { name: 'issuer script template 2', max: 128, parts: script },
  '8A': { name: 'authorisation response code', content: 'an', min: 2, max: 2 },
  DF31: { name: 'issuer script results', parts: scriptResults },
  '5F34': { name: 'PAN sequence number', content: 'n', min: 1, max: 1 },
  '56': { name: 'track 1 equivalent data', max: 76, sensitive: 'track' },
  '57': { name: 'track 2 equivalent data', max: 19, sensitive: 'track' },
  '9F6B': { name: 'track 2 data, contactless', max: 19, sensitive: 'track' },
  // An odd number of digits has an F behind it, so that this is no plain number.
  '5A': { name: 'primary account number', max: 10, sensitive: 'pan' },
  '5F24': { name: 'application expiration date', content: 'n', min: 3, max: 3 },
  '5F25': { name: 'application effective date', content: 'n', min: 3, max: 3 },
  '5F20': { name: 'cardholder name', content: 'ans', min: 2, max: 26, sensitive: 'card' },
  '9F1F': { name: 'track 1 discretionary data', content: 'ans', sensitive: 'track' },
  '9F20': { name: 'track 2 discretionary data', sensitive: 'track' },
  '9F06': { name: 'application identifier, terminal', min: 5, max: 16 },
  '4F': { name: 'application identifier, card', min: 5, max: 16 },
  '9F07': { name: 'application usage control', min: 2, max: 2 },
  '9F0D': { name: 'issuer action code, default', min: 5, max: 5 },
  '9F0E': { name: 'issuer action code, denial', min: 5, max: 5 },
  '9F0F': { name: 'issuer action code, online', min: 5, max: 5 },
  '9F12': { name: 'application preferred name', content: 'ans', max: 16 },
  '50': { name: 'application label', content: 'ans', max: 16 },
  '9F5B': { name: 'issuer script results, contactless' },
  '9F66': { name: 'terminal transaction qualifiers', min: 4, max: 4 },
  '9F6C': { name: 'card transaction qualifiers', min: 2, max: 2 },
  '9F6E': { name: 'form factor indicator or third-party data', min: 4, max: 32, sensitive: 'private' },
  '9F7C': { name: 'customer exclusive or merchant custom data', max: 32, sensitive: 'private' },
  '9B': { name: 'transaction status information', min: 2, max: 2 },
  '9F53': { name: 'transaction category code', min: 1, max: 1 },
};

/** Field 55 in all dialects that have the tags in it directly. */
export const iccParts: BerTlvSpec = { kind: 'ber-tlv', tags: emvTags };
