-- Keeps one row of the trail: who, what, from where, how it ended. No secrets.
create function auth.audit(person uuid, event text, outcome text, address inet,
	agent text, request text, session uuid, detail text) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
	insert into auth.audit_events
		(user_id, event, outcome, ip, user_agent, request_id, session_id, detail)
	values (person, event, outcome, address, left(agent, 512), left(request, 128),
		session, left(detail, 512));
	return true;
end $$;
grant execute on function auth.audit to onegate_auth;

-- A person's own trail, newest first.
create function auth.audit_of(person uuid, before_id bigint, rows integer)
returns table (id bigint, event text, outcome text, ip inet, user_agent text,
	session_id uuid, detail text, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog as $$
	select a.id, a.event, a.outcome, a.ip, a.user_agent, a.session_id, a.detail, a.created_at
	from auth.audit_events a
	where a.user_id = person and a.id < coalesce(before_id, 9223372036854775807)
	order by a.id desc limit least(greatest(rows, 1), 200)
$$;
grant execute on function auth.audit_of to onegate_auth;
