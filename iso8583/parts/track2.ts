/** Track 2 of a card: PAN, separator, expiry, service code, discretionary data (ISO/IEC 7813). */

import type { Sensitive } from '../spec.ts';
import { type Draft, misfit, objectOf } from './draft.ts';
import type { Part, Parts, PartsJson } from './part.ts';
import { refusal, type Value } from './value.ts';

/** A separator in the place of the expiry date or of the service code says that the card has none. */
const TRACK2 = /^(\d{1,19})=(\d{4}|=)(\d{3}|=)(\d*)$/;

const PARTS: readonly { readonly id: string; readonly name: string; readonly sensitive?: Sensitive }[] = [
  { id: 'pan', name: 'primary account number', sensitive: 'pan' },
  { id: 'expiry', name: 'expiry date', sensitive: 'card' },
  { id: 'serviceCode', name: 'service code' },
  { id: 'discretionary', name: 'discretionary data', sensitive: 'track' },
];

/** A value of bytes holds a digit in each nibble, the separator as D, and F beside an odd number of them. */
export function parseTrack2(value: Value): Parts {
  const text = value.hex ? value.text.replace(/F$/, '').replaceAll('D', '=') : value.text;
  const match = TRACK2.exec(text);
  if (match === null) {
    const expected = 'PAN, separator, expiry, service code and digits';
    throw refusal(value, { code: 'bad-part', at: 0, expected, found: `${text.length} characters of another form` });
  }
  const record: Part[] = [];
  let start = 0;
  for (const [index, spec] of PARTS.entries()) {
    const piece = match[index + 1] ?? '';
    record.push({ ...spec, text: piece, start, end: start + piece.length });
    start += piece.length + (index === 0 ? 1 : 0);
  }
  return { repeated: false, records: [record] };
}

export function buildTrack2(json: PartsJson, { hex, path }: Draft): string {
  const given = objectOf(json, path);
  const [pan, expiry, serviceCode, discretionary] = PARTS.map(({ id }) => {
    const text = given[id];
    if (typeof text === 'string') return text;
    throw misfit(`${path}.${id}`, 'digits', 'none');
  });
  const text = `${pan}=${expiry}${serviceCode}${discretionary}`;
  if (!TRACK2.test(text) || Object.keys(given).length > PARTS.length) {
    throw misfit(path, PARTS.map(({ name }) => name).join(', '), `${text.length} characters of another form`);
  }
  if (!hex) return text;
  return text.replaceAll('=', 'D') + (text.length % 2 === 1 ? 'F' : '');
}
