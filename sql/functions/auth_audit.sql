-- The trail of what happened to people's accounts: written by every function
-- of auth that changes something, read by its owner. Never a secret in it.

create function auth.audit(p_user uuid, p_event text, p_outcome text, p_ip inet,
	p_agent text, p_request text, p_session uuid, p_detail text)
returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
	insert into auth.audit_events (user_id, event, outcome, ip, user_agent,
		request_id, session_id, detail)
	values (p_user, p_event, p_outcome, p_ip, p_agent, p_request, p_session,
		p_detail);
$$;

-- A person's own events before the given id, newest first. Why an operator
-- acted, and who, is not theirs to read.
create function auth.audit_of(p_user uuid, p_before bigint, p_limit integer)
returns table (id bigint, event text, outcome text, ip text, user_agent text,
	session_id uuid, detail text, created_at text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
	select e.id, e.event, e.outcome, host(e.ip), e.user_agent, e.session_id,
		case when e.event <> 'status' then e.detail end, meta.rfc3339(e.created_at)
	from auth.audit_events e
	where e.user_id = p_user and e.id < p_before
	order by e.id desc
	limit least(p_limit, 101);
$$;

grant execute on function auth.audit, auth.audit_of to onegate_auth;
