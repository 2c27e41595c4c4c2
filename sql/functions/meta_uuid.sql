-- UUIDv7 in SQL: for ids that are made inside a transaction, and for bounds.
-- One expression each, without settings and no less volatile than what they
-- call, so that the planner puts them in line: a call would cost a plan.

-- The lowest UUIDv7 of a moment.
create function meta.uuid_floor(moment timestamptz) returns uuid
language sql stable parallel safe as $$
	select (lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0')
		|| '70008000000000000000')::uuid
$$;

-- A new UUIDv7 of this moment (74 random bits).
create function meta.uuid_new() returns uuid
language sql volatile parallel safe as $$
	select (lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
		|| '7' || substr(random_hex, 14, 3) || substr(random_hex, 17))::uuid
	from (select replace(gen_random_uuid()::text, '-', '') as random_hex) r
$$;

-- The id under which the receiver sees a transfer: its last bit flipped.
create function meta.other_side(id uuid) returns uuid
language sql immutable parallel safe as $$
	select encode(set_bit(uuid_send(id), 120, 1 - get_bit(uuid_send(id), 120)), 'hex')::uuid
$$;

-- Unix milliseconds of a moment.
create function meta.ms(moment timestamptz) returns bigint
language sql stable parallel safe as $$
	select floor(extract(epoch from moment) * 1000)::bigint
$$;

-- The moment of Unix milliseconds.
create function meta.moment(ms bigint) returns timestamptz
language sql stable parallel safe as $$
	select '1970-01-01 00:00:00+00'::timestamptz + ms * interval '1 millisecond'
$$;

grant execute on function meta.uuid_floor, meta.uuid_new, meta.other_side,
	meta.ms, meta.moment to onegate_auth, onegate_payment, onegate_relay,
	onegate_transaction, onegate_regulator, onegate_audit;
