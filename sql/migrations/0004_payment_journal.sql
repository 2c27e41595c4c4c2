-- The journal: one immutable row for each posting. It is the double entry, the
-- receipt, the idempotency record and the event at once.

create sequence payment.transfer_positions as bigint;

create table payment.transfers (
	id uuid primary key,
	position bigint not null default nextval('payment.transfer_positions'),
	xid xid8 not null default pg_current_xact_id(),
	debit_account uuid not null,
	credit_account uuid not null,
	amount bigint not null check (amount between 1 and 999999999999999),
	debit_balance bigint,
	credit_balance bigint,
	debit_held bigint,
	credit_held bigint,
	debit_sequence bigint,
	credit_sequence bigint,
	kind smallint not null check (kind between 1 and 12),
	state smallint not null check (state between 0 and 3),
	currency char(3) not null,
	operation uuid,
	description text,
	idempotency uuid,
	scope text,
	key text,
	fingerprint bytea,
	created_at timestamptz not null,
	check (debit_account <> credit_account),
	check (kind in (2, 4, 10, 11, 12)
		or (debit_sequence is not null and credit_sequence is not null))
) partition by range (id);
comment on column payment.transfers.position is 'order of writing; an account''s rows grow in it';
comment on column payment.transfers.debit_balance is 'after this row, as the other balance and what is held';
comment on column payment.transfers.debit_sequence is 'null where the row only names the account and leaves it alone';
comment on column payment.transfers.kind is '1 charge, 2 topup_hold, 3 topup_settle, 4 topup_release, 5 transfer, 6 payment, 7 refund, 8 fee, 9 adjustment; status rows: 10 charge opened, 11 payment opened, 12 ended without money';
comment on column payment.transfers.state is 'of the transaction after this row: 0 PENDING, 1 SUCCESS, 2 FAILED, 3 CANCELLED';
comment on column payment.transfers.operation is 'the provider operation or payment this row belongs to';
comment on column payment.transfers.idempotency is 'first 16 bytes of SHA-256 over scope and key, what the unique index holds';

-- Relay: rows of transactions that were not visible before.
create index transfers_by_xid on payment.transfers (xid);
-- Refunds and steps of one payment or provider operation.
create index transfers_of_operation on payment.transfers (operation) where operation is not null;

create trigger transfers_grow_only before update or delete on payment.transfers
	for each row execute function meta.refuse_change();
create trigger transfers_not_truncated before truncate on payment.transfers
	for each statement execute function meta.refuse_change();

-- Catches what no month's partition takes, so that money never waits for one.
-- payment.make_partitions() gives each partition, this one too, its indexes.
create table payment.transfers_other partition of payment.transfers default;

-- A refused posting with an idempotency key: its repeat gets the same refusal.
create table payment.refusals (
	idempotency uuid primary key,
	scope text not null,
	key text not null,
	fingerprint bytea not null,
	id uuid not null,
	code smallint not null,
	created_at timestamptz not null default clock_timestamp()
);
create index refusals_by_time on payment.refusals (created_at);

-- The same for routes whose answer is not one posting.
create table payment.idempotency_records (
	scope text not null,
	key text not null,
	fingerprint bytea not null,
	status smallint,
	body text,
	created_at timestamptz not null default clock_timestamp(),
	primary key (scope, key)
);
create index idempotency_records_by_time on payment.idempotency_records (created_at);

-- How far the relay has published.
create table payment.relay_state (
	name text primary key,
	snapshot pg_snapshot not null,
	updated_at timestamptz not null default clock_timestamp()
);
