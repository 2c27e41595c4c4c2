-- The journal as each account sees it: a row stands once for each account that
-- it touches, at that account's sequence and behind the row before it there. A side
-- that is only named has none: readers ask for `sequence is not null`.
create view payment.account_sides as
	select t.debit_account as account_id, t.debit_sequence as sequence,
		false as credit_side, t.id as row_id, t.debit_previous as previous,
		t.position, t.xid, t.kind, t.state,
		t.amount, t.debit_balance as balance, t.debit_held as held, t.currency,
		t.operation, t.description, t.created_at
	from payment.transfers t
	union all
	select t.credit_account, t.credit_sequence, true, t.id, t.credit_previous,
		t.position, t.xid,
		t.kind, t.state, t.amount, t.credit_balance, t.credit_held, t.currency,
		t.operation, t.description, t.created_at
	from payment.transfers t;
