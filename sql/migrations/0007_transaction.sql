-- The read model that regulators query, and who may query it. It is written
-- from Kafka alone and can be built again from the journal at any time.

create table transaction.historical_transactions (
	id uuid primary key,
	user_id uuid not null,
	account_id uuid not null,
	transaction_id varchar(50) not null unique,
	transaction_type text not null
		check (transaction_type in ('TOPUP', 'PAYMENT', 'REFUND', 'TRANSFER')),
	transaction_status text not null
		check (transaction_status in ('PENDING', 'SUCCESS', 'FAILED', 'CANCELLED')),
	amount numeric(15,2) not null check (amount > 0),
	balance_before numeric(15,2),
	balance_after numeric(15,2),
	currency char(3) not null default 'IDR',
	direction text not null check (direction in ('debit', 'credit')),
	description text,
	external_reference varchar(255),
	payment_method text check (payment_method in ('GOPAY', 'SHOPEE_PAY')),
	metadata jsonb,
	is_accessible_external boolean not null default true,
	event_id uuid not null,
	sequence bigint not null,
	created_at timestamptz not null,
	updated_at timestamptz not null
);
comment on column transaction.historical_transactions.event_id is 'the last event that shaped this row';
comment on column transaction.historical_transactions.sequence is 'of that event in its account';
-- The order every reader pages in, newest first; and the same for the filters
-- that pick few rows.
create index historical_transactions_order on transaction.historical_transactions
	(created_at, id) where is_accessible_external;
create index historical_transactions_by_type on transaction.historical_transactions
	(transaction_type, created_at, id) where is_accessible_external;
create index historical_transactions_not_done on transaction.historical_transactions
	(transaction_status, created_at, id)
	where is_accessible_external and transaction_status <> 'SUCCESS';
create index historical_transactions_by_method on transaction.historical_transactions
	(payment_method, created_at, id)
	where is_accessible_external and payment_method is not null;
create index historical_transactions_of_account on transaction.historical_transactions
	(account_id, created_at, id);

-- How far each account has been heard: a repeated event is known by it.
create table transaction.account_progress (
	account_id uuid primary key,
	sequence bigint not null,
	gaps bigint not null default 0
) with (fillfactor = 70);

create table transaction.consumer_offsets (
	topic text not null,
	partition integer not null,
	next_offset bigint not null,
	updated_at timestamptz not null default clock_timestamp(),
	primary key (topic, partition)
);

create table transaction.dead_letters (
	id bigint generated always as identity primary key,
	topic text not null,
	partition integer not null,
	message_offset bigint not null,
	reason text not null,
	created_at timestamptz not null default clock_timestamp(),
	unique (topic, partition, message_offset)
);

-- Counts and sums, so that no reader counts a growing table. Days are UTC.
create table transaction.daily_totals (
	day date not null,
	transaction_type text not null,
	transaction_status text not null,
	payment_method text not null default '',
	accessible boolean not null,
	direction text not null,
	count bigint not null,
	amount numeric(20,2) not null,
	primary key (day, transaction_type, transaction_status, payment_method, accessible, direction)
) with (fillfactor = 50);

create table transaction.external_services (
	id uuid primary key,
	company text not null unique,
	code text not null unique check (code ~ '^[a-z0-9]{1,16}$'),
	service_type text not null default 'HISTORICAL_TRANSACTION',
	contact_email text,
	description text,
	is_active boolean not null default true,
	limit_minute integer not null check (limit_minute > 0),
	limit_hour integer not null check (limit_hour > 0),
	limit_day integer not null check (limit_day > 0),
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now()
);
comment on column transaction.external_services.code is 'the word in its keys: ogk_<code>_<random>';

create table transaction.api_keys (
	id uuid primary key,
	external_service_id uuid not null references transaction.external_services,
	key_name text not null,
	key_hash bytea not null unique,
	key_prefix text not null,
	permissions text[] not null
		check (permissions <@ array['READ_TRANSACTIONS', 'READ_REPORTS']
			and cardinality(permissions) > 0),
	rate_limit_count integer check (rate_limit_count > 0),
	rate_limit_unit text check (rate_limit_unit in ('second', 'minute', 'hour', 'day')),
	expires_at timestamptz,
	is_active boolean not null default true,
	created_at timestamptz not null default now(),
	updated_at timestamptz not null default now(),
	revoked_at timestamptz,
	check ((rate_limit_count is null) = (rate_limit_unit is null))
);
comment on column transaction.api_keys.key_hash is 'HMAC-SHA-256 under the server''s pepper; the key itself is never stored';

create table transaction.api_access_logs (
	id bigint generated always as identity primary key,
	external_service_id uuid,
	api_key_id uuid,
	endpoint text not null,
	http_method text not null,
	ip_address inet,
	user_agent text,
	response_status smallint not null,
	request_id text,
	created_at timestamptz not null default clock_timestamp()
);
create index api_access_logs_by_time on transaction.api_access_logs using brin (created_at);
create index api_access_logs_of_service on transaction.api_access_logs
	(external_service_id, created_at);
create trigger api_access_logs_grow_only before update or delete on transaction.api_access_logs
	for each row execute function meta.refuse_change();
create trigger api_access_logs_not_truncated before truncate on transaction.api_access_logs
	for each statement execute function meta.refuse_change();

insert into transaction.external_services
	(id, company, code, description, limit_minute, limit_hour, limit_day) values
	('00000000-0000-7000-8000-000000000101', 'Bank Indonesia', 'bi',
		'central bank, supervision of payment systems', 100, 1000, 10000),
	('00000000-0000-7000-8000-000000000102', 'Otoritas Jasa Keuangan', 'ojk',
		'financial services authority', 200, 2000, 20000);
