/**
 * All SQL of the journal room. Batches go in as arrays (`unnest`): one prepared statement, one round trip and one
 * flush for any number of transactions.
 */

import { countedKinds } from '../switch/ports.ts';
import type { CompositeColumn } from './composite.ts';

/** Columns of OPEN, as in the type `journal_opening_1`. */
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
  ['original_tx_id', 'bigint'],
  ['direction', 'text'],
  ['forwarded_minor', 'bigint'],
  ['auth_code', 'text'],
  ['icc_sealed', 'bytea'],
] as const satisfies readonly CompositeColumn[];

const openNames = openColumns.map(([name]) => name).join(', ');

/**
 * The row of the owner, locked against fencing for as long as the batch takes. FOR SHARE and not FOR KEY SHARE: the
 * latter does not conflict with an UPDATE of `fenced_at`, and a batch could commit after the owner was fenced.
 */
const owner = 'SELECT epoch FROM journal_owners WHERE epoch = $1 AND fenced_at IS NULL FOR SHARE';

/** The numbers of the types that batches are sent as. */
export const types = `
SELECT 'journal_opening_1'::regtype::oid::bigint AS opening, 'journal_closing_1'::regtype::oid::bigint AS closing`;

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
 * What OPEN does beside itself for a transaction that refers to another, in the same commit. A new version of the original:
 * who judged an older one does not get it.
 */
export const moveOriginal = `
INSERT INTO journal (tx_id, version, state, owner_epoch, reason)
SELECT $2, $3, $4, $1, $5 WHERE EXISTS (SELECT FROM journal WHERE tx_id = $2 AND version = $3::integer - 1)
ON CONFLICT DO NOTHING RETURNING tx_id`;

/** $1 original, $2 its version, $3 transaction, $4 kind, $5 amount. */
export const claim = `
WITH indebted AS (INSERT INTO projection_debts (tx_id, version) VALUES ($1, $2))
INSERT INTO claims (original_tx_id, tx_id, kind, amount_minor) VALUES ($1, $3, $4, $5)`;

export const claims = 'SELECT tx_id, kind, amount_minor, settled FROM claims WHERE original_tx_id = $1';

/** What a change brings to the journal, as in the type `journal_closing_1`. */
export const closeColumns = [
  ['tx_id', 'bigint'],
  ['version', 'integer'],
  ['state', 'text'],
  ['reason', 'text'],
  ['response_code', 'text'],
  ['auth_code', 'text'],
  ['approved_minor', 'bigint'],
  ['settlement_date', 'text'],
  ['answer_sealed', 'bytea'],
  ['answer_expires_at', 'timestamptz'],
] as const satisfies readonly CompositeColumn[];

const closeNames = closeColumns.map(([name]) => name).join(', ');

/** What both statements below begin with: the rows that a process may write which nobody fenced. $2 OPENs, $3 CLOSEs. */
const asked = `
WITH owner AS (${owner}),
     opening AS (SELECT asked.* FROM unnest($2::journal_opening_1[]) AS asked, owner),
     closing AS (SELECT owner.epoch, asked.* FROM unnest($3::journal_closing_1[]) AS asked, owner)`;

const identity = 'merchant_id, terminal_id, batch, trace, message_class, tx_id';

/** The first row of each of `opening`. */
const firstRows = `
       INSERT INTO journal (version, owner_epoch, ${openNames})
       SELECT 1, $1, ${openColumns.map(([name]) => `opening.${name}`).join(', ')} FROM opening`;

const laterRows = `
       INSERT INTO journal (owner_epoch, ${closeNames}) SELECT * FROM closing`;

/**
 * The usual writes of many transactions in one commit. OPEN: the identity and the first row. CLOSE of what stores nothing, claims
 * nothing and opens no case. Both together, because what a commit costs by itself is then shared by twice as many.
 *
 * All or nothing: it fails where an identity or a place is taken, which is rare, for to look before each row is written is dear
 * (docs/performance.md). Nothing is written, and 0 counted, when the owner is fenced.
 *
 * Identities are locked before places in the journal, in all processes: no two wait for each other in a circle. What is counted
 * first is written first.
 */
