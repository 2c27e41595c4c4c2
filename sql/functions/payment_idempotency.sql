-- Repeats of requests whose answer is not one posting, notifications that came
-- before, and the end of what need not be kept.

-- What the journal's unique index holds of a key. One expression, so that the
-- planner puts it in line.
create function payment.key_hash(scope text, key text) returns uuid
language sql stable parallel safe as $$
	select encode(substr(sha256(convert_to(scope || chr(31) || key, 'UTF8')), 1, 16), 'hex')::uuid
$$;

create function payment.idempotency_begin(p_scope text, p_key text, p_fingerprint bytea)
returns table (outcome text, status smallint, body text)
language plpgsql security definer set search_path = pg_catalog as $$
#variable_conflict use_column
declare
	kept payment.idempotency_records;
begin
	insert into payment.idempotency_records as r (scope, key, fingerprint)
	values (p_scope, p_key, p_fingerprint)
	on conflict (scope, key) do update
	set fingerprint = excluded.fingerprint, status = null, body = null,
		created_at = clock_timestamp()
	where r.created_at < clock_timestamp() - interval '24 hours'
		-- whoever began it is long gone
		or (r.status is null and r.created_at < clock_timestamp() - interval '2 minutes'
			and r.fingerprint = excluded.fingerprint);
	if found then
		outcome := 'new';
		return next;
		return;
	end if;
	select * into kept from payment.idempotency_records r
	where r.scope = p_scope and r.key = p_key;
	outcome := case when kept.fingerprint <> p_fingerprint then 'other'
		when kept.status is null then 'running' else 'replay' end;
	if outcome = 'replay' then
		status := kept.status;
		body := kept.body;
	end if;
	return next;
end $$;

create function payment.idempotency_finish(p_scope text, p_key text, p_status smallint, p_body text)
returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
	update payment.idempotency_records r set status = p_status, body = p_body
	where r.scope = p_scope and r.key = p_key and r.status is null;
	return found;
end $$;

-- The request came to nothing (a 5xx): the key may be used again.
create function payment.idempotency_forget(p_scope text, p_key text) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
	delete from payment.idempotency_records r
	where r.scope = p_scope and r.key = p_key and r.status is null;
	return found;
end $$;

create function payment.notification_first(p_provider text, p_digest bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
	insert into payment.notifications (provider, digest) values (p_provider, p_digest)
	on conflict do nothing;
	return found;
end $$;

-- Removes at most `rows` of each kind that are past their time.
create function payment.purge(rows integer) returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	gone integer;
	sum integer := 0;
begin
	delete from payment.refusals r using (
		select f.idempotency from payment.refusals f
		where f.created_at < now() - interval '24 hours'
		order by f.created_at limit rows for update skip locked) old
	where r.idempotency = old.idempotency;
	get diagnostics gone = row_count;
	sum := sum + gone;
	delete from payment.idempotency_records r using (
		select f.scope, f.key from payment.idempotency_records f
		where f.created_at < now() - interval '24 hours'
		order by f.created_at limit rows for update skip locked) old
	where r.scope = old.scope and r.key = old.key;
	get diagnostics gone = row_count;
	sum := sum + gone;
	delete from payment.notifications r using (
		select f.provider, f.digest from payment.notifications f
		where f.received_at < now() - interval '8 days'
		order by f.received_at limit rows for update skip locked) old
	where r.provider = old.provider and r.digest = old.digest;
	get diagnostics gone = row_count;
	return sum + gone;
end $$;

grant execute on function payment.idempotency_begin, payment.idempotency_finish,
	payment.idempotency_forget, payment.notification_first, payment.purge
	to onegate_payment;
