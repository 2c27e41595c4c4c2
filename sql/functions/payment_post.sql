-- payment.post: the one statement that moves money, and the only place where a
-- rule about money stands. README.md has its call, its codes and its answer.
--
-- It locks the accounts in id order, finds keys that were used before, decides
-- every item in order on local arrays, and writes all of them with one UPDATE
-- and one INSERT. A refused item harms no other. Companions in this folder add
-- what takes time (provider operations, payments) around it, in the same
-- transaction; two parameters are theirs:
--   states  0 PENDING .. 3 CANCELLED, what a row makes of its transaction
--   named   accounts that rows name without touching; indexes go on after
--           those of `accounts`
-- One is for callers that are quicker at it: hashes, payment.key_hash of the keys.
-- A status row (10, 11, 12), a hold and a release touch one side only.
--
-- The plans are pinned: driven from the journal with the statistics of an
-- empty table the key look-up once cost fifteen times as much. Items are read
-- from their arrays by number; unnest() would copy each array to a store first.
create function payment.post(
	accounts uuid[], ids uuid[], kinds smallint[], debits integer[],
	credits integer[], amounts bigint[], operations uuid[], descriptions text[],
	scopes text[], keys text[], fingerprints bytea[],
	refuse_with smallint[] default null, lost boolean default false,
	states smallint[] default null, named uuid[] default '{}',
	hashes uuid[] default null)
returns table (item integer, code smallint, replayed boolean, row_id uuid,
	operation uuid, amount bigint, debit_balance bigint, credit_balance bigint,
	debit_held bigint, credit_held bigint, debit_sequence bigint,
	credit_sequence bigint, created_ms bigint)
language plpgsql security definer
set search_path = pg_catalog
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
	-- What a kind does, by its number: 1 charge, 2 topup_hold, 3 topup_settle,
	-- 4 topup_release, 5 transfer, 6 payment, 7 refund, 8 fee, 9 adjustment,
	-- 10 charge opened, 11 payment opened, 12 ended without money. (With their
	-- types, or each call would parse the text.)
	moves constant smallint[] := '{1,0,1,0,1,1,1,1,1,0,0,0}'::smallint[];
	holds constant smallint[] := '{0,1,-1,-1,0,0,0,0,0,0,0,0}'::smallint[];
	comes_in constant smallint[] := '{1,0,0,0,1,0,0,0,0,0,0,0}'::smallint[];
	leads_to constant smallint[] := '{1,0,1,2,1,1,1,1,1,0,0,2}'::smallint[];
	names_of_state constant text[] := '{SUCCESS,FAILED,CANCELLED}'::text[];
	amount_max constant bigint := 999999999999999;

	n integer := cardinality(ids);
	locked integer := cardinality(accounts);
	everyone uuid[] := accounts || named;
	moment timestamptz;
	this_month date;
	oldest uuid; -- where a key can be: this month and that of 48 hours ago
	newest uuid;
	id_low uuid; -- what an id made now looks like
	id_high uuid;

	-- the accounts, in order: 0 house, 1 unregistered, 2 registered user,
	-- 3 merchant; status 0 active, 1 suspended, 2 closed
	found_ids uuid[];
	places tid[]; -- a row stays there while it is locked
	balances bigint[];
	helds bigint[];
	sequences bigint[];
	first_sequences bigint[]; -- as they were found: who has another has moved
	touched integer;
	incomings bigint[];
	lasts uuid[]; -- the newest row of each, which its next one names
	statuses smallint[];
	classes smallint[];
	currencies text[];
	balance_caps bigint[];
	month_caps bigint[];

	keyed boolean;
	before record;

	-- payments and provider operations, those that the items name
	pay_id uuid[]; pay_state text[]; pay_amount bigint[]; pay_refunded bigint[];
	pay_payer uuid[]; pay_merchant uuid[]; pay_expires timestamptz[];
	pay_row uuid[]; pay_low bigint[]; pay_high bigint[]; pay_changed boolean := false;
	op_id uuid[]; op_state text[]; op_amount bigint[]; op_account uuid[];
	op_row uuid[]; op_suspended uuid[]; op_low bigint[]; op_high bigint[];
	op_changed boolean := false;

	-- the answers, an element an item
	codes smallint[] := array_fill(0::smallint, array[n]);
	known boolean[] := array_fill(false, array[n]); -- not written by this call
	again boolean[] := array_fill(false, array[n]);
	row_ids uuid[] := ids;
	row_ops uuid[] := operations;
	sums bigint[] := amounts;
	ends smallint[] := array_fill(0::smallint, array[n]);
	db bigint[] := array_fill(null::bigint, array[n]);
	cb bigint[] := db; dh bigint[] := db; ch bigint[] := db;
	ds bigint[] := db; cs bigint[] := db;
	dp uuid[] := array_fill(null::uuid, array[n]); -- the row before it, a side each
	cp uuid[] := dp;
	times bigint[];

	i integer; j integer; p integer; o integer;
	x integer; y integer; k smallint; m bigint; z smallint; refusal smallint;
	posted boolean := false;
	refused boolean := false;
