/**
 * The states of a transaction and what may follow each (laws, *States*).
 *
 * | state      | what enters                                              | what leaves                                        |
 * |------------|----------------------------------------------------------|----------------------------------------------------|
 * | open       | OPEN, before the request goes to a bank                  | approved, declined, no-effect, accepted, refused,  |
 * |            |                                                          | stood-in, reversing                                |
 * | approved   | the bank posted; the terminal is or will be told so      | voided, completed (a linked one opens), reversing  |
 * |            |                                                          | (its own 0400), approved (claimed by another)      |
 * | accepted   | an advice that the bank took                             | voided, accepted (claimed by another)              |
 * | voided     | a void of it is in flight or approved                    | approved (the void was declined or reversed)       |
 * | completed  | a completion of it is in flight or stands                | approved (that was declined, refused or reversed)  |
 * | stood-in   | we said yes; the advice is owed to the bank              | approved, in dispute, reversing (its own 0400)     |
 * | declined   | the bank or we said no; nothing posted                   | -                                                  |
 * | refused    | an advice that the bank did not take, and was told so    | -                                                  |
 * | no-effect  | an inquiry, whatever its outcome                         | -                                                  |
 * | reversing  | outcome unknown or unwanted; store-and-forward owns it   | reversed, in dispute                               |
 * | reversed   | the bank confirmed                                       | reversing (a late approval, unless 00 confirmed)   |
 * | in dispute | the bank will not confirm: a named case                  | reversing, stood-in (an operator asks once more)   |
 */
export const states = {
  open: ['approved', 'declined', 'no-effect', 'accepted', 'refused', 'stood-in', 'reversing'],
  approved: ['approved', 'voided', 'completed', 'reversing'],
  accepted: ['accepted', 'voided'],
  voided: ['approved'],
  completed: ['approved'],
  'stood-in': ['approved', 'in dispute', 'reversing'],
  declined: [],
  refused: [],
  'no-effect': [],
  reversing: ['reversed', 'in dispute'],
  reversed: ['reversing'],
  'in dispute': ['reversing', 'stood-in'],
} as const satisfies Record<string, readonly string[]>;

export type State = keyof typeof states;

/** `to`, where a transaction in `from` may become it. Anything else is a bug of the caller and throws. */
export function edge<S extends State>(from: State, to: S): S {
  if (!(states[from] as readonly State[]).includes(to)) throw new Error(`states: ${from} may not become ${to}`);
  return to;
}
