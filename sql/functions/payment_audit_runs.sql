-- The record of the self-check's runs.
create function payment.audit_record(p_seconds numeric, p_breaks bigint) returns bigint
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
	insert into payment.audit_runs (seconds, breaks) values (p_seconds, p_breaks)
	returning id;
$$;
grant execute on function payment.audit_record(numeric, bigint) to onegate_audit;

-- The last run: no row before the first.
create function payment.audit_last() returns table (finished_ms bigint, breaks bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select meta.ms(r.finished_at), r.breaks from payment.audit_runs r
	order by r.id desc limit 1;
$$;
grant execute on function payment.audit_last() to onegate_payment;
