/** The captured samples as data, found from wherever this file was compiled to. */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface CupPosSample {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly frameLength: number;
  readonly mti: string;
  readonly tpdu: string;
  readonly header: string;
  readonly bitmap: string;
  readonly hex: string;
  readonly fields: Readonly<Record<string, SampleField>>;
}

export interface SampleField {
  readonly length: number;
  readonly as: 'digits' | 'track' | 'text' | 'gbk' | 'hex';
  readonly value: string;
}

interface Iso87Sample {
  readonly mti: string;
  readonly hex: string;
  readonly fields: Readonly<Record<string, string>>;
}

export function cupPosSamples(): readonly CupPosSample[] {
  return (read('cup-pos.json') as { samples: CupPosSample[] }).samples;
}

export function cupPosSample(id: string): CupPosSample {
  const sample = cupPosSamples().find(candidate => candidate.id === id);
  if (sample === undefined) throw new Error(`no sample ${id}`);
  return sample;
}

export function iso87Sample(): Iso87Sample {
  return read('iso87-binary-s3.json') as Iso87Sample;
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toHex(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) throw new Error('no bytes');
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

/** Text as the hex of its bytes in latin1. */
export function ascii(text: string): string {
  return toHex(Buffer.from(text, 'latin1'));
}

/** A Visa header and that of a reject, in hex. */
export const visa = '16 01 02 0000 123456 065432 0A 0102 030405 06 070809 FF'.replaceAll(' ', '');
export const visaReject = `1A81${visa.slice(4)}80000012`;

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(root(), 'test/vectors/iso8583', name), 'utf8'));
}

function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('no package.json above the tests');
    folder = parent;
  }
  return folder;
}
