-- Transactions that refer to others, advices, and what store-and-forward owes beside reversals.

ALTER TABLE journal DROP CONSTRAINT journal_state_check;
ALTER TABLE journal ADD CONSTRAINT journal_state_check CHECK (state IN
  ('open', 'approved', 'declined', 'no-effect', 'accepted', 'refused', 'voided', 'completed', 'stood-in',
   'reversing', 'reversed', 'in dispute'));

-- D takes from the cardholder, C gives, H holds, R releases a hold, N moves nothing. forwarded_minor is what the bank is
-- asked for: the difference for an adjustment, otherwise amount_minor. icc_sealed: tags that an advice needs again.
ALTER TABLE journal
  ADD COLUMN direction char(1) CHECK (direction IN ('D', 'C', 'H', 'R', 'N')),
  ADD COLUMN forwarded_minor bigint,
  ADD COLUMN icc_sealed bytea;
ALTER TABLE transactions
  ADD COLUMN direction char(1),
  ADD COLUMN forwarded_minor bigint;

-- What stands against an original: a row for each transaction that refers to it, written in the commit of its OPEN beside a
-- new version of the original, removed in the commit that makes an end of it without effect. amount_minor is what it adds to
-- what the original posted or holds. settled: approved; until then it may still be freed.
CREATE TABLE claims (
  original_tx_id bigint NOT NULL,
  tx_id          bigint NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('void', 'completion', 'refund', 'addition', 'adjustment')),
  amount_minor   bigint NOT NULL,
  settled        boolean NOT NULL DEFAULT false,
  PRIMARY KEY (original_tx_id, tx_id)
);

-- Reversals and advices. An advice keeps the key of its transaction.
ALTER TABLE stored_reversals RENAME TO stored_messages;
ALTER TABLE stored_messages
  ADD COLUMN kind text NOT NULL DEFAULT 'reversal' CHECK (kind IN ('reversal', 'advice'));
ALTER TABLE stored_messages ALTER COLUMN kind DROP DEFAULT;
DROP INDEX stored_reversals_owner;
-- Of each link the soonest due, however many wait on it.
CREATE INDEX stored_messages_due ON stored_messages (owner_epoch, link, not_before);

-- A case is about one message that a bank will not confirm. An operator asks for another try, or settles it with a reason and
-- a second person; the bank's confirmation after another try closes it too.
UPDATE cases SET kind = 'reversal' WHERE kind = 'in dispute';
ALTER TABLE cases
  ADD CONSTRAINT cases_kind_check CHECK (kind IN ('reversal', 'advice')),
  ADD COLUMN retry_asked_at timestamptz,
  ADD COLUMN retry_asked_by text,
  ADD COLUMN resolution text,
  ADD COLUMN resolved_by text,
  ADD COLUMN confirmed_by text;
CREATE INDEX cases_open ON cases (opened_at) WHERE closed_at IS NULL;