export const write = `${asked},
     named AS (
       INSERT INTO identities (${identity}) SELECT ${identity} FROM opening
       RETURNING 1),
     opened AS (${firstRows}),
     closed AS (${laterRows}
       RETURNING 1)
SELECT (SELECT count(*) FROM named)::integer AS opened, (SELECT count(*) FROM closed)::integer AS closed`;

/**
 * The same, without what is taken: what was not opened has an identity that is taken, what was not closed lost against another
 * change, or the owner is fenced.
 */
export const writeFree = `${asked},
     named AS (
       INSERT INTO identities (${identity}) SELECT ${identity} FROM opening
       ON CONFLICT DO NOTHING
       RETURNING tx_id),
     opened AS (${firstRows} JOIN named USING (tx_id)
       RETURNING 1),
     closed AS (${laterRows}
       ON CONFLICT DO NOTHING
       RETURNING 1)
SELECT (SELECT count(*) FROM opened)::integer AS opened, (SELECT count(*) FROM closed)::integer AS closed`;

/** What a change may do elsewhere. */
const elsewhereColumns = [
  // what is stored
  ['s_kind', 'text'],
  ['s_link', 'text'],
  ['s_owner', 'bigint'],
  ['s_stan', 'text'],
  ['s_transmission_at', 'text'],
  ['s_reason', 'text'],
  ['s_tries', 'integer'],
  ['s_not_before', 'timestamptz'],
  ['ends_stored', 'boolean'],
  // the claim
  ['c_original', 'bigint'],
  ['c_end', 'text'],
  ['c_reinstate', 'integer'],
  ['case_kind', 'text'],
  ['case_detail', 'text'],
] as const;

const wholeCloseColumns = [...closeColumns, ...elsewhereColumns];
const wholeCloseNames = wholeCloseColumns.map(([name]) => name).join(', ');
const wholeCloseArrays = wholeCloseColumns.map(([, type], i) => `$${i + 2}::${type}[]`).join(', ');

/**
 * CLOSE with all that it may do; $2 and on: an array of each column. The next version, the message it stores or ends, what becomes of its claim and its original, the case it opens
 * or closes, and the debt to the projection of a change after the end, in one commit. Answers what was written; the rest
 * lost against another change, or the owner is fenced.
 *
 * A reversal takes the place of an advice that is owed, and stays with its owner.
 *
 * Rows elsewhere are looked up by arrays of keys and not by joins: a plan that was made while those tables were empty then
 * never walks through a full one for each batch.
 */
