-- The self-check: what stands in the accounts must follow from the journal,
-- replayed from its first row. A row here is a break, and names its subject.
-- One statement, so one snapshot: it may run while money moves.
create function payment.audit()
returns table (check_name text, subject text, expected text, found text)
language sql stable security definer set search_path = pg_catalog
set jit = off
as $$
	with kinds (kind, moves, holds, comes_in) as (values
		(1, 1, 0, 1), (2, 0, 1, 0), (3, 1, -1, 0), (4, 0, -1, 0), (5, 1, 0, 1),
		(6, 1, 0, 0), (7, 1, 0, 0), (8, 1, 0, 0), (9, 1, 0, 0), (10, 0, 0, 0),
		(11, 0, 0, 0), (12, 0, 0, 0)
	), replay as (
		-- Every side in its account's order, with what the account must have
		-- been after it.
		select s.account_id, s.sequence, s.row_id, s.previous, s.balance, s.held, s.currency,
			s.created_at, s.position,
			row_number() over account as true_sequence,
			sum(case when s.credit_side then s.amount else -s.amount end * k.moves)
				over account as true_balance,
			sum(case when s.credit_side then 0 else s.amount * k.holds end)
				over account as true_held,
			lag(s.position) over account as position_before,
			lag(s.row_id) over account as true_previous,
			case when s.credit_side then s.amount * k.comes_in else 0 end as came_in,
			date_trunc('month', s.created_at at time zone 'Asia/Jakarta')::date as month
		from payment.account_sides s join kinds k on k.kind = s.kind
		where s.sequence is not null
		window account as (partition by s.account_id order by s.sequence
			rows between unbounded preceding and current row)
	), ends as (
		select r.account_id, max(r.sequence) as sequence, count(*) as rows,
			max(r.month) as month,
			sum(r.came_in) filter (where r.month = a.month) as incoming
		from replay r join payment.accounts a on a.id = r.account_id
		group by r.account_id
	), last as (
		select distinct on (account_id) account_id, row_id, true_balance, true_held
		from replay order by account_id, sequence desc
	), books as (
		select a.*, coalesce(e.sequence, 0) as true_sequence,
			coalesce(l.true_balance, 0) as true_balance,
			coalesce(l.true_held, 0) as true_held, coalesce(e.incoming, 0) as true_incoming,
			e.month as last_month, l.row_id as true_last_row
		from payment.accounts a
		left join ends e on e.account_id = a.id
		left join last l on l.account_id = a.id
	), breaks as (
		select 'sequence without a gap' as check_name,
			r.account_id || ' row ' || r.row_id as subject,
			r.true_sequence::text as expected, r.sequence::text as found
		from replay r where r.sequence <> r.true_sequence
		union all
		select 'position grows in an account', r.account_id || ' row ' || r.row_id,
			'> ' || r.position_before, r.position::text
		from replay r where r.position <= r.position_before
		union all
		select 'row before it in an account', r.account_id || ' row ' || r.row_id,
			coalesce(r.true_previous::text, 'none'), coalesce(r.previous::text, 'none')
		from replay r where r.previous is distinct from r.true_previous
		union all
		select 'balance written in the row', r.account_id || ' row ' || r.row_id,
			r.true_balance::text, r.balance::text
		from replay r where r.balance is distinct from r.true_balance
		union all
		select 'held written in the row', r.account_id || ' row ' || r.row_id,
			r.true_held::text, r.held::text
		from replay r where r.held is distinct from r.true_held
		union all
		select 'account of a row exists', r.account_id::text, 'an account', 'none'
		from (select distinct account_id from replay) r
		where not exists (select from payment.accounts a where a.id = r.account_id)
		union all
		select 'balance', b.id::text, b.true_balance::text, b.balance::text
		from books b where b.balance <> b.true_balance
		union all
		select 'held', b.id::text, b.true_held::text, b.held::text
		from books b where b.held <> b.true_held
		union all
		select 'sequence', b.id::text, b.true_sequence::text, b.sequence::text
		from books b where b.sequence <> b.true_sequence
		union all
		select 'last row', b.id::text, coalesce(b.true_last_row::text, 'none'),
			coalesce(b.last_row::text, 'none')
		from books b where b.last_row is distinct from b.true_last_row
		union all
		select 'month of the account', b.id::text, b.last_month::text, b.month::text
		from books b where b.last_month <> b.month
		union all
		select 'incoming of the month', b.id::text, b.true_incoming::text, b.incoming::text
		from books b where b.incoming <> b.true_incoming
		union all
		select 'customer never below zero', b.id::text, '>= ' || b.held, b.balance::text
		from books b where b.kind in ('user', 'merchant') and b.balance < b.held
		union all
		select 'all accounts sum to zero', b.currency, '0', sum(b.balance)::text
		from books b group by b.currency having sum(b.balance) <> 0
		union all
		select 'float equals customer liabilities', b.currency,
			sum(b.balance) filter (where b.kind in ('user', 'merchant'))::text,
			(-sum(b.balance) filter (where b.kind not in ('user', 'merchant')))::text
		from books b group by b.currency
		having sum(b.balance) filter (where b.kind in ('user', 'merchant'))
			<> -sum(b.balance) filter (where b.kind not in ('user', 'merchant'))
		union all
		select 'holds equal open top-ups', b.id::text, coalesce(o.sum, 0)::text, b.held::text
		from books b
		left join (select o.account_id, sum(o.amount) as sum
			from payment.provider_operations o
			where o.direction = 'out' and o.state = 'PENDING' and o.suspended_row is null
			group by o.account_id) o on o.account_id = b.id
		where b.held <> coalesce(o.sum, 0)
		union all
		-- Charges that no account could take, and top-ups out that nobody has
		-- decided, are all that may lie in suspense, beside what operators moved.
		select 'suspense equals what was set aside', b.id::text,
			(coalesce(o.sum, 0) + coalesce(j.sum, 0))::text, b.balance::text
		from books b
		left join lateral (select sum(o.amount) as sum from payment.provider_operations o
			where o.suspended_row is not null
				and (o.state = 'PENDING' or o.direction = 'in')) o on true
		left join lateral (select sum(case when s.credit_side then s.amount else -s.amount end) as sum
			from payment.account_sides s
			where s.account_id = b.id and s.kind = 9 and s.operation is null) j on true
		where b.id = '00000000-0000-7000-8000-000000000005'
			and b.balance <> coalesce(o.sum, 0) + coalesce(j.sum, 0)
		union all
		select 'operation has its rows', o.id::text,
			case o.state when 'PENDING' then 'opened' else 'opened and decided' end,
			format('%s opening, %s deciding', t.opening, t.deciding)
		from payment.provider_operations o
		cross join lateral (
			select count(*) filter (where t.kind = case o.direction when 'out' then 2 else 10 end) as opening,
				count(*) filter (where t.state > 0) as deciding,
				count(*) filter (where t.state > 0 and t.id = o.deciding_row
					and (array['SUCCESS', 'FAILED', 'CANCELLED'])[t.state] = o.state) as agreeing,
				count(*) filter (where t.amount <> o.amount) as strange
			from payment.transfers t where t.operation = o.id) t
		where t.opening <> 1 or t.strange <> 0
			or t.deciding <> (o.state <> 'PENDING')::integer or t.deciding <> t.agreeing
		union all
		select 'payment has its rows', i.id::text,
			format('%s, refunded %s', i.state, i.refunded),
			format('%s opening, %s deciding, refunded %s', t.opening, t.deciding, t.refunded)
		from payment.payment_intents i
		cross join lateral (
			select count(*) filter (where t.kind = 11) as opening,
				count(*) filter (where t.kind in (6, 12)) as deciding,
				count(*) filter (where t.kind in (6, 12) and t.id = i.deciding_row
					and t.amount = i.amount
					and (array['SUCCESS', 'FAILED', 'CANCELLED'])[t.state] = i.state) as agreeing,
				coalesce(sum(t.amount) filter (where t.kind = 7), 0) as refunded
			from payment.transfers t where t.operation = i.id) t
		where t.opening <> 1 or t.deciding <> t.agreeing
			or t.deciding <> (i.state <> 'PENDING')::integer or t.refunded <> i.refunded
		union all
		select 'key is found by its hash', t.id::text,
			coalesce(payment.key_hash(t.scope, t.key)::text, 'none'),
			coalesce(t.idempotency::text, 'none')
		from payment.transfers t
		where t.idempotency is distinct from payment.key_hash(t.scope, t.key)
		union all
		select 'key is used once', t.scope || ' ' || t.key, '1 row', count(*) || ' rows'
		from payment.transfers t where t.idempotency is not null
		group by t.idempotency, t.scope, t.key having count(*) > 1
			and max(t.created_at) - min(t.created_at) < interval '24 hours'
		union all
		select 'journal cannot be changed', c.relname::text, 'both triggers on',
			string_agg(g.tgname || ' ' || g.tgenabled::text, ', ')
		from pg_class c
		left join pg_trigger g on g.tgrelid = c.oid and not g.tgisinternal
			and g.tgfoid = 'meta.refuse_change'::regproc
		where c.oid = 'payment.transfers'::regclass or c.oid in (
			select i.inhrelid from pg_inherits i where i.inhparent = 'payment.transfers'::regclass)
		group by c.relname
		having count(*) filter (where g.tgenabled in ('O', 'A')
				and (g.tgtype & 8) <> 0 and (g.tgtype & 16) <> 0) = 0
			or count(*) filter (where g.tgenabled in ('O', 'A') and (g.tgtype & 32) <> 0) = 0
		union all
		select 'no row without its month', 'payment.transfers_other', '0', count(*)::text
		from payment.transfers_other having count(*) > 0
	)
	select * from breaks
