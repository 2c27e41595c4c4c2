-- People: registration, the look-up at sign-in, their profile, and what
-- operators do to them.

-- Makes the person and the event that opens the payment account, together.
-- Gives '' or the names that are taken, comma separated. Two at once with one
-- name: the second waits for the first and is told what is taken.
create function auth.register(p_id uuid, p_username text, p_username_key text,
	p_email text, p_email_key text, p_phone text, p_password text)
returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	taken text;
begin
	for attempt in 1..3 loop
		select string_agg(field, ',') into taken
		from (
			select 'username' as field
			where exists (select from auth.users where username_key = p_username_key)
			union all select 'email'
			where exists (select from auth.users where email_key = p_email_key)
			union all select 'phone'
			where exists (select from auth.users where phone = p_phone)
		) fields;
		if taken is not null then
			return taken;
		end if;
		insert into auth.users (id, username, username_key, email, email_key,
			phone, password)
		values (p_id, p_username, p_username_key, p_email, p_email_key,
			p_phone, p_password)
		on conflict do nothing;
		if found then
			insert into auth.user_events (user_id, kind, username,
				username_key, email, phone)
			values (p_id, 'registered', p_username, p_username_key,
				p_email, p_phone);
			return '';
		end if;
	end loop;
	raise unique_violation using message = 'a name was taken three times over';
end $$;

-- Whom a sign-in name means. It may read as more than one kind of name: the
-- address or phone wins, so nobody takes another's sign-in by a user name
-- that looks like it. NULL keys match nobody.
create function auth.user_by_login(p_username_key text, p_email_key text, p_phone text)
returns table (id uuid, username text, password text, status text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select id, username, password, status
	from (
		select 1 as rank, u.id, u.username, u.password, u.status
		from auth.users u where u.email_key = p_email_key
		union all
		select 2, u.id, u.username, u.password, u.status
		from auth.users u where u.phone = p_phone
		union all
		select 3, u.id, u.username, u.password, u.status
		from auth.users u where u.username_key = p_username_key
	) named
	order by rank
	limit 1;
$$;

create function auth.profile(p_user uuid)
returns table (id uuid, username text, email text, phone text, status text,
	pin_set boolean, created_at text, updated_at text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select u.id, u.username, u.email, u.phone, u.status,
		exists (select from auth.pins p where p.user_id = u.id),
		meta.rfc3339(u.created_at), meta.rfc3339(u.updated_at)
	from auth.users u
	where u.id = p_user and u.status <> 'DELETED';
$$;

-- What an operator may do: p_status ACTIVE, SUSPENDED or DELETED. Sessions of
-- who is no longer active end at once. Gives how many; null when there is
-- nobody to change.
create function auth.account_status(p_user uuid, p_status text, p_reason text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	person auth.users;
	ended integer := 0;
begin
	update auth.users set status = p_status, updated_at = now()
	where id = p_user and status <> p_status and status <> 'DELETED'
	returning * into person;
	if not found then
		return null;
	end if;
	if p_status <> 'ACTIVE' then
		select count(*) into ended
		from auth.sessions_end(p_user, null, lower(p_status));
	end if;
	insert into auth.user_events (user_id, kind, username, username_key)
	values (p_user, case p_status when 'ACTIVE' then 'activated'
		when 'SUSPENDED' then 'suspended' else 'deleted' end,
		person.username, person.username_key);
	perform auth.audit(p_user, 'status', lower(p_status), null, null, null,
		null, p_reason);
	return ended;
end $$;

grant execute on function auth.register, auth.user_by_login, auth.profile to onegate_auth;
