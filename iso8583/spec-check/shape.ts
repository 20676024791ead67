/**
 * What an object of a spec may hold, as a table: for each key its kind, its default and its meaning. The checker and
 * the reference page both read these tables, so that no key is checked and undocumented.
 */

/** Takes one mistake, in words. */
export type Say = (problem: string) => void;

/** A set of values. */
export interface Kind<T> {
  /** Completes `must be …`. */
  readonly words: string;
  /** The same on the reference page, where it differs. */
  readonly page?: string;
  readonly fits: (value: unknown) => value is T;
  /** How a value that does not fit is shown, where the plain way would not tell the reader enough. */
  readonly show?: (value: unknown) => string;
}

export interface Key<T> {
  readonly kind: Kind<T>;
  readonly required: boolean;
  /** What holds when the key is absent; empty where that goes without saying. */
  readonly fallback: string;
  readonly about: string;
}

export type Keys = { readonly [key: string]: Key<unknown> };

/** A table for every key of T, none left out and none besides. */
export type KeysOf<T> = { readonly [K in keyof T]-?: Key<unknown> };

export interface Shape<K extends Keys = Keys> {
  /** Completes `is not a key of …`. */
  readonly name: string;
  /** For the reference page: where such an object stands and what it says. */
  readonly about: string;
  readonly keys: K;
}

/** An object all of whose keys are of their kind. Objects within it are `unknown` still. */
export type Checked<K extends Keys> = { readonly [N in keyof K]: K[N] extends Key<infer T> ? T : never };

export type Bag = Readonly<Record<string, unknown>>;

export function required<T>(kind: Kind<T>, about: string): Key<T> {
  return { kind, required: true, fallback: '', about };
}

export function optional<T>(kind: Kind<T>, about: string, fallback = ''): Key<T | undefined> {
  return { kind, required: false, fallback, about };
}

/** Whether all that a table says of an object holds; every mistake is told. */
export function hasShape<K extends Keys>(shape: Shape<K>, value: unknown, say: Say): value is Checked<K> {
  if (!object.fits(value)) {
    say(`must be an object, not ${show(value)}`);
    return false;
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(shape.keys, key)) say(`${show(key)} is not a key of ${shape.name}`);
  }
  let sound = true;
  for (const [key, { kind, required }] of Object.entries<Key<unknown>>(shape.keys)) {
    const held = Object.hasOwn(value, key) ? value[key] : undefined;
    if (held === undefined ? !required : kind.fits(held)) continue;
    say(held === undefined ? `${key} is missing` : `${key} must be ${kind.words}, not ${(kind.show ?? show)(held)}`);
    sound = false;
  }
  return sound;
}

/** Puts a place in front of each mistake. */
export function within(say: Say, place: string): Say {
  return problem => say(`${place}: ${problem}`);
}

/** In one line, as it is shown. */
export const text: Kind<string> = {
  words: 'text',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in it
  fits: (value): value is string => typeof value === 'string' && /^[^\x00-\x1f\x7f-\x9f]+$/.test(value),
};

/** It becomes a key of JSON, and a step of a path such as `60.1`. */
export const id: Kind<string> = {
  words: 'letters, digits and hyphens',
  fits: (value): value is string =>
    typeof value === 'string' && /^[0-9A-Za-z][0-9A-Za-z-]*$/.test(value) && !(value in Object.prototype),
};

export const flag: Kind<boolean> = {
  words: 'true or false',
  fits: (value): value is boolean => typeof value === 'boolean',
};

export const object: Kind<Bag> = {
  words: 'an object',
  fits: (value): value is Bag => typeof value === 'object' && value !== null && !Array.isArray(value),
};

export const list: Kind<readonly unknown[]> = { words: 'a list', fits: value => Array.isArray(value) };

export const anything: Kind<unknown> = { words: 'anything', fits: (_value): _value is unknown => true };

export function matching(pattern: RegExp, words: string): Kind<string> {
  return { words, fits: (value): value is string => typeof value === 'string' && pattern.test(value) };
}

/** A whole number. */
export function count(least: number, most: number): Kind<number> {
  const fits = (value: unknown): value is number =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
  return { words: `${least} to ${most}`, fits };
}

export function oneOf<const T extends string | number>(values: readonly T[]): Kind<T> {
  const fits = (value: unknown): value is T => values.some(one => one === value);
  return { words: either(values), page: either(values.map(one => `\`${one}\``)), fits };
}

/** A list of `least` entries or more; `words` are for the entries. */
export function listOf<T>(entry: Kind<T>, words: string, least: 0 | 1 = 1): Kind<readonly T[]> {
  return {
    words: `a list of ${words}`,
    fits: (value): value is readonly T[] => Array.isArray(value) && value.length >= least && value.every(entry.fits),
    show: value => {
      if (!Array.isArray(value)) return show(value);
      return value.length < least ? 'an empty one' : `one with ${show(value.find(one => !entry.fits(one)))}`;
    },
  };
}

/** The same kind, described on the reference page by a link to what it holds. */
export function linked<T>(kind: Kind<T>, page: string): Kind<T> {
  return { ...kind, page };
}

/** `a, b or c`. */
export function either(values: readonly (string | number)[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** A value that a spec holds, on one line and never long: files may hold anything. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return value === undefined ? 'nothing' : String(value);
}

/** A key or a name as part of a place: as it is where it is plain, and otherwise as `show` has it. */
export function label(name: string): string {
  return /^[\x21-\x7e]{1,40}$/.test(name) ? name : show(name);
}

/** How a member of a list is called in a place: by the key that names it or, without one, by its place in the list. */
export function called(member: unknown, key: 'id' | 'name', index: number): string {
  const name = object.fits(member) ? member[key] : undefined;
  return typeof name === 'string' && name !== '' ? label(name) : String(index + 1);
}
