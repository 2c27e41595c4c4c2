-- The relay's reading of one difference of snapshots: opens a cursor named
-- `relay` over its rows, to be fetched page by page. All belongs to one
-- REPEATABLE READ transaction; the cursor ends with it.
--
-- Nearly always the difference is a short one, of some batches: its rows are
-- sorted as they are. In a long one, after an outage, nothing is sorted but places
-- and ids, so that it costs little memory and the first page comes soon; the rows
-- are looked up while it is read.
--
-- The plans are pinned: made once, not in each of the many rounds, and with
-- nothing in them that would suit an empty table only.
create function payment.relay_open(p_last text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_memoize = off as $$
declare
	-- how many transactions may lie between; each has up to 256 rows
	short constant bigint := 1000;
	last constant pg_snapshot := p_last;
	rows refcursor := 'relay';
begin
	if pg_snapshot_xmax(pg_current_snapshot())::text::bigint
			- pg_snapshot_xmin(last)::text::bigint <= short then
		open rows for
			select r.* from payment.relay_rows r
			where r.xid >= pg_snapshot_xmin(last)
				and not pg_visible_in_snapshot(r.xid, last)
			order by r.position;
		return;
	end if;
	open rows for
		select r.* from (
			select t.id, t.position from payment.transfers t
			where t.xid >= pg_snapshot_xmin(last)
				and not pg_visible_in_snapshot(t.xid, last)
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
