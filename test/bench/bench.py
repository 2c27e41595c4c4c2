"""./onegate bench: speed as ratios, measured side by side in one run.

bench.py transfer|hot|topup|balance|login|relay [--seconds N] [--rounds N] [--clients N]

Every figure that is printed was measured in the run that prints it, with all
of the stack, the load generator and pgbench on this one machine. A run whose
books do not agree with what was acknowledged prints no figure and fails.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import books
import login
import pgbench
import relay
import stack as running

BUILD = pathlib.Path(os.environ.get("ONEGATE_BUILD", running.ROOT / "build"))
PROGRAMS = BUILD / "test" / "bench"
LOAD = PROGRAMS / "load"


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def table(rows):
    """Rows of equal length as aligned text, the first being the heads."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for n, row in enumerate(rows):
        cells = [str(cell).ljust(w) if i == 0 else str(cell).rjust(w) for i, (cell, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
        if n == 0:
            print("  ".join("-" * w for w in widths))


class Run:
    """One load beside the CPU time that each part of the stack took for it."""

    table, say = staticmethod(table), staticmethod(say)

    @staticmethod
    def program(name):
        return PROGRAMS / name

    def __init__(self, stack, arguments):
        self.stack = stack
        self.clients = arguments.clients
        self.seconds = arguments.seconds
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="onegate-bench-"))
        self.tokens = self.folder / "tokens"
        self.receivers = self.folder / "receivers"
        self.keys = self.folder / "keys"

    def load(self, module, path, *options):
        parts = {"worker": self.stack[module]["pid"], "postgres": self.stack["postgres"]["pid"],
                 "sandbox": self.stack["sandbox"]["pid"]}
        before = {name: running.cpu_seconds(pid) for name, pid in parts.items()}
        out = subprocess.run([LOAD, "-p", str(running.port(self.stack, module)), "-P", path, "-c", str(self.clients),
                              "-d", str(self.seconds), *map(str, options)], check=True, stdout=subprocess.PIPE).stdout
        result = json.loads(out)
        result["cpu"] = {name: running.cpu_seconds(pid) - before[name] for name, pid in parts.items()}
        result["cpu"]["load"] = result["cpu_seconds"]
        return result

    def done(self):
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()


def row(name, result, base=None):
    done = result["acknowledged"] + result["replayed"]
    micro = ["%.0f" % (1e6 * result["cpu"][part] / max(done, 1)) for part in ("worker", "postgres", "load")]
    return [name, "%.0f" % result["per_second"], "%.2f" % result["p50_ms"], "%.2f" % result["p99_ms"],
            "%.2f" % result["p999_ms"], *micro, "%.2f" % (result["per_second"] / base) if base else ""]


HEAD = ["", "per second", "p50 ms", "p99 ms", "p99.9 ms", "worker us", "postgres us", "load us", "ratio"]


def postings(run, db, receivers_are, rate=None, mode="transfer", path="/api/payment/transfer"):
    """Money under load, and the proof that the books agree."""
    options = ["-m", mode, "-y", 10, "-w", 3, "-t", run.tokens, "-a", receivers_are, "-k", run.keys]
    if rate:
        options += ["-r", rate]
    result = run.load("payment", path, *options)
    books.agree(db, result, run.keys)
    return result


