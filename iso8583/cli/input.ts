/** What a command works on: the codec, and the text that it was given. */

import { type Codec, compile } from '../codec.ts';
import { FRAMINGS, type Framing } from '../framing.ts';
import type { Spec } from '../spec.ts';
import { dialects } from '../specs/index.ts';
import type { Call } from './call.ts';
import { Refusal } from './refusal.ts';

/** The world as far as a command sees it. */
export interface World {
  /** All of standard input. Throws what the file system throws, as `readFile` does. */
  readStdin(): string;
  readFile(path: string): string;
}

/** The codec of the chosen dialect, without the headers that messages do not have. Throws `Refusal`, `SpecError`. */
export function codecOf({ spec: name, specFile, without }: Call, world: World): Codec {
  if (name !== undefined && specFile !== undefined) {
    throw new Refusal('usage', '--spec and --spec-file are one or the other');
  }
  const spec = specFile === undefined ? dialectOf(name) : specOf(specFile, world);
  const codec: Codec = compile(spec);
  return without.length === 0 ? codec : compile(withoutHeaders(spec, without));
}

/** A dialect that is shipped. Throws `Refusal`. */
export function dialectOf(name: string | undefined): Spec {
  const names = dialects.map(dialect => dialect.name).join(', ');
  if (name === undefined) throw new Refusal('usage', `--spec NAME or --spec-file FILE is needed; there are ${names}`);
  const spec = dialects.find(dialect => dialect.name === name);
  if (spec === undefined) throw new Refusal('usage', `no such spec; there are ${names}`);
  return spec;
}

/** Whatever JSON the file holds: `compile` is who checks it. */
function specOf(path: string, world: World): Spec {
  const text = contentOf('--spec-file', () => world.readFile(path));
  return jsonOf(text, '--spec-file', 'bad-spec') as Spec;
}

function contentOf(what: string, read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    throw new Refusal('usage', `${what} cannot be read: ${error.code}`);
  }
}

function withoutHeaders(spec: Spec, without: readonly string[]): Spec {
  const { headers = [] } = spec;
  for (const name of without) {
    if (headers.some(header => header.name === name)) continue;
    const names = headers.map(header => header.name).join(', ');
    throw new Refusal('usage', `--no-${name}: ${spec.name} has no header of that name, but ${names || 'none at all'}`);
  }
  return { ...spec, headers: headers.filter(({ name }) => !without.includes(name)) };
}

/** How messages are framed; undefined where they are not. */
export function framingOf({ framing }: Call, { name, framing: own }: Spec): Framing | undefined {
  if (framing === false) return undefined;
  if (framing !== true) return FRAMINGS[framing];
  if (own !== undefined) return own;
  throw new Refusal('usage', `--framed: spec ${name} does not say how; --framing says it`);
}

/** The text behind the options, or else standard input. */
export function textOf({ rest }: Call, world: World): string {
  return rest.length === 0 || (rest.length === 1 && rest[0] === '-')
    ? contentOf('standard input', () => world.readStdin())
    : rest.join(' ');
}

/** The bytes of a text in hex. */
export function bytesOf(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  const at = text.search(/[^0-9A-Fa-f\s]/);
  if (at >= 0) throw new Refusal('bad-hex', `character ${at + 1} is no hex digit`);
  if (digits === '') throw new Refusal('bad-hex', 'there is none');
  if (digits.length % 2 === 1) throw new Refusal('bad-hex', `${digits.length} digits, half a byte too many`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

/** What a JSON document holds. The parser's own words quote it, so only the place is told, where they name one. */
export function jsonOf(text: string, what: string, code: 'bad-json' | 'bad-spec' = 'bad-json'): unknown {
  try {
    // Some editors put a mark in front that JSON does not know.
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const place = / at position (\d+)/.exec(error.message)?.[1];
    throw new Refusal(code, `${what} is no JSON document${place === undefined ? '' : placeOf(text, Number(place))}`);
  }
}

function placeOf(text: string, position: number): string {
  const lines = text
    .replace(/^\ufeff/, '')
    .slice(0, position)
    .split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  return lines.length === 1 ? `, at character ${column}` : `, at line ${lines.length}, character ${column}`;
}
