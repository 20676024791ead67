/**
 * All SQL of the journal room. Batches go in as arrays (`unnest`): one prepared statement, one round trip and one
 * flush for any number of transactions.
 */

/** Columns of OPEN in the order of the parameters that follow the owner epoch ($1), with their array types. */
export const openColumns = [
  ['tx_id', 'bigint'],
  ['state', 'text'],
  ['kind', 'text'],
  ['merchant_id', 'text'],
  ['terminal_id', 'text'],
  ['batch', 'text'],
  ['trace', 'text'],
  ['message_class', 'text'],
  ['binding_id', 'bigint'],
  ['business_date', 'date'],
  ['rrn', 'text'],
  ['stan', 'text'],
  ['transmission_at', 'text'],
  ['link', 'text'],
  ['bank_mti', 'text'],
  ['acquirer_id', 'text'],
  ['forwarder_id', 'text'],
  ['processing_code', 'text'],
  ['type_code', 'text'],
  ['condition_code', 'text'],
  ['entry_mode', 'text'],
  ['amount_minor', 'bigint'],
  ['currency', 'text'],
  ['exponent', 'smallint'],
  ['bin', 'text'],
  ['card_kind', 'text'],
  ['pan_sealed', 'bytea'],
  ['pan_hash', 'bytea'],
  ['key_version', 'smallint'],
  ['request_digest', 'bytea'],
  ['local_time', 'text'],
  ['local_date', 'text'],
  ['mcc', 'text'],
  ['merchant_name', 'text'],
  ['response_code', 'text'],
] as const;

const openNames = openColumns.map(([name]) => name).join(', ');
const openArrays = openColumns.map(([, type], i) => `$${i + 2}::${type}[]`).join(', ');

/**
 * The row of the owner, locked against fencing for as long as the batch takes. FOR SHARE and not FOR KEY SHARE: the
 * latter does not conflict with an UPDATE of `fenced_at`, and a batch could commit after the owner was fenced.
 */
const owner = 'SELECT epoch FROM journal_owners WHERE epoch = $1 AND fenced_at IS NULL FOR SHARE';

/** OPEN: the identity and the first row in one commit. Answers the tx_ids that were opened. */
export const open = `
WITH owner AS (${owner}),
     asked AS (SELECT asked.* FROM unnest(${openArrays}) AS asked (${openNames}), owner),
     named AS (
       INSERT INTO identities (merchant_id, terminal_id, batch, trace, message_class, tx_id)
       SELECT merchant_id, terminal_id, batch, trace, message_class, tx_id FROM asked
       ON CONFLICT DO NOTHING
       RETURNING tx_id)
INSERT INTO journal (version, owner_epoch, ${openNames})
SELECT 1, $1, ${openColumns.map(([name]) => `asked.${name}`).join(', ')} FROM asked JOIN named USING (tx_id)
RETURNING tx_id`;

/** Who holds the identities of those that were not opened. $1 to $5: the parts of the identity. */
export const holders = `
SELECT asked.ord, held.tx_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
       AS asked (merchant_id, terminal_id, batch, trace, message_class, ord)
JOIN identities held USING (merchant_id, terminal_id, batch, trace, message_class)`;

/**
 * CLOSE: the next version, the reversal it stores or ends, and the case it opens, in one commit. Answers what was
 * written; the rest lost against another change, or the owner is fenced.
 */
export const close = `
WITH owner AS (${owner}),
     asked AS (
       SELECT asked.* FROM unnest(
         $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
         $10::bytea[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::text[], $16::timestamptz[], $17::text[])
       AS asked (tx_id, version, state, reason, response_code, auth_code, approved_minor, settlement_date,
                 answer_sealed, r_link, r_owner, r_stan, r_transmission_at, r_reason, r_not_before, case_detail), owner),
     written AS (
       INSERT INTO journal (tx_id, version, state, owner_epoch, reason, response_code, auth_code, approved_minor,
                            settlement_date, answer_sealed)
       SELECT tx_id, version, state, $1, reason, response_code, auth_code, approved_minor, settlement_date,
              answer_sealed
       FROM asked
       ON CONFLICT DO NOTHING
       RETURNING tx_id, version),
     stored AS (
       INSERT INTO stored_reversals (tx_id, link, owner_epoch, stan, transmission_at, reason, not_before)
       SELECT tx_id, r_link,
              coalesce((SELECT o.epoch FROM journal_owners o WHERE o.epoch = r_owner AND o.fenced_at IS NULL), $1), r_stan, r_transmission_at, r_reason, r_not_before
       FROM asked JOIN written USING (tx_id, version) WHERE r_link IS NOT NULL
       ON CONFLICT DO NOTHING),
     ended AS (
       DELETE FROM stored_reversals USING asked JOIN written USING (tx_id, version)
       WHERE stored_reversals.tx_id = asked.tx_id AND asked.state IN ('reversed', 'in dispute')),
     opened AS (
       INSERT INTO cases (tx_id, kind, detail)
       SELECT tx_id, 'in dispute', case_detail FROM asked JOIN written USING (tx_id, version)
       WHERE case_detail IS NOT NULL
       ON CONFLICT DO NOTHING)
SELECT tx_id, version FROM written`;

