/** A refusal that the dialect decides by itself. `reason` is a fixed word for the counter and the log. */
export interface Refusal {
  readonly responseCode: string;
  readonly reason: string;
}

/** A reader either gives what it read or why the message is refused. */
export type Or<T> = { readonly value: T } | { readonly refusal: Refusal };

export function refuse(responseCode: string, reason: string): { readonly refusal: Refusal } {
  return { refusal: { responseCode, reason } };
}
