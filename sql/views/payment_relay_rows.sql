-- What the relay publishes: the journal's rows, each once with both of its sides;
-- the relay makes an event of each side that is a person's (payment.relay_owners).
-- README.md has the two snapshots between which it reads.
--
-- An event told again later is the same: what became of a transaction is not
-- told with its opening row (2, 10, 11), only with the one that decided.
--
-- Most rows belong to no operation and ask for nothing else. The relay keeps its
-- plan for long, made while tables may have been empty: so every look-up is by id
-- and by nothing else that an index could meet, and `offset 0` keeps it a look-up
-- for each row.
create view payment.relay_rows as
	select t.id as row_id, t.position, t.xid,
		-- null: each side of a transfer is a transaction of its own
		case when t.kind = 5 then null
			when t.kind in (7, 8) or t.operation is null then t.id
			else t.operation end as id,
		case when t.kind = 7 then 'REFUND'
			when w.operation_id is not null then 'TOPUP'
			when w.payment_id is not null or t.kind = 8 then 'PAYMENT'
			else 'TRANSFER' end as transaction_type,
		(array['PENDING', 'SUCCESS', 'FAILED', 'CANCELLED'])[t.state + 1] as transaction_status,
		t.amount, t.currency::text as currency, w.provider as payment_method, t.description,
		case when t.state = 0 then w.reference
			else coalesce(w.external_id, w.reference) end as external_reference,
		case when t.kind <> 7 then w.metadata end as metadata,
		true as is_accessible_external,
		case w.direction when 'in' then 'credit' when 'out' then 'debit' end
			as direction, -- null: that of the side
		coalesce(case when t.kind <> 7 then w.created_at end, t.created_at) as created_at,
		t.created_at as updated_at,
		w.payment_id, w.merchant_id, w.merchant_name,
		-- account_id null: one that is only named
		case when t.debit_sequence is not null then t.debit_account end
			as debit_account_id, t.debit_sequence,
		coalesce(w.balance_before, t.debit_balance - t.debit_held
			+ case when t.kind in (10, 11) then 0 else t.amount end) as debit_balance_before,
		coalesce(w.balance_after, t.debit_balance - t.debit_held) as debit_balance_after,
		case when t.credit_sequence is not null then t.credit_account end
			as credit_account_id, t.credit_sequence,
		coalesce(w.balance_before, t.credit_balance - t.credit_held
			- case when t.kind in (10, 11) then 0 else t.amount end) as credit_balance_before,
		coalesce(w.balance_after, t.credit_balance - t.credit_held) as credit_balance_after
	from payment.transfers t
	left join lateral ( -- what the row belongs to: one of the two
		select o.id as operation_id, i.id as payment_id,
			case when t.kind not in (2, 7, 10, 11)
				then coalesce(o.balance_before, i.balance_before) end as balance_before,
			case when t.kind not in (2, 7, 10, 11)
				then coalesce(o.balance_after, i.balance_after) end as balance_after,
			o.provider, o.direction, o.reference, o.external_id,
			coalesce(o.metadata, i.metadata)::text as metadata,
			coalesce(o.created_at, i.created_at) as created_at,
			i.merchant_id, m.name as merchant_name
		from (values (1)) one
		left join payment.provider_operations o on o.id = t.operation
		left join payment.payment_intents i on i.id = t.operation
		left join payment.merchants m on m.id = i.merchant_id
		where t.operation is not null offset 0
	) w on true;
