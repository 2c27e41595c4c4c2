-- The follower's one door: a batch of events into the read model.
--
-- p_partitions and p_next tell where each partition that was read goes on after
-- the batch. The other arrays hold an element for each event of topic
-- transaction-events, words and amounts as the event's JSON has them (the module
-- has parsed it; a time as text would be a tenth of the work); details is the whole event, only where it has metadata. Rows, daily
-- totals and the places change together: an event counts exactly once.
-- A value that is no event raises; the caller then finds out which one.
--
-- Each transaction is one row, shaped by the newest of its events. They are all
-- of one account, so that its sequence tells a repeat: it is not above the row's.
-- Nothing else is asked, above all not how far each account has been heard: that
-- would be a second table to write for each event, and payment.audit_history()
-- compares every row with the journal anyway.
--
-- Texts are read by unnest(), which copies each array to a store first; values of
-- one length are read by their number, which costs less and for texts would cost
-- more: an element is found by walking over all before it.
--
-- The plan is pinned and kept, because the batches are many and often small; it
-- may have been made while the tables were empty, so `offset 0` keeps the look-up
-- one by id.
create function transaction.store_events(
	p_topic text, p_partitions integer[], p_next bigint[], event_ids uuid[],
	sequences bigint[], ids uuid[], users uuid[], accounts uuid[],
	transaction_ids text[], types text[], statuses text[], amounts text[],
	balances_before text[], balances_after text[], currencies text[],
	directions text[], descriptions text[], external_references text[],
	methods text[], accessible boolean[], created timestamptz[],
	updated timestamptz[],
	details text[]
) returns bigint
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off as $$
#variable_conflict use_column
declare
	stored bigint;
	again integer[]; -- events of transactions that were told before
	i integer;
begin
	-- Rows and places are lost together, and then read again from Kafka.
	perform set_config('synchronous_commit', 'off', true);

	-- First, because it also keeps a second reader of the partition waiting
	-- until the rows of this one can be seen.
	insert into transaction.consumer_offsets as o (topic, partition, next_offset)
	select p_topic, partition, next_offset
	from unnest(p_partitions, p_next) m (partition, next_offset)
	order by partition
	on conflict (topic, partition) do update set
		next_offset = greatest(o.next_offset, excluded.next_offset),
		updated_at = clock_timestamp();

	with newest as materialized (
		select distinct on (m.id)
			event_ids[m.at] as event_id, sequences[m.at] as sequence, m.id,
			users[m.at] as user_id, accounts[m.at] as account_id,
			m.transaction_id, m.transaction_type, m.transaction_status,
			m.amount::numeric as amount,
			m.balance_before::numeric as balance_before,
			m.balance_after::numeric as balance_after,
			m.currency, m.direction, m.description, m.external_reference,
			m.payment_method, m.details::jsonb -> 'metadata' as metadata,
			coalesce(accessible[m.at], true) as is_accessible_external,
			created[m.at] as created_at, updated[m.at] as updated_at,
			h.sequence as told, h.transaction_status as status_told,
			h.is_accessible_external as accessible_told, m.at
		from rows from (unnest(ids, transaction_ids, types, statuses, amounts,
				balances_before, balances_after, currencies, directions,
				descriptions, external_references, methods,
				details), generate_series(1, cardinality(ids)))
			m (id, transaction_id, transaction_type, transaction_status,
				amount, balance_before, balance_after, currency,
				direction, description, external_reference,
				payment_method, details, at)
		left join lateral (
			select h.sequence, h.transaction_status, h.is_accessible_external
			from transaction.historical_transactions h
			where h.id = m.id offset 0) h on true
		order by m.id, sequences[m.at] desc
	), written as (
		insert into transaction.historical_transactions (id, user_id,
			account_id, transaction_id, transaction_type,
			transaction_status, amount, balance_before, balance_after,
			currency, direction, description, external_reference,
			payment_method, metadata, is_accessible_external, event_id,
			sequence, created_at, updated_at)
		select id, user_id, account_id, transaction_id, transaction_type,
			transaction_status, amount, balance_before, balance_after,
			currency, direction, description, external_reference,
			payment_method, metadata, is_accessible_external, event_id,
			sequence, created_at, updated_at
		from newest where told is null
	), change as (
		select (created_at at time zone 'UTC')::date as day, transaction_type,
			transaction_status, coalesce(payment_method, '') as payment_method,
			coalesce(accessible_told, is_accessible_external) as accessible,
			direction, 1 as count, amount
		from newest where told is null or told < sequence
		union all
		select (created_at at time zone 'UTC')::date, transaction_type,
			status_told, coalesce(payment_method, ''), accessible_told,
			direction, -1, -amount
		from newest where told < sequence
	), totals as (
		insert into transaction.daily_totals as t (day, transaction_type,
			transaction_status, payment_method, accessible, direction,
			count, amount)
		select day, transaction_type, transaction_status, payment_method,
			accessible, direction, sum(count), sum(amount)
		from change
		group by 1, 2, 3, 4, 5, 6
		having sum(count) <> 0 or sum(amount) <> 0
		order by 1, 2, 3, 4, 5, 6
		on conflict (day, transaction_type, transaction_status,
			payment_method, accessible, direction) do update set
			count = t.count + excluded.count,
			amount = t.amount + excluded.amount
	)
	select count(*), array_agg(at) filter (where told is not null) into stored, again
	from newest where told is null or told < sequence;

	-- Few, and one by one: a join could get a plan that reads the whole table.
	foreach i in array coalesce(again, '{}') loop
		update transaction.historical_transactions set
			transaction_status = statuses[i],
			balance_before = balances_before[i]::numeric,
			balance_after = balances_after[i]::numeric,
			external_reference = external_references[i],
			event_id = event_ids[i],
			sequence = sequences[i],
			updated_at = updated[i]
		where id = ids[i];
	end loop;
	return stored;
end $$;
grant execute on function transaction.store_events
	to onegate_transaction;
