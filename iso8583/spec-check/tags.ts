/** Structures of tags: each tag must be one that can stand there, and its value one that can be said. */

import { STRUCTURES, TAG } from './part-keys.ts';
import { type Bag, hasShape, label, type Say, within } from './shape.ts';
import type { Check, Inner, Source } from './structure.ts';

/** How tags look and how long a value may be. */
interface Tags {
  readonly form: RegExp;
  /** Completes `a tag is …`. */
  readonly words: string;
  readonly longest: number;
  /** Whether tag and value are characters: otherwise they are bytes. */
  readonly text: boolean;
}

/**
 * One byte that is not zero and whose low five bits are not all ones; or one where they are, and one or two more, of
 * which the last alone has bit 8 clear (ISO/IEC 7816-4, EMV 4.3 Book 3 Annex B). A zero that only makes a tag longer is
 * none.
 */
const BER_TAG = /^(?:(?!00|[13579BDF]F)[0-9A-F]{2}|[13579BDF]F(?:(?!80)[89A-F][0-9A-F])?[0-7][0-9A-F])$/;
/** A length has two bytes at most. */
const LONGEST = 0xffff;

const BER_TLV: Tags = { form: BER_TAG, words: 'a BER tag in upper-case hex', longest: LONGEST, text: false };
const DATASETS: Tags = { form: /^[0-9A-F]{2}$/, words: 'one byte in upper-case hex', longest: LONGEST, text: false };

export const checkBerTlv: Check = (structure, source, say, inner) => {
  if (hasShape(STRUCTURES['ber-tlv'], structure, say)) checkTags(structure.tags, BER_TLV, source, say, inner);
};

export const checkDatasets: Check = (structure, source, say, inner) => {
  if (hasShape(STRUCTURES.datasets, structure, say)) checkTags(structure.tags, DATASETS, source, say, inner);
};

export const checkTextTlv: Check = (structure, source, say, inner) => {
  if (!hasShape(STRUCTURES['text-tlv'], structure, say)) return;
  const { tagLength, lengthDigits, tags } = structure;
  const form = new RegExp(`^[\\x21-\\x7e]{${tagLength}}$`);
  const words = `${tagLength} printable characters`;
  checkTags(tags, { form, words, longest: 10 ** lengthDigits - 1, text: true }, source, say, inner);
};

function checkTags(tags: Bag | undefined, kind: Tags, source: Source, say: Say, inner: Inner): void {
  for (const [key, tag] of Object.entries(tags ?? {})) {
    const sayOf = within(say, `tag ${label(key)}`);
    if (!kind.form.test(key)) sayOf(`a tag is ${kind.words}`);
    if (!hasShape(TAG, tag, sayOf)) continue;
    const { content, min, max, parts } = tag;
    if (min !== undefined && max !== undefined && min > max) sayOf(`min ${min} is larger than max ${max}`);
    const most = Math.max(min ?? 0, max ?? 0);
    if (most > kind.longest) sayOf(`a length cannot say ${most}`);
    if (parts === undefined) continue;
    // Two BCD digits in a byte.
    const units = !kind.text && content === 'n' ? 2 : 1;
    const largest = max === undefined ? undefined : max * units;
    const fixed = min === max ? largest : undefined;
    inner.structure(parts, { content: content ?? (kind.text ? source.content : 'b'), fixed, most: largest }, sayOf);
  }
}
