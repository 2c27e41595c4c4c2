-- Who holds money, who they are to a sender, and the caps they live under.

-- The running state of an account. payment.post is its only writer; what stands
-- here must follow from payment.transfers, and payment.audit() shows that it does.
-- Amounts are in minor units (sen). A house account may go below zero: it is the
-- other side of what customers hold.
create table payment.accounts (
	id uuid primary key,
	user_id uuid unique,
	kind text not null check (kind in ('user', 'merchant', 'provider_clearing',
		'bank_clearing', 'fee', 'suspense', 'capital')),
	name text,
	balance bigint not null default 0,
	held bigint not null default 0,
	sequence bigint not null default 0 check (sequence >= 0),
	month date not null default '2000-01-01',
	incoming bigint not null default 0 check (incoming >= 0),
	tier text not null default 'registered' check (tier in ('unregistered', 'registered')),
	currency char(3) not null default 'IDR',
	account_status text not null default 'ACTIVE'
		check (account_status in ('ACTIVE', 'SUSPENDED', 'CLOSED')),
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	check ((kind = 'user') = (user_id is not null)),
	check (held >= 0),
	check (kind not in ('user', 'merchant') or balance >= held)
) with (fillfactor = 50);
comment on column payment.accounts.held is 'part of balance promised to open top-ups out';
comment on column payment.accounts.sequence is 'journal rows that touched this account';
comment on column payment.accounts.month is 'first day of the month, in Asia/Jakarta, that incoming counts';
comment on column payment.accounts.incoming is 'charges and transfers received in that month';

-- What payment knows of a person, copied from auth's events.
create table payment.account_holders (
	user_id uuid primary key,
	account_id uuid not null unique references payment.accounts,
	username text,
	username_key text unique,
	phone text unique,
	updated_at timestamptz not null default now()
);

-- How far auth.user_events have been followed.
create table payment.user_event_state (
	single boolean primary key default true check (single),
	snapshot pg_snapshot not null
);
insert into payment.user_event_state (snapshot) values ('1:1:');

create table payment.merchants (
	id uuid primary key,
	account_id uuid not null unique references payment.accounts,
	name text not null check (length(name) between 1 and 255),
	category text not null,
	city text not null,
	qris_id text unique,
	status text not null default 'ACTIVE' check (status in ('ACTIVE', 'SUSPENDED', 'CLOSED')),
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
comment on column payment.merchants.qris_id is 'national merchant id (NMID) in a QRIS code';

-- The caps, as data: the newest row that is in force is the rule.
create table payment.limit_rules (
	tier text not null check (tier in ('unregistered', 'registered', 'any')),
	rule text not null check (rule in ('balance', 'monthly_incoming', 'qris_payment')),
	amount bigint not null check (amount > 0),
	effective_from timestamptz not null,
	citation text not null,
	primary key (tier, rule, effective_from)
);

-- What operators did to accounts.
create table payment.account_changes (
	id bigint generated always as identity primary key,
	account_id uuid not null references payment.accounts,
	change text not null,
	old_value text,
	new_value text,
	operator text not null,
	reason text not null,
	created_at timestamptz not null default clock_timestamp()
);
create trigger account_changes_grow_only before update or delete on payment.account_changes
	for each row execute function meta.refuse_change();
create trigger account_changes_not_truncated before truncate on payment.account_changes
	for each statement execute function meta.refuse_change();
