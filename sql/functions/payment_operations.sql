-- Top-ups out and charges in at a provider: each function is one transaction
-- that moves the state and, through payment.post, the money that goes with it.
-- Lock order everywhere: accounts first, then the operation.

create function payment.clearing_account(provider text) returns uuid
language sql immutable set search_path = pg_catalog as $$
	select case provider
		when 'GOPAY' then '00000000-0000-7000-8000-000000000001'::uuid
		when 'SHOPEE_PAY' then '00000000-0000-7000-8000-000000000002'::uuid end
$$;

-- The answer about one operation; a refusal before it exists has only a code.
create function payment.operation_answer(p_code integer, p_replayed boolean, p_id uuid)
returns payment.operation_answer
language plpgsql stable set search_path = pg_catalog as $$
declare
	answer payment.operation_answer;
begin
	select p_code, p_replayed, o.id, o.direction, o.provider, o.account_id, o.user_id,
		o.phone, o.amount, o.state, o.balance_before, o.balance_after, o.reference,
		o.external_id, o.description, o.metadata::text, o.attempts, o.last_error,
		o.escalated_at is not null, o.answer_status, o.answer_body,
		meta.ms(o.created_at), meta.ms(o.updated_at)
	into answer from payment.provider_operations o where o.id = p_id;
	answer.code := p_code;
	answer.replayed := p_replayed;
	answer.id := p_id;
	return answer;
end $$;

-- True when a charge fits under a cap alone, but not beside those under way:
-- else the wallet would be charged for what the account cannot take. Locks the
-- account, so that none is opened meanwhile. Every other reason is payment.post's.
create function payment.charge_room_short(p_account uuid, p_amount bigint)
returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
	a payment.accounts;
	open_amount bigint;
begin
	select * into a from payment.accounts t where t.id = p_account for no key update;
	if not found or a.kind <> 'user' or a.account_status <> 'ACTIVE'
		or p_amount not between 1 and 999999999999999 then
		return false;
	end if;
	select sum(o.amount) into open_amount from payment.provider_operations o
	where o.account_id = p_account and o.direction = 'in' and o.state = 'PENDING';
	return open_amount is not null and exists (
		select from (values ('balance', a.balance), ('monthly_incoming',
			case when a.month = date_trunc('month', clock_timestamp() at time zone 'Asia/Jakarta')
				then a.incoming else 0 end)) used (rule, amount)
		where used.amount + open_amount + p_amount > (
			select r.amount from payment.limit_rules r
			where r.tier = a.tier and r.rule = used.rule
				and r.effective_from <= clock_timestamp()
			order by r.effective_from desc limit 1));
end $$;

-- Opens an operation: out holds the amount, in moves nothing. A repeated key
-- gives the operation it opened; 21 while that one has no answer yet.
create function payment.operation_begin(p_direction text, p_id uuid, p_account uuid,
	p_provider text, p_phone text, p_amount bigint, p_reference text,
	p_description text, p_metadata text, p_first_attempt_seconds integer,
	p_scope text, p_key text, p_fingerprint bytea, p_refuse integer default 0)
returns payment.operation_answer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	clearing constant uuid := payment.clearing_account(p_provider);
	done record;
	first payment.provider_operations;
begin
	if clearing is null then
		raise exception 'unknown provider' using errcode = 'invalid_parameter_value';
	end if;
	if exists (select from payment.provider_operations o
		where o.reference = p_reference and o.id <> p_id) then
		return payment.operation_answer(24, false, p_id);
	end if;
	if p_direction = 'out' then
		select * into done from payment.post_one(2, p_account, clearing, 'credit',
			p_amount, p_id, p_description, p_scope, p_key, p_fingerprint);
	else
		select * into done from payment.post_one(10, clearing, p_account, 'debit',
			p_amount, p_id, p_description, p_scope, p_key, p_fingerprint, null,
			case when p_refuse <> 0 then p_refuse
				when payment.charge_room_short(p_account, p_amount) then 9 end);
	end if;
	if done.code <> 0 then
		return payment.operation_answer(done.code, done.replayed, p_id);
	end if;
	if done.replayed then
		select * into first from payment.provider_operations o where o.id = done.operation;
		return payment.operation_answer(
			case when first.state = 'PENDING' and first.answer_status is null
				and first.created_at > clock_timestamp() - interval '30 seconds'
				then 21 else 0 end, true, done.operation);
	end if;
	insert into payment.provider_operations (id, direction, provider, account_id,
		user_id, clearing_account, phone, amount, reference, description, metadata,
		next_attempt_at, balance_before, balance_after, opening_row, created_at)
	select p_id, p_direction, p_provider, p_account, a.user_id, clearing, p_phone,
		p_amount, p_reference, p_description, p_metadata::jsonb,
		clock_timestamp() + make_interval(secs => p_first_attempt_seconds),
		case p_direction when 'out' then done.debit_balance - done.debit_held + p_amount
			else done.credit_balance - done.credit_held end,
		case p_direction when 'out' then done.debit_balance - done.debit_held
			else done.credit_balance - done.credit_held end,
		done.row_id, meta.moment(done.created_ms)
	from payment.accounts a where a.id = p_account;
	return payment.operation_answer(0, false, p_id);
