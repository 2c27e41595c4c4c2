-- A person's own transactions, from the journal: exact at the moment of asking.
-- A transaction stands where its first row stands in the account's sequence,
-- an order that never changes; its status is the one of now.
--
-- A page walks the account's chain of rows from its newest, or from the row of
-- the cursor, and stops when it is full: the recursion makes no more steps than
-- are asked of it, and each step and each answer is a look-up by primary key.
-- PL/pgSQL keeps the plans, and they are pinned to that.

create function payment.transactions_of(account uuid, after_row uuid,
	p_type text, p_status text, from_ms bigint, to_ms bigint, rows integer)
returns setof payment.transaction_answer
language plpgsql stable security definer set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
begin
	return query
	with recursive chain (row_id, shown) as (
		select coalesce($2, a.last_row), $2 is null
		from payment.accounts a where a.id = $1
		union all
		select (select case $1 when t.debit_account then t.debit_previous
				when t.credit_account then t.credit_previous end
			from payment.transfers t where t.id = c.row_id), true
		from chain c where c.row_id is not null
	), page as (
		select t.answer, t.sequence
		from chain c
		cross join lateral (
			select t.answer, t.sequence, t.type, t.status, t.created_at
			from payment.account_transactions t
			where t.row_id = c.row_id and t.account_id = $1
			offset 0) t
		where c.shown
			and ($3 is null or t.type = $3) and ($4 is null or t.status = $4)
			and ($5 is null or t.created_at >= meta.moment($5))
			and ($6 is null or t.created_at < meta.moment($6))
		limit least(greatest($7, 1), 201)
	)
	select (p.answer).* from page p order by p.sequence desc;
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