export const close = `
WITH owner AS (${owner}),
     asked AS (SELECT asked.* FROM unnest(${wholeCloseArrays}) AS asked (${wholeCloseNames}), owner),
     written AS (
       INSERT INTO journal (tx_id, version, state, owner_epoch, reason, response_code, auth_code, approved_minor,
                            settlement_date, answer_sealed, answer_expires_at)
       SELECT tx_id, version, state, $1, reason, response_code, auth_code, approved_minor, settlement_date,
              answer_sealed, answer_expires_at
       FROM asked
       ON CONFLICT DO NOTHING
       RETURNING tx_id, version),
     done AS (SELECT asked.* FROM asked JOIN written USING (tx_id, version)),
     stored AS (
       INSERT INTO stored_messages (tx_id, kind, link, owner_epoch, stan, transmission_at, reason, tries, not_before)
       SELECT tx_id, s_kind, s_link,
              coalesce((SELECT o.epoch FROM journal_owners o WHERE o.epoch = s_owner AND o.fenced_at IS NULL), $1),
              s_stan, s_transmission_at, s_reason, s_tries, s_not_before
       FROM done WHERE s_kind IS NOT NULL
       ON CONFLICT (tx_id) DO UPDATE
       SET kind = excluded.kind, stan = excluded.stan, transmission_at = excluded.transmission_at,
           reason = excluded.reason, tries = excluded.tries, not_before = excluded.not_before, stored_at = now()
       WHERE stored_messages.kind = 'advice' AND excluded.kind = 'reversal'),
     ended AS (
       DELETE FROM stored_messages WHERE tx_id = ANY (ARRAY(SELECT tx_id FROM done WHERE ends_stored))),
     freed AS (
       DELETE FROM claims
       WHERE original_tx_id = ANY (ARRAY(SELECT c_original FROM done WHERE c_end = 'freed'))
         AND tx_id = ANY (ARRAY(SELECT tx_id FROM done WHERE c_end = 'freed'))),
     settled AS (
       UPDATE claims SET settled = tx_id = ANY (ARRAY(SELECT tx_id FROM done WHERE c_end = 'settled'))
       WHERE original_tx_id = ANY (ARRAY(SELECT c_original FROM done WHERE c_end IN ('settled', 'doubted')))
         AND tx_id = ANY (ARRAY(SELECT tx_id FROM done WHERE c_end IN ('settled', 'doubted')))),
     reinstated AS (
       INSERT INTO journal (tx_id, version, state, owner_epoch, reason)
       SELECT c_original, c_reinstate + 1, 'approved', $1, 'reinstated' FROM done WHERE c_reinstate IS NOT NULL
       ON CONFLICT DO NOTHING
       RETURNING tx_id, version),
     disputed AS (
       INSERT INTO cases (tx_id, kind, detail)
       SELECT tx_id, case_kind, case_detail FROM done WHERE case_kind IS NOT NULL
       ON CONFLICT (tx_id, kind) DO UPDATE SET detail = excluded.detail, closed_at = NULL),
     retried AS (
       UPDATE cases SET retry_asked_at = NULL
       WHERE tx_id = ANY (ARRAY(SELECT tx_id FROM done WHERE s_kind IS NOT NULL)) AND retry_asked_at IS NOT NULL),
     resolved AS (
       UPDATE cases SET closed_at = now(), resolution = (SELECT reason FROM done WHERE done.tx_id = cases.tx_id)
       WHERE tx_id = ANY (ARRAY(SELECT tx_id FROM done WHERE ends_stored AND case_kind IS NULL)) AND closed_at IS NULL),
     indebted AS (
       INSERT INTO projection_debts (tx_id, version)
       SELECT tx_id, version FROM written WHERE version > 2
       UNION ALL SELECT tx_id, version FROM reinstated)
SELECT tx_id, version FROM written`;

/** What stands in the places that a close did not get. $1 tx_ids, $2 versions. */
export const occupants = `
SELECT tx_id, version, state, owner_epoch, reason, response_code
FROM journal JOIN unnest($1::bigint[], $2::integer[]) AS asked (tx_id, version) USING (tx_id, version)`;

/** All rows of these transactions, of each first to last. */
export const read = 'SELECT * FROM journal WHERE tx_id = ANY ($1::bigint[]) ORDER BY tx_id, version';

/** All rows of the transaction that holds an identity. */
export const find = `
SELECT * FROM journal
WHERE tx_id = (SELECT tx_id FROM identities
               WHERE merchant_id = $1 AND terminal_id = $2 AND batch = $3 AND trace = $4 AND message_class = $5)
ORDER BY version`;

/** The transactions under an identity, whatever class of message it was. */
export const findNamed = `
SELECT * FROM journal
WHERE tx_id IN (SELECT tx_id FROM identities
                WHERE merchant_id = $1 AND terminal_id = $2 AND batch = $3 AND trace = $4
                  AND message_class IN ('request', 'advice'))
ORDER BY tx_id, version`;

