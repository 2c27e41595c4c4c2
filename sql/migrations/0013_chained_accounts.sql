-- An account's rows are chained: each names the one before it on either side,
-- and the account names its newest. A person's history is walked along the
-- chain by primary key, so that no posting pays for two indexes by account any
-- more (docs/decisions/0006-chained-accounts.md has what they cost).

alter table payment.accounts add column last_row uuid;
alter table payment.transfers add column debit_previous uuid, add column credit_previous uuid;
comment on column payment.accounts.last_row is 'the newest journal row that touched it; null: none has';
comment on column payment.transfers.debit_previous is 'the row before this one in the debit account''s sequence; null: this is its first, or only names the account';

-- The rows that stand already, once, with nobody else at the table. Nothing
-- that an earlier release wrote is changed.
do $$
declare
	part regclass;
begin
	if exists (select from payment.transfers) then
		for part in select relid from pg_partition_tree('payment.transfers') loop
			execute format('alter table %s disable trigger transfers_grow_only', part);
		end loop;
		with sides as (
			select id, debit_account as account, debit_sequence as sequence from payment.transfers
			where debit_sequence is not null
			union all
			select id, credit_account, credit_sequence from payment.transfers
			where credit_sequence is not null
		), chain as (
			select id, account, lag(id) over (partition by account order by sequence) as previous
			from sides
		)
		update payment.transfers t
		set debit_previous = d.previous, credit_previous = c.previous
		from payment.transfers s
		left join chain d on d.id = s.id and d.account = s.debit_account
		left join chain c on c.id = s.id and c.account = s.credit_account
		where t.id = s.id and (d.previous is not null or c.previous is not null);
		update payment.accounts a set last_row = l.id
		from (
			select distinct on (account) account, id from (
				select debit_account as account, debit_sequence as sequence, id
				from payment.transfers where debit_sequence is not null
				union all
				select credit_account, credit_sequence, id
				from payment.transfers where credit_sequence is not null) s
			order by account, sequence desc) l
		where l.account = a.id;
		for part in select relid from pg_partition_tree('payment.transfers') loop
			execute format('alter table %s enable trigger transfers_grow_only', part);
		end loop;
	end if;
	for part in select relid from pg_partition_tree('payment.transfers') where isleaf loop
		execute format('drop index if exists %s_debit, %1$s_credit', part);
	end loop;
end $$;

-- Where the next page of a history goes on.
alter type payment.transaction_answer add attribute row_id uuid;
