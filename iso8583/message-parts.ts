/** The parts of a field of a message: which structure it has there, taken apart or put together. */

import { type Asked, holds } from './conditions.ts';
import { Iso8583Error } from './errors.ts';
import type { Layout } from './layout.ts';
import { buildParts } from './parts/build.ts';
import { choose } from './parts/choose.ts';
import { type ParsedParts, parseParts } from './parts/parse.ts';
import type { PartsJson } from './parts/part.ts';
import { type FieldPlan, Form } from './plan.ts';
import type { PartsSpec } from './spec.ts';
import type { FieldValue } from './values.ts';

/** Undefined where the field is absent, or has no structure in this message. */
export function partsOf(layout: Layout, message: Asked, field: number): ParsedParts | undefined {
  const plan = layout.plans[field];
  const structure = plan === undefined ? undefined : structureOf(layout, message, plan);
  const text = message.text(field);
  if (plan === undefined || structure === undefined || text === undefined) return undefined;
  const value = plan.spec.content === 'b' ? new Uint8Array(Buffer.from(text, 'hex')) : text;
  const { path, form, spec } = plan;
  return parseParts(structure, value, path, form === Form.nibbles ? 2 : 1, spec.sensitive !== undefined);
}

/** The value of a field from its parts. Throws `Iso8583Error` where they do not fit, or there is nothing to fit. */
export function valueFrom(layout: Layout, message: Asked, field: number, parts: PartsJson): FieldValue {
  const plan = layout.plans[field];
  const structure = plan === undefined ? undefined : structureOf(layout, message, plan);
  if (plan === undefined || structure === undefined) {
    const expected = 'a field that has parts in this message';
    throw new Iso8583Error('value-does-not-fit', { path: String(field), expected, found: 'another' });
  }
  return buildParts(structure, parts, plan.spec.content === 'b' ? 'bytes' : 'text', plan.path);
}

/** The structure that the field has in this message. */
export function structureOf({ spec }: Layout, message: Asked, plan: FieldPlan): PartsSpec | undefined {
  return choose(plan.spec.parts, condition => holds(spec, message, condition));
}
