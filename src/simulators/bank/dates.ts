/** Dates in the forms of the messages, in UTC as DE7 is. */

/** DE7 MMDDhhmmss. */
export function transmissionTime(): string {
  return new Date().toISOString().replace(/^\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d).*$/, '$1$2$3$4$5');
}

/** DE15 MMDD: the bank's day ends at midnight UTC. */
export function settlementDay(): string {
  const now = new Date().toISOString();
  return now.slice(5, 7) + now.slice(8, 10);
}

/** YYMM, to compare with an expiry. */
export function thisMonth(): string {
  const now = new Date().toISOString();
  return now.slice(2, 4) + now.slice(5, 7);
}
