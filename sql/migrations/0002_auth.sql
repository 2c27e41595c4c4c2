-- People, their devices and what happened to them.

create table auth.users (
	id uuid primary key,
	username text not null,
	username_key text not null unique,
	email text not null,
	email_key text not null unique,
	phone text not null unique check (phone ~ '^08[0-9]{8,11}$'),
	password text not null check (password like '$argon2id$%'),
	status text not null default 'ACTIVE'
		check (status in ('ACTIVE', 'SUSPENDED', 'DELETED')),
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
comment on column auth.users.username_key is 'normalised and case-folded by the module; what makes it unique';
comment on column auth.users.email_key is 'normalised and case-folded by the module; what makes it unique';
comment on column auth.users.phone is 'canonical 08 form';

-- A device signed in. Its id is the family of its refresh tokens and the sid
-- claim of its access tokens. An ended session never lives again.
create table auth.sessions (
	sid uuid primary key,
	user_id uuid not null references auth.users,
	user_agent text,
	ip inet,
	created_at timestamptz not null default now(),
	last_used_at timestamptz not null default now(),
	ended_at timestamptz,
	end_reason text,
	check ((ended_at is null) = (end_reason is null))
);
create index sessions_of_user on auth.sessions (user_id, created_at desc);
create index sessions_ended on auth.sessions (ended_at) where ended_at is not null;

-- Refresh tokens, by their digest: the token itself is never stored.
create table auth.authentications (
	token varchar(512) primary key,
	user_id uuid not null references auth.users,
	family uuid not null references auth.sessions,
	parent varchar(512),
	created_at timestamptz not null default now(),
	expires_at timestamptz not null,
	used_at timestamptz
);
comment on column auth.authentications.token is 'lower-case hex digest of the refresh token';
comment on column auth.authentications.parent is 'the token this one was given for';
create index authentications_of_family on auth.authentications (family);
create index authentications_by_expiry on auth.authentications (expires_at);

-- What other modules must hear of. They pull: nothing is lost while they are away.
create table auth.user_events (
	position bigint generated always as identity primary key,
	xid xid8 not null default pg_current_xact_id(),
	user_id uuid not null,
	kind text not null check (kind in ('registered', 'suspended', 'activated', 'deleted')),
	username text,
	username_key text,
	email text,
	phone text,
	created_at timestamptz not null default now()
);
create index user_events_by_xid on auth.user_events (xid);

create table auth.pins (
	user_id uuid primary key references auth.users,
	pin text not null check (pin like '$argon2id$%'),
	failures integer not null default 0 check (failures >= 0),
	blocked_until timestamptz,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);

create table auth.audit_events (
	id bigint generated always as identity primary key,
	user_id uuid,
	event text not null,
	outcome text not null,
	ip inet,
	user_agent text,
	request_id text,
	session_id uuid,
	detail text,
	created_at timestamptz not null default clock_timestamp()
);
create index audit_events_of_user on auth.audit_events (user_id, id desc);
create index audit_events_by_time on auth.audit_events using brin (created_at);

create trigger audit_events_grow_only before update or delete on auth.audit_events
	for each row execute function meta.refuse_change();
create trigger audit_events_not_truncated before truncate on auth.audit_events
	for each statement execute function meta.refuse_change();
create trigger user_events_grow_only before update on auth.user_events
	for each row execute function meta.refuse_change();

grant select on auth.user_events to onegate_payment;