begin
	if n is null or n > 256 or locked > 512 or cardinality(kinds) <> n
		or cardinality(debits) <> n or cardinality(credits) <> n
		or cardinality(amounts) <> n or cardinality(operations) <> n
		or cardinality(descriptions) <> n or cardinality(scopes) <> n
		or cardinality(keys) <> n or cardinality(fingerprints) <> n
		or cardinality(hashes) <> n then
		raise exception 'payment.post: arrays of different lengths'
			using errcode = 'invalid_parameter_value';
	end if;

	this_month := date_trunc('month', clock_timestamp() at time zone 'Asia/Jakarta');
	select array_agg(t.id), array_agg(t.place), array_agg(t.balance),
		array_agg(t.held), array_agg(t.sequence), array_agg(t.incoming),
		array_agg(t.last_row), array_agg(t.status), array_agg(t.class), array_agg(t.currency)
	into found_ids, places, balances, helds, sequences, incomings, lasts, statuses,
		classes, currencies
	from (
		select a.id, a.ctid as place, a.balance, a.held, a.sequence,
			case when a.month = this_month then a.incoming else 0 end as incoming,
			a.last_row,
			case a.account_status when 'ACTIVE' then 0::smallint
				when 'SUSPENDED' then 1::smallint else 2::smallint end as status,
			case a.kind when 'user' then case a.tier when 'unregistered' then 1::smallint
					else 2::smallint end
				when 'merchant' then 3::smallint else 0::smallint end as class,
			a.currency::text as currency
		from payment.accounts a
		where a.id = any (accounts)
		order by a.id for no key update
	) t;

	-- All locks are held: from here on time stands still.
	moment := clock_timestamp();
	if date_trunc('month', moment at time zone 'Asia/Jakarta') <> this_month then
		raise exception 'payment.post: the month changed while it waited'
			using errcode = 'serialization_failure';
	end if;
	times := array_fill(meta.ms(moment), array[n]);
	oldest := meta.uuid_floor(date_trunc('month', moment at time zone 'UTC' - interval '48 hours') at time zone 'UTC');
	newest := meta.uuid_floor(moment + interval '2 days');
	id_low := meta.uuid_floor(moment - interval '1 day');
	id_high := meta.uuid_floor(moment + interval '1 day');

	-- The same list back proves that it was sorted, distinct and complete.
	if found_ids is distinct from accounts then
		for i in 2..locked loop
			if accounts[i] <= accounts[i - 1] then
				raise exception 'payment.post: accounts must be distinct and ascending'
					using errcode = 'invalid_parameter_value';
			end if;
		end loop;
		select array_agg(f.place order by w.at),
			array_agg(f.balance order by w.at), array_agg(f.held order by w.at),
			array_agg(f.sequence order by w.at), array_agg(f.incoming order by w.at),
			array_agg(f.last_row order by w.at), array_agg(f.status order by w.at),
			array_agg(f.class order by w.at), array_agg(f.currency order by w.at)
		into places, balances, helds, sequences, incomings, lasts, statuses, classes, currencies
		from unnest(accounts) with ordinality w (id, at)
		left join unnest(found_ids, places, balances, helds, sequences, incomings,
				lasts, statuses, classes, currencies)
			f (id, place, balance, held, sequence, incoming, last_row, status, class, currency)
			on f.id = w.id;
	end if;
	first_sequences := sequences;

	if hashes is null then
		hashes := array(select payment.key_hash(scopes[at], keys[at])
			from generate_series(1, n) at);
	end if;
	keyed := array_remove(hashes, null) <> '{}';

	if lost then
		for before in
			select u.at, t.* from unnest(ids) with ordinality u (id, at)
			cross join lateral (select t.* from payment.transfers t where t.id = u.id limit 1) t
		loop
			i := before.at;
			known[i] := true;
			row_ops[i] := before.operation; sums[i] := before.amount;
			db[i] := before.debit_balance; cb[i] := before.credit_balance;
			dh[i] := before.debit_held; ch[i] := before.credit_held;
			ds[i] := before.debit_sequence; cs[i] := before.credit_sequence;
			times[i] := meta.ms(before.created_at);
		end loop;
	end if;

	if keyed then
		for before in
			select h.at, t.*, r.id as refused, r.code, r.fingerprint as refused_print,
				r.created_at as refused_at
			from (select at, hashes[at] as hash from generate_series(1, n) at) h
			left join lateral (
				select t.* from payment.transfers t
				where t.idempotency = h.hash and t.id >= oldest and t.id < newest
				limit 1) t on true
			left join lateral (
				select r.id, r.code, r.fingerprint, r.created_at from payment.refusals r
				where r.idempotency = h.hash and r.created_at > moment - interval '24 hours'
				limit 1) r on true
			where t.id is not null or r.id is not null
		loop
			i := before.at;
			continue when known[i];
			known[i] := true;
			if coalesce(before.fingerprint, before.refused_print)
					is distinct from fingerprints[i] then
				codes[i] := 12;
			elsif before.id is null then
				codes[i] := before.code;
				again[i] := before.refused <> ids[i];
				row_ids[i] := before.refused;
				times[i] := meta.ms(before.refused_at);
			else
				again[i] := before.id <> ids[i];
				row_ids[i] := before.id;
				row_ops[i] := before.operation; sums[i] := before.amount;
				db[i] := before.debit_balance; cb[i] := before.credit_balance;
				dh[i] := before.debit_held; ch[i] := before.credit_held;
				ds[i] := before.debit_sequence; cs[i] := before.credit_sequence;
				times[i] := meta.ms(before.created_at);
			end if;
		end loop;
	end if;

	if kinds && '{1,5,10}' then
		select array_agg(b.amount order by b.at), array_agg(i.amount order by b.at)
		into balance_caps, month_caps
		from unnest('{unregistered,registered}'::text[]) with ordinality t (tier, at)
		cross join lateral (select t.at, (select r.amount from payment.limit_rules r
			where r.tier = t.tier and r.rule = 'balance' and r.effective_from <= moment
			order by r.effective_from desc limit 1) as amount) b
		cross join lateral (select (select r.amount from payment.limit_rules r
			where r.tier = t.tier and r.rule = 'monthly_incoming' and r.effective_from <= moment
			order by r.effective_from desc limit 1) as amount) i;
	end if;
	if kinds && '{6,7,12}' then
		select array_agg(t.id), array_agg(t.state), array_agg(t.amount),
			array_agg(t.refunded), array_agg(t.payer_account),
			array_agg(t.merchant_account), array_agg(t.expires_at),
			array_agg(t.deciding_row), array_agg(t.balance_before), array_agg(t.balance_after)
		into pay_id, pay_state, pay_amount, pay_refunded, pay_payer, pay_merchant,
			pay_expires, pay_row, pay_low, pay_high
		from (select * from payment.payment_intents t where t.id = any (operations)
			order by t.id for no key update) t;
	end if;
	if kinds && '{1,3,4,9,12}' then
		select array_agg(t.id), array_agg(t.state), array_agg(t.amount),
			array_agg(t.account_id), array_agg(t.deciding_row),
			array_agg(t.suspended_row), array_agg(t.balance_before), array_agg(t.balance_after)
		into op_id, op_state, op_amount, op_account, op_row, op_suspended, op_low, op_high
		from (select * from payment.provider_operations t where t.id = any (operations)
			order by t.id for no key update) t;
	end if;

	for i in 1..n loop
		continue when known[i];
		if keys[i] is not null or hashes[i] is not null then
			if keys[i] is null or hashes[i] is null or scopes[i] is null
				or fingerprints[i] is null then
				raise exception 'payment.post: a key without its scope, hash or fingerprint'
					using errcode = 'invalid_parameter_value';
			end if;
			j := array_position(hashes, hashes[i]);
			if j < i then -- a copy of a key earlier in this batch
				known[i] := true;
				if fingerprints[i] <> fingerprints[j] then
					codes[i] := 12;
					continue;
				end if;
				codes[i] := codes[j]; again[i] := true;
				row_ids[i] := row_ids[j]; row_ops[i] := row_ops[j]; sums[i] := sums[j];
				db[i] := db[j]; cb[i] := cb[j]; dh[i] := dh[j]; ch[i] := ch[j];
				ds[i] := ds[j]; cs[i] := cs[j]; times[i] := times[j];
				continue;
			end if;
		end if;
		x := debits[i]; y := credits[i]; m := amounts[i]; k := kinds[i];
		if k is null or k not between 1 and 12 or x is null or y is null or m is null
			or x < 1 or y < 1 or x > cardinality(everyone) or y > cardinality(everyone)
			or (moves[k] = 1 and (x > locked or y > locked))
			or ids[i] is null or ids[i] < id_low or ids[i] >= id_high then
			raise exception 'payment.post: item % is not well formed', i
				using errcode = 'invalid_parameter_value';
		end if;
		z := coalesce(states[i], leads_to[k]);
		refusal := case
			when refuse_with[i] <> 0 then refuse_with[i]
			when x = y then 1
			else 0 end;

		-- What the item refers to.
		p := null; o := null;
		if refusal <> 0 or k = 5 then
			null; -- a transfer stands alone
		elsif k in (6, 7) then
			p := array_position(pay_id, operations[i]);
			if p is null
				or (k = 6 and (pay_payer[p] <> accounts[x] or pay_merchant[p] <> accounts[y]))
				or (k = 7 and (pay_payer[p] <> accounts[y] or pay_merchant[p] <> accounts[x])) then
				refusal := 13;
			elsif k = 6 then
				m := case m when 0 then pay_amount[p] else m end;
				refusal := case when pay_state[p] <> 'PENDING' then 14
					when pay_expires[p] <= moment then 15
					when m <> pay_amount[p] then 2 else 0 end;
			else
				m := case m when 0 then pay_amount[p] - pay_refunded[p] else m end;
				refusal := case when pay_state[p] <> 'SUCCESS' then 16
					when m = 0 or m > pay_amount[p] - pay_refunded[p] then 17 else 0 end;
			end if;
		elsif k in (1, 3, 4) or (k in (9, 12) and operations[i] is not null) then
			o := array_position(op_id, operations[i]);
			if o is not null then
				-- Money set aside in suspense is decided from there, and only
				-- what was set aside: the other sees that it came too late.
				refusal := case when op_state[o] <> 'PENDING' then 20
					when k in (1, 3, 4) and op_suspended[o] is not null then 20
					when k = 9 and op_suspended[o] is null then 20
					when m <> op_amount[o] then 2 else 0 end;
			elsif k = 12 then
				p := array_position(pay_id, operations[i]);
				refusal := case when p is null or pay_payer[p] <> everyone[x] then 13
					when pay_state[p] <> 'PENDING' then 14 else 0 end;
			else
				refusal := 19;
			end if;
		end if;

		-- The accounts: who they are, whether they may, whether it is there.
		if refusal = 0 then
			refusal := case
				when m < 1 or m > amount_max then 2
				when (x <= locked and classes[x] is null) or (y <= locked and classes[y] is null) then 3
				when k in (5, 2, 8) and classes[x] not in (1, 2) then 3
				when k = 5 and classes[y] = 0 then 3
				when k in (2, 5, 6, 8, 11) and statuses[x] = 1 then 4
				when k in (2, 5, 6, 8, 11) and statuses[x] = 2 then 5
				when k = 10 and statuses[y] = 1 then 4
				when k = 10 and statuses[y] = 2 then 5
				when k in (5, 6) and statuses[y] <> 0 then 6
				when k in (1, 7) and statuses[y] = 2 then 6
				when currencies[x] <> currencies[y] then 7
				when k = 5 and classes[x] = 1 then 11
				when k in (2, 5, 6, 8, 9) and classes[x] <> 0
					and balances[x] - helds[x] < m then 8
				when k = 7 and balances[x] - helds[x] < m then 18
				when k in (1, 5, 10) and classes[y] in (1, 2)
					and (balances[y] + m > balance_caps[classes[y]]
						or incomings[y] + m > month_caps[classes[y]])
					then case k when 5 then 10 else 9 end
				else 0 end;
		end if;
		if refusal <> 0 then
			codes[i] := refusal;
			refused := refused or hashes[i] is not null;
			continue;
		end if;

		if moves[k] = 1 then
			balances[x] := balances[x] - m;
			balances[y] := balances[y] + m;
			if comes_in[k] = 1 then
				incomings[y] := incomings[y] + m;
			end if;
		end if;
		if holds[k] <> 0 then
			helds[x] := helds[x] + holds[k] * m;
		end if;
		if x <= locked then
			sequences[x] := sequences[x] + 1;
			db[i] := balances[x]; dh[i] := helds[x]; ds[i] := sequences[x];
			dp[i] := lasts[x]; lasts[x] := ids[i];
		end if;
		if y <= locked then
			sequences[y] := sequences[y] + 1;
			cb[i] := balances[y]; ch[i] := helds[y]; cs[i] := sequences[y];
			cp[i] := lasts[y]; lasts[y] := ids[i];
		end if;
		sums[i] := m;
		ends[i] := z;
		posted := true;

		if p is not null then
			pay_changed := true;
			if k = 7 then
				pay_refunded[p] := pay_refunded[p] + m;
			else
				pay_state[p] := names_of_state[z];
				pay_row[p] := ids[i];
				pay_high[p] := db[i] - dh[i];
				pay_low[p] := db[i] - dh[i] + moves[k] * m; -- before
			end if;
		elsif o is not null then
			op_changed := true;
			if z = 0 then
				op_suspended[o] := coalesce(op_suspended[o], ids[i]);
			else
				op_state[o] := names_of_state[z];
				op_row[o] := ids[i];
				if k = 1 then
					op_high[o] := cb[i] - ch[i];
					op_low[o] := cb[i] - ch[i] - m;
				elsif z > 1 then
					op_high[o] := coalesce(case when everyone[x] = op_account[o] then db[i] - dh[i] end,
						cb[i] - ch[i], op_low[o]);
					op_low[o] := op_high[o];
				end if;
			end if;
		end if;
	end loop;

	if posted then
		-- By place, which saves a second look-up; counted, because a row that
		-- were not there any more would be left out in silence.
		update payment.accounts a
		set balance = balances[u.at], held = helds[u.at], sequence = sequences[u.at],
			incoming = incomings[u.at], month = this_month, last_row = lasts[u.at],
			updated_at = moment
		from generate_series(1, locked) u (at)
		where a.ctid = places[u.at] and sequences[u.at] <> first_sequences[u.at];
		get diagnostics touched = row_count;
		if touched <> (select count(*) from generate_series(1, locked) at
				where sequences[at] <> first_sequences[at]) then
			raise exception 'payment.post: only % accounts could be written', touched
				using errcode = 'serialization_failure';
		end if;
		insert into payment.transfers (id, debit_account, credit_account, amount,
			debit_balance, credit_balance, debit_held, credit_held,
			debit_sequence, credit_sequence, debit_previous, credit_previous,
			kind, state, currency, operation,
			description, idempotency, scope, key, fingerprint, created_at)
		select ids[at], everyone[debits[at]], everyone[credits[at]], sums[at],
			db[at], cb[at], dh[at], ch[at], ds[at], cs[at], dp[at], cp[at],
			kinds[at], ends[at],
			coalesce(currencies[debits[at]], currencies[credits[at]]), operations[at],
			descriptions[at], hashes[at], case when keys[at] is not null then scopes[at] end,
			keys[at], case when keys[at] is not null then fingerprints[at] end, moment
		from generate_series(1, n) at
		where codes[at] = 0 and not known[at];
	end if;
	if pay_changed then
		update payment.payment_intents t
		set state = u.state, refunded = u.refunded, deciding_row = u.row,
			balance_before = u.low, balance_after = u.high, updated_at = moment
		from unnest(pay_id, pay_state, pay_refunded, pay_row, pay_low, pay_high)
			u (id, state, refunded, row, low, high)
		where t.id = u.id and (t.state, t.refunded) <> (u.state, u.refunded);
	end if;
	if op_changed then
		update payment.provider_operations t
		set state = u.state, deciding_row = u.row, suspended_row = u.suspended,
			balance_before = u.low, balance_after = u.high, updated_at = moment,
			next_attempt_at = case when u.state = 'PENDING' then t.next_attempt_at end
		from unnest(op_id, op_state, op_row, op_suspended, op_low, op_high)
			u (id, state, row, suspended, low, high)
		where t.id = u.id and (t.state <> u.state
			or t.suspended_row is distinct from u.suspended);
	end if;
	if refused then
		insert into payment.refusals (idempotency, scope, key, fingerprint, id, code, created_at)
		select hashes[at], scopes[at], keys[at], fingerprints[at], ids[at], codes[at], moment
		from generate_series(1, n) at
		where hashes[at] is not null and codes[at] not in (0, 12, 20, 21) and not known[at]
		on conflict (idempotency) do update
		set scope = excluded.scope, key = excluded.key, fingerprint = excluded.fingerprint,
			id = excluded.id, code = excluded.code, created_at = excluded.created_at;
	end if;

	return query
	select at, codes[at], again[at], row_ids[at], row_ops[at], sums[at], db[at], cb[at],
		dh[at], ch[at], ds[at], cs[at], times[at]
	from generate_series(1, n) at;
end $$;
comment on function payment.post is 'posts a batch: see sql/README.md';
grant execute on function payment.post to onegate_payment;
