-- The journal: what happened to every transaction that was forwarded, appended and never updated.
--
-- A transaction is the rows of one tx_id. Version 1 is OPEN and carries what is known before anything leaves; each
-- later version is one change of state and carries only what that change brought. The primary key is the
-- compare-and-set: two who try to make version n+1 cannot both succeed.
--
-- tx_id = owner epoch * 2^32 + a counter of that owner: unique without asking anyone, and one owner's transactions are
-- one range of the primary key, so that recovery needs no second index.

-- One row per process that ever wrote. A fenced owner can write nothing more: each batch locks this row FOR SHARE and
-- demands that fenced_at is null, and fencing updates it, which waits for batches in flight and stops later ones.
CREATE TABLE journal_owners (
  epoch      bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 2097151) PRIMARY KEY,
  node       text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  fenced_at  timestamptz,
  fenced_by  bigint,
  -- when whoever fenced it had driven each of its open transactions to an end
  recovered_at timestamptz
);

-- Heartbeats, apart from the row that batches lock. low_water: every transaction of the owner below it has an end.
CREATE TABLE journal_leases (
  epoch      bigint PRIMARY KEY REFERENCES journal_owners,
  expires_at timestamptz NOT NULL,
  low_water  bigint NOT NULL
);

CREATE TABLE journal (
  tx_id           bigint NOT NULL,
  version         integer NOT NULL,
  state           text NOT NULL CHECK (state IN
                    ('open', 'approved', 'declined', 'no-effect', 'reversing', 'reversed', 'in dispute')),
  owner_epoch     bigint NOT NULL,
  at              timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- what OPEN brings; null in later versions
  kind            text,
  merchant_id     text,
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
  amount_minor    bigint,
  currency        text,
  exponent        smallint,
  bin             text,
  card_kind       text,
  pan_sealed      bytea,
  pan_hash        bytea,
  key_version     smallint,
  request_digest  bytea,
  local_time      text,
  local_date      text,
  mcc             text,
  merchant_name   text,
  original_tx_id  bigint,
  -- what a change brings
  response_code   text,
  auth_code       text,
  approved_minor  bigint,
  settlement_date text,
  reason          text,
  answer_sealed   bytea,
  -- after this the sealed answer may be purged: it is told to nobody any more
  answer_expires_at timestamptz,
  PRIMARY KEY (tx_id, version),
  CHECK (version > 1 OR (kind IS NOT NULL AND merchant_id IS NOT NULL AND amount_minor IS NOT NULL))
);

-- What counts as the same request (laws, Identity). Partitioned by the terminal and not by date: a repeat after
-- midnight must still meet its first.
CREATE TABLE identities (
  merchant_id   text NOT NULL,
  terminal_id   text NOT NULL,
  batch         text NOT NULL,
  trace         text NOT NULL,
  message_class text NOT NULL,
  tx_id         bigint NOT NULL,
  PRIMARY KEY (merchant_id, terminal_id, batch, trace, message_class)
) PARTITION BY HASH (merchant_id, terminal_id);
CREATE TABLE identities_0 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE identities_1 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE identities_2 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE identities_3 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE identities_4 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE identities_5 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE identities_6 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE identities_7 PARTITION OF identities FOR VALUES WITH (MODULUS 8, REMAINDER 7);

-- Store-and-forward: reversals owed to banks. Written in the commit that makes a transaction 'reversing', removed in
-- the commit that ends it. stan and transmission_at are the reversal's own key, the same through all its repeats.
CREATE TABLE stored_reversals (
  tx_id           bigint PRIMARY KEY,
  link            text NOT NULL,
  owner_epoch     bigint NOT NULL,
  stan            text NOT NULL,
  transmission_at text NOT NULL,
  reason          text NOT NULL,
  tries           integer NOT NULL DEFAULT 0,
  not_before      timestamptz NOT NULL DEFAULT now(),
  stored_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stored_reversals_owner ON stored_reversals (owner_epoch, not_before);

-- What two people must settle: a bank that will not confirm a reversal.
CREATE TABLE cases (
  case_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tx_id     bigint NOT NULL,
  kind      text NOT NULL,
  detail    text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  UNIQUE (tx_id, kind)
);

-- Number ranges (STAN, RRN) handed out in blocks, so that no two processes share a number.
CREATE TABLE number_blocks (
  series text PRIMARY KEY,
  next   bigint NOT NULL
);
