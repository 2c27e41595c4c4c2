-- What the regulators' role may read of the read model: nothing else exists
-- for it.
create view transaction.accessible_transactions with (security_barrier) as
	select * from transaction.historical_transactions
	where is_accessible_external;
grant select on transaction.accessible_transactions to onegate_regulator;
