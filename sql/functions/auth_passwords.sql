-- Passwords and PINs: their Argon2id texts. Comparing is the module's work;
-- what is replaced is named, so that two changes at once never both win.

create function auth.user_secrets(p_user uuid)
returns table (password text, pin_set boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select u.password, exists (select from auth.pins p where p.user_id = u.id)
	from auth.users u
	where u.id = p_user and u.status = 'ACTIVE';
$$;

-- The same password, hashed at a higher cost. False when it changed meanwhile.
create function auth.password_replace(p_user uuid, p_old text, p_new text)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.users set password = p_new, updated_at = now()
	where id = p_user and password = p_old;
	return found;
end $$;

-- A new password; every session but p_keep ends.
create function auth.password_change(p_user uuid, p_old text, p_new text, p_keep uuid)
returns table (changed boolean, ended uuid[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	changed := auth.password_replace(p_user, p_old, p_new);
	ended := '{}';
	if changed then
		ended := array(select auth.sessions_end(p_user, p_keep, 'password'));
	end if;
	return next;
end $$;

-- How long the n-th wrong PIN in a row blocks outgoing money.
create function auth.pin_block(p_failures integer) returns interval
language sql immutable set search_path = pg_catalog, pg_temp as $$
	select case
		when p_failures < 5 then null
		when p_failures = 5 then interval '1 minute'
		when p_failures = 6 then interval '5 minutes'
		when p_failures = 7 then interval '15 minutes'
		when p_failures = 8 then interval '1 hour'
		when p_failures = 9 then interval '6 hours'
		else interval '24 hours'
	end;
$$;

-- Counts a try as wrong before it is compared; auth.pin_passed takes it back.
-- outcome: ok (compare with pin), blocked (for retry_after seconds), not_set.
create function auth.pin_attempt(p_user uuid)
returns table (outcome text, pin text, retry_after integer)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
	stored auth.pins;
begin
	select * into stored from auth.pins p where p.user_id = p_user for update;
	if not found then
		return query select 'not_set', null::text, 0;
	elsif stored.blocked_until > clock_timestamp() then
		return query select 'blocked', null::text, ceil(extract(epoch from
			stored.blocked_until - clock_timestamp()))::integer;
	else
		update auth.pins p set failures = stored.failures + 1,
			blocked_until = clock_timestamp() + auth.pin_block(stored.failures + 1)
		where p.user_id = p_user;
		return query select 'ok', stored.pin, 0;
	end if;
end $$;

create function auth.pin_passed(p_user uuid) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update auth.pins set failures = 0, blocked_until = null
	where user_id = p_user;
$$;

-- Sets the first PIN (p_old NULL) or replaces p_old. False when it is not so.
create function auth.pin_set(p_user uuid, p_old text, p_new text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_old is null then
		insert into auth.pins (user_id, pin) values (p_user, p_new)
		on conflict do nothing;
	else
		update auth.pins set pin = p_new, failures = 0,
			blocked_until = null, updated_at = now()
		where user_id = p_user and pin = p_old;
	end if;
	return found;
end $$;

grant execute on function auth.user_secrets, auth.password_replace,
	auth.password_change, auth.pin_attempt, auth.pin_passed, auth.pin_set
	to onegate_auth;
grant execute on function auth.pin_attempt, auth.pin_passed to onegate_payment;
