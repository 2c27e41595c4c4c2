-- Transfers are nearly all there is, so an index by type that holds them is as
-- long as the order itself and helps nobody to find them: it is paid by every
-- row and used for the others only.
drop index transaction.historical_transactions_by_type;
create index historical_transactions_by_type on transaction.historical_transactions
	(transaction_type, created_at, id)
	where is_accessible_external and transaction_type <> 'TRANSFER';
