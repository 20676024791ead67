/** Dates in the forms of the messages, in UTC as DE7 is. */

/** DE7 MMDDhhmmss. */
export function transmissionTime(): string {
  return new Date().toISOString().replace(/^\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d).*$/, '$1$2$3$4$5');
}

const dayMs = 86_400_000;
/** Days since 1970, and the one of them in words: it is asked for with every message. */
let lastDay = -1;
let lastDate = '';

/** DE15 MMDD: the bank's day ends at midnight UTC. */
export function settlementDay(): string {
  const nowMs = Date.now();
  const day = Math.floor(nowMs / dayMs);
  if (day !== lastDay) {
    const now = new Date(nowMs).toISOString();
    lastDate = now.slice(5, 7) + now.slice(8, 10);
    lastDay = day;
  }
  return lastDate;
}

/** YYMM, to compare with an expiry. */
export function thisMonth(): string {
  const now = new Date().toISOString();
  return now.slice(2, 4) + now.slice(5, 7);
}
