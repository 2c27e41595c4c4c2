#!/usr/bin/python3
"""Runs ledger-compare against a throw-away PostgreSQL of its own.

    run_compare.py LEDGER_COMPARE [OPERATIONS [SEED]]

The cluster is that of test/sql: a temporary folder, a socket and no port,
ended with this program. The status is that of ledger-compare.
"""
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sql"))

from conftest import Cluster  # noqa: E402


def main():
    cluster = Cluster()
    try:
        cluster.start()
        database = cluster.create()
        done = cluster.migrate(database)
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
            return 1
        command = [sys.argv[1], cluster.dsn(database), *sys.argv[2:]]
        return subprocess.run(command, check=False).returncode
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
