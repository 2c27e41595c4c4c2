-- How many accessible transactions a filter holds, without counting a growing
-- table: whole days come from the daily totals, the two ends by index. Nulls
-- mean "all"; the range is half open, [p_from, p_to).
create function transaction.count_accessible(
	p_type text, p_status text, p_method text, p_from timestamptz, p_to timestamptz
) returns bigint
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp as $$
declare
	-- The first whole day and the first day that is not whole any more.
	first_day date := (p_from at time zone 'UTC')::date
		+ (p_from at time zone 'UTC' > date_trunc('day', p_from at time zone 'UTC'))::integer;
	end_day date := (p_to at time zone 'UTC')::date;
	total bigint;
begin
	select coalesce(sum(t.count), 0) into total
	from transaction.daily_totals t
	where t.accessible
		and (p_type is null or t.transaction_type = p_type)
		and (p_status is null or t.transaction_status = p_status)
		and (p_method is null or t.payment_method = p_method)
		and (first_day is null or t.day >= first_day)
		and (end_day is null or t.day < end_day);
	if first_day > end_day then -- both ends within one day
		return transaction.count_between(p_type, p_status, p_method, p_from, p_to);
	end if;
	if p_from is not null then
		total := total + transaction.count_between(p_type, p_status, p_method,
			p_from, first_day::timestamp at time zone 'UTC');
	end if;
	if p_to is not null then
		total := total + transaction.count_between(p_type, p_status, p_method,
			end_day::timestamp at time zone 'UTC', p_to);
	end if;
	return total;
end $$;
grant execute on function transaction.count_accessible(text, text, text,
	timestamptz, timestamptz) to onegate_regulator;

-- The same by counting rows: for less than a day.
create function transaction.count_between(
	p_type text, p_status text, p_method text, p_from timestamptz, p_to timestamptz
) returns bigint
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
	select count(*) from transaction.historical_transactions
	where is_accessible_external and created_at >= p_from and created_at < p_to
		and (p_type is null or transaction_type = p_type)
		and (p_status is null or transaction_status = p_status)
		and (p_method is null or payment_method = p_method);
$$;

-- Up to when the read model is known to be complete: the newest event that was
-- stored, or null before the first.
create function transaction.watermark() returns timestamptz
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
	select max(updated_at) from transaction.consumer_offsets;
$$;
grant execute on function transaction.watermark() to onegate_regulator;

-- Daily totals as text, a line with the sums at the end. Days are UTC.
create function transaction.daily_report(p_from timestamptz, p_to timestamptz)
returns table (day text, transaction_type text, transaction_status text,
	payment_method text, direction text, count text, amount text)
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
	with line as materialized (
		select * from transaction.daily_totals t
		where t.accessible and t.count <> 0
			and t.day >= (p_from at time zone 'UTC')::date
			and t.day < (p_to at time zone 'UTC')::date
	)
	select * from (
		select l.day::text, l.transaction_type, l.transaction_status,
			l.payment_method, l.direction, l.count::text, l.amount::text
		from line l
		order by 1, 2, 3, 4, 5
	) lines
	union all
	select 'total', '', '', '', '', coalesce(sum(l.count), 0)::text,
		coalesce(sum(l.amount), 0.00)::text
	from line l;
$$;
grant execute on function transaction.daily_report(timestamptz, timestamptz)
	to onegate_regulator;
