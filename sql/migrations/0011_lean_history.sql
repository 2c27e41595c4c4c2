-- Indexes that every row pays for and no query needs. Transfers are nearly all
-- there is: an index by type that holds them is as long as the order itself and
-- helps nobody to find them. By account nobody reads here; people read their own
-- history in the journal.
drop index transaction.historical_transactions_by_type;
create index historical_transactions_by_type on transaction.historical_transactions
	(transaction_type, created_at, id)
	where is_accessible_external and transaction_type <> 'TRANSFER';
drop index transaction.historical_transactions_of_account;
