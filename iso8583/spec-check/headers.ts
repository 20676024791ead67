/** What stands in front of the MTI. */

import { checkHeaderParts } from './parts.ts';
import { type Checked, called, hasShape, type Say, within } from './shape.ts';
import { HEADER, TOTAL } from './spec-keys.ts';

type Header = Checked<typeof HEADER.keys>;
type Total = Checked<typeof TOTAL.keys>;

/** A message as JSON has its headers beside these. */
const JSON_KEYS = ['mti', 'fields', 'parts', 'spec', 'verdict'];

/** Checks the list of headers. */
export function checkHeaders(headers: readonly unknown[], say: Say): void {
  const seen = new Set<string>();
  for (const [index, header] of headers.entries()) {
    const sayOf = within(say, `header ${called(header, 'name', index)}`);
    if (!hasShape(HEADER, header, sayOf)) continue;
    const { name } = header;
    if (seen.has(name)) sayOf('is there twice');
    seen.add(name);
    if (JSON_KEYS.includes(name)) sayOf('every message as JSON has a key of this name already');
    checkHeader(header, sayOf);
  }
}

function checkHeader({ length, min, max, total, parts }: Header, say: Say): void {
  const counted = min !== undefined && max !== undefined;
  if (counted === (length !== undefined) || (min === undefined) !== (max === undefined)) {
    say('needs either length (fixed) or min and max (counted)');
  }
  if (counted && min > max) say(`min ${min} is larger than max ${max}`);
  const least = length ?? min;
  const sayOfTotal = within(say, 'total');
  if (total !== undefined && hasShape(TOTAL, total, sayOfTotal)) checkTotal(total, least, counted, sayOfTotal);
  if (parts === undefined) return;
  const sayOfParts = within(say, 'parts');
  if (length === undefined) sayOfParts('are for headers of fixed size');
  else if (parts.kind !== 'positional') sayOfParts('kind must be positional');
  else checkHeaderParts(parts, length, sayOfParts);
}

function checkTotal({ at, size }: Total, least: number | undefined, counted: boolean, say: Say): void {
  const end = at + size;
  if (least !== undefined && end > least) say(`ends at byte ${end} of a header of ${least}`);
  if (counted && at === 0) say('the first byte of this header is its own length');
}
