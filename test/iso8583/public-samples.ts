/** The public samples of iso8583-fields §9, with the values that are listed there. */

import { readFileSync } from 'node:fs';

export interface PublicSample {
  readonly mti: string;
  readonly hex: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Of a field, by the ids of its parts. */
  readonly parts?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** By the name of its file. */
export function publicSample(name: string): PublicSample {
  return JSON.parse(readFileSync(`test/vectors/iso8583/${name}.json`, 'utf8'));
}
