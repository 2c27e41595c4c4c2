-- The schemas, who may look into them, and what nobody gets by default.

create schema auth;
create schema payment;
create schema transaction;

-- Functions are the only doors: PostgreSQL would open each to everybody.
alter default privileges for role onegate_owner revoke execute on functions from public;

grant usage on schema auth to onegate_auth, onegate_payment, onegate_audit;
grant usage on schema payment to onegate_payment, onegate_relay, onegate_audit;
grant usage on schema transaction to onegate_transaction, onegate_regulator, onegate_audit;
grant usage on schema meta to onegate_auth, onegate_payment, onegate_relay,
	onegate_transaction, onegate_regulator, onegate_audit;

-- Some tables only ever grow. Their triggers call this.
create function meta.refuse_change() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	raise exception '% of %.% is refused: its rows are kept as written',
		lower(tg_op), tg_table_schema, tg_table_name
		using errcode = 'insufficient_privilege';
end $$;
