"""How fast the journal reaches the read model: after an outage, and live.

Catching up: the relay is held by its own advisory lock, as when Kafka is away,
100,000 rows are posted, and it is let go. Live: transfers come over HTTP in an
open loop while probes of our own are posted and looked for in transaction's
table; what counts is the time from a probe's commit until it is seen there.
"""
import random
import statistics
import threading
import time
import uuid

import psycopg

import books
import stack as running

LOCK_KEY = 7305171600429101  # the leader's, modules/payment/relay.c
ROWS = 100_000
BATCH = 128
RATES = (300, 1000)  # transfers a second: moderate, and busy
PROBERS = 3
LOOK_SECONDS = 0.004  # each look costs what is measured
CATCH_UP_SECONDS = 120

POST = """
select count(*) filter (where code <> 0) from payment.post(%s::uuid[], %s::uuid[],
	%s::smallint[], %s::integer[], %s::integer[], %s::bigint[], %s::uuid[],
	%s::text[], %s::text[], %s::text[], %s::bytea[])
"""


def uuid7():
    return uuid.UUID(int=int(time.time() * 1000) << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62
                     | random.getrandbits(62))


class Journal:
    """Posts transfers between people of the benchmark, without HTTP."""

    def __init__(self, stack):
        self.db = running.connect(stack)
        self.accounts = [uuid.UUID(account) for _, _, account in self.db.execute(books.ACCOUNTS, (5000,))]

    def post(self, count):
        pairs = [random.sample(self.accounts, 2) for _ in range(count)]
        used = sorted({account for pair in pairs for account in pair})
        place = {account: n + 1 for n, account in enumerate(used)}
        ids = [uuid7() for _ in range(count)]
        none = [None] * count
        refused = self.db.execute(POST, (used, ids, [5] * count, [place[a] for a, _ in pairs],
                                         [place[b] for _, b in pairs], [100] * count, none, ["bench"] * count,
                                         none, none, none)).fetchone()[0]
        if refused:
            raise SystemExit("bench: not valid: %d postings refused" % refused)
        return ids


class Hold:
    """The relay held: its connection ended, its place taken."""

    def __init__(self, stack):
        self.db = running.connect_admin(stack, stack["postgres"]["database"])

    def __enter__(self):
        deadline = time.monotonic() + 10
        while not self.db.execute("select pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()[0]:
            self.db.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                            " and (classid::bigint << 32 | objid::bigint) = %s", (LOCK_KEY,))
            if time.monotonic() > deadline:
                raise SystemExit("bench: the relay cannot be held")
        return self

    def __exit__(self, *_exception):
        self.db.close()


def progress(db):
    """Events in the read model, and the messages that it has read."""
    return db.execute("select coalesce(sum(next_offset), 0) from transaction.consumer_offsets").fetchone()[0]


def published(db):
    return db.execute("select s.rows = 0 from payment.relay_lag('kafka') s").fetchone()[0]


def until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("bench: not done after %d s" % seconds)
        time.sleep(LOOK_SECONDS)
    return time.monotonic()


def catch_up(stack, db):
    """Events a second out of the relay, and into the read model."""
    journal = Journal(stack)
    until(lambda: published(db), CATCH_UP_SECONDS)
    with Hold(stack):
        done = 0
        while done < ROWS:
            done += len(journal.post(min(BATCH, ROWS - done)))
        # the held backlog, and where the reader stands before it
        before = progress(db)
        expected = before + 2 * ROWS
        started = time.monotonic()
    relayed = until(lambda: published(db), CATCH_UP_SECONDS)
    stored = until(lambda: progress(db) >= expected, CATCH_UP_SECONDS)
    return 2 * ROWS / (relayed - started), 2 * ROWS / (stored - started)


def probe(stack, ended, seen):
    journal = Journal(stack)
    while not ended.is_set():
        (one,) = journal.post(1)
        committed = time.monotonic()
        until(lambda: journal.db.execute("select 1 from transaction.historical_transactions where id = %s",
                                         (one,)).fetchone(), CATCH_UP_SECONDS)
        seen.append(time.monotonic() - committed)
        ended.wait(random.uniform(0, 0.1))


def latency(run, rate):
    """Milliseconds from commit to visible, each, at RATE transfers a second."""
    ended, seen = threading.Event(), []
    probers = [threading.Thread(target=probe, args=(run.stack, ended, seen)) for _ in range(PROBERS)]
    for thread in probers:
        thread.start()
    try:
        result = run.load("payment", "/api/payment/transfer", "-m", "transfer", "-w", 3, "-t", run.tokens, "-a",
                          run.receivers, "-k", run.keys, "-r", rate)
    finally:
        ended.set()
        for thread in probers:
            thread.join()
    return result, [1000 * seconds for seconds in seen]


def relay(run, db, _arguments):
    run.say("%d rows while the relay is held, then let go" % ROWS)
    relayed, stored = catch_up(run.stack, db)
    rows = []
    for rate in RATES:
        run.say("open loop, %d transfers a second" % rate)
        result, seen = latency(run, rate)
        books.agree(db, result, run.keys)
        parts = statistics.quantiles(seen, n=100)
        rows.append(["open loop, %d a second" % rate, "%.0f" % result["per_second"], len(seen), "%.0f" % parts[49],
                     "%.0f" % parts[98], "%.0f" % max(seen)])
    until(lambda: published(db), CATCH_UP_SECONDS)
    breaks = db.execute("select count(*) from payment.audit_history()").fetchone()[0]
    if breaks:
        raise SystemExit("bench: not valid: the read model differs from the journal in %d places" % breaks)
    print()
    run.table([["catching up with %d rows" % ROWS, "events/s"], ["journal to Kafka", "%.0f" % relayed],
               ["journal to the read model", "%.0f" % stored]])
    print()
    run.table([["commit to visible", "transfers/s", "probes", "p50 ms", "p99 ms", "max ms"], *rows])
