"""Can a program do more than its part, or change what must stay?"""
import psycopg
import pytest

PROGRAMS = ["onegate_auth", "onegate_payment", "onegate_transaction",
    "onegate_regulator", "onegate_relay", "onegate_audit"]

TABLES = """select c.oid::regclass::text from pg_class c
    where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text in
    ('auth', 'payment', 'transaction', 'meta')"""


@pytest.mark.parametrize("role", PROGRAMS)
def test_no_program_writes_a_table(books, role):
    for (table,) in books.db.execute(TABLES).fetchall():
        for right in ("insert", "update", "delete", "truncate", "trigger", "references"):
            assert not books.value("select has_table_privilege(%s, %s, %s)",
                role, table, right), f"{role} may {right} {table}"


READS = {
    "onegate_auth": {"auth.ended_sessions"},
    "onegate_payment": {"auth.user_events", "auth.ended_sessions"},
    "onegate_relay": set(),
    "onegate_regulator": {"transaction.accessible_transactions"},
}


@pytest.mark.parametrize("role", READS)
def test_a_program_reads_only_what_is_listed(books, role):
    found = {name for (name,) in books.db.execute("""
        select c.oid::regclass::text from pg_class c
        where c.relkind in ('r', 'p', 'v') and c.relnamespace::regnamespace::text
            in ('auth', 'payment', 'transaction', 'meta')
            and has_table_privilege(%s, c.oid, 'select')""", (role,)).fetchall()}
    assert found == READS[role]


@pytest.mark.parametrize("role", PROGRAMS)
def test_no_program_makes_anything(books, role):
    for schema in ("auth", "payment", "transaction", "meta", "public"):
        assert not books.value("select has_schema_privilege(%s, %s, 'create')", role, schema)


@pytest.mark.parametrize("call", ["payment.post_one", "payment.adjust",
    "payment.operation_decide", "payment.account_status_set", "payment.merchant_add",
    "payment.account_tier_set", "transaction.issue_api_key"])
def test_operators_functions_are_not_for_programs(books, call):
    for role in PROGRAMS:
        assert books.value("""select not bool_or(has_function_privilege(%s, p.oid, 'execute'))
            from pg_proc p where p.oid::regproc::text = %s""", role, call)


def test_every_function_names_who_may_call_it(books):
    assert books.rows("""select p.oid::regprocedure from pg_proc p
        where p.pronamespace::regnamespace::text in ('auth', 'payment', 'transaction', 'meta')
        and has_function_privilege('public', p.oid, 'execute')
        and p.prorettype <> 'trigger'::regtype""") == []


def test_definer_functions_have_a_fixed_search_path(books):
    assert books.rows("""select p.oid::regprocedure from pg_proc p
        where p.pronamespace::regnamespace::text in ('auth', 'payment', 'transaction', 'meta')
        and p.prosecdef and not exists (select from unnest(p.proconfig) c
            where c like 'search_path=%%')""") == []


GROWING = ["payment.transfers", "payment.account_changes", "auth.audit_events",
    "transaction.api_access_logs"]


@pytest.mark.parametrize("table", GROWING)
@pytest.mark.parametrize("command", ["update {0} set created_at = now()",
    "delete from {0}", "truncate {0} cascade"])
def test_even_the_owner_cannot_rewrite_what_was_written(books, table, command):
    account = books.user(1000)
    books.transfer(account, books.user(), 10)
    books.db.execute("""insert into auth.audit_events (event, outcome) values ('x', 'y')""")
    books.db.execute("""insert into transaction.api_access_logs
        (endpoint, http_method, response_status) values ('/', 'GET', 200)""")
    owner = books.connect()
    owner.execute("set role onegate_owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is refused"):
        owner.execute(command.format(table))
    owner.close()


def test_no_partition_of_the_journal_is_a_way_around(books):
    books.transfer(books.user(1000), books.user(), 10)
    partitions = [name for (name,) in books.db.execute(
        "select inhrelid::regclass::text from pg_inherits "
        "where inhparent = 'payment.transfers'::regclass").fetchall()]
    assert len(partitions) > 3
    for name in partitions:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            books.db.execute(f"truncate {name}")
    filled = books.value("select tableoid::regclass::text from payment.transfers limit 1")
    for command in (f"delete from {filled}", f"update {filled} set amount = 1"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            books.db.execute(command)


def test_payment_moves_money_through_its_function(books):
    account, other = books.user(1000), books.user()
    db = books.connect("onegate_payment")
    done = books.post([dict(debit=account, credit=other, amount=10)], db=db)
    assert done[0]["code"] == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("update payment.accounts set balance = 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("select password from auth.users")
    db.close()
