-- What takes time: top-ups out and charges in at a provider, and payments.
-- Each change of money or state they cause is a journal row that names them.

create table payment.provider_operations (
	id uuid primary key,
	direction text not null check (direction in ('in', 'out')),
	provider text not null check (provider in ('GOPAY', 'SHOPEE_PAY')),
	account_id uuid not null references payment.accounts,
	user_id uuid not null,
	clearing_account uuid not null references payment.accounts,
	phone text not null,
	amount bigint not null check (amount between 1 and 999999999999999),
	currency char(3) not null default 'IDR',
	state text not null default 'PENDING'
		check (state in ('PENDING', 'SUCCESS', 'FAILED', 'CANCELLED')),
	reference text not null unique check (length(reference) <= 64),
	external_id text check (length(external_id) <= 255),
	description text,
	metadata jsonb,
	attempts integer not null default 0,
	next_attempt_at timestamptz,
	last_error text,
	escalated_at timestamptz,
	suspended_row uuid,
	balance_before bigint not null,
	balance_after bigint not null,
	opening_row uuid not null,
	deciding_row uuid,
	scope text,
	key text,
	fingerprint bytea,
	answer_status smallint,
	answer_body text,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	check ((state = 'PENDING') = (deciding_row is null))
);
comment on column payment.provider_operations.reference is 'what we send as the provider''s idempotency key';
comment on column payment.provider_operations.suspended_row is 'journal row that moved the money to suspense';
create index provider_operations_due on payment.provider_operations (next_attempt_at)
	where state = 'PENDING' and next_attempt_at is not null;
create index provider_operations_open on payment.provider_operations (account_id)
	where state = 'PENDING';

create table payment.payment_intents (
	id uuid primary key,
	merchant_id uuid not null references payment.merchants,
	merchant_account uuid not null references payment.accounts,
	payer_account uuid not null references payment.accounts,
	amount bigint not null check (amount between 1 and 999999999999999),
	currency char(3) not null default 'IDR',
	items jsonb,
	description text,
	metadata jsonb,
	state text not null default 'PENDING'
		check (state in ('PENDING', 'SUCCESS', 'FAILED', 'CANCELLED')),
	refunded bigint not null default 0 check (refunded between 0 and amount),
	expires_at timestamptz not null,
	balance_before bigint not null,
	balance_after bigint not null,
	opening_row uuid not null,
	deciding_row uuid,
	created_at timestamptz not null default clock_timestamp(),
	updated_at timestamptz not null default clock_timestamp(),
	check ((state = 'PENDING') = (deciding_row is null)),
	check (refunded = 0 or state = 'SUCCESS')
);
create index payment_intents_of_payer on payment.payment_intents (payer_account, id);
create index payment_intents_expiring on payment.payment_intents (expires_at)
	where state = 'PENDING';

-- Notifications that were accepted, so that a second copy is known.
create table payment.notifications (
	provider text not null,
	digest bytea not null,
	received_at timestamptz not null default clock_timestamp(),
	primary key (provider, digest)
);
create index notifications_by_time on payment.notifications (received_at);
