-- What the regulators' role may read of the read model: nothing else exists
-- for it. No security_barrier: it would keep the order of a page away from the
-- index, and each page would sort the whole table. Its readers send prepared
-- statements only and may create no function, so nothing of theirs runs before
-- the condition.
create view transaction.accessible_transactions as
	select * from transaction.historical_transactions
	where is_accessible_external;
grant select on transaction.accessible_transactions to onegate_regulator;
