/**
 * All SQL of the journal room. Batches go in as arrays (`unnest`): one prepared statement, one round trip and one
 * flush for any number of transactions.
 */

/** Columns of OPEN in the order of the parameters that follow the owner epoch ($1), with their array types. */
const openColumns = [
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

/**
 * Who holds the identities of those that were not opened. $1 to $5: the parts of the identity; $6 this process, which
 * gets no answer when it is fenced: it may tell nobody what the holder was told.
 */
export const holders = `
SELECT asked.ord, held.tx_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
       AS asked (merchant_id, terminal_id, batch, trace, message_class, ord)
JOIN identities held USING (merchant_id, terminal_id, batch, trace, message_class)
WHERE EXISTS (SELECT FROM journal_owners WHERE epoch = $6 AND fenced_at IS NULL)`;

/**
 * CLOSE: the next version, the reversal it stores or ends, the case it opens, and the debt to the projection of a
 * change after the end, in one commit. Answers what was written; the rest lost against
 * another change, or the owner is fenced.
 */
export const close = `
WITH owner AS (${owner}),
     asked AS (
       SELECT asked.* FROM unnest(
         $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
         $10::bytea[], $11::timestamptz[], $12::text[], $13::bigint[], $14::text[], $15::text[], $16::text[],
         $17::timestamptz[], $18::text[])
       AS asked (tx_id, version, state, reason, response_code, auth_code, approved_minor, settlement_date,
                 answer_sealed, answer_expires_at, r_link, r_owner, r_stan, r_transmission_at, r_reason, r_not_before, case_detail), owner),
     written AS (
       INSERT INTO journal (tx_id, version, state, owner_epoch, reason, response_code, auth_code, approved_minor,
                            settlement_date, answer_sealed, answer_expires_at)
       SELECT tx_id, version, state, $1, reason, response_code, auth_code, approved_minor, settlement_date,
              answer_sealed, answer_expires_at
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
       ON CONFLICT DO NOTHING),
     indebted AS (
       INSERT INTO projection_debts (tx_id, version)
       SELECT tx_id, version FROM written WHERE version > 2)
SELECT tx_id, version FROM written`;

/** What stands in the places that a close did not get. $1 tx_ids, $2 versions. */
export const occupants = `
SELECT tx_id, version, state, owner_epoch, reason, response_code
FROM journal JOIN unnest($1::bigint[], $2::integer[]) AS asked (tx_id, version) USING (tx_id, version)`;

/** All rows of one transaction, first to last. */
export const read = 'SELECT * FROM journal WHERE tx_id = $1 ORDER BY version';

/** All rows of the transaction that holds an identity. */
export const find = `
SELECT * FROM journal
WHERE tx_id = (SELECT tx_id FROM identities
               WHERE merchant_id = $1 AND terminal_id = $2 AND batch = $3 AND trace = $4 AND message_class = $5)
ORDER BY version`;

/** $4 this process: a reversal that was taken over is its new owner's to count. */
export const tried = 'UPDATE stored_reversals SET tries = $2, not_before = $3 WHERE tx_id = $1 AND owner_epoch = $4';

export const owedReversals = `
SELECT tx_id, link, stan, transmission_at, reason, tries, not_before, stored_at
FROM (SELECT *, row_number() OVER (PARTITION BY link ORDER BY not_before) AS place
      FROM stored_reversals WHERE owner_epoch = $1) owed
WHERE place <= $2`;

export const newOwner = 'INSERT INTO journal_owners (node) VALUES ($1) RETURNING epoch';

/** $1 owner, $2 lease in ms, $3 low water. Tells whether somebody fenced the owner meanwhile. */
export const renewLease = `
INSERT INTO journal_leases (epoch, expires_at, low_water) VALUES ($1, now() + $2 * interval '1 millisecond', $3)
ON CONFLICT (epoch) DO UPDATE SET expires_at = excluded.expires_at, low_water = excluded.low_water
RETURNING (SELECT fenced_at IS NOT NULL FROM journal_owners WHERE journal_owners.epoch = $1) AS fenced`;

/** The lock a living process holds on a connection of its own. First key: a fixed word for this use. */
export const tryOwnerLock = 'SELECT pg_try_advisory_lock(7410001, $1) AS held';

/**
 * Whether `owner` may be taken from whoever it belongs to. $2 is this process, $3 the lease in milliseconds, $4 whether a
 * free lock is proof of death. An owner that nobody fenced: its lease has run out, or its lock is free (a lock taken here
 * is given back at the end of the statement); but not within one lease of a restart of Postgres, which frees every lock
 * and ages every lease. A fenced one: by this process, or by one that was fenced itself before it came to the end.
 */
const abandoned = `
  CASE WHEN owner.fenced_at IS NULL
  THEN pg_postmaster_start_time() < now() - $3 * interval '1 millisecond'
       AND EXISTS (SELECT FROM journal_leases lease WHERE lease.epoch = owner.epoch AND
                   CASE WHEN lease.expires_at < now() THEN true
                   ELSE $4::boolean AND pg_try_advisory_xact_lock(7410001, owner.epoch::integer) END)
  ELSE owner.fenced_by = $2 OR EXISTS (SELECT FROM journal_owners by
                                       WHERE by.epoch = owner.fenced_by AND by.fenced_at IS NOT NULL)
  END`;

/** Owners to recover. $1 is nobody: it only keeps the places of the parameters those of `fence`. */
export const lostOwners = `
SELECT epoch FROM journal_owners owner
WHERE recovered_at IS NULL AND epoch <> $2 AND $1::bigint IS NULL AND ${abandoned}
ORDER BY epoch`;

/** Fences owner $1, if it may still be taken, and if the one who fences is not fenced itself. */
export const fence = `
UPDATE journal_owners owner SET fenced_at = coalesce(fenced_at, now()), fenced_by = $2
WHERE epoch = $1 AND recovered_at IS NULL AND ${abandoned}
  AND EXISTS (SELECT FROM journal_owners me WHERE me.epoch = $2 AND me.fenced_at IS NULL FOR SHARE)`;

/** Transactions of a fenced owner without an end: one range of the primary key, from its low water. */
export const openOf = `
SELECT first.* FROM journal first
WHERE first.tx_id >= greatest($1::bigint, (SELECT low_water FROM journal_leases WHERE epoch = $3))
  AND first.tx_id < $2 AND first.version = 1 AND first.state = 'open'
  AND NOT EXISTS (SELECT FROM journal later WHERE later.tx_id = first.tx_id AND later.version = 2)
ORDER BY first.tx_id LIMIT $4`;

export const recovered = 'UPDATE journal_owners SET recovered_at = now() WHERE epoch = $1 AND fenced_at IS NOT NULL';

/** $1 this process, which must not be fenced itself. */
export const takeOverReversals = `
UPDATE stored_reversals SET owner_epoch = $1
WHERE owner_epoch IN (SELECT epoch FROM journal_owners WHERE fenced_at IS NOT NULL)
  AND EXISTS (SELECT FROM journal_owners WHERE epoch = $1 AND fenced_at IS NULL)`;

/** $1 series, $2 size: the first number of a new block. */
export const reserveNumbers = `
INSERT INTO number_blocks (series, next) VALUES ($1, $2)
ON CONFLICT (series) DO UPDATE SET next = number_blocks.next + $2
RETURNING next - $2 AS first`;

/**
 * The statements below read the journal for the projection and for the count of limits. They are not prepared by name:
 * each is planned from the sizes the tables have then, and a plan made for an empty journal never meets a full one. What
 * looks up single rows does it in LATERAL or scalar subqueries, which no planner turns into a walk over the whole table.
 */

/** What a row of the first version brings to `transactions` under its own name. */
const shownNames = openColumns
  .map(([name]) => name as string)
  .filter(name => !['tx_id', 'state', 'response_code', 'pan_sealed', 'request_digest'].includes(name))
  .concat('original_tx_id');

/** The latest row that has a value decides, as in `mergeRows`; between the first and the last there is hardly ever one. */
const latestOf = (column: string): string => `
       CASE WHEN last.version > 2
       THEN (SELECT its.${column} FROM journal its WHERE its.tx_id = asked.tx_id AND its.${column} IS NOT NULL
             ORDER BY its.version DESC LIMIT 1)
       ELSE coalesce(last.${column}, first.${column}) END`;

/** What a later version changes in a row of `transactions`. */
const changing = [
  'version',
  'state',
  'owner_epoch',
  'changed_at',
  'reason',
  'response_code',
  'auth_code',
  'approved_minor',
  'settlement_date',
] as const;

/**
 * Projects these transactions ($1, ascending, so that two who project the same never wait for each other in a circle) as
 * they stand. Whoever projects an older version later changes nothing.
 */
export const project = `
INSERT INTO transactions (tx_id, opened_at, ${shownNames.join(', ')}, ${changing.join(', ')})
SELECT asked.tx_id, first.at, ${shownNames.map(name => `first.${name}`).join(', ')},
       last.version, last.state, last.owner_epoch, last.at, last.reason,
       ${['response_code', 'auth_code', 'approved_minor', 'settlement_date'].map(latestOf).join(',')}
FROM unnest($1::bigint[]) AS asked (tx_id)
CROSS JOIN LATERAL (SELECT * FROM journal WHERE tx_id = asked.tx_id AND version = 1 LIMIT 1) AS first
CROSS JOIN LATERAL (SELECT * FROM journal WHERE tx_id = asked.tx_id ORDER BY version DESC LIMIT 1) AS last
ON CONFLICT (tx_id) DO UPDATE SET ${changing.map(name => `${name} = excluded.${name}`).join(', ')}
WHERE transactions.version < excluded.version`;

/** The same, and in the same commit how far their owner has come. $2 epoch, $3 and $4 its lows. */
export const projectOwn = `
WITH come AS (
  INSERT INTO projections (epoch, listed_low, projected_low) VALUES ($2, $3, $4)
  ON CONFLICT (epoch) DO UPDATE SET listed_low = excluded.listed_low, projected_low = excluded.projected_low)
${project}`;

/** A page of $3 transactions from $1 on and below $2, and whether each is projected as far as its owner took it. */
export const projectedInRange = `
SELECT first.tx_id,
       coalesce((SELECT shown.version > 1 OR shown.state <> 'open' FROM transactions shown
                 WHERE shown.tx_id = first.tx_id), false) AS projected
FROM journal first WHERE first.tx_id >= $1 AND first.tx_id < $2 AND first.version = 1
ORDER BY first.tx_id LIMIT $3`;

export const projectedLow = 'SELECT projected_low FROM projections WHERE epoch = $1';

/**
 * Removes the debts of these transactions that are paid: those of versions that `transactions` shows. A debt written
 * since is for a later version and stays.
 */
export const settleDebts = `
DELETE FROM projection_debts debt
WHERE debt.tx_id = ANY($1::bigint[])
  AND debt.version <= (SELECT shown.version FROM transactions shown WHERE shown.tx_id = debt.tx_id)`;

/** Debts that nobody has paid for $1 milliseconds. */
export const oldDebts = `
SELECT DISTINCT tx_id FROM projection_debts WHERE at < now() - $1 * interval '1 millisecond' ORDER BY tx_id LIMIT $2`;

const newestState = (txId: string): string =>
  `(SELECT last.state FROM journal last WHERE last.tx_id = ${txId} ORDER BY last.version DESC LIMIT 1)`;

/**
 * The reservations that limits count: open and approved amounts of a merchant ($1) on a business date ($2), as of now.
 * From `transactions`, with the state from the journal where the row may be behind, and from the journal what no row may
 * stand for yet: the end of the numbers of each owner that is not recovered.
 */
export const reservations = `
WITH counted AS (
  SELECT shown.tx_id, shown.amount_minor,
         CASE WHEN shown.version = 1 OR EXISTS (SELECT FROM projection_debts debt WHERE debt.tx_id = shown.tx_id)
         THEN ${newestState('shown.tx_id')} ELSE shown.state END AS state
  FROM transactions shown
  WHERE shown.merchant_id = $1 AND shown.business_date = $2::date AND shown.kind = 'purchase'
  UNION ALL
  SELECT unlisted.tx_id, unlisted.amount_minor, ${newestState('unlisted.tx_id')}
  FROM journal_owners owner
  CROSS JOIN LATERAL (
    SELECT first.tx_id, first.amount_minor FROM journal first
    WHERE first.tx_id >= coalesce((SELECT come.listed_low FROM projections come WHERE come.epoch = owner.epoch),
                                  owner.epoch << 32)
      AND first.tx_id < (owner.epoch + 1) << 32
      AND first.version = 1 AND first.merchant_id = $1 AND first.business_date = $2::date AND first.kind = 'purchase'
      AND (SELECT true FROM transactions shown WHERE shown.tx_id = first.tx_id) IS NULL
    OFFSET 0) AS unlisted
  WHERE owner.recovered_at IS NULL)
SELECT tx_id, amount_minor FROM counted WHERE state IN ('open', 'approved')`;
