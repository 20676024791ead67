/** Which fields a message must and must not have. The form of each was checked when it was unpacked. */

import { type Asked, holds } from './conditions.ts';
import type { Condition, MessageSpec, Spec } from './spec.ts';

/** What a message lacks, or has against the rules. `text` says it in words and holds no value of the message. */
export type Problem =
  /** The spec has kinds of message, and this is none of them. */
  | { readonly code: 'unknown-message'; readonly text: string }
  | { readonly code: 'missing-field'; readonly field: number; readonly text: string }
  | { readonly code: 'forbidden-field'; readonly field: number; readonly text: string };

export interface Verdict {
  /** The kind of message, as the spec calls it. */
  readonly name?: string | undefined;
  /** By field; none for a message that is as it should be, or of a spec that has no kinds of message. */
  readonly problems: readonly Problem[];
}

/** Holds a message against the rules of its dialect. `present` are its fields, ascending. */
export function validateMessage(spec: Spec, message: Asked, present: readonly number[]): Verdict {
  if (spec.messages === undefined) return { problems: [] };
  const isSo = (condition: Condition): boolean => holds(spec, message, condition);
  const kind = spec.messages.find(({ mti, when = [] }) => mti === message.mti && when.every(isSo));
  if (kind === undefined) {
    const text = `${spec.name} has no message of type ${message.mti} with these fields`;
    return { problems: [{ code: 'unknown-message', text }] };
  }
  const missing = needed(kind, isSo).filter(field => !message.has(field));
  const extra = present.filter(field => isForbidden(kind, isSo, field));
  const problems: Problem[] = [
    ...missing.map(
      field => ({ code: 'missing-field', field, text: sentence(spec, kind, field, 'is missing') }) as const,
    ),
    ...extra.map(
      field => ({ code: 'forbidden-field', field, text: sentence(spec, kind, field, 'is not allowed') }) as const,
    ),
  ];
  return { name: kind.name, problems: problems.sort((one, other) => fieldOf(one) - fieldOf(other)) };
}

function needed({ mandatory, conditional = [] }: MessageSpec, isSo: (condition: Condition) => boolean): number[] {
  const now = conditional.filter(({ when }) => when.every(isSo)).map(({ field }) => field);
  return [...new Set([...mandatory, ...now])];
}

function isForbidden(kind: MessageSpec, isSo: (condition: Condition) => boolean, field: number): boolean {
  const { mandatory, conditional = [], optional = [], forbidden = [] } = kind;
  const rules = conditional.filter(rule => rule.field === field);
  if (rules.some(({ when, otherwise }) => otherwise === 'forbidden' && !when.every(isSo))) return true;
  if (forbidden !== 'others') return forbidden.includes(field);
  return !mandatory.includes(field) && !optional.includes(field) && rules.length === 0;
}

function sentence(spec: Spec, kind: MessageSpec, field: number, what: string): string {
  const name = spec.fields[field]?.name;
  return `${kind.name}: field ${field}${name === undefined ? '' : ` (${name})`} ${what}`;
}

function fieldOf(problem: Problem): number {
  return problem.code === 'unknown-message' ? 0 : problem.field;
}
