-- How far the journal has been published. A page is the difference of two
-- snapshots: rows visible now that were not visible at `last`. Nothing is
-- skipped, and an account's rows keep their order.

create function payment.relay_begin(p_name text) returns text
language sql stable security definer set search_path = pg_catalog as $$
	select s.snapshot::text from payment.relay_state s where s.name = p_name
$$;

-- The snapshot of this transaction (REPEATABLE READ), to be given to relay_done.
create function payment.relay_now() returns text
language sql stable set search_path = pg_catalog as $$
	select pg_current_snapshot()::text
$$;

create function payment.relay_done(p_name text, p_snapshot text) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
	-- Lost in a crash it only means that the same is published again.
	perform set_config('synchronous_commit', 'off', true);
	insert into payment.relay_state (name, snapshot) values (p_name, p_snapshot::pg_snapshot)
	on conflict (name) do update
	set snapshot = excluded.snapshot, updated_at = clock_timestamp();
	return true;
end $$;

-- Whose these accounts are, in their order: the user, or null when it is no
-- person's.
create function payment.relay_owners(p_accounts uuid[]) returns setof uuid
language sql stable security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
	select (select a.user_id from payment.accounts a
		where a.id = p_accounts[at] and a.kind = 'user')
	from generate_series(1, cardinality(p_accounts)) at
	order by at
$$;

-- After a logical restore transaction ids start anew: forget, publish again,
-- the consumer drops what it has.
create function payment.relay_forget(p_name text) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
	delete from payment.relay_state s where s.name = p_name;
	return found;
end $$;

-- Rows not yet published and the age of the oldest; counts at most 100,000.
create function payment.relay_lag(p_name text)
returns table (rows bigint, oldest_ms bigint)
language sql stable security definer set search_path = pg_catalog as $$
	with last as (
		select coalesce((select s.snapshot from payment.relay_state s where s.name = p_name),
			'1:1:'::pg_snapshot) as snapshot
	), missing as (
		select t.created_at from payment.transfers t, last
		where t.xid >= pg_snapshot_xmin(last.snapshot)
			and not pg_visible_in_snapshot(t.xid, last.snapshot)
		limit 100000
	)
	select count(*), coalesce((extract(epoch from clock_timestamp() - min(created_at)) * 1000)::bigint, 0)
	from missing
$$;
-- Operators, after a logical restore: transaction ids start anew there, so what
-- was noted as seen means nothing. All is followed again; repeats change nothing.
create function payment.after_restore() returns void
language plpgsql security definer set search_path = pg_catalog as $$
begin
	delete from payment.relay_state;
	update payment.user_event_state set snapshot = '1:1:';
end $$;

grant execute on function payment.relay_begin, payment.relay_now, payment.relay_done,
	payment.relay_owners, payment.relay_forget, payment.relay_lag to onegate_relay;
