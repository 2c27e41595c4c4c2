-- Sessions whose access tokens might still be alive: an access token lives 15
-- minutes. Every worker that checks tokens follows this view.
create view auth.ended_sessions as
	select sid, ended_at
	from auth.sessions
	where ended_at > now() - interval '20 minutes';

grant select on auth.ended_sessions to onegate_auth, onegate_payment;
