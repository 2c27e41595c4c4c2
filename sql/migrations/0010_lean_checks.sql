-- What a CHECK costs is paid by every statement that writes the table, whichever
-- columns it sets. payment.post only moves numbers: one check each keeps those
-- sound. The words of an account change rarely, so a trigger on just those
-- columns watches them.

do $$
declare
	old record;
begin
	for old in
		select conrelid::regclass as relation, conname from pg_constraint
		where contype = 'c' and conrelid in ('payment.accounts'::regclass,
			'payment.transfers'::regclass)
	loop
		execute format('alter table %s drop constraint %I', old.relation, old.conname);
	end loop;
end $$;

alter table payment.accounts add constraint accounts_sound check (
	held >= 0 and sequence >= 0 and incoming >= 0
	and (balance >= held or kind not in ('user', 'merchant')));
alter table payment.transfers add constraint transfers_sound check (
	amount between 1 and 999999999999999 and debit_account <> credit_account);

create function payment.check_account_words() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
	if new.kind not in ('user', 'merchant', 'provider_clearing', 'bank_clearing',
			'fee', 'suspense', 'capital')
		or (new.kind = 'user') <> (new.user_id is not null)
		or new.tier not in ('unregistered', 'registered')
		or new.account_status not in ('ACTIVE', 'SUSPENDED', 'CLOSED') then
		raise exception 'account % cannot be of kind %, tier %, status %',
			new.id, new.kind, new.tier, new.account_status
			using errcode = 'check_violation';
	end if;
	return new;
end $$;
create trigger accounts_words before insert or update of kind, user_id, tier, account_status
	on payment.accounts for each row execute function payment.check_account_words();
