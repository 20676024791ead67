/**
 * The states of a transaction and what may follow each (laws, *States*).
 *
 * | state      | what enters                                             | what leaves                                        |
 * |------------|---------------------------------------------------------|----------------------------------------------------|
 * | open       | OPEN, before the request goes to a bank                 | approved, declined, no-effect, reversing           |
 * | approved   | the bank posted; the terminal is or will be told so     | reversing (the terminal's own 0400)                |
 * | declined   | the bank or we said no; nothing posted                  | -                                                  |
 * | no-effect  | an inquiry, whatever its outcome                        | -                                                  |
 * | reversing  | outcome unknown or unwanted; store-and-forward owns it  | reversed, in dispute, reversing (sent once more)   |
 * | reversed   | the bank confirmed                                      | reversing (a late approval, unless 00 confirmed)   |
 * | in dispute | the bank will not confirm: a named case                 | -                                                  |
 *
 * Voided, completed, stood-in, accepted and refused join with the kinds of transaction that need them.
 */
export const states = {
  open: ['approved', 'declined', 'no-effect', 'reversing'],
  approved: ['reversing'],
  declined: [],
  'no-effect': [],
  reversing: ['reversed', 'in dispute', 'reversing'],
  reversed: ['reversing'],
  'in dispute': [],
} as const satisfies Record<string, readonly string[]>;

export type State = keyof typeof states;

/** `to`, where a transaction in `from` may become it. Anything else is a bug of the caller and throws. */
export function edge<S extends State>(from: State, to: S): S {
  if (!(states[from] as readonly State[]).includes(to)) throw new Error(`states: ${from} may not become ${to}`);
  return to;
}
