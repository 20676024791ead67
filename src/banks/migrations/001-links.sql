-- Links to banks and the BIN table, as data. `profile` is a LinkProfile (src/switch/ports.ts) without its name.
CREATE TABLE links (
  name       text PRIMARY KEY,
  profile    jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- The longest prefix that fits a PAN chooses the link.
CREATE TABLE routes (
  bin_prefix text PRIMARY KEY CHECK (bin_prefix ~ '^[0-9]{0,19}$'),
  link       text NOT NULL REFERENCES links,
  card_kind  text NOT NULL DEFAULT 'unknown' CHECK (card_kind IN ('debit', 'credit', 'unknown'))
);
