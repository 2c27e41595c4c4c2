-- payment.accounts as the data model writes it, for people who read tables.
create view payment.accounts_in_rupiah as
	select a.id, a.user_id, (a.balance / 100.0)::numeric(15, 2) as balance,
		(a.held / 100.0)::numeric(15, 2) as held, a.currency, a.account_status,
		a.created_at, a.updated_at
	from payment.accounts a where a.kind = 'user';
grant select on payment.accounts_in_rupiah to onegate_audit;