def in_turns(run, arguments, measure):
    """Rounds of pgbench and what MEASURE does, in turns, because a machine's
    speed drifts. Gives the round in the middle, by the ratio of its first load
    to pgbench, and says what the others were."""
    rounds = []
    for number in range(1, arguments.rounds + 1):
        say("round %d of %d" % (number, arguments.rounds))
        tps = beside_pgbench(run, arguments)
        rounds.append((tps, *measure()))
    rounds.sort(key=lambda one: one[1]["per_second"] / one[0])
    print("\nratios of the rounds, that in the middle below: "
          + ", ".join("%.2f" % (one[1]["per_second"] / one[0]) for one in rounds) + "\n")
    return rounds[len(rounds) // 2]


def transfer(run, db, arguments):
    def measure():
        spread = postings(run, db, run.receivers)
        say("the same while the relay is held: its events, Kafka and the read model wait")
        with relay.Hold(run.stack):
            alone = postings(run, db, run.receivers)
        relay.until(lambda: relay.published(db), relay.CATCH_UP_SECONDS)
        return spread, alone

    # the open loop first: after the others the database still cleans up
    open_loop = postings(run, db, run.receivers, rate=1000)
    pgbench_tps, spread, alone = in_turns(run, arguments, measure)
    table([HEAD, ["pgbench tpcb-like, scale 100", "%.0f" % pgbench_tps] + [""] * 6 + ["1.00"],
           row("transfers, spread accounts", spread, pgbench_tps),
           row("the same, events held back", alone, pgbench_tps)])
    print()
    table([HEAD, row("open loop, 1,000 a second", open_loop)])


def hot(run, db, arguments):
    merchant = run.folder / "merchant"
    merchant.write_text(books.merchant_account(db) + "\n")
    pgbench_tps, spread, one = in_turns(
        run, arguments, lambda: (postings(run, db, run.receivers), postings(run, db, merchant)))
    table([HEAD, ["pgbench tpcb-like, scale 100", "%.0f" % pgbench_tps] + [""] * 6 + ["1.00"],
           row("transfers, spread accounts", spread, pgbench_tps),
           row("transfers, one hot merchant", one, pgbench_tps)])
    print("\nhot / spread: %.2f" % (one["per_second"] / spread["per_second"]))


def topup(run, db, _arguments):
    """Money out to GoPay: two commits and two calls of the sandbox each. The
    sandbox is no part of the product and not made for speed: the time that it
    takes stands beside."""
    phones = run.folder / "phones"
    books.write_phones(db, phones)
    result = postings(run, db, phones, mode="topup", path="/api/payment/wallet/topup")
    print()
    table([HEAD[:-1] + ["sandbox us"], row("top-ups to GoPay", result)[:-1] + [
        "%.0f" % (1e6 * result["cpu"]["sandbox"] / max(result["acknowledged"], 1))]])
    print("\nwithout an outcome at the end: %d" % books.open_operations(db))


def balance(run, _db, _arguments):
    constant = run.load("payment", "/health/live", "-w", 2)
    read = run.load("payment", "/api/payment/balance", "-w", 2, "-t", run.tokens)
    print()
    table([HEAD, row("constant JSON answer", constant, constant["per_second"]),
           row("balance read", read, constant["per_second"])])


def beside_pgbench(run, arguments):
    with running.connect_admin(run.stack) as admin:
        pgbench.prepare(admin, run.stack, say)
    say("pgbench -M prepared -b tpcb-like -s %d -c %d -T %d" % (pgbench.SCALE, arguments.clients, arguments.seconds))
    return pgbench.run(run.stack, arguments.seconds, arguments.clients)


BENCHES = {"transfer": transfer, "hot": hot, "topup": topup, "balance": balance, "login": login.login, "relay": relay.relay}
MONEYLESS = {"login"}


def main():
    parser = argparse.ArgumentParser(prog="onegate bench")
    parser.add_argument("bench", choices=sorted(BENCHES))
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3, help="of transfer and hot")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--accounts", type=int, default=20000)
    parser.add_argument("--senders", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2, help="ONEGATE_ARGON2_THREADS of the stack, for login")
    parser.add_argument("--checks", type=int, default=1_000_000, help="token checks counted, for login")
    arguments = parser.parse_args()
    stack = running.status()
    run = Run(stack, arguments)
    try:
        with running.connect(stack) as db:
            if arguments.bench not in MONEYLESS:
                say("%d funded accounts, %d senders" % (arguments.accounts, arguments.senders))
                books.prepare(db, arguments.accounts)
                books.write_lists(db, running.TokenMint(stack), arguments.senders, run.tokens, run.receivers)
            BENCHES[arguments.bench](run, db, arguments)
    finally:
        run.done()


if __name__ == "__main__":
    main()
