"""pgbench beside us: the same PostgreSQL, the same run, the same 64 clients."""
import os
import re
import subprocess

SCALE = 100
DATABASE = "onegate_pgbench"


def _environment(stack):
    return dict(os.environ, PGHOST=stack["postgres"]["host"], PGPORT=str(stack["postgres"]["port"]),
                PGUSER="onegate_pgbench", PGPASSWORD="pgbench", PGDATABASE=DATABASE)


def prepare(db, stack, say):
    """Makes the database of pgbench once, in the stack's own server."""
    with db.cursor() as cur:
        cur.execute("select 1 from pg_roles where rolname = 'onegate_pgbench'")
        if cur.fetchone() is None:
            cur.execute("create role onegate_pgbench login password 'pgbench'")
        cur.execute("select 1 from pg_database where datname = %s", (DATABASE,))
        if cur.fetchone() is not None:
            return
        say("pgbench: making its tables, scale %d (once)" % SCALE)
        cur.execute("create database %s owner onegate_pgbench" % DATABASE)
    try:
        subprocess.run(["pgbench", "-i", "-q", "-s", str(SCALE)], env=_environment(stack), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except BaseException:
        db.execute("drop database %s" % DATABASE)
        raise


def run(stack, seconds, clients):
    """tpcb-like, prepared: transactions per second."""
    out = subprocess.run(["pgbench", "-n", "-M", "prepared", "-b", "tpcb-like", "-s", str(SCALE), "-c", str(clients),
                          "-j", "1", "-T", str(seconds)],
                         env=_environment(stack), check=True, text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL).stdout
    return float(re.search(r"^tps = ([0-9.]+)", out, re.M).group(1))
