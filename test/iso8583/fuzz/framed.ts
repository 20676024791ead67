/** Frames on a stream, cut into chunks in every way. */

import { FRAMINGS, FrameSplitter, type Framing, largestBody } from '../../../iso8583/index.ts';
import { encodeNumber, hexOf, joined } from './field.ts';
import { between, bytes, oneIn, type Random } from './random.ts';
import { Violation } from './written.ts';

/** The prefix of a body, written plainly after what `framing.ts` says of it. */
function prefixOf({ lengthBytes, encoding, inclusive, zeroBytes = 0 }: Framing, body: number): Uint8Array {
  const length = inclusive ? body + lengthBytes + zeroBytes : body;
  const digits = encoding === 'bcd' ? 2 * lengthBytes : lengthBytes;
  const written =
    encoding === 'hex'
      ? Buffer.from(length.toString(16).toUpperCase().padStart(lengthBytes, '0'), 'latin1')
      : encodeNumber(length, { encoding, digits });
  return joined(written, new Uint8Array(zeroBytes));
}

/** A few frames of each framing: whole, byte by byte, cut once at every byte, and in chunks of any sizes. */
export function checkFramings(random: Random): void {
  for (const framing of Object.values<Framing>(FRAMINGS)) {
    const most = Math.min(largestBody(framing), 90);
    const bodies = Array.from({ length: between(random, 1, 4) }, () => bytes(random, between(random, 1, most)));
    const stream = joined(...bodies.flatMap(body => [prefixOf(framing, body.length), body]));
    const wanted = bodies.map(hexOf).join();
    const check = (cuts: readonly number[]): void => {
      const splitter = new FrameSplitter(framing, most);
      const frames: string[] = [];
      for (const [index, cut] of [...cuts, stream.length].entries()) {
        splitter.push(stream.slice(cuts[index - 1] ?? 0, cut), frame => frames.push(hexOf(frame)));
      }
      if (frames.join() === wanted && splitter.buffered === 0) return;
      throw new Violation(`${JSON.stringify(framing)} cut at ${cuts}: ${hexOf(stream)} gave ${frames}`);
    };
    const all = Array.from({ length: stream.length }, (_, at) => at);
    check([]);
    check(all);
    for (const at of all) check([at]);
    check(all.filter(() => oneIn(random, 7)));
  }
}
