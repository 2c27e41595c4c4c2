-- Months of the journal, made ahead, and the indexes of each.
create function payment.make_partitions(months integer default 3) returns integer
language plpgsql security definer set search_path = pg_catalog
set lock_timeout = '3s' -- rather another time than postings in a queue behind it
as $$
declare
	month timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
	first timestamptz;
	name text;
	made integer := 0;
begin
	perform pg_advisory_xact_lock(7305171600429057);
	for n in -1..months loop
		first := (month at time zone 'UTC' + make_interval(months => n)) at time zone 'UTC';
		name := 'transfers_' || to_char(first at time zone 'UTC', 'YYYY_MM');
		if to_regclass('payment.' || name) is null then
			execute format('create table payment.%I partition of payment.transfers '
				'for values from (%L) to (%L)', name, meta.uuid_floor(first),
				meta.uuid_floor((first at time zone 'UTC' + interval '1 month') at time zone 'UTC'));
			made := made + 1;
		end if;
	end loop;
	-- A key unique over all months would have to hold the id too: each
	-- partition has its own, and payment.post looks where a key can be. Only
	-- what is missing is touched: even to look would lock writers out.
	for name in
		select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'payment.transfers'::regclass
			and (to_regclass(format('payment.%I', c.relname || '_key')) is null
				or not exists (select from pg_trigger g where g.tgrelid = c.oid
					and g.tgname = 'transfers_not_truncated'))
	loop
		execute format('create unique index if not exists %I on payment.%I '
			'(idempotency) where idempotency is not null', name || '_key', name);
		execute format('create or replace trigger transfers_not_truncated before truncate '
			'on payment.%I for each statement execute function meta.refuse_change()', name);
	end loop;
	return made;
end $$;
comment on function payment.make_partitions is 'makes the journal''s partitions of this month and the next; gives how many were missing';
grant execute on function payment.make_partitions to onegate_payment;