/** By RRN, at any terminal of the merchant. From the reading table: the journal has no index for it. */
export const findByRrn = `
SELECT * FROM journal
WHERE tx_id = (SELECT tx_id FROM transactions WHERE rrn = $2 AND merchant_id = $1 ORDER BY tx_id DESC LIMIT 1)
ORDER BY version`;

/** By card, authorisation code and, where it is known, the day ($4 MMDD); $5 kinds. */
export const findByCard = `
SELECT * FROM journal
WHERE tx_id = (SELECT tx_id FROM transactions
               WHERE pan_hash = $2 AND merchant_id = $1 AND auth_code = $3 AND ($4::text IS NULL OR local_date = $4)
                 AND kind = ANY ($5::text[])
               -- codes come again: of those that have this one, the one that stands is meant
               ORDER BY state IN ('approved', 'accepted') DESC, tx_id DESC LIMIT 1)
ORDER BY version`;

/** $4 this process: a message that was taken over is its new owner's to count. */
export const tried = 'UPDATE stored_messages SET tries = $2, not_before = $3 WHERE tx_id = $1 AND owner_epoch = $4';

/** Of each link the $2 soonest due: the links are found by steps through the index, however many messages wait. */
export const owedMessages = `
WITH RECURSIVE links AS (
  (SELECT link FROM stored_messages WHERE owner_epoch = $1 ORDER BY link LIMIT 1)
  UNION ALL
  SELECT (SELECT link FROM stored_messages WHERE owner_epoch = $1 AND link > links.link ORDER BY link LIMIT 1)
  FROM links WHERE links.link IS NOT NULL)
SELECT due.* FROM links CROSS JOIN LATERAL (
  SELECT tx_id, kind, link, stan, transmission_at, reason, tries, not_before, stored_at
  FROM stored_messages WHERE owner_epoch = $1 AND link = links.link ORDER BY not_before LIMIT $2) due`;

export const retriesAsked = `
SELECT tx_id, kind FROM cases WHERE closed_at IS NULL AND retry_asked_at IS NOT NULL ORDER BY retry_asked_at LIMIT $1`;

/** What this process owes, loaded or not, and what nobody has settled. */
export const backlog = `
SELECT (SELECT count(*) FROM stored_messages WHERE owner_epoch = $1) AS owed,
       (SELECT count(*) FROM cases WHERE closed_at IS NULL) AS cases`;

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
export const takeOverMessages = `
UPDATE stored_messages SET owner_epoch = $1
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

/** What is not shown, or is what a later version changes. */
const notShown = new Set([
  'tx_id',
  'state',
  'response_code',
  'auth_code',
  'pan_sealed',
  'request_digest',
  'icc_sealed',
]);

/** What a row of the first version brings to `transactions` under its own name. */
const shownNames = openColumns.map(([name]) => name as string).filter(name => !notShown.has(name));

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

const countedList = [...countedKinds].map(kind => `'${kind}'`).join(', ');

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
  WHERE shown.merchant_id = $1 AND shown.business_date = $2::date AND shown.kind IN (${countedList})
  UNION ALL
  SELECT unlisted.tx_id, unlisted.amount_minor, ${newestState('unlisted.tx_id')}
  FROM journal_owners owner
  CROSS JOIN LATERAL (
    SELECT first.tx_id, first.amount_minor FROM journal first
    WHERE first.tx_id >= coalesce((SELECT come.listed_low FROM projections come WHERE come.epoch = owner.epoch),
                                  owner.epoch << 32)
      AND first.tx_id < (owner.epoch + 1) << 32
      AND first.version = 1 AND first.merchant_id = $1 AND first.business_date = $2::date AND first.kind IN (${countedList})
      AND (SELECT true FROM transactions shown WHERE shown.tx_id = first.tx_id) IS NULL
    OFFSET 0) AS unlisted
  WHERE owner.recovered_at IS NULL)
SELECT tx_id, amount_minor FROM counted WHERE state IN ('open', 'approved', 'completed', 'stood-in')`;
