-- The relay's reading of one difference of snapshots: opens a cursor named
-- `relay` over its rows, to be fetched page by page. All belongs to one
-- REPEATABLE READ transaction; the cursor ends with it.
--
-- What is sorted is nothing but places and ids, so that a long difference costs
-- little memory and the first page comes soon; the rows are looked up while it is
-- read. The plan is pinned: it is made once, not in each of the many rounds, and
-- with nothing in it that would suit an empty table only.
create function payment.relay_open(p_last text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_memoize = off as $$
declare
	rows refcursor := 'relay';
begin
	open rows for
		select r.* from (
			select t.id, t.position from payment.transfers t
			where t.xid >= pg_snapshot_xmin(p_last::pg_snapshot)
				and not pg_visible_in_snapshot(t.xid, p_last::pg_snapshot)
			order by t.position
			offset 0 -- sorts here, not the rows
		) place
		cross join lateral (
			select * from payment.relay_rows r
			where r.row_id = place.id
			offset 0 -- keeps the look-up inside
		) r
		order by place.position;
end $$;
grant execute on function payment.relay_open(text) to onegate_relay;
