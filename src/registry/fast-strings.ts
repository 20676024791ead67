/** Times that a property is read: V8 looks at what it has learnt about a place after some ten. */
const enough = 1_000;

/**
 * Gives strings back their speed. ioredis has a class that extends `String`; from its definition on, V8 (that of Node 20)
 * keeps `String.prototype` as a dictionary, and no call of a string's method is compiled in line any more, anywhere in
 * the process (docs/performance.md). It becomes fast again once a property is read, often enough to be cached, of an
 * *object* that inherits from it; strings themselves, being no objects, never cause that.
 */
export function giveStringsTheirSpeed(): void {
  for (let i = 0; i < enough; i++) methodOf(Object(''));
}

function methodOf(text: { readonly trim?: unknown }): unknown {
  return text.trim;
}
