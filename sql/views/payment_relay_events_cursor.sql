-- The relay's reading of one difference of snapshots, in pages. All calls belong
-- to one REPEATABLE READ transaction; the cursor ends with it.
--
-- The cursor sorts nothing but places and ids, so that a long difference costs
-- little memory and the first page comes soon; each page then looks its rows up.
-- The plans are pinned: they are made once, not in each of the many rounds, and
-- never with the statistics of an empty table.
create function payment.relay_open(p_last text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off as $$
declare
	places refcursor := 'relay';
begin
	open places for
		select t.id from payment.transfers t
		where t.xid >= pg_snapshot_xmin(p_last::pg_snapshot)
			and not pg_visible_in_snapshot(t.xid, p_last::pg_snapshot)
		order by t.position;
end $$;
grant execute on function payment.relay_open(text) to onegate_relay;

-- The events of the next rows of the journal; p_rows of them at the most, each
-- of one or two events. No event: that was all.
create function payment.relay_fetch(p_rows integer)
returns setof payment.relay_events
language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off as $$
declare
	places refcursor := 'relay';
	place uuid;
	ids uuid[];
begin
	loop
		ids := '{}';
		for n in 1..p_rows loop
			fetch places into place;
			exit when not found;
			ids := ids || place;
		end loop;
		exit when ids = '{}';
		return query
			select e.* from unnest(ids) wanted(id)
			cross join lateral (
				select * from payment.relay_events e
				where e.row_id = wanted.id
				offset 0 -- keeps the rows' look-up inside
			) e
			order by e.position, e.credit_side;
		-- a page of rows that touch no person's account is not the end
		exit when found;
	end loop;
end $$;
grant execute on function payment.relay_fetch(integer) to onegate_relay;
