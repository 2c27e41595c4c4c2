"""Does the runner bring every database to one state, and refuse tampering?"""
import shutil
import subprocess
import uuid

import psycopg
import pytest

from conftest import ROOT, binaries


@pytest.fixture
def copy(tmp_path):
    """A copy of sql/ that a test may edit."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    return tmp_path / "sql"


def dump(cluster, database):
    done = subprocess.run([str(binaries() / "pg_dump"), "--schema-only", database],
        check=True, capture_output=True, text=True, timeout=60,
        env=cluster.environment(database))
    # Newer servers add a random token to each dump.
    return [line for line in done.stdout.splitlines()
        if not line.startswith(("\\restrict", "\\unrestrict"))]


def test_a_second_run_changes_nothing(cluster, template):
    done = cluster.migrate(template)
    assert (done.returncode, done.stdout) == (0, "up to date\n")


def test_an_upgraded_install_equals_a_fresh_one(cluster, template, copy):
    versions = sorted(p.name[:4] for p in (copy / "migrations").glob("*.sql"))
    upgraded = cluster.create()
    for version in versions:
        done = cluster.migrate(upgraded, "--to", version, script=copy / "migrate")
        assert done.returncode == 0, done.stderr
    # What an older release has left behind.
    with psycopg.connect(cluster.dsn(upgraded), autocommit=True) as db:
        db.execute("set role onegate_owner")
        db.execute("create function payment.post(integer) returns integer "
            "language sql as 'select 1'")
        db.execute("create function auth.of_old() returns integer language sql as 'select 1'")
        db.execute("create view payment.old_view as select auth.of_old()")
        db.execute("update meta.code set checksum = 'an older release'")
    done = cluster.migrate(upgraded, script=copy / "migrate")
    assert done.returncode == 0, done.stderr
    assert dump(cluster, upgraded) == dump(cluster, template)


def test_rows_of_an_older_release_are_chained(cluster, copy):
    """0013 on a journal that holds money: what the audit then asks for stands."""
    database = cluster.create()
    assert cluster.migrate(database, "--to", "0012", script=copy / "migrate").returncode == 0
    a, b = sorted(str(uuid.uuid4()) for _ in range(2))
    house = "00000000-0000-7000-8000-000000000006"
    rows = [ # debit, its balance and sequence, credit, its balance and sequence, amount
        (house, -900, 1, a, 900, 1, 900), (a, 600, 2, b, 300, 1, 300), (b, 200, 2, a, 700, 3, 100),
        (a, 650, 4, b, 250, 3, 50)]
    with psycopg.connect(cluster.dsn(database), autocommit=True) as db:
        db.execute("create unique index transfers_other_debit on payment.transfers_other "
            "(debit_account, debit_sequence)")
        for account, balance, sequence in ((a, 650, 4), (b, 250, 3)):
            db.execute("insert into payment.accounts (id, user_id, kind, balance, sequence, incoming, month) "
                "values (%s, %s, 'user', %s, %s, 0, date_trunc('month', now() at time zone 'Asia/Jakarta'))",
                (account, uuid.uuid4(), balance, sequence))
        db.execute("update payment.accounts set balance = -900, sequence = 1, "
            "month = date_trunc('month', now() at time zone 'Asia/Jakarta') where id = %s", (house,))
        for n, row in enumerate(rows):
            db.execute("insert into payment.transfers (id, debit_account, debit_balance, debit_sequence, "
                "credit_account, credit_balance, credit_sequence, amount, debit_held, credit_held, kind, "
                "state, currency, created_at) values (%s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 9, 1, 'IDR', now())",
                (uuid.UUID(int=(0x01 << 120) + n), *row))
        done = cluster.migrate(database, script=copy / "migrate")
        assert done.returncode == 0, done.stderr
        assert db.execute("select right(debit_previous::text, 1), right(credit_previous::text, 1) "
            "from payment.transfers order by position").fetchall() == [
            (None, None), ("0", None), ("1", "1"), ("2", "2")]
        assert db.execute("select right(last_row::text, 1) from payment.accounts where id = any (%s::uuid[]) "
            "order by id", ([house, a, b],)).fetchall() == [("0",), ("3",), ("3",)]
        assert db.execute("select to_regclass('payment.transfers_other_debit')").fetchone() == (None,)
        # The ids of this test are of no month that has a partition.
        assert [row[0] for row in db.execute("select check_name from payment.audit()")] == [
            "no row without its month"]


def test_each_step_is_recorded_once(cluster, template):
    with psycopg.connect(cluster.dsn(template)) as db:
        rows = db.execute("select version, name, length(checksum) from meta.migrations "
            "order by version").fetchall()
    files = sorted(p.name for p in (ROOT / "sql" / "migrations").glob("*.sql"))
    assert rows == [(n + 1, name, 64) for n, name in enumerate(files)]


def test_an_edited_migration_is_refused_with_one_line(cluster, template, copy):
    edited = copy / "migrations" / "0002_auth.sql"
    edited.write_text(edited.read_text() + "\nselect 1;\n")
    before = dump(cluster, template)
    done = cluster.migrate(template, script=copy / "migrate")
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1 and "0002_auth.sql was changed" in done.stderr
    assert dump(cluster, template) == before


def test_a_renamed_migration_is_refused(cluster, template, copy):
    (copy / "migrations" / "0002_auth.sql").rename(copy / "migrations" / "0002_other.sql")
    assert cluster.migrate(template, script=copy / "migrate").returncode != 0


def test_a_database_of_a_newer_release_is_refused(cluster, copy):
    name = cluster.create()
    assert cluster.migrate(name).returncode == 0
    newest = sorted((copy / "migrations").glob("*.sql"))[-1]
    newest.unlink()
    done = cluster.migrate(name, script=copy / "migrate")
    assert done.returncode != 0 and "newer" in done.stderr


def test_a_failing_migration_leaves_nothing(cluster, copy):
    name = cluster.create()
    assert cluster.migrate(name).returncode == 0
    before = dump(cluster, name)
    count = len(list((copy / "migrations").glob("*.sql")))
    (copy / "migrations" / f"{count + 1:04}_broken.sql").write_text(
        "create table payment.half_done (id integer);\nselect 1 / 0;\n")
    done = cluster.migrate(name, script=copy / "migrate")
    assert done.returncode != 0 and "broken.sql" in done.stderr
    assert dump(cluster, name) == before


def test_two_runs_at_once_do_the_work_once(cluster):
    name = cluster.create()
    script = str(ROOT / "sql" / "migrate")
    runs = [subprocess.Popen([script], env=cluster.environment(name),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    reports = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], reports
    assert sum("applied 0001" in out for out, _ in reports) == 1


def test_an_interrupted_install_goes_on(cluster, template):
    name = cluster.create()
    assert cluster.migrate(name, "--to", "0003").returncode == 0
    assert cluster.migrate(name).returncode == 0
    assert dump(cluster, name) == dump(cluster, template)


def test_passwords_come_from_the_environment_and_are_not_shown(cluster, template):
    secret = "s3cret'with\"quotes"
    done = cluster.migrate(template, ONEGATE_PG_PASSWORD_AUTH=secret)
    assert done.returncode == 0
    assert secret not in done.stdout + done.stderr
    assert secret not in (cluster.folder / "log").read_text()
    with psycopg.connect(cluster.dsn(template)) as db:
        stored = db.execute("select rolpassword from pg_authid "
            "where rolname = 'onegate_auth'").fetchone()[0]
    assert stored.startswith("SCRAM-SHA-256$")


def test_no_connection_is_one_clear_failure(cluster):
    done = cluster.migrate("no_such_database")
    assert done.returncode != 0 and "no_such_database" in done.stderr
