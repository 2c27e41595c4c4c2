-- The follower's one door: a batch of events into the read model.
--
-- The arrays hold an element for each event of topic transaction-events, with
-- the partition and offset it was read at. Words come as the event's JSON has
-- them (the module has parsed it);
-- details is the whole event, only where it has metadata. Rows, daily totals, the progress of
-- each account and the offsets change together: an event counts exactly once.
-- Repeats (an offset or an account's sequence already passed) are dropped.
-- A value that is no event raises; the caller then finds out which one.
--
-- Each transaction is one row. The receiver of a transfer has a transaction of
-- its own; the merchant's or house's side of one only moves that account's
-- progress on.
--
-- The plan is pinned and kept: the batches are many and often small.
create function transaction.store_events(
	p_topic text, p_partitions integer[], p_offsets bigint[], event_ids uuid[],
	sequences bigint[], ids uuid[], users uuid[], accounts uuid[],
	transaction_ids text[], types text[], statuses text[], amounts text[],
	balances_before text[], balances_after text[], currencies text[],
	directions text[], descriptions text[], external_references text[],
	methods text[], accessible text[], created text[], updated text[],
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
begin
	-- Rows and offsets are lost together, and then read again from Kafka.
	perform set_config('synchronous_commit', 'off', true);
	with message as materialized (
		select m.*
		from unnest(p_partitions, p_offsets, event_ids, sequences, ids, users,
				accounts, transaction_ids, types, statuses, amounts,
				balances_before, balances_after, currencies, directions,
				descriptions, external_references, methods, accessible,
				created, updated, details)
			m(partition, message_offset, event_id, sequence, id, user_id,
				account_id, transaction_id, transaction_type,
				transaction_status, amount, balance_before, balance_after,
				currency, direction, description, external_reference,
				payment_method, accessible, created_at, updated_at, details)
		left join transaction.consumer_offsets o
			on o.topic = p_topic and o.partition = m.partition
		where m.message_offset >= coalesce(o.next_offset, 0)
	), event as materialized (
		select distinct on (m.account_id, m.sequence)
			m.event_id, m.sequence, m.id, m.user_id, m.account_id,
			m.transaction_id, m.transaction_type, m.transaction_status,
			m.amount::numeric as amount,
			m.balance_before::numeric as balance_before,
			m.balance_after::numeric as balance_after,
			m.currency, m.direction, m.description, m.external_reference,
			m.payment_method, m.details::jsonb -> 'metadata' as metadata,
			m.accessible::boolean as is_accessible_external,
			m.created_at::timestamptz as created_at,
			m.updated_at::timestamptz as updated_at,
			coalesce(g.sequence, 0) as seen,
			m.user_id is not null as owned
		from message m
		left join transaction.account_progress g on g.account_id = m.account_id
		where m.sequence > coalesce(g.sequence, 0)
		order by m.account_id, m.sequence
	), newest as materialized (
		select distinct on (id) * from event where owned
		order by id, sequence desc
	), before as materialized (
		select h.* from transaction.historical_transactions h
		join newest using (id)
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
			payment_method, metadata,
			coalesce(is_accessible_external, true), event_id, sequence,
			created_at, updated_at
		from newest
		on conflict (id) do update set
			transaction_status = excluded.transaction_status,
			balance_before = excluded.balance_before,
			balance_after = excluded.balance_after,
			external_reference = excluded.external_reference,
			event_id = excluded.event_id,
			sequence = excluded.sequence,
			updated_at = excluded.updated_at
	), change as (
		select (created_at at time zone 'UTC')::date as day, transaction_type,
			transaction_status, coalesce(payment_method, '') as payment_method,
			coalesce(is_accessible_external, true) as accessible, direction,
			1 as count, amount
		from newest
		union all
		select (created_at at time zone 'UTC')::date, transaction_type,
			transaction_status, coalesce(payment_method, ''),
			is_accessible_external, direction, -1, -amount
		from before
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
	), progress as (
		insert into transaction.account_progress as g
			(account_id, sequence, gaps)
		select account_id, max(sequence),
			max(sequence) - min(seen) - count(*)
		from event
		group by account_id
		order by account_id
		on conflict (account_id) do update set
			sequence = excluded.sequence,
			gaps = g.gaps + excluded.gaps
	), offsets as (
		insert into transaction.consumer_offsets as o
			(topic, partition, next_offset)
		select p_topic, partition, max(message_offset) + 1
		from message
		group by partition
		order by partition
		on conflict (topic, partition) do update set
			next_offset = greatest(o.next_offset, excluded.next_offset),
			updated_at = clock_timestamp()
	)
	select count(*) into stored from event;
	return stored;
end $$;
grant execute on function transaction.store_events
	to onegate_transaction;
