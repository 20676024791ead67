/** What a spec asks of a message, to tell its kinds and structures apart. */

import type { Condition, PositionalSpec, Spec } from './spec.ts';

/** What can be asked: of a received message, or of one that is still to be packed. */
export interface Asked {
  readonly mti: string;
  has(field: number): boolean;
  text(field: number): string | undefined;
}

/** Whether a condition of `spec` holds for a message of that dialect. */
export function holds(spec: Spec, message: Asked, condition: Condition): boolean {
  if ('mti' in condition) return condition.mti.includes(message.mti);
  if ('present' in condition) return message.has(condition.field) === condition.present;
  const { field, part, begins } = condition;
  const text = message.text(field);
  const value = text === undefined || part === undefined ? text : partOf(spec, field, part, text);
  return begins.some(begin => value?.startsWith(begin) === true);
}

/** A positional part of a value, cut out without a look at the others; undefined where the value ends before it. */
function partOf(spec: Spec, field: number, id: string, text: string): string | undefined {
  const structures = [spec.fields[field]?.parts ?? []].flat();
  const positional = structures.find((parts): parts is PositionalSpec => parts.kind === 'positional');
  let at = 0;
  for (const part of positional?.parts ?? []) {
    const end = at + (part.length ?? text.length);
    if (part.id === id) return at < text.length ? text.slice(at, end) : undefined;
    at = end;
  }
  return undefined;
}
