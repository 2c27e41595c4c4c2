-- What the companions of payment.post answer with, written once.

create type payment.operation_answer as (
	code smallint, replayed boolean, id uuid, direction text, provider text,
	account_id uuid, user_id uuid, phone text, amount bigint, state text,
	balance_before bigint, balance_after bigint, reference text,
	external_id text, description text, metadata text, attempts integer,
	last_error text, escalated boolean, answer_status smallint,
	answer_body text, created_ms bigint, updated_ms bigint
);

create type payment.payment_answer as (
	code smallint, replayed boolean, id uuid, row_id uuid, merchant_id uuid,
	merchant_name text, payer_account uuid, amount bigint, refunded bigint,
	row_amount bigint, state text, balance_before bigint, balance_after bigint,
	items text, description text, metadata text, expires_ms bigint,
	created_ms bigint, updated_ms bigint
);

create type payment.transaction_answer as (
	id uuid, type text, status text, amount bigint, balance_before bigint,
	balance_after bigint, currency text, payment_method text, description text,
	direction text, created_ms bigint, updated_ms bigint, user_id uuid,
	account_id uuid, external_reference text, metadata text,
	is_accessible_external boolean, sequence bigint
);

-- The key of an operation stands in its opening journal row.
alter table payment.provider_operations
	drop column scope, drop column key, drop column fingerprint;

create index merchants_by_name on payment.merchants (name, id);
