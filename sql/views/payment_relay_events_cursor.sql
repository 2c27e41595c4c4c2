-- The relay's reading of one difference of snapshots, in pages: one sort, and
-- then rows as they are wanted. Both calls belong to one REPEATABLE READ
-- transaction; the cursor ends with it.
create function payment.relay_open(p_last text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
	rows refcursor := 'relay';
begin
	open rows for
		select * from payment.relay_events
		where xid >= pg_snapshot_xmin(p_last::pg_snapshot)
			and not pg_visible_in_snapshot(xid, p_last::pg_snapshot)
		order by position, credit_side;
end $$;
grant execute on function payment.relay_open(text) to onegate_relay;

create function payment.relay_fetch(p_rows integer)
returns setof payment.relay_events
language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
	rows refcursor := 'relay';
	event payment.relay_events;
begin
	for n in 1..p_rows loop
		fetch rows into event;
		exit when not found;
		return next event;
	end loop;
end $$;
grant execute on function payment.relay_fetch(integer) to onegate_relay;
