-- Nothing looks for a transaction by its bank's key (link, DE7, STAN), and an index is paid for with each transaction. Whoever
-- reconciles by that key makes it anew.

DROP INDEX transactions_bank_key;
