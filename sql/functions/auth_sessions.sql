-- Sessions and their refresh tokens. A token is used once; used again it ends
-- its family, unless the second use was under way before the first one's
-- answer had left.

-- Opens a session for who was just found to know the password p_password (its
-- text). False when that has changed since, or the person is not active.
create function auth.session_open(p_sid uuid, p_user uuid, p_password text,
	p_token text, p_seconds integer, p_ip inet, p_agent text)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	-- The lock orders this with a suspension or a change of password under
	-- way: either that is seen here, or it sees and ends this session.
	perform from auth.users
	where id = p_user and status = 'ACTIVE' and password = p_password
	for share;
	if not found then
		return false;
	end if;
	insert into auth.sessions (sid, user_id, user_agent, ip)
	values (p_sid, p_user, p_agent, p_ip);
	insert into auth.authentications (token, user_id, family, expires_at)
	values (p_token, p_user, p_sid, now() + make_interval(secs => p_seconds));
	return true;
end $$;

-- Uses p_token for p_new, which lives p_seconds. The request waited
-- p_waited_ms before it was sent here; an answer leaves p_overlap_ms after the
-- use at the earliest. outcome: ok, overlapped, reused (the family has ended
-- now) or refused (unknown, expired, or its session has ended).
create function auth.refresh(p_token text, p_new text, p_seconds integer,
	p_waited_ms integer, p_overlap_ms integer, p_ip inet, p_agent text)
returns table (outcome text, user_id uuid, username text, sid uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
	used auth.authentications;
	session auth.sessions;
	person auth.users;
	arrived timestamptz := statement_timestamp()
		- make_interval(secs => p_waited_ms / 1000.0);
begin
	select * into used from auth.authentications a
	where a.token = p_token for update;
	if not found then
		return query select 'refused', null::uuid, null::text, null::uuid;
		return;
	end if;
	select * into session from auth.sessions s
	where s.sid = used.family for update;
	select * into person from auth.users u where u.id = used.user_id;
	outcome := 'refused';
	user_id := used.user_id;
	username := person.username;
	sid := used.family;
	if session.ended_at is not null then
		null;
	elsif person.status <> 'ACTIVE' then
		perform auth.session_close(used.family, lower(person.status));
	elsif used.used_at is not null then
		outcome := 'overlapped';
		if arrived > used.used_at + make_interval(secs => p_overlap_ms / 1000.0) then
			outcome := 'reused';
			perform auth.session_close(used.family, 'reuse');
		end if;
	elsif used.expires_at > now() then
		outcome := 'ok';
		update auth.authentications a set used_at = clock_timestamp()
		where a.token = p_token;
		insert into auth.authentications (token, user_id, family, parent, expires_at)
		values (p_new, used.user_id, used.family, p_token,
			now() + make_interval(secs => p_seconds));
		update auth.sessions s set last_used_at = now(),
			ip = coalesce(p_ip, s.ip),
			user_agent = coalesce(p_agent, s.user_agent)
		where s.sid = used.family;
	end if;
	return next;
end $$;

-- Takes a use back whose answer nobody received: the new token goes, the old
-- one works again. Does nothing once the new one was used.
create function auth.refresh_undo(p_token text, p_new text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from auth.authentications where token = p_token for update;
	delete from auth.authentications
	where token = p_new and parent = p_token and used_at is null;
	if found then
		update auth.authentications set used_at = null
		where token = p_token;
	end if;
end $$;

-- Ends one session; false when it had ended before.
create function auth.session_close(p_sid uuid, p_reason text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update auth.sessions set ended_at = clock_timestamp(), end_reason = p_reason
	where sid = p_sid and ended_at is null;
	return found;
end $$;

-- The session that p_token belongs to, if this ended it.
create function auth.session_end_by_token(p_token text, p_reason text)
returns table (sid uuid, user_id uuid)
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update auth.sessions s set ended_at = clock_timestamp(), end_reason = p_reason
	from auth.authentications a
	where a.token = p_token and s.sid = a.family and s.ended_at is null
	returning s.sid, s.user_id;
$$;

-- A person's own session, if this ended it.
create function auth.session_end(p_user uuid, p_sid uuid, p_reason text)
returns setof uuid
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update auth.sessions set ended_at = clock_timestamp(), end_reason = p_reason
	where sid = p_sid and user_id = p_user and ended_at is null
		and last_used_at > now() - interval '7 days'
	returning sid;
$$;

-- All sessions of a person but p_keep (NULL: none is kept).
create function auth.sessions_end(p_user uuid, p_keep uuid, p_reason text)
returns setof uuid
language sql security definer set search_path = pg_catalog, pg_temp as $$
	update auth.sessions set ended_at = clock_timestamp(), end_reason = p_reason
	where user_id = p_user and ended_at is null
		and sid is distinct from p_keep
	returning sid;
$$;

-- The devices signed in, the last used first; a page is enough for a person.
create function auth.sessions_of(p_user uuid)
returns table (sid uuid, user_agent text, ip text, created_at text, last_used_at text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select s.sid, s.user_agent, host(s.ip), meta.rfc3339(s.created_at),
		meta.rfc3339(s.last_used_at)
	from auth.sessions s
	where s.user_id = p_user and s.ended_at is null
		and s.last_used_at > now() - interval '7 days'
	order by s.last_used_at desc, s.sid
	limit 100;
$$;

-- Forgets refresh tokens a day past their end, p_limit at a time.
create function auth.tokens_purge(p_limit integer) returns integer
language sql security definer set search_path = pg_catalog, pg_temp as $$
	with gone as (
		delete from auth.authentications
		where token in (
			select token from auth.authentications
			where expires_at < now() - interval '1 day'
			order by expires_at
			limit p_limit
			for update skip locked)
		returning 1
	)
	select count(*)::integer from gone;
$$;

grant execute on function auth.session_open, auth.refresh, auth.refresh_undo,
	auth.session_end_by_token, auth.session_end, auth.sessions_end,
	auth.sessions_of, auth.tokens_purge to onegate_auth;
