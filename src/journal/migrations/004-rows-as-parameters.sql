-- The rows of a batch as one parameter: an array of these, in Postgres's binary format (composite.ts). One array for each
-- column costs Postgres a third more. An older process beside this one sends them as they are here: what needs another
-- column makes a type with the next number.

CREATE TYPE journal_opening_1 AS (
  tx_id           bigint,
  state           text,
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
  response_code   text,
  original_tx_id  bigint,
  direction       text,
  forwarded_minor bigint,
  auth_code       text,
  icc_sealed      bytea
);

-- A change that stores nothing, claims nothing and opens no case.
CREATE TYPE journal_closing_1 AS (
  tx_id             bigint,
  version           integer,
  state             text,
  reason            text,
  response_code     text,
  auth_code         text,
  approved_minor    bigint,
  settlement_date   text,
  answer_sealed     bytea,
  answer_expires_at timestamptz
);
