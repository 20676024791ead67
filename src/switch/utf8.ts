const encoder = new TextEncoder();
let room = new Uint8Array(1024);

/** The bytes of a text, to be used before the next call: memory for each would be a good part of sealing it. */
export function utf8(text: string): Uint8Array {
  if (room.length < 3 * text.length) room = new Uint8Array(6 * text.length);
  return room.subarray(0, encoder.encodeInto(text, room).written);
}