$$;

-- transaction's table against the journal: what is missing there, too much, or
-- different. Events on their way are no break: run it when the relay is still.
create function payment.audit_history()
returns table (check_name text, subject text, expected text, found text)
language sql stable security definer set search_path = pg_catalog
set jit = off
as $$
	with truth as (
		select distinct on (e.id) e.id, e.account_id, e.transaction_type,
			e.transaction_status, e.amount, e.balance_after, e.sequence
		from payment.relay_events e order by e.id, e.sequence desc
	)
	select 'history holds what the journal says',
		coalesce(t.id, h.id)::text,
		case when t.id is null then 'nothing' else concat_ws(' ', t.account_id,
			t.transaction_type, t.transaction_status, t.amount, t.balance_after, t.sequence) end,
		case when h.id is null then 'nothing' else concat_ws(' ', h.account_id,
			h.transaction_type, h.transaction_status, (h.amount * 100)::bigint,
			(h.balance_after * 100)::bigint, h.sequence) end
	from truth t
	full join transaction.historical_transactions h on h.id = t.id
	where (t.id is null) <> (h.id is null)
		or (t.account_id, t.transaction_type, t.transaction_status, t.amount, t.sequence)
			is distinct from (h.account_id, h.transaction_type, h.transaction_status,
				(h.amount * 100)::bigint, h.sequence)
		or (t.balance_after is distinct from (h.balance_after * 100)::bigint)
	union all
	select 'totals equal the rows', coalesce(d.day, r.day)::text || ' '
			|| concat_ws(' ', coalesce(d.transaction_type, r.transaction_type),
				coalesce(d.transaction_status, r.transaction_status)),
		concat_ws(' ', r.count, r.amount), concat_ws(' ', d.count, d.amount)
	from (select day, transaction_type, transaction_status, payment_method, accessible,
			direction, count, amount from transaction.daily_totals where count <> 0) d
	full join (
		select (h.created_at at time zone 'UTC')::date as day, h.transaction_type,
			h.transaction_status, coalesce(h.payment_method, '') as payment_method,
			h.is_accessible_external as accessible, h.direction,
			count(*) as count, sum(h.amount) as amount
		from transaction.historical_transactions h group by 1, 2, 3, 4, 5, 6) r
		using (day, transaction_type, transaction_status, payment_method, accessible, direction)
	where (d.count, d.amount) is distinct from (r.count, r.amount)
$$;

-- What the books hold, to be read by people.
create function payment.audit_figures()
returns table (figure text, value numeric)
language sql stable security definer set search_path = pg_catalog as $$
	select 'journal rows', count(*)::numeric from payment.transfers
	union all
	select 'accounts of ' || a.kind, count(*) from payment.accounts a group by a.kind
	union all
	select 'balance of ' || a.kind || ' ' || a.currency, (sum(a.balance) / 100.0)::numeric(20, 2)
	from payment.accounts a group by a.kind, a.currency
	union all
	select 'held of customers', (coalesce(sum(a.held), 0) / 100.0)::numeric(20, 2) from payment.accounts a
	union all
	select 'operations ' || o.direction || ' ' || o.state, count(*)
	from payment.provider_operations o group by o.direction, o.state
	union all
	select 'operations waiting for a person', count(*) from payment.provider_operations o
	where o.escalated_at is not null and (o.state = 'PENDING' or o.direction = 'in')
$$;
grant execute on function payment.audit, payment.audit_history, payment.audit_figures
	to onegate_audit;
grant execute on function payment.audit_figures to onegate_payment;
