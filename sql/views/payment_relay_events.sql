-- What the relay publishes: an event for each row that touches a person's
-- account. README.md has the two snapshots between which it reads.
--
-- An event told again later is the same: what became of a transaction is not
-- told with its opening row (2, 10, 11), only with the one that decided.
--
-- Each row is looked up once and gives both sides; most rows belong to no
-- operation and ask nothing more. The relay keeps its plan for long, made while
-- tables may have been empty: so every look-up is by id and by nothing else that
-- an index could meet, and `offset 0` keeps it a look-up for each row.
create view payment.relay_events as
	select t.position, t.xid, s.credit_side, s.seen_as as event_id,
		t.kind as event_kind,
		case when t.kind = 5 then s.seen_as
			when t.kind in (7, 8) or t.operation is null then t.id
			else t.operation end as id,
		a.user_id, s.account_id, s.sequence,
		case when t.kind = 7 then 'REFUND'
			when w.operation_id is not null then 'TOPUP'
			when w.payment_id is not null or t.kind = 8 then 'PAYMENT'
			else 'TRANSFER' end as transaction_type,
		(array['PENDING', 'SUCCESS', 'FAILED', 'CANCELLED'])[t.state + 1] as transaction_status,
		t.amount,
		coalesce(case when t.kind not in (2, 7, 10, 11) then w.balance_before end,
			s.balance - s.held + case when t.kind in (10, 11) then 0
				when s.credit_side then -t.amount else t.amount end) as balance_before,
		coalesce(case when t.kind not in (2, 7, 10, 11) then w.balance_after end,
			s.balance - s.held) as balance_after,
		t.currency::text as currency, w.provider as payment_method, t.description,
		case when t.state = 0 then w.reference
			else coalesce(w.external_id, w.reference) end as external_reference,
		case when t.kind <> 7 then w.metadata end as metadata,
		true as is_accessible_external,
		case when w.direction = 'in' then 'credit' when w.direction = 'out' then 'debit'
			when s.credit_side then 'credit' else 'debit' end as direction,
		coalesce(case when t.kind <> 7 then w.created_at end, t.created_at) as created_at,
		t.created_at as updated_at,
		w.payment_id, w.merchant_id, w.merchant_name, t.id as row_id
	from payment.transfers t
	cross join lateral ( -- VALUES would prepare its expressions for each row
		select false, t.id, t.debit_account, t.debit_sequence, t.debit_balance, t.debit_held
		union all
		select true, meta.other_side(t.id), t.credit_account, t.credit_sequence,
			t.credit_balance, t.credit_held)
		s (credit_side, seen_as, account_id, sequence, balance, held)
	cross join lateral (
		select a.user_id from payment.accounts a
		where a.id = s.account_id and a.kind = 'user' offset 0) a
	left join lateral ( -- what the row belongs to: one of the two
		select o.id as operation_id, i.id as payment_id,
			coalesce(o.balance_before, i.balance_before) as balance_before,
			coalesce(o.balance_after, i.balance_after) as balance_after,
			o.provider, o.direction, o.reference, o.external_id,
			coalesce(o.metadata, i.metadata)::text as metadata,
			coalesce(o.created_at, i.created_at) as created_at,
			i.merchant_id, m.name as merchant_name
		from (values (1)) one
		left join payment.provider_operations o on o.id = t.operation
		left join payment.payment_intents i on i.id = t.operation
		left join payment.merchants m on m.id = i.merchant_id
		where t.operation is not null offset 0
	) w on true
	where s.sequence is not null;
