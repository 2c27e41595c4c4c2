-- One posting for the companions. A side given as null account is an error of
-- theirs; `untouched` tells which side ('debit', 'credit' or null) is only named.
create function payment.post_one(kind integer, debit uuid, credit uuid,
	untouched text, sum bigint, op uuid, note text, key_scope text,
	key_text text, key_fingerprint bytea, state integer default null,
	refuse integer default null, new_id uuid default meta.uuid_new())
returns table (item integer, code smallint, replayed boolean, row_id uuid,
	operation uuid, amount bigint, debit_balance bigint, credit_balance bigint,
	debit_held bigint, credit_held bigint, debit_sequence bigint,
	credit_sequence bigint, created_ms bigint)
language plpgsql security definer set search_path = pg_catalog as $$
begin
	return query select * from payment.post(
		case untouched when 'debit' then array[$3] when 'credit' then array[$2]
			else array[least($2, $3), greatest($2, $3)] end,
		array[$13], array[$1::smallint],
		array[case untouched when 'debit' then 2 when 'credit' then 1
			else case when $2 < $3 then 1 else 2 end end],
		array[case untouched when 'debit' then 1 when 'credit' then 2
			else case when $2 < $3 then 2 else 1 end end],
		array[$5], array[$6], array[$7], array[$8], array[$9], array[$10],
		array[coalesce($12, 0)::smallint], false,
		case when $11 is not null then array[$11::smallint] end,
		case untouched when 'debit' then array[$2] when 'credit' then array[$3]
			else '{}'::uuid[] end);
end $$;
