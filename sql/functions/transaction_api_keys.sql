-- The key behind a hash, for each call of an API client. No row: unknown.
-- usable is false for a key or service that is inactive or past its end.
create function transaction.find_api_key(p_hash bytea)
returns table (service_id uuid, key_id uuid, read_transactions boolean,
	read_reports boolean, limit_minute integer, limit_hour integer,
	limit_day integer, rate_limit_count integer, rate_limit_unit text,
	usable boolean)
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
	select s.id, k.id, 'READ_TRANSACTIONS' = any(k.permissions),
		'READ_REPORTS' = any(k.permissions), s.limit_minute, s.limit_hour,
		s.limit_day, k.rate_limit_count, k.rate_limit_unit,
		k.is_active and s.is_active
			and (k.expires_at is null or k.expires_at > clock_timestamp())
	from transaction.api_keys k
	join transaction.external_services s on s.id = k.external_service_id
	where k.key_hash = p_hash;
$$;
grant execute on function transaction.find_api_key(bytea) to onegate_regulator;

-- Operators' calls, by the owner: the key itself never comes here.
create function transaction.issue_api_key(
	p_id uuid, p_service_code text, p_key_name text, p_hash bytea,
	p_prefix text, p_permissions text[], p_expires_at timestamptz
) returns uuid
language sql volatile
set search_path = pg_catalog, pg_temp as $$
	insert into transaction.api_keys (id, external_service_id, key_name,
		key_hash, key_prefix, permissions, expires_at)
	select p_id, s.id, p_key_name, p_hash, p_prefix, p_permissions, p_expires_at
	from transaction.external_services s
	where s.code = p_service_code
	returning id;
$$;

-- True when a key with this prefix or id was active until now.
create function transaction.revoke_api_key(p_name text) returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp as $$
	with ended as (
		update transaction.api_keys
		set is_active = false, revoked_at = clock_timestamp(),
			updated_at = clock_timestamp()
		where is_active and (key_prefix = p_name or id::text = p_name)
		returning 1
	)
	select exists (select from ended);
$$;

create function transaction.list_api_keys()
returns table (id uuid, service text, key_name text, key_prefix text,
	permissions text, expires_at timestamptz, is_active boolean,
	created_at timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp as $$
	select k.id, s.company, k.key_name, k.key_prefix,
		array_to_string(k.permissions, ','), k.expires_at, k.is_active,
		k.created_at
	from transaction.api_keys k
	join transaction.external_services s on s.id = k.external_service_id
	order by k.created_at, k.id;
$$;
