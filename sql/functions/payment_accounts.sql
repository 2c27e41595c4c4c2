-- Whose account is which, and opening accounts for people whom auth has
-- registered. Nothing here touches a balance.

-- Follows auth.user_events as the difference of two snapshots, so that no
-- event is lost between concurrent registrations. Safe to call at any time.
create function payment.open_accounts(new_tier text default 'registered') returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	last pg_snapshot;
	seen pg_snapshot;
	events auth.user_events[];
	e auth.user_events;
	account uuid;
	opened integer := 0;
begin
	select s.snapshot into last from payment.user_event_state s for update;
	-- One statement: its snapshot is both what it reads and what it notes.
	select pg_current_snapshot(), array(
		select u from auth.user_events u
		where u.xid >= pg_snapshot_xmin(last)
			and not pg_visible_in_snapshot(u.xid, last)
		order by u.position)
	into seen, events;
	if cardinality(events) = 0 then
		return 0;
	end if;
	foreach e in array events loop
		if e.kind = 'registered' then
			account := null;
			insert into payment.accounts (id, user_id, kind, tier)
			values (meta.uuid_new(), e.user_id, 'user', new_tier)
			on conflict (user_id) do nothing
			returning id into account;
			opened := opened + (account is not null)::integer;
			-- A name that was given up and taken again belongs to the newer.
			update payment.account_holders h
			set username_key = case when h.username_key = e.username_key then null else h.username_key end,
				phone = case when h.phone = e.phone then null else h.phone end
			where (h.username_key = e.username_key or h.phone = e.phone)
				and h.user_id <> e.user_id;
			insert into payment.account_holders
				(user_id, account_id, username, username_key, phone)
			select e.user_id, a.id, e.username, e.username_key, e.phone
			from payment.accounts a where a.user_id = e.user_id
			on conflict (user_id) do nothing;
		elsif e.kind = 'deleted' then
			update payment.account_holders h
			set username = null, username_key = null, phone = null,
				updated_at = clock_timestamp()
			where h.user_id = e.user_id;
		end if;
	end loop;
	update payment.user_event_state s set snapshot = seen;
	return opened;
end $$;

-- Read for nearly every request: in PL/pgSQL, which keeps its plans.
create function payment.account_of(person uuid)
returns table (id uuid, available bigint, held bigint, currency text,
	account_status text, tier text, created_ms bigint, updated_ms bigint, balance bigint)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
begin
	return query select a.id, a.balance - a.held, a.held, a.currency::text, a.account_status, a.tier,
		meta.ms(a.created_at), meta.ms(a.updated_at), a.balance
	from payment.accounts a where a.user_id = person;
end $$;

-- The accounts of many people: a row for each, in their order, with nulls where
-- there is none.
create function payment.accounts_of(people uuid[])
returns table (id uuid, available bigint, held bigint, currency text,
	account_status text, created_ms bigint, updated_ms bigint)
language plpgsql stable security definer set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off as $$
#variable_conflict use_column
begin
	return query select a.id, a.balance - a.held, a.held, a.currency::text, a.account_status,
		meta.ms(a.created_at), meta.ms(a.updated_at)
	from unnest(people) with ordinality w (id, at)
	left join payment.accounts a on a.user_id = w.id
	order by w.at;
end $$;

-- The account that a sender means; one of the two is given.
create function payment.find_receiver(p_username_key text, p_phone text)
returns table (account_id uuid)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
begin
	return query select h.account_id from payment.account_holders h where h.username_key = p_username_key
	union all
	select h.account_id from payment.account_holders h where h.phone = p_phone
	limit 1;
end $$;

-- The holder's own phone, which is linked to the wallets of the same number.
create function payment.holder_of(person uuid)
returns table (account_id uuid, username text, phone text)
language plpgsql stable security definer set search_path = pg_catalog as $$
#variable_conflict use_column
begin
	return query select h.account_id, h.username, h.phone
	from payment.account_holders h where h.user_id = person;
end $$;

grant execute on function payment.open_accounts, payment.account_of, payment.accounts_of,
	payment.find_receiver, payment.holder_of to onegate_payment;

-- Operators: status and tier, and who changed them why.
create function payment.account_status_set(account uuid, new_status text, operator text, reason text)
returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
	old payment.accounts;
begin
	select * into old from payment.accounts a where a.id = account for no key update;
	if not found or old.kind not in ('user', 'merchant') then
		raise exception 'no such customer account' using errcode = 'no_data_found';
	end if;
	if old.account_status = new_status then
		return false;
	end if;
	if old.account_status = 'CLOSED' or (new_status = 'CLOSED' and old.balance <> 0) then
		raise exception 'an account closes empty and for good' using errcode = 'check_violation';
	end if;
	update payment.accounts a set account_status = new_status, updated_at = clock_timestamp()
	where a.id = account;
	insert into payment.account_changes (account_id, change, old_value, new_value, operator, reason)
	values (account, 'account_status', old.account_status, new_status, operator, reason);
	return true;
end $$;

create function payment.account_tier_set(account uuid, new_tier text, operator text, reason text)
returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
	old payment.accounts;
begin
	select * into old from payment.accounts a where a.id = account for no key update;
	if not found or old.kind <> 'user' then
		raise exception 'no such account of a person' using errcode = 'no_data_found';
	end if;
	if old.tier = new_tier then
		return false;
	end if;
	update payment.accounts a set tier = new_tier, updated_at = clock_timestamp()
	where a.id = account;
	insert into payment.account_changes (account_id, change, old_value, new_value, operator, reason)
	values (account, 'tier', old.tier, new_tier, operator, reason);
	return true;
end $$;

-- Operators: money given from, or taken back to, the house's capital.
create function payment.adjust(account uuid, amount bigint, operator text, reason text)
returns smallint
language plpgsql security definer set search_path = pg_catalog as $$
declare
	capital constant uuid := '00000000-0000-7000-8000-000000000006';
	refusal smallint;
begin
	select d.code into refusal from payment.post_one(9,
		case when $2 < 0 then account else capital end,
		case when $2 < 0 then capital else account end,
		null, abs($2), null, $4, null, null, null) d;
	if refusal = 0 then
		insert into payment.account_changes (account_id, change, new_value, operator, reason)
		values (account, 'adjustment', $2::text, $3, $4);
	end if;
	return refusal;
end $$;
