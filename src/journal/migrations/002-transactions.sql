-- The reading table: one row per transaction, the journal's rows of it merged. Lists, searches, the count of limits and
-- settlement read it; the projector (projector.ts) fills it in batches, so that the journal needs no second index.
--
-- What may be stale in it, and what says so:
--   a transaction may be missing only at or above its owner's listed_low;
--   a row at version 1 may be behind by any number of versions;
--   a row at a later version is behind only while projection_debts has a row for it.

CREATE TABLE transactions (
  tx_id           bigint PRIMARY KEY,
  version         integer NOT NULL,
  state           text NOT NULL,
  -- who wrote the last change; who opened it is tx_id >> 32
  owner_epoch     bigint NOT NULL,
  opened_at       timestamptz NOT NULL,
  changed_at      timestamptz NOT NULL,
  kind            text NOT NULL,
  merchant_id     text NOT NULL,
  terminal_id     text,
  batch           text,
  trace           text,
  message_class   text,
  binding_id      bigint,
  business_date   date,
  rrn             text,
  stan            text,
  transmission_at text,
  link            text,
  bank_mti        text,
  acquirer_id     text,
  forwarder_id    text,
  processing_code text,
  type_code       text,
  condition_code  text,
  entry_mode      text,
  amount_minor    bigint NOT NULL,
  currency        text,
  exponent        smallint,
  bin             text,
  card_kind       text,
  pan_hash        bytea,
  key_version     smallint,
  local_time      text,
  local_date      text,
  mcc             text,
  merchant_name   text,
  original_tx_id  bigint,
  response_code   text,
  auth_code       text,
  approved_minor  bigint,
  settlement_date text,
  reason          text
  -- No CHECK and no NOT NULL beyond the journal's own: what the journal took must never be refused here.
) WITH (fillfactor = 90); -- room for a later version on the same page, which then touches no index
CREATE INDEX transactions_merchant ON transactions (merchant_id, business_date);
CREATE INDEX transactions_rrn ON transactions (rrn);
CREATE INDEX transactions_card ON transactions (pan_hash);
CREATE INDEX transactions_bank_key ON transactions (link, transmission_at, stan);

-- How far each owner has projected what it opened. Not in journal_leases: a heartbeat must never wait for a projection.
CREATE TABLE projections (
  epoch         bigint PRIMARY KEY REFERENCES journal_owners,
  -- every transaction of the owner below it has its row in transactions, perhaps at version 1 still
  listed_low    bigint NOT NULL,
  -- every transaction of the owner below it has its row, and that row its end
  projected_low bigint NOT NULL
) WITH (fillfactor = 50);

-- Changes after a transaction's end (version 3 and later), of which no low speaks. What another process does to an open
-- one needs none: its owner's low stays there until that one learns of it, or is recovered. Written in the commit of the
-- change, removed once transactions shows that version or a later one. The version is in the key, so that a change which
-- comes while an earlier one is projected keeps a debt of its own.
CREATE TABLE projection_debts (
  tx_id   bigint NOT NULL,
  version integer NOT NULL,
  at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tx_id, version)
);

CREATE INDEX journal_owners_unrecovered ON journal_owners (epoch) WHERE recovered_at IS NULL;
