/** What a caller may hand to `pack` and `relay` for a field, and what must come of it. */

import type { FieldValue } from '../../../iso8583/index.ts';
import type { Spec } from '../../../iso8583/spec.ts';
import type { Form } from './field.ts';
import { anyPiece } from './generate.ts';
import { contentOf, formOf, type Piece, pieceOf } from './message.ts';
import { oneIn, type Random } from './random.ts';
import { fieldValue } from './value.ts';

export interface Given {
  readonly value: FieldValue;
  readonly piece: Piece;
}

/** A value for the field: as text, as bytes, in lower-case hex, or short and to be padded. */
export function givenFor(random: Random, spec: Spec, field: number): Given {
  const { text } = anyPiece(random, spec, field);
  const form = formOf(spec, field);
  if (form?.pad !== undefined && oneIn(random, 2)) return shortened(random, spec, field, form);
  return given(random, spec, pieceOf(spec, field, text));
}

/** One of the ways to hand over this very value. */
export function given(random: Random, spec: Spec, piece: Piece): Given {
  const { text } = piece;
  const form = formOf(spec, piece.field);
  if (form?.content === 'b' && oneIn(random, 3)) return { value: text.toLowerCase(), piece };
  if (form === undefined || form.encoding === 'bcd' || !oneIn(random, 3)) return { value: text, piece };
  return { value: form.content === 'b' ? Buffer.from(text, 'hex') : contentOf(piece).slice(), piece };
}

function shortened(random: Random, spec: Spec, field: number, form: Form): Given {
  const { length = 0, pad, content } = form;
  const units = random.below(length + 1);
  const value = fieldValue(random, { ...form, length: units });
  const width = content === 'b' ? 2 * length : length;
  const fill = pad?.startsWith('zero') === true ? '0' : ' ';
  const text = pad?.endsWith('left') === true ? value.padStart(width, fill) : value.padEnd(width, fill);
  return { value, piece: pieceOf(spec, field, text) };
}

/**
 * A value that the field cannot take: too long, too short, or of the wrong characters; undefined where there is none.
 */
export function misfit(random: Random, form: Form): FieldValue | undefined {
  const { content, encoding, length, max = 0, pad } = form;
  const width = content === 'b' ? 2 : 1;
  switch (random.below(4)) {
    case 0:
      return '1'.repeat(((length ?? max) + 1) * width + (content === 'x+n' ? 1 : 0));
    case 1:
      return length === undefined || pad !== undefined ? undefined : 'C'.repeat((length - 1) * width);
    case 2:
      return encoding === 'bcd' ? new Uint8Array(Math.max(1, length ?? max)) : undefined;
    default: {
      // An s with a caron is in no latin1; what looks like a digit when only the low byte is taken must be refused,
      // too.
      const value = fieldValue(random, form);
      const at = random.below(value.length);
      const wrong = oneIn(random, 2) ? 'š' : String.fromCharCode(0x100 + value.charCodeAt(at));
      return value === '' ? undefined : value.slice(0, at) + wrong + value.slice(at + 1);
    }
  }
}