/** What stands in the places that a close did not get. $1 tx_ids, $2 versions. */
export const occupants = `
SELECT tx_id, version, state, owner_epoch
FROM journal JOIN unnest($1::bigint[], $2::integer[]) AS asked (tx_id, version) USING (tx_id, version)`;

/** All rows of one transaction, first to last. */
export const read = 'SELECT * FROM journal WHERE tx_id = $1 ORDER BY version';

/** All rows of the transaction that holds an identity. */
export const find = `
SELECT * FROM journal
WHERE tx_id = (SELECT tx_id FROM identities
               WHERE merchant_id = $1 AND terminal_id = $2 AND batch = $3 AND trace = $4 AND message_class = $5)
ORDER BY version`;

export const tried = 'UPDATE stored_reversals SET tries = $2, not_before = $3 WHERE tx_id = $1';

export const owedReversals = `
SELECT tx_id, link, stan, transmission_at, reason, tries, not_before, stored_at
FROM stored_reversals WHERE owner_epoch = $1 ORDER BY not_before LIMIT $2`;

/** The reservations that limits count: open and approved amounts of a merchant on a business date. */
export const reservations = `
SELECT first.tx_id, first.amount_minor
FROM journal first
WHERE first.version = 1 AND first.merchant_id = $1 AND first.business_date = $2 AND first.kind = 'purchase'
  AND (SELECT last.state FROM journal last WHERE last.tx_id = first.tx_id ORDER BY last.version DESC LIMIT 1)
      IN ('open', 'approved')`;

export const newOwner = 'INSERT INTO journal_owners (node) VALUES ($1) RETURNING epoch';

export const renewLease = `
INSERT INTO journal_leases (epoch, expires_at, low_water) VALUES ($1, now() + $2 * interval '1 millisecond', $3)
ON CONFLICT (epoch) DO UPDATE SET expires_at = excluded.expires_at, low_water = excluded.low_water`;

/** The lock a living process holds on a connection of its own. First key: a fixed word for this use. */
export const holdOwnerLock = 'SELECT pg_advisory_lock(7410001, $1)';

/**
 * Owners to recover: those not fenced whose lock is free (the process died, known at once) or whose lease ran out (it
 * fell silent), and those fenced by someone who did not come to the end of the recovery. $1 this process, $2 lease in
 * milliseconds: a Postgres that has just restarted has lost every lock and aged every lease, so that all owners get
 * one lease of time to come back. A lock taken here is given back at the end of the statement.
 */
export const lostOwners = `
SELECT epoch FROM journal_owners owner JOIN journal_leases USING (epoch)
WHERE recovered_at IS NULL AND epoch <> $1
  AND CASE WHEN fenced_at IS NULL
      THEN pg_postmaster_start_time() < now() - $2 * interval '1 millisecond'
           AND (expires_at < now() OR pg_try_advisory_xact_lock(7410001, epoch::integer))
      ELSE fenced_by = $1 OR EXISTS (SELECT FROM journal_owners by
                                     WHERE by.epoch = owner.fenced_by AND by.fenced_at IS NOT NULL)
      END
ORDER BY epoch`;

/** $1 owner, $2 this process. Takes what nobody fenced, what this process fenced, and what a dead one left. */
export const fence = `
UPDATE journal_owners owner SET fenced_at = coalesce(fenced_at, now()), fenced_by = $2
WHERE epoch = $1 AND (fenced_at IS NULL OR fenced_by = $2
                      OR EXISTS (SELECT FROM journal_owners by
                                 WHERE by.epoch = owner.fenced_by AND by.fenced_at IS NOT NULL))`;

/** Transactions of a fenced owner without an end: one range of the primary key, from its low water. */
export const openOf = `
SELECT first.* FROM journal first
WHERE first.tx_id >= greatest($1::bigint, (SELECT low_water FROM journal_leases WHERE epoch = $3))
  AND first.tx_id < $2 AND first.version = 1 AND first.state = 'open'
  AND NOT EXISTS (SELECT FROM journal later WHERE later.tx_id = first.tx_id AND later.version = 2)
ORDER BY first.tx_id LIMIT $4`;

export const recovered = 'UPDATE journal_owners SET recovered_at = now() WHERE epoch = $1 AND fenced_at IS NOT NULL';

export const takeOverReversals = `
UPDATE stored_reversals SET owner_epoch = $1
WHERE owner_epoch IN (SELECT epoch FROM journal_owners WHERE fenced_at IS NOT NULL)`;

/** $1 series, $2 size: the first number of a new block. */
export const reserveNumbers = `
INSERT INTO number_blocks (series, next) VALUES ($1, $2)
ON CONFLICT (series) DO UPDATE SET next = number_blocks.next + $2
RETURNING next - $2 AS first`;
