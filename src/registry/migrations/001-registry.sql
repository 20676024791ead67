-- The registry: who may transact. Postgres is the truth; Redis holds a projection of it that may be lost at any time.
--
-- A merchant and a terminal meet in a *binding*: this terminal id at this merchant, from the day it is bound until it is
-- closed. The journal keeps the binding and not only the two ids, so that a terminal id that is given to another device
-- later stays apart from the first. Applications, contracts, devices and trials will refer to merchants and
-- bindings and need no change of these tables.
--
-- `revision` grows by one with each change of what is projected. `projected_revision` trails it: a row in which the two
-- differ is owed to Redis, whatever became of the process that made the change (see sweeper.ts).

CREATE TABLE merchants (
  -- DE42, exactly as it is on the wire
  merchant_id               text PRIMARY KEY CHECK (merchant_id ~ '^[0-9A-Za-z .,/_-]{15}$'),
  name                      text NOT NULL,
  -- merchant category code, DE18
  mcc                       text NOT NULL CHECK (mcc ~ '^[0-9]{4}$'),
  status                    text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'suspended', 'closed')),
  -- kinds of transaction that are allowed; null: all
  functions                 text[],
  -- null: no limit
  per_transaction_max_minor bigint CHECK (per_transaction_max_minor >= 0),
  daily_max_minor           bigint CHECK (daily_max_minor >= 0),
  daily_max_count           integer CHECK (daily_max_count >= 0),
  -- Grows when daily limits begin to apply: what was not counted until then must be counted from the journal.
  limit_generation          bigint NOT NULL DEFAULT 1,
  revision                  bigint NOT NULL DEFAULT 1,
  projected_revision        bigint NOT NULL DEFAULT 0,
  created_at                timestamptz NOT NULL DEFAULT now(),
  updated_at                timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX merchants_unprojected ON merchants (merchant_id) WHERE projected_revision < revision;

CREATE TABLE terminal_bindings (
  binding_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  merchant_id        text NOT NULL REFERENCES merchants,
  -- DE41, exactly as it is on the wire
  terminal_id        text NOT NULL CHECK (terminal_id ~ '^[0-9A-Za-z .,/_-]{8}$'),
  status             text NOT NULL DEFAULT 'bound' CHECK (status IN ('bound', 'active', 'suspended', 'closed')),
  -- DE60.2 that requests must carry
  batch              char(6) NOT NULL DEFAULT '000001' CHECK (batch ~ '^[0-9]{6}$'),
  mac_algorithm      text NOT NULL CHECK (mac_algorithm IN ('cup-ecb', 'x9.9', 'x9.19')),
  mac_key_bytes      smallint NOT NULL CHECK (mac_key_bytes IN (8, 16)),
  -- terminal master key under the LMK
  tmk                text NOT NULL,
  -- the version of the last key set that was issued
  keys_version       integer NOT NULL DEFAULT 0,
  -- A new binding of the same two ids goes on where the last one ended: projections never go backwards.
  revision           bigint NOT NULL,
  projected_revision bigint NOT NULL DEFAULT 0,
  created_at         timestamptz NOT NULL DEFAULT now(),
  updated_at         timestamptz NOT NULL DEFAULT now()
);

-- The newest binding of two ids is the one that counts; all before it are closed.
CREATE INDEX terminal_bindings_by_terminal ON terminal_bindings (merchant_id, terminal_id, binding_id);
CREATE UNIQUE INDEX terminal_bindings_one_open ON terminal_bindings (merchant_id, terminal_id) WHERE status <> 'closed';
CREATE INDEX terminal_bindings_unprojected ON terminal_bindings (binding_id) WHERE projected_revision < revision;

-- A retired key set keeps its row, which tells who had keys when, and loses its keys: what is not used is not kept.
CREATE TABLE terminal_keys (
  binding_id  bigint NOT NULL REFERENCES terminal_bindings,
  version     integer NOT NULL,
  state       text NOT NULL CHECK (state IN ('pending', 'current', 'retired')),
  -- terminal PIN key and terminal MAC key under the LMK
  tpk         text,
  tak         text,
  issued_at   timestamptz NOT NULL DEFAULT now(),
  promoted_at timestamptz,
  retired_at  timestamptz,
  PRIMARY KEY (binding_id, version),
  CHECK ((state = 'retired') = (tpk IS NULL) AND (tpk IS NULL) = (tak IS NULL)),
  CHECK (state <> 'current' OR promoted_at IS NOT NULL)
);

CREATE UNIQUE INDEX terminal_keys_one_pending ON terminal_keys (binding_id) WHERE state = 'pending';
CREATE UNIQUE INDEX terminal_keys_one_current ON terminal_keys (binding_id) WHERE state = 'current';
