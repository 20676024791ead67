/** What an issuer sends to the chip: authentication data, and scripts before and after the second cryptogram. */
const issuerTagNumbers: ReadonlySet<number> = new Set([0x91, 0x71, 0x72]);

/**
 * What a chip says of a transaction that was made offline, or of the issuer's scripts (cup-pos §2.3): cryptogram, counters and
 * results, and none of the tags that hold card data (5A, 57, 56, 9F6B, 5F20).
 */
const chipTagNumbers: ReadonlySet<number> = new Set([
  ...[0x9f26, 0x9f27, 0x9f10, 0x9f37, 0x9f36, 0x95, 0x9a, 0x9c, 0x9f02, 0x5f2a, 0x82, 0x9f1a, 0x9f03, 0x9f33, 0x9f34],
  ...[0x9f35, 0x9f1e, 0x84, 0x9f09, 0x9f41, 0x9f63, 0x9f74, 0x8a, 0xdf31],
]);

/**
 * The issuer's tags of a DE55, as received: all that a terminal is told and that is kept for a repeat (cup-pos §2.3).
 * Some banks echo the whole request, and with it card data that must not be stored. Absent when there is none of them,
 * or when the field is no BER-TLV.
 */
export function issuerTags(field55: Uint8Array): Uint8Array | undefined {
  return keep(field55, issuerTagNumbers);
}

/** What of a terminal's DE55 may be kept, sealed, for an advice that is sent again. Absent as above. */
export function chipTags(field55: Uint8Array): Uint8Array | undefined {
  return keep(field55, chipTagNumbers);
}

function keep(field55: Uint8Array, wanted: ReadonlySet<number>): Uint8Array | undefined {
  const kept: number[] = [];
  let at = 0;
  while (at < field55.length) {
    const start = at;
    const first = field55[at++] ?? 0;
    // Padding between tags.
    if (first === 0x00) continue;
    let tag = first;
    if ((first & 0x1f) === 0x1f) {
      let more = true;
      while (more) {
        const next = field55[at++];
        if (next === undefined) return undefined;
        tag = (tag << 8) | next;
        more = (next & 0x80) !== 0;
      }
    }
    const form = field55[at++];
    if (form === undefined || form === 0x80 || form > 0x82) return undefined;
    let length = form < 0x80 ? form : 0;
    for (let more = form < 0x80 ? 0 : form - 0x80; more > 0; more--) length = length * 256 + (field55[at++] ?? 0);
    at += length;
    if (at > field55.length) return undefined;
    if (wanted.has(tag)) kept.push(...field55.subarray(start, at));
  }
  return kept.length === 0 ? undefined : Uint8Array.from(kept);
}
