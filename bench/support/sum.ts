/** What operations give, as numbers that can be summed. */

/**
 * A character from the middle: a string that is still a bundle of pieces must be put together for it, as for a caller.
 */
export function middleOf(text: string | undefined): number {
  return text === undefined ? 0 : text.charCodeAt(text.length >> 1);
}

/** From a message that was written: its end, and two of its bytes. */
export function sampleOf(bytes: Uint8Array, start: number, end: number): number {
  return end + ((bytes[(start + end) >> 1] as number) << 8) + ((bytes[end - 1] as number) << 16);
}

/** The same text in one piece, as it comes from a socket or a database and not from adding up strings. */
export function inOnePiece(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
