/** The commands: each gives what is written to standard output. */

import { describe } from '../describe.ts';
import { frame, unframe } from '../framing.ts';
import { messageToJson } from '../json.ts';
import { jsonToDraft, packToBytes } from '../json-draft.ts';
import { hexOf } from '../shown.ts';
import { dialects } from '../specs/index.ts';
import type { Call } from './call.ts';
import { bytesOf, codecOf, dialectOf, framingOf, jsonOf, textOf, type World } from './input.ts';
import type { CommandName } from './options.ts';
import { ascii, Refusal } from './refusal.ts';

/** All throw `Iso8583Error`, `FramingError`, `SpecError` or `Refusal`. */
export const RUN: Readonly<Record<CommandName, (call: Call, world: World) => string>> = {
  unpack(call, world) {
    const { codec, message } = received(call, world);
    return jsonLine(messageToJson(codec, message, call.show));
  },

  pack(call, world) {
    const codec = codecOf(call, world);
    const framing = framingOf(call, codec.spec);
    const bytes = packToBytes(codec, jsonToDraft(codec, jsonOf(textOf(call, world), 'the message')));
    return `${hexOf(framing === undefined ? bytes : frame(framing, bytes))}\n`;
  },

  describe(call, world) {
    const { codec, message } = received(call, world);
    if (!call.json) return `${describe(codec, message, call.show)}\n`;
    const verdict = codec.validate(message);
    return jsonLine({ spec: codec.spec.name, verdict, ...messageToJson(codec, message, call.show) });
  },

  specs({ rest: [name, ...more], json }) {
    if (more.length > 0) throw new Refusal('usage', 'specs: one NAME at a time');
    if (name !== undefined) return `${JSON.stringify(dialectOf(name), null, 2)}\n`;
    if (json) return jsonLine(dialects.map(({ name, title }) => ({ name, title })));
    const width = Math.max(...dialects.map(({ name }) => name.length));
    return dialects.map(({ name, title }) => `${name.padEnd(width)}  ${title}\n`).join('');
  },
};

function received(call: Call, world: World) {
  const codec = codecOf(call, world);
  const framing = framingOf(call, codec.spec);
  const bytes = bytesOf(textOf(call, world));
  return { codec, message: codec.unpack(framing === undefined ? bytes : unframe(framing, bytes)) };
}

function jsonLine(value: unknown): string {
  return `${ascii(JSON.stringify(value))}\n`;
}
