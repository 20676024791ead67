/**
 * Code that is made when a spec is compiled: loops over the fields of one dialect, unrolled. It only ever makes things
 * faster: each piece has an interpreted counterpart that does the same, which decides whatever the generated one does
 * not, and which does it all where code may not be generated (`node --disallow-code-generation-from-strings`, a content
 * security policy). Nothing but numbers of a spec is ever written into it.
 */

/** A function of the given parameters and body, or undefined where code may not be generated. */
export function generate<R, P extends readonly unknown[] = readonly []>(
  parameters: readonly string[],
  body: string,
): ((...values: P) => R) | undefined {
  try {
    return new Function(...parameters, `'use strict';\n${body}`) as (...values: P) => R;
  } catch (error) {
    // EvalError is what V8 throws for a forbidden one; a SyntaxError would be a bug of ours.
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}
