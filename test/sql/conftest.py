"""A throw-away PostgreSQL of these tests' own, ended with them.

One cluster for the run, in a temporary folder, on a socket and no port. Each
test gets a database made from a migrated template. PostgreSQL refuses to run
as root: then the postgres user of the Debian package runs it.
"""
import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import uuid

import psycopg
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIGRATE = ROOT / "sql" / "migrate"
SETTINGS = ("-c listen_addresses= -c fsync=off -c max_connections=60 "
    "-c shared_buffers=64MB -c log_min_messages=warning "
    "-c deadlock_timeout=200ms")


def binaries():
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    return pathlib.Path(shutil.which("initdb") or "/usr/bin/initdb").parent


class Cluster:
    """initdb, start, stop; `folder` is also where its socket lies."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="onegate_sql_"))
        self.made = 0
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.folder.chmod(0o755)

    def run(self, program, *arguments):
        command = [str(binaries() / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres",
                "--clear-groups", *command]
        subprocess.run(command, check=True, cwd="/",
            stdout=subprocess.DEVNULL, timeout=60)

    def start(self):
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-A", "trust", "-U", "postgres",
            "--no-locale", "-E", "UTF8", "--no-sync")
        self.run("pg_ctl", "-D", data, "-w", "-l", str(self.folder / "log"),
            "-o", f"-k {self.folder} {SETTINGS}", "start")

    def stop(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-D", str(self.folder / "data"),
                "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, database, user="postgres"):
        return f"host={self.folder} dbname={database} user={user}"

    def create(self, template="template0"):
        self.made += 1
        name = f"test_{self.made}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as db:
            db.execute(f"create database {name} template {template}")
        return name

    def environment(self, database):
        kept = {k: v for k, v in os.environ.items()
            if not k.startswith(("PG", "ONEGATE_"))}
        return dict(kept, PGHOST=str(self.folder), PGUSER="postgres",
            PGDATABASE=database)

    def migrate(self, database, *arguments, script=MIGRATE, **more):
        return subprocess.run([str(script), *arguments], check=False,
            capture_output=True, text=True, timeout=120,
            env=dict(self.environment(database), **more))


@pytest.fixture(scope="session")
def cluster():
    one = Cluster()
    try:
        one.start()
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="session")
def template(cluster):
    name = cluster.create()
    done = cluster.migrate(name)
    assert done.returncode == 0, done.stderr
    return name


class Books:
    """A migrated database and what the tests of money do with it."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name
        self.db = self.connect()

    def connect(self, user="postgres", autocommit=True):
        return psycopg.connect(self.cluster.dsn(self.name, user),
            autocommit=autocommit)

    def value(self, sql, *arguments):
        return self.db.execute(sql, arguments).fetchone()[0]

    def row(self, sql, *arguments, db=None):
        cursor = (db or self.db).execute(sql, arguments)
        names = [column.name for column in cursor.description]
        values = cursor.fetchone()
        return None if values is None else dict(zip(names, values))

    def rows(self, sql, *arguments):
        cursor = self.db.execute(sql, arguments)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, values)) for values in cursor]

    def new_id(self):
        return self.value("select meta.uuid_new()")

    def user(self, balance=0, name=None, tier="registered"):
        """A person whom auth registered, with an account; gives its id."""
        name = name or "u" + uuid.uuid4().hex[:12]
        phone = "08" + str(uuid.uuid4().int)[:11]
        taken = self.value(
            "select auth.register(meta.uuid_new(), %s, %s, %s, %s, %s, %s)",
            name, name.lower(), name + "@x.id", name.lower() + "@x.id", phone,
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA")
        assert not taken
        self.db.execute("select payment.open_accounts(%s)", (tier,))
        account = self.value("select account_id from payment.find_receiver(%s, null)",
            name.lower())
        self.fund(account, balance)
        return account

    def fund(self, account, amount):
        if amount:
            assert self.value("select payment.adjust(%s, %s, 'test', 'fund')",
                account, amount) == 0

    def merchant(self, balance=0):
        self.db.execute("select payment.merchant_add('Warung', 'food', 'Jakarta', null)")
        found = self.row("select id, account_id from payment.merchants order by id desc limit 1")
        self.fund(found["account_id"], balance)
        return found["id"], found["account_id"]

    def account(self, account):
        return self.row("select * from payment.accounts where id = %s", account)

    def available(self, account):
        return self.value("select balance - held from payment.accounts where id = %s",
            account)

    def post(self, items, db=None, lost=False, hashes=None):
        """items: dicts of debit, credit, amount and, if wanted, id, kind,
        operation, scope, key, fingerprint, refuse."""
        accounts = sorted({i["debit"] for i in items} | {i["credit"] for i in items},
            key=lambda u: u.bytes)
        at = {account: n + 1 for n, account in enumerate(accounts)}
        ids = [i.get("id") or self.new_id() for i in items]
        cursor = (db or self.db).execute("""
            select * from payment.post(%s::uuid[], %s::uuid[], %s::int2[], %s::int[],
                %s::int[], %s::bigint[], %s::uuid[], %s::text[], %s::text[],
                %s::text[], %s::bytea[], %s::int2[], %s, hashes => %s::uuid[])""", (
            accounts, ids, [i.get("kind", 5) for i in items],
            [at[i["debit"]] for i in items], [at[i["credit"]] for i in items],
            [i["amount"] for i in items], [i.get("operation") for i in items],
            [i.get("description", "test") for i in items],
            [i.get("scope", "me:transfer") if i.get("key") else None for i in items],
            [i.get("key") for i in items],
            [i.get("fingerprint", b"f" * 32) if i.get("key") else None for i in items],
            [i.get("refuse", 0) for i in items], lost, hashes))
        names = [column.name for column in cursor.description]
        return [dict(zip(names, values)) for values in cursor]

    def transfer(self, debit, credit, amount, **more):
        return self.post([dict(debit=debit, credit=credit, amount=amount, **more)])[0]

    def begin(self, direction, account, amount, db=None, **more):
        call = {"out": "topup_begin", "in": "charge_begin"}[direction]
        operation = more.get("id") or self.new_id()
        return self.row(f"""select * from payment.{call}(%s, %s, %s, '081234567890',
            %s, %s, 'test', null, %s, %s, %s, %s)""", operation, account,
            more.get("provider", "GOPAY"), amount, more.get("reference", str(operation)),
            more.get("first", 30), more.get("scope", "me:topup") if more.get("key") else None,
            more.get("key"), b"f" * 32 if more.get("key") else None, db=db)

    def decide(self, call, operation, *arguments, db=None):
        marks = ", ".join(["%s"] * (len(arguments) + 1))
        return self.row(f"select * from payment.{call}({marks})", operation, *arguments, db=db)

    def payment(self, payer, merchant, amount, **more):
        return self.row("""select * from payment.payment_create(%s, %s, %s, %s, '[]',
            'test', null, %s, %s, %s, %s, %s)""", more.get("id") or self.new_id(), payer,
            merchant, amount, more.get("ttl", 900), more.get("qris", False),
            "me:payments" if more.get("key") else None, more.get("key"),
            b"f" * 32 if more.get("key") else None)

    def process(self, payment, payer, db=None, key=None):
        return self.row("select * from payment.payment_process(%s, %s, %s, %s, %s, %s)",
            payment, payer, self.new_id(), "me:process" if key else None, key,
            b"f" * 32 if key else None, db=db)

    def cancel(self, payment, payer):
        return self.row("select * from payment.payment_cancel(%s, %s, null, null, null)",
            payment, payer)

    def refund(self, payment, payer, amount, db=None, key=None):
        return self.row("select * from payment.payment_refund(%s, %s, %s, %s, 'why', %s, %s, %s)",
            payment, payer, self.new_id(), amount, "me:refund" if key else None, key,
            b"f" * 32 if key else None, db=db)

    def breaks(self):
        return self.rows("select * from payment.audit()")


@pytest.fixture
def books(cluster, template):
    """Money to play with; the books must be right when the test ends."""
    one = Books(cluster, cluster.create(template))
    yield one
    assert one.breaks() == []
    one.db.close()


@pytest.fixture
def broken_books(cluster, template):
    """The same for tests that break the books on purpose."""
    one = Books(cluster, cluster.create(template))
    yield one
    one.db.close()
