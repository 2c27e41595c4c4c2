-- Payments to merchants: PENDING -> SUCCESS | CANCELLED | FAILED (expired), and
-- refunds of what was paid. Each change is a journal row.

create function payment.payment_answer(p_code integer, p_replayed boolean, p_id uuid,
	p_row uuid, p_sum bigint)
returns payment.payment_answer
language plpgsql stable set search_path = pg_catalog as $$
declare
	answer payment.payment_answer;
begin
	select p_code, p_replayed, i.id, p_row, i.merchant_id, m.name, i.payer_account,
		i.amount, i.refunded, p_sum, i.state, i.balance_before, i.balance_after,
		i.items::text, i.description, i.metadata::text, meta.ms(i.expires_at),
		meta.ms(i.created_at), meta.ms(i.updated_at)
	into answer from payment.payment_intents i
	join payment.merchants m on m.id = i.merchant_id
	where i.id = p_id;
	answer.code := p_code;
	answer.replayed := p_replayed;
	answer.id := p_id;
	answer.row_id := p_row;
	return answer;
end $$;

create function payment.payment_create(p_id uuid, p_payer uuid, p_merchant uuid,
	p_amount bigint, p_items text, p_description text, p_metadata text,
	ttl_seconds integer, qris boolean, p_scope text, p_key text, p_fingerprint bytea)
returns payment.payment_answer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	seller payment.merchants;
	seller_open boolean;
	refusal integer := 0;
	done record;
	answer payment.payment_answer;
begin
	select * into seller from payment.merchants m where m.id = p_merchant;
	seller_open := found and seller.status = 'ACTIVE' and exists (
		select from payment.accounts a
		where a.id = seller.account_id and a.account_status = 'ACTIVE');
	if not seller_open then
		refusal := 22;
	elsif qris and p_amount > (select r.amount from payment.limit_rules r
		where r.tier = 'any' and r.rule = 'qris_payment' and r.effective_from <= now()
		order by r.effective_from desc limit 1) then
		refusal := 23;
	end if;
	select * into done from payment.post_one(11, p_payer,
		case when seller_open then seller.account_id else p_payer end, 'credit',
		p_amount, p_id, p_description, p_scope, p_key, p_fingerprint, null, refusal);
	if done.code <> 0 or done.replayed then
		answer := payment.payment_answer(done.code, done.replayed,
			coalesce(case when done.code = 0 then done.operation end, p_id), done.row_id, null);
		if done.code = 0 then
			-- As it began, whatever became of it since.
			answer.state := 'PENDING';
			answer.balance_before := done.debit_balance - done.debit_held;
			answer.balance_after := answer.balance_before;
		end if;
		return answer;
	end if;
	insert into payment.payment_intents (id, merchant_id, merchant_account,
		payer_account, amount, items, description, metadata, expires_at,
		balance_before, balance_after, opening_row, created_at)
	values (p_id, seller.id, seller.account_id, p_payer, p_amount, p_items::jsonb,
		p_description, p_metadata::jsonb,
		clock_timestamp() + make_interval(secs => ttl_seconds),
		done.debit_balance - done.debit_held, done.debit_balance - done.debit_held,
		done.row_id, meta.moment(done.created_ms));
	return payment.payment_answer(0, false, p_id, done.row_id, null);
end $$;

-- The step of a payment that exists: 6 process, 7 refund, 12 cancel.
create function payment.payment_step(kind integer, p_id uuid, p_payer uuid, p_row uuid,
	p_amount bigint, p_note text, p_scope text, p_key text, p_fingerprint bytea)
returns payment.payment_answer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	merchant constant uuid := (select i.merchant_account from payment.payment_intents i
		where i.id = p_id and i.payer_account = p_payer);
	owed constant bigint := (select i.amount from payment.payment_intents i where i.id = p_id);
	done record;
	answer payment.payment_answer;
begin
	if merchant is null then
		return payment.payment_answer(13, false, null, p_row, null);
	end if;
	select * into done from payment.post_one(kind,
		case kind when 7 then merchant else p_payer end,
		case kind when 7 then p_payer else merchant end,
		case kind when 12 then 'credit' end,
		case kind when 12 then owed else coalesce(p_amount, 0) end, p_id, p_note,
		p_scope, p_key, p_fingerprint, case kind when 12 then 3 end, null, p_row);
	answer := payment.payment_answer(done.code, done.replayed, p_id, done.row_id,
		case when done.code = 0 then done.amount end);
	if done.code = 0 then
		-- What this step did, whatever came after it.
		answer.state := case kind when 12 then 'CANCELLED' else 'SUCCESS' end;
		if kind = 7 then
			answer.balance_after := done.credit_balance - done.credit_held;
			answer.balance_before := answer.balance_after - done.amount;
			answer.created_ms := done.created_ms;
		else
			answer.balance_after := done.debit_balance - done.debit_held;
			answer.balance_before := answer.balance_after
				+ case kind when 6 then done.amount else 0 end;
		end if;
	end if;
	return answer;
