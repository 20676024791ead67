/**
 * How the text of a setting becomes a value. A parser says what it expected; it never repeats what it was given, because
 * that may be a password.
 */

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string };

export type Parser<T> = (text: string) => Parsed<T>;

/** Where a server listens. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** A whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): Parser<number> {
  return text => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? ok(value) : bad(`a whole number from ${least} to ${most}`);
  };
}

/** One of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): Parser<W> {
  return text => {
    const word = words.find(one => one === text);
    return word === undefined ? bad(words.join(' or ')) : ok(word);
  };
}

/** `on` or `off`. */
export function onOff(text: string): Parsed<boolean> {
  if (text === 'on') return ok(true);
  return text === 'off' ? ok(false) : bad('on or off');
}

/** A comma-separated list whose members are all among `words`; empty is no member. */
export function listOf<const W extends string>(...words: readonly W[]): Parser<ReadonlySet<W>> {
  return text => {
    const members = split(text).map(name => words.find(one => one === name));
    return members.every(member => member !== undefined)
      ? ok(new Set(members))
      : bad(`names out of ${words.join(', ')}, separated by commas`);
  };
}

/** A comma-separated list of texts that match; empty is no member. */
export function textList(pattern: RegExp, expected: string): Parser<readonly string[]> {
  return text => {
    const members = split(text);
    return members.every(member => pattern.test(member)) ? ok(members) : bad(expected);
  };
}

/** A text that matches. */
export function text(pattern: RegExp, expected: string): Parser<string> {
  return given => (pattern.test(given) ? ok(given) : bad(expected));
}

/** A URL of one of these schemes with a host. */
export function url(...schemes: readonly string[]): Parser<string> {
  const expected = `a URL ${schemes.map(scheme => `${scheme}://host...`).join(' or ')}`;
  return given => {
    if (!URL.canParse(given)) return bad(expected);
    const parts = new URL(given);
    return schemes.includes(parts.protocol.slice(0, -1)) && parts.hostname !== '' ? ok(given) : bad(expected);
  };
}

/** `host:port`; an IPv6 host in brackets; port 0 takes a free one. */
export function listen(given: string): Parsed<Listen> {
  const parts = /^(?:\[([0-9A-Fa-f:]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(given);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  return host !== undefined && port <= 65_535 ? ok({ host, port }) : bad('host:port, an IPv6 host in brackets');
}

/** A fixed offset from UTC, `+08:00`, in minutes. */
export function utcOffset(given: string): Parsed<number> {
  const parts = /^([+-])(\d{2}):([0-5]\d)$/.exec(given);
  const minutes = Number(parts?.[2]) * 60 + Number(parts?.[3]);
  if (!(minutes <= 14 * 60)) return bad('an offset from UTC such as +08:00');
  return ok(parts?.[1] === '-' ? 0 - minutes : minutes);
}

/** What the inner parser reads, or null where the text is empty: the value is worked out from other settings. */
export function orDerived<T>(parser: Parser<T>): Parser<T | null> {
  return given => (given === '' ? ok(null) : parser(given));
}

/** Whether only this machine can reach a listener. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function split(list: string): string[] {
  return list === '' ? [] : list.split(',').map(member => member.trim());
}

function ok<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

function bad(expected: string): Parsed<never> {
  return { ok: false, expected };
}