end $$;

create function payment.topup_begin(id uuid, account uuid, provider text, phone text,
	amount bigint, reference text, description text, metadata text,
	first_attempt_seconds integer, scope text, key text, fingerprint bytea)
returns payment.operation_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.operation_begin('out', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
$$;

create function payment.charge_begin(id uuid, account uuid, provider text, phone text,
	amount bigint, reference text, description text, metadata text,
	first_attempt_seconds integer, scope text, key text, fingerprint bytea,
	refuse integer default 0)
returns payment.operation_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.operation_begin('in', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
$$;

-- What decides an operation. `result` is the state it gets: 1 SUCCESS,
-- 2 FAILED, 3 CANCELLED. A second decision gets 20 and the state there is.
-- Money that was set aside in suspense comes from there.
create function payment.operation_decide(p_direction text, p_id uuid, result integer,
	p_external_id text, p_error text)
returns payment.operation_answer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	suspense constant uuid := '00000000-0000-7000-8000-000000000005';
	o payment.provider_operations;
	refusal smallint;
begin
	select * into o from payment.provider_operations p
	where p.id = p_id and p.direction = p_direction;
	if not found then
		return payment.operation_answer(19, false, p_id);
	end if;
	if o.state <> 'PENDING' then
		return payment.operation_answer(20, false, p_id);
	end if;
	if o.suspended_row is not null and result = 1 then
		-- Out of suspense to the provider; the owner is told by a status row.
		select max(d.code) into refusal from payment.post(
			array(select a from unnest(array[o.account_id, o.clearing_account, suspense]) a order by a),
			array[meta.uuid_new(), meta.uuid_new()], array[9, 12]::smallint[],
			(select array[array_position(s, suspense), array_position(s, o.account_id)]
				from (select array(select a from unnest(array[o.account_id,
					o.clearing_account, suspense]) a order by a) as s) sorted),
			(select array[array_position(s, o.clearing_account), array_position(s, o.clearing_account)]
				from (select array(select a from unnest(array[o.account_id,
					o.clearing_account, suspense]) a order by a) as s) sorted),
			array[o.amount, o.amount], array[p_id, p_id],
			array[o.description, o.description], array[null, null]::text[],
			array[null, null]::text[], array[null, null]::bytea[], null, false,
			array[0, 1]::smallint[]) d;
	elsif o.suspended_row is not null then
		select d.code into refusal from payment.post_one(9, suspense, o.account_id, null,
			o.amount, p_id, o.description, null, null, null, result) d;
	elsif p_direction = 'out' then
		select d.code into refusal from payment.post_one(
			case result when 1 then 3 else 4 end, o.account_id, o.clearing_account,
			case result when 1 then null else 'credit' end,
			o.amount, p_id, o.description, null, null, null, result) d;
	elsif result <> 1 then
		select d.code into refusal from payment.post_one(12, o.clearing_account,
			o.account_id, 'debit', o.amount, p_id, o.description, null, null, null, result) d;
	else
		select d.code into refusal from payment.post_one(1, o.clearing_account,
			o.account_id, null, o.amount, p_id, o.description, null, null, null) d;
		if refusal in (6, 9) then
			-- The wallet was charged and the account cannot take it: the
			-- house keeps it apart until an operator gives it back.
			select max(d.code) into refusal from payment.post(
				array(select a from unnest(array[o.account_id, o.clearing_account, suspense]) a order by a),
				array[meta.uuid_new(), meta.uuid_new()], array[1, 12]::smallint[],
				(select array[array_position(s, o.clearing_account), array_position(s, o.clearing_account)]
					from (select array(select a from unnest(array[o.account_id,
						o.clearing_account, suspense]) a order by a) as s) sorted),
				(select array[array_position(s, suspense), array_position(s, o.account_id)]
					from (select array(select a from unnest(array[o.account_id,
						o.clearing_account, suspense]) a order by a) as s) sorted),
				array[o.amount, o.amount], array[p_id, p_id],
				array[o.description, o.description], array[null, null]::text[],
				array[null, null]::text[], array[null, null]::bytea[], null, false,
				array[0, 2]::smallint[]) d;
			if refusal = 0 then
				update payment.provider_operations p
				set escalated_at = clock_timestamp(),
					last_error = 'charged, but the account could not take it'
				where p.id = p_id;
			end if;
		end if;
	end if;
	if refusal = 20 and exists (select from payment.provider_operations p
		where p.id = p_id and p.state = 'PENDING') then
		raise exception 'operation was escalated meanwhile' using errcode = 'serialization_failure';
	end if;
	if refusal = 0 then
		update payment.provider_operations p
		set external_id = coalesce(p_external_id, p.external_id),
			last_error = coalesce(p_error, p.last_error)
		where p.id = p_id;
	end if;
	return payment.operation_answer(refusal, false, p_id);
end $$;

create function payment.topup_settle(id uuid, external_id text)
returns payment.operation_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.operation_decide('out', $1, 1, $2, null)
$$;

create function payment.topup_release(id uuid, state text, error text)
returns payment.operation_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.operation_decide('out', $1, case $2 when 'CANCELLED' then 3 else 2 end, null, $3)
$$;

create function payment.charge_credit(id uuid, external_id text)
returns payment.operation_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.operation_decide('in', $1, 1, $2, null)
$$;

create function payment.charge_fail(id uuid, state text, error text)
returns payment.operation_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.operation_decide('in', $1, case $2 when 'CANCELLED' then 3 else 2 end, null, $3)
$$;

-- An attempt was made and decided nothing: when to look again.
create function payment.operation_attempt(p_id uuid, p_error text, retry_seconds integer,
	p_external_id text)
returns payment.operation_answer
language plpgsql security definer set search_path = pg_catalog as $$
begin
	update payment.provider_operations o
	set attempts = o.attempts + 1, last_error = coalesce(p_error, o.last_error),
		external_id = coalesce(p_external_id, o.external_id),
		next_attempt_at = clock_timestamp() + make_interval(secs => retry_seconds),
		updated_at = clock_timestamp()
	where o.id = p_id and o.state = 'PENDING';
	return payment.operation_answer(case when found then 0 else 20 end, false, p_id);
end $$;

-- Keeps what the client was told, for repeats of its key. The first one stays.
create function payment.operation_answer_keep(p_id uuid, p_status smallint, p_body text)
returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
begin
	update payment.provider_operations o
	set answer_status = p_status, answer_body = p_body
	where o.id = p_id and o.answer_status is null;
	return found;
end $$;

-- Nobody could tell for too long: what is held goes to suspense, where it is
-- seen each day, and the operation stays PENDING until somebody decides it.
create function payment.operation_escalate(p_id uuid, p_error text)
returns payment.operation_answer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	o payment.provider_operations;
	refusal smallint := 0;
begin
	select * into o from payment.provider_operations p where p.id = p_id;
	if not found then
		return payment.operation_answer(19, false, p_id);
	end if;
	if o.state <> 'PENDING' or o.escalated_at is not null then
		return payment.operation_answer(20, false, p_id);
	end if;
	if o.direction = 'out' then
		select d.code into refusal from payment.post_one(3, o.account_id,
			'00000000-0000-7000-8000-000000000005', null, o.amount, p_id,
			o.description, null, null, null, 0) d;
	end if;
	if refusal = 0 then
		update payment.provider_operations p
		set escalated_at = clock_timestamp(), updated_at = clock_timestamp(),
			last_error = coalesce(p_error, p.last_error), next_attempt_at = null
		where p.id = p_id and p.state = 'PENDING' and p.escalated_at is null;
		refusal := case when found then 0 else 20 end;
	end if;
	return payment.operation_answer(refusal, false, p_id);
end $$;

create function payment.operation(id uuid) returns setof payment.operation_answer
language sql stable security definer set search_path = pg_catalog as $$
	select a.* from payment.provider_operations o
	cross join lateral payment.operation_answer(0, false, o.id) a where o.id = $1
$$;

create function payment.operation_by_reference(reference text)
returns setof payment.operation_answer
language sql stable security definer set search_path = pg_catalog as $$
	select a.* from payment.provider_operations o
	cross join lateral payment.operation_answer(0, false, o.id) a where o.reference = $1
$$;

-- Operations that are due, taken for a while; two janitors never share one.
create function payment.operations_claim(rows integer, lease_seconds integer)
returns setof payment.operation_answer
language sql volatile security definer set search_path = pg_catalog as $$
	with due as (
		select o.id from payment.provider_operations o
		where o.state = 'PENDING' and o.next_attempt_at <= clock_timestamp()
		order by o.next_attempt_at limit least(greatest(rows, 1), 500)
		for no key update skip locked
	), taken as (
		update payment.provider_operations o
		set next_attempt_at = clock_timestamp() + make_interval(secs => lease_seconds)
		from due where o.id = due.id
		returning o.id
	)
	select a.* from taken cross join lateral payment.operation_answer(0, false, taken.id) a
$$;

-- How many wait for an outcome, and how many of them need people.
create function payment.operations_open() returns table (open bigint, escalated bigint)
language sql stable security definer set search_path = pg_catalog as $$
	select count(*), count(*) filter (where o.escalated_at is not null)
	from payment.provider_operations o where o.state = 'PENDING'
$$;

grant execute on function payment.operations_open to onegate_payment;
grant execute on function payment.topup_begin, payment.topup_settle,
	payment.topup_release, payment.charge_begin, payment.charge_credit,
	payment.charge_fail, payment.operation_attempt, payment.operation_answer_keep,
	payment.operation_escalate, payment.operation, payment.operation_by_reference,
	payment.operations_claim to onegate_payment;
