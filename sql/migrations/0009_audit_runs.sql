-- When the books were last proven, and what was wrong: the nightly job writes
-- it, the payment workers show it as a metric, and an alert watches that.

create table payment.audit_runs (
	id bigint generated always as identity primary key,
	finished_at timestamptz not null default clock_timestamp(),
	seconds numeric(10,3) not null,
	breaks bigint not null check (breaks >= 0)
);
create trigger audit_runs_grow_only before update or delete on payment.audit_runs
	for each row execute function meta.refuse_change();
create trigger audit_runs_not_truncated before truncate on payment.audit_runs
	for each statement execute function meta.refuse_change();
