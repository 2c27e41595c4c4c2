-- What events say of money, one for each side that is a person's, as the relay
-- tells them: for the audit, which holds it against the read model.
create view payment.relay_events as
	select s.event_id, coalesce(r.id, s.event_id) as id, s.account_id, s.sequence,
		r.transaction_type, r.transaction_status, r.amount, s.balance_after
	from payment.relay_rows r
	cross join lateral (values
		(r.row_id, r.debit_account_id, r.debit_sequence, r.debit_balance_after),
		(meta.other_side(r.row_id), r.credit_account_id, r.credit_sequence,
			r.credit_balance_after))
		s (event_id, account_id, sequence, balance_after)
	join payment.accounts a on a.id = s.account_id and a.kind = 'user';
