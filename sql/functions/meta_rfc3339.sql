-- RFC 3339 in UTC with microseconds, as every time in our JSON.
create function meta.rfc3339(p_at timestamptz) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp as $$
	select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
$$;
grant execute on function meta.rfc3339(timestamptz) to onegate_auth,
	onegate_payment, onegate_relay, onegate_transaction, onegate_regulator, onegate_audit;
