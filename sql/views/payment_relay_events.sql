-- What the relay publishes: an event for each row that touches a person's
-- account. README.md has the two snapshots between which it reads.
--
-- An event told again later is the same: what became of a transaction is not
-- told with its opening row (2, 10, 11), only with the one that decided.
create view payment.relay_events as
	select s.position, s.xid, s.credit_side,
		case when s.credit_side then meta.other_side(s.row_id) else s.row_id end as event_id,
		s.kind as event_kind,
		case when s.kind = 5 and s.credit_side then meta.other_side(s.row_id)
			when s.kind in (5, 7, 8) or s.operation is null then s.row_id
			else s.operation end as id,
		a.user_id, s.account_id, s.sequence,
		case when s.kind = 7 then 'REFUND'
			when o.id is not null then 'TOPUP'
			when i.id is not null or s.kind = 8 then 'PAYMENT'
			else 'TRANSFER' end as transaction_type,
		(array['PENDING', 'SUCCESS', 'FAILED', 'CANCELLED'])[s.state + 1] as transaction_status,
		s.amount,
		case when s.kind not in (2, 7, 10, 11) and o.id is not null then o.balance_before
			when s.kind not in (2, 7, 10, 11) and i.id is not null then i.balance_before
			when s.kind in (10, 11) then s.balance - s.held
			else s.balance - s.held + case when s.credit_side then -s.amount else s.amount end
			end as balance_before,
		case when s.kind not in (2, 7, 10, 11) and o.id is not null then o.balance_after
			when s.kind not in (2, 7, 10, 11) and i.id is not null then i.balance_after
			else s.balance - s.held end as balance_after,
		s.currency::text as currency, o.provider as payment_method, s.description,
		case when s.state = 0 then o.reference
			else coalesce(o.external_id, o.reference) end as external_reference,
		coalesce(o.metadata, case when s.kind <> 7 then i.metadata end)::text as metadata,
		true as is_accessible_external,
		case when o.direction = 'in' then 'credit' when o.direction = 'out' then 'debit'
			when s.credit_side then 'credit' else 'debit' end as direction,
		meta.ms(coalesce(o.created_at, case when s.kind <> 7 then i.created_at end,
			s.created_at)) as created_ms,
		meta.ms(s.created_at) as updated_ms,
		i.id as payment_id, i.merchant_id, m.name as merchant_name, s.row_id
	from payment.account_sides s
	join payment.accounts a on a.id = s.account_id and a.kind = 'user'
	left join payment.provider_operations o on o.id = s.operation
	left join payment.payment_intents i on i.id = s.operation
	left join payment.merchants m on m.id = i.merchant_id
	where s.sequence is not null;
grant select on payment.relay_events to onegate_relay;
