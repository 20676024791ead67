-- Keys for card data at rest, each wrapped by a key of the HSM that exists outside it only under the LMK.
-- Without the HSM this table opens nothing; the clear keys exist in the memory of running processes only.
CREATE TABLE data_keys (
  version     smallint    NOT NULL CHECK (version BETWEEN 1 AND 255),
  purpose     text        NOT NULL CHECK (purpose IN ('pan-encryption', 'pan-hash', 'message-digest')),
  -- Data encryption key, type 00B, scheme U under the LMK.
  dek         text        NOT NULL,
  -- Initial value (16 hex) and 32 bytes under the DEK (64 hex), CBC.
  wrapped     text        NOT NULL CHECK (wrapped ~ '^[0-9A-F]{80}$'),
  -- First 16 bytes (hex) of an HMAC of purpose and version under the clear key: tells a damaged or moved row.
  check_value text        NOT NULL CHECK (check_value ~ '^[0-9A-F]{32}$'),
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (version, purpose)
);
