/** All SQL of the registry room. */

/** What is projected of a merchant `m`; read by `merchantOf`. */
const merchantColumns = `
  m.merchant_id, m.name, m.mcc, m.status AS merchant_status, m.functions, m.per_transaction_max_minor,
  m.daily_max_minor, m.daily_max_count, m.stand_in_floor_minor, m.limit_generation, m.revision AS merchant_revision`;

/**
 * What is projected of a terminal: its binding `b`, its current keys `c` and its pending keys `p`; read by
 * `terminalOf`.
 */
const terminalColumns = `
  b.binding_id, b.terminal_id, b.status, b.batch, b.mac_algorithm, b.mac_key_bytes, b.tmk, b.revision,
  c.version AS current_version, c.tpk AS current_tpk, c.tak AS current_tak,
  p.version AS pending_version, p.tpk AS pending_tpk, p.tak AS pending_tak`;

const joinKeys = `
  LEFT JOIN terminal_keys c ON c.binding_id = b.binding_id AND c.state = 'current'
  LEFT JOIN terminal_keys p ON p.binding_id = b.binding_id AND p.state = 'pending'`;

/**
 * The newest binding of each terminal that is asked for; those that have none are missing. One statement, so that a
 * revision and what it stands for are of one moment. $1 merchant ids, $2 terminal ids.
 */
export const loadTerminals = `
SELECT ${merchantColumns}, ${terminalColumns}
FROM (
  SELECT DISTINCT merchant_id, terminal_id
  FROM unnest($1::text[], $2::text[]) AS asked (merchant_id, terminal_id)) asked
CROSS JOIN LATERAL (
  SELECT * FROM terminal_bindings b
  WHERE b.merchant_id = asked.merchant_id AND b.terminal_id = asked.terminal_id
  ORDER BY b.binding_id DESC LIMIT 1) b
JOIN merchants m ON m.merchant_id = b.merchant_id ${joinKeys}`;

/** Changed merchants and terminals that Redis may not have been told of. $1: how many. */
export const unprojectedMerchants = `
SELECT ${merchantColumns} FROM merchants m WHERE m.projected_revision < m.revision ORDER BY m.merchant_id LIMIT $1`;

export const unprojectedTerminals = `
SELECT ${merchantColumns}, ${terminalColumns}
FROM (SELECT * FROM terminal_bindings WHERE projected_revision < revision ORDER BY binding_id LIMIT $1) b
JOIN merchants m ON m.merchant_id = b.merchant_id ${joinKeys}`;

/**
 * Redis was told up to these revisions. Every process sweeps, in no common order: rows that another one marks at this
 * moment are left to it, which also keeps two of them from waiting for each other. $1 keys, $2 revisions.
 */
export const merchantsProjected = `
WITH told AS (SELECT * FROM unnest($1::text[], $2::bigint[]) AS told (merchant_id, revision)),
     mine AS (SELECT m.merchant_id FROM merchants m WHERE m.merchant_id = ANY ($1) FOR UPDATE SKIP LOCKED)
UPDATE merchants m SET projected_revision = told.revision
FROM told JOIN mine USING (merchant_id)
WHERE m.merchant_id = told.merchant_id AND m.projected_revision < told.revision`;

export const terminalsProjected = `
WITH told AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS told (binding_id, revision)),
     mine AS (SELECT b.binding_id FROM terminal_bindings b WHERE b.binding_id = ANY ($1) FOR UPDATE SKIP LOCKED)
UPDATE terminal_bindings b SET projected_revision = told.revision
FROM told JOIN mine USING (binding_id)
WHERE b.binding_id = told.binding_id AND b.projected_revision < told.revision`;

export const insertMerchant = `
INSERT INTO merchants
  (merchant_id, name, mcc, status, functions, per_transaction_max_minor, daily_max_minor, daily_max_count,
   stand_in_floor_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

/** Closed bindings of the same ids are history from now on: only the newest is projected. */
export const insertTerminal = `
WITH history AS (
  UPDATE terminal_bindings SET projected_revision = revision
  WHERE merchant_id = $1 AND terminal_id = $2 AND status = 'closed' AND projected_revision < revision)
INSERT INTO terminal_bindings
  (merchant_id, terminal_id, status, batch, mac_algorithm, mac_key_bytes, tmk, revision)
SELECT $1, $2, $3, $4, $5, $6, $7, coalesce(max(revision), 0) + 1
FROM terminal_bindings WHERE merchant_id = $1 AND terminal_id = $2
RETURNING binding_id`;

export const setMerchantStatus = `
UPDATE merchants SET status = $2, revision = revision + 1, updated_at = now() WHERE merchant_id = $1 AND status <> $2`;

export const setFunctions = `
UPDATE merchants SET functions = $2, revision = revision + 1, updated_at = now() WHERE merchant_id = $1`;

/** The generation grows when daily limits begin to apply: until then nothing was counted. */
export const setLimits = `
UPDATE merchants SET per_transaction_max_minor = $2, daily_max_minor = $3, daily_max_count = $4,
  limit_generation = limit_generation +
    CASE WHEN daily_max_minor IS NULL AND daily_max_count IS NULL THEN 1 ELSE 0 END,
  revision = revision + 1, updated_at = now()
WHERE merchant_id = $1`;

/** A closed binding stays closed: the terminal is bound anew. */
export const setTerminalStatus = `
UPDATE terminal_bindings SET status = $3, revision = revision + 1, updated_at = now()
WHERE merchant_id = $1 AND terminal_id = $2 AND status NOT IN ('closed', $3)`;

/** The row lock lets one change of a terminal's keys happen at a time. */
export const lockBinding = `
SELECT binding_id, status FROM terminal_bindings
WHERE merchant_id = $1 AND terminal_id = $2 AND status <> 'closed' FOR UPDATE`;

/** Key sets issued in the last $2 milliseconds, by all processes. */
export const recentlyIssued = `
SELECT count(*)::int AS issued FROM terminal_keys
WHERE binding_id = $1 AND issued_at > now() - $2 * interval '1 millisecond'`;

export const retirePending = `
UPDATE terminal_keys SET state = 'retired', tpk = NULL, tak = NULL, retired_at = now()
WHERE binding_id = $1 AND state = 'pending'`;

export const retireCurrent = `
UPDATE terminal_keys SET state = 'retired', tpk = NULL, tak = NULL, retired_at = now()
WHERE binding_id = $1 AND state = 'current'`;

/** What a retired set leaves behind tells who had keys when; it need not be kept for ever. */
export const forgetRetired = `
DELETE FROM terminal_keys
WHERE binding_id = $1 AND state = 'retired' AND retired_at < now() - interval '90 days'`;

export const nextKeysVersion = `
UPDATE terminal_bindings SET keys_version = keys_version + 1, revision = revision + 1, updated_at = now()
WHERE binding_id = $1 RETURNING keys_version`;

export const insertPending = `
INSERT INTO terminal_keys (binding_id, version, state, tpk, tak) VALUES ($1, $2, 'pending', $3, $4)`;

export const isPending = `
SELECT 1 FROM terminal_keys WHERE binding_id = $1 AND version = $2 AND state = 'pending'`;

export const promotePending = `
UPDATE terminal_keys SET state = 'current', promoted_at = now()
WHERE binding_id = $1 AND version = $2 AND state = 'pending'`;

export const touchBinding = `
UPDATE terminal_bindings SET revision = revision + 1, updated_at = now() WHERE binding_id = $1`;
