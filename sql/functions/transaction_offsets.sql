-- Where the follower goes on in a partition: null when it never read it.
create function transaction.consumer_offset(p_topic text, p_partition integer)
returns bigint
language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
	select next_offset from transaction.consumer_offsets
	where topic = p_topic and partition = p_partition;
$$;
grant execute on function transaction.consumer_offset(text, integer)
	to onegate_transaction;

-- A message that cannot be read: its place and the reason are kept (never its
-- text, which may name people), and the partition goes on behind it.
create function transaction.store_dead_letter(
	p_topic text, p_partition integer, p_offset bigint, p_reason text
) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
	insert into transaction.dead_letters (topic, partition, message_offset, reason)
	values (p_topic, p_partition, p_offset, left(p_reason, 1000))
	on conflict (topic, partition, message_offset) do nothing;
	insert into transaction.consumer_offsets as o (topic, partition, next_offset)
	values (p_topic, p_partition, p_offset + 1)
	on conflict (topic, partition) do update set
		next_offset = greatest(o.next_offset, excluded.next_offset),
		updated_at = clock_timestamp();
$$;
grant execute on function transaction.store_dead_letter(text, integer, bigint, text)
	to onegate_transaction;
