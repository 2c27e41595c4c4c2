-- The transactions of an account: sides that open one, with the state of now.
-- Kinds that go on with an earlier one (charge, settle, release, payment, ended,
-- an adjustment out of suspense) are part of what they go on with.
create view payment.account_transactions as
	select s.account_id, s.sequence, s.row_id, s.created_at,
		kind.type, coalesce(o.state, i.state, 'SUCCESS') as status,
		row (
			case when s.kind in (2, 10, 11) then s.operation
				when s.kind = 5 and s.credit_side then meta.other_side(s.row_id)
				else s.row_id end,
			kind.type,
			coalesce(o.state, i.state, 'SUCCESS'),
			s.amount,
			coalesce(o.balance_before, i.balance_before,
				s.balance - s.held + case when s.credit_side then -s.amount else s.amount end),
			coalesce(o.balance_after, i.balance_after, s.balance - s.held),
			s.currency, o.provider, s.description,
			case when s.credit_side then 'credit' else 'debit' end,
			meta.ms(s.created_at),
			meta.ms(coalesce(o.updated_at, i.updated_at, s.created_at)),
			(select a.user_id from payment.accounts a where a.id = s.account_id),
			s.account_id,
			coalesce(o.external_id, o.reference),
			coalesce(o.metadata, i.metadata)::text,
			true, s.sequence, s.row_id
		)::payment.transaction_answer as answer
	from payment.account_sides s
	cross join lateral (values (case
		when s.kind in (2, 10) then 'TOPUP'
		when s.kind in (8, 11) then 'PAYMENT'
		when s.kind = 7 then 'REFUND'
		else 'TRANSFER' end)) kind (type)
	left join payment.provider_operations o
		on s.kind in (2, 10) and o.id = s.operation
	left join payment.payment_intents i
		on s.kind = 11 and i.id = s.operation
	where s.sequence is not null
		and (s.kind in (2, 5, 7, 8, 10, 11) or (s.kind = 9 and s.operation is null));
