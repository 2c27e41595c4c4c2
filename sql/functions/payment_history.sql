-- A person's own transactions, from the journal: exact at the moment of asking.
-- A transaction stands where its first row stands in the account's sequence,
-- an order that never changes; its status is the one of now. PL/pgSQL keeps the
-- plans; pinned, they walk two indexes backwards and stop when the page is full.

create function payment.transactions_of(account uuid, before_sequence bigint,
	p_type text, p_status text, from_ms bigint, to_ms bigint, rows integer)
returns setof payment.transaction_answer
language plpgsql stable security definer set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
begin
	return query select (t.answer).*
	from payment.account_transactions t
	where t.account_id = $1
		and t.sequence < coalesce($2, 9223372036854775807)
		and ($3 is null or t.type = $3) and ($4 is null or t.status = $4)
		and ($5 is null or t.created_at >= meta.moment($5))
		and ($6 is null or t.created_at < meta.moment($6))
	order by t.sequence desc limit least(greatest($7, 1), 201);
end $$;

-- One of them, by its id: a payment's, a provider operation's, or a row's (its
-- other side for the receiver of a transfer).
create function payment.transaction_of(account uuid, p_id uuid)
returns setof payment.transaction_answer
language plpgsql stable security definer set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
begin
	return query select (t.answer).*
	from payment.account_transactions t
	where t.account_id = $1 and t.row_id in (
			$2, meta.other_side($2),
			(select o.opening_row from payment.provider_operations o where o.id = $2),
			(select i.opening_row from payment.payment_intents i where i.id = $2))
		and (t.answer).id = $2
	limit 1;
end $$;
grant execute on function payment.transactions_of, payment.transaction_of
	to onegate_payment;
