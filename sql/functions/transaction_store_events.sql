-- The follower's one door: a batch of events into the read model.
--
-- p_values are JSON objects of topic transaction-events; they come with the
-- partition and offset each was read at. Rows, daily totals, the progress of
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
	p_topic text, p_partitions integer[], p_offsets bigint[], p_values text[]
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
		select m.partition, m.message_offset, m.value::jsonb as value
		from unnest(p_partitions, p_offsets, p_values) m(partition, message_offset, value)
		left join transaction.consumer_offsets o
			on o.topic = p_topic and o.partition = m.partition
		where m.message_offset >= coalesce(o.next_offset, 0)
	), event as materialized (
		select distinct on (e.account_id, e.sequence) e.*,
			coalesce(g.sequence, 0) as seen,
			e.user_id is not null as owned
		from message m
		cross join jsonb_to_record(m.value) e(
			event_id uuid, sequence bigint, id uuid, user_id uuid,
			account_id uuid, transaction_id text, transaction_type text,
			transaction_status text, amount numeric, balance_before numeric,
			balance_after numeric, currency text, direction text,
			description text, external_reference text, payment_method text,
			metadata jsonb, is_accessible_external boolean,
			created_at timestamptz, updated_at timestamptz)
		left join transaction.account_progress g on g.account_id = e.account_id
		where e.sequence > coalesce(g.sequence, 0)
		order by e.account_id, e.sequence
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
grant execute on function transaction.store_events(text, integer[], bigint[], text[])
	to onegate_transaction;
