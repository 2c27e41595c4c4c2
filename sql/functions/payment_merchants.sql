-- Merchants: found by people who pay, added by operators.

create function payment.merchants_page(q text, after_name text, after_id uuid, rows integer)
returns table (merchant_id uuid, name text, category text, city text,
	account_id uuid, qris_id text)
language sql stable security definer set search_path = pg_catalog as $$
	select m.id, m.name, m.category, m.city, m.account_id, m.qris_id
	from payment.merchants m
	where m.status = 'ACTIVE'
		and ($2 is null or (m.name, m.id) > ($2, coalesce($3, '00000000-0000-0000-0000-000000000000')))
		and ($1 is null or strpos(lower(m.name), lower($1)) > 0
			or strpos(lower(m.category), lower($1)) > 0
			or strpos(lower(m.city), lower($1)) > 0)
	order by m.name, m.id limit least(greatest($4, 1), 101)
$$;

create function payment.merchant_get(id uuid)
returns table (merchant_id uuid, name text, category text, city text,
	account_id uuid, qris_id text)
language sql stable security definer set search_path = pg_catalog as $$
	select m.id, m.name, m.category, m.city, m.account_id, m.qris_id
	from payment.merchants m where m.id = $1 and m.status = 'ACTIVE'
$$;

create function payment.merchant_by_qris(p_qris_id text)
returns table (merchant_id uuid, name text, category text, city text,
	account_id uuid, qris_id text)
language sql stable security definer set search_path = pg_catalog as $$
	select m.id, m.name, m.category, m.city, m.account_id, m.qris_id
	from payment.merchants m where m.qris_id = $1 and m.status = 'ACTIVE'
$$;
grant execute on function payment.merchants_page, payment.merchant_get,
	payment.merchant_by_qris to onegate_payment;

-- Operators: a merchant with its own account. Gives its id.
create function payment.merchant_add(name text, category text, city text, qris_id text)
returns uuid
language plpgsql security definer set search_path = pg_catalog as $$
declare
	merchant constant uuid := meta.uuid_new();
	account constant uuid := meta.uuid_new();
begin
	insert into payment.accounts (id, kind, name) values (account, 'merchant', $1);
	insert into payment.merchants (id, account_id, name, category, city, qris_id)
	values (merchant, account, $1, $2, $3, nullif($4, ''));
	return merchant;
end $$;
