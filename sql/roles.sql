-- The roles of One Gate, one for each program that connects, and no more.
--
-- Run by sql/migrate on every start, by a role that may create roles. It is
-- safe to run again: it makes what is missing and sets what is given.
-- Passwords come from the environment and from nowhere else; a role whose
-- variable is unset keeps the password it has (or none, for a server that
-- trusts its socket). What a role may do is granted where the object is
-- made: the schemas in migrations/, the functions and views in their files.

-- The statements below hold passwords: keep them out of the server's log.
select current_setting('is_superuser') = 'on' as superuser \gset
\if :superuser
set log_statement = 'none';
set log_min_error_statement = 'panic';
set log_min_duration_statement = -1;
\endif

select format('create role %I nologin noinherit', name)
from (values ('onegate_owner'), ('onegate_auth'), ('onegate_payment'),
	('onegate_transaction'), ('onegate_regulator'), ('onegate_relay'),
	('onegate_audit')) roles (name)
where not exists (select from pg_catalog.pg_roles where rolname = name)
\gexec

alter role onegate_auth login;
alter role onegate_payment login;
alter role onegate_transaction login;
alter role onegate_regulator login;
alter role onegate_relay login;
alter role onegate_audit login;

-- Short statements on indexes: the just-in-time compiler only costs here.
alter role onegate_auth set jit = off;
alter role onegate_payment set jit = off;
alter role onegate_transaction set jit = off;
alter role onegate_regulator set jit = off;
alter role onegate_relay set jit = off;
-- A page's filters are parameters that may be null; only a plan made for what is
-- really given uses the index of that filter.
alter role onegate_regulator set plan_cache_mode = force_custom_plan;
alter role onegate_regulator set statement_timeout = '5s';
alter role onegate_regulator set default_transaction_isolation = 'read committed';

-- A password is set only when its variable is there and not empty.
\getenv password_owner ONEGATE_PG_PASSWORD_OWNER
\getenv password_auth ONEGATE_PG_PASSWORD_AUTH
\getenv password_payment ONEGATE_PG_PASSWORD_PAYMENT
\getenv password_transaction ONEGATE_PG_PASSWORD_TRANSACTION
\getenv password_regulator ONEGATE_PG_PASSWORD_REGULATOR
\getenv password_relay ONEGATE_PG_PASSWORD_RELAY
\getenv password_audit ONEGATE_PG_PASSWORD_AUDIT
\if :{?password_owner}
alter role onegate_owner login password :'password_owner';
\endif
\if :{?password_auth}
alter role onegate_auth password :'password_auth';
\endif
\if :{?password_payment}
alter role onegate_payment password :'password_payment';
\endif
\if :{?password_transaction}
alter role onegate_transaction password :'password_transaction';
\endif
\if :{?password_regulator}
alter role onegate_regulator password :'password_regulator';
\endif
\if :{?password_relay}
alter role onegate_relay password :'password_relay';
\endif
\if :{?password_audit}
alter role onegate_audit password :'password_audit';
\endif

\if :superuser
reset log_statement;
reset log_min_error_statement;
reset log_min_duration_statement;
\endif

-- The owner makes schemas; nobody else makes anything.
select format('grant create, connect, temporary on database %I to onegate_owner',
	current_database())
\gexec
select format('revoke all on database %I from public', current_database())
\gexec
select format('grant connect on database %I to onegate_auth, onegate_payment, '
	'onegate_transaction, onegate_regulator, onegate_relay, onegate_audit',
	current_database())
\gexec
revoke create on schema public from public;