end $$;

create function payment.payment_process(id uuid, payer_account uuid, row_id uuid,
	scope text, key text, fingerprint bytea)
returns payment.payment_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.payment_step(6, $1, $2, $3, 0,
		(select i.description from payment.payment_intents i where i.id = $1), $4, $5, $6)
$$;

create function payment.payment_cancel(id uuid, payer_account uuid, scope text,
	key text, fingerprint bytea)
returns payment.payment_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.payment_step(12, $1, $2, meta.uuid_new(), 0,
		(select i.description from payment.payment_intents i where i.id = $1), $3, $4, $5)
$$;

create function payment.payment_refund(id uuid, payer_account uuid, row_id uuid,
	amount bigint, reason text, scope text, key text, fingerprint bytea)
returns payment.payment_answer
language sql volatile security definer set search_path = pg_catalog as $$
	select payment.payment_step(7, $1, $2, $3, $4, $5, $6, $7, $8)
$$;

-- Payments past their time become FAILED; call again while it gives `rows`.
create function payment.payments_expire(rows integer) returns integer
language plpgsql security definer set search_path = pg_catalog as $$
declare
	old uuid[];
	ended integer;
begin
	select array_agg(t.id) into old from (
		select i.id from payment.payment_intents i
		where i.state = 'PENDING' and i.expires_at <= clock_timestamp()
		order by i.expires_at limit least(greatest(rows, 1), 200)) t;
	if old is null then
		return 0;
	end if;
	with item as (
		select i.*, row_number() over (order by i.id) as at
		from payment.payment_intents i where i.id = any (old)
	), payer as (
		select p.account, row_number() over (order by p.account) as at
		from (select distinct payer_account as account from item) p
	), all_of as (
		select (select array_agg(account order by at) from payer) as payers,
			array_agg(meta.uuid_new() order by i.at) as ids,
			array_agg(12::smallint order by i.at) as kinds,
			array_agg(p.at::integer order by i.at) as debits,
			array_agg(((select count(*) from payer) + i.at)::integer order by i.at) as credits,
			array_agg(i.amount order by i.at) as amounts,
			array_agg(i.id order by i.at) as operations,
			array_agg(i.description order by i.at) as descriptions,
			array_agg(null::text order by i.at) as no_text,
			array_agg(null::bytea order by i.at) as no_bytes,
			array_agg(2::smallint order by i.at) as states,
			array_agg(i.merchant_account order by i.at) as merchants
		from item i join payer p on p.account = i.payer_account
	)
	select count(*) filter (where d.code = 0) into ended
	from all_of a cross join lateral payment.post(a.payers, a.ids, a.kinds, a.debits,
		a.credits, a.amounts, a.operations, a.descriptions, a.no_text, a.no_text,
		a.no_bytes, null, false, a.states, a.merchants) d;
	return ended;
end $$;

create function payment.payment_get(id uuid, payer_account uuid)
returns setof payment.payment_answer
language sql stable security definer set search_path = pg_catalog as $$
	select a.* from payment.payment_intents i
	cross join lateral payment.payment_answer(0, false, i.id,
		coalesce(i.deciding_row, i.opening_row), null) a
	where i.id = $1 and i.payer_account = $2
$$;

create function payment.payments_of(payer_account uuid, state text, merchant uuid,
	before_id uuid, from_ms bigint, to_ms bigint, rows integer)
returns setof payment.payment_answer
language sql stable security definer set search_path = pg_catalog
set plan_cache_mode = force_custom_plan as $$
	select a.* from (
		select i.id, coalesce(i.deciding_row, i.opening_row) as last_row
		from payment.payment_intents i
		where i.payer_account = $1
			and i.id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
			and ($2 is null or i.state = $2) and ($3 is null or i.merchant_id = $3)
			and ($5 is null or i.created_at >= meta.moment($5))
			and ($6 is null or i.created_at < meta.moment($6))
		order by i.id desc limit least(greatest($7, 1), 101)) t
	cross join lateral payment.payment_answer(0, false, t.id, t.last_row, null) a
	order by t.id desc
$$;

grant execute on function payment.payment_create, payment.payment_process,
	payment.payment_cancel, payment.payment_refund, payment.payments_expire,
	payment.payment_get, payment.payments_of to onegate_payment;
