"""Does the relay's view of the journal lose nothing and keep the order?"""
import random
import threading
import uuid

import psycopg

def owners_of(db, rows):
    """Whose the accounts of these rows are, None for no person's."""
    accounts = [row[side + "_account_id"] for row in rows for side in ("debit", "credit")]
    owners = db.execute("select payment.relay_owners(%s::uuid[])", (accounts,)).fetchall()
    return dict(zip(accounts, (owner for owner, in owners)))


def events_of(row, owners):
    """What the relay makes of a row: an event of each side that is a person's."""
    for side in ("debit", "credit"):
        user = owners[row[side + "_account_id"]]
        if user is None:
            continue
        event_id = uuid.UUID(int=row["row_id"].int ^ (side == "credit"))
        yield {**row, "event_id": event_id, "id": row["id"] or event_id,
            "user_id": user, "direction": row["direction"] or side,
            **{name: row[f"{side}_{name}"] for name in ("account_id", "sequence",
                "balance_before", "balance_after")}}


def publish(db, out, crash=False):
    """One turn of the relay; a crash forgets to note what was published."""
    with db.transaction():
        last = db.execute("select payment.relay_begin('test')").fetchone()[0] or "1:1:"
        now = db.execute("select payment.relay_now()").fetchone()[0]
        db.execute("select payment.relay_open(%s)", (last,))
        while True:
            cursor = db.execute("fetch 50 from relay")
            names = [c.name for c in cursor.description]
            rows = [dict(zip(names, values)) for values in cursor]
            owners = owners_of(db, rows)
            out.extend(event for row in rows for event in events_of(row, owners))
            if not rows:
                break
        if not crash:
            db.execute("select payment.relay_done('test', %s)", (now,))


def relay(books):
    db = books.connect("onegate_relay")
    db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return db


WORDS = ("transaction_type", "transaction_status", "amount", "balance_before",
    "balance_after", "currency", "direction", "description", "external_reference",
    "payment_method", "is_accessible_external", "created_at", "updated_at")


def store(db, events):
    """What the follower does with them; their offsets begin anew each time."""
    def word(event, name):
        value = event[name]
        if name in ("amount", "balance_before", "balance_after"):
            return f"{value // 100}.{value % 100:02}"
        return value and str(value)

    return db.execute("select transaction.store_events('t', '{0}', %s::bigint[],"
        " %s::uuid[], %s::bigint[], %s::uuid[], %s::uuid[], %s::uuid[]"
        + ", %s::text[]" * 11 + ", %s::bool[]" + ", %s::timestamptz[]" * 2 + ", %s::text[])",
        ([len(events)],
        *([event[name] for event in events] for name in
            ("event_id", "sequence", "id", "user_id", "account_id")),
        [f"TRX-{event['id']}" for event in events],
        *([word(event, name) for event in events] for name in WORDS),
        [None] * len(events))).fetchone()[0]


def test_events_of_a_transfer(books):
    a, b = books.user(1000), books.user()
    row = books.transfer(a, b, 300)["row_id"]
    out = []
    publish(relay(books), out)
    sent, got = out[-2], out[-1]
    assert (sent["id"], sent["event_id"], sent["direction"]) == (row, row, "debit")
    other = uuid.UUID(int=row.int ^ 1)
    assert (got["id"], got["event_id"], got["direction"]) == (other, other, "credit")
    assert (sent["balance_before"], sent["balance_after"]) == (1000, 700)
    assert (got["balance_before"], got["balance_after"]) == (0, 300)
    assert (sent["account_id"], sent["sequence"]) == (a, 2)
    assert (got["account_id"], got["sequence"]) == (b, 1)
    assert sent["transaction_type"] == got["transaction_type"] == "TRANSFER"


def test_an_operation_is_one_transaction_of_two_events(books):
    a = books.user(1000)
    begun = books.begin("out", a, 300)
    books.decide("topup_settle", begun["id"], "G-1")
    out = []
    publish(relay(books), out)
    opened, settled = out[-2:]
    assert opened["id"] == settled["id"] == begun["id"]
    assert opened["event_id"] != settled["event_id"]
    assert [e["transaction_status"] for e in (opened, settled)] == ["PENDING", "SUCCESS"]
    assert {e["payment_method"] for e in (opened, settled)} == {"GOPAY"}


def test_what_is_told_again_later_is_the_same(books):
    a, b = books.user(100_000), books.user()
    merchant, _ = books.merchant()
    begun = [books.begin(way, a, 300)["id"] for way in ("out", "out", "in", "in", "out")]
    payments = [books.payment(a, merchant, 700)["id"] for _ in range(3)]
    books.transfer(a, b, 1)
    first, second, third = [], [], []
    publish(relay(books), first)
    books.decide("topup_settle", begun[0], "G-1")
    books.decide("topup_release", begun[1], "FAILED", "no")
    books.decide("charge_credit", begun[2], "G-2")
    books.decide("charge_fail", begun[3], "FAILED", "no")
    books.decide("operation_escalate", begun[4], "late")
    books.process(payments[0], a)
    books.process(payments[1], a)
    books.cancel(payments[2], a)
    publish(relay(books), second)
    books.refund(payments[0], a, 200)
    books.decide("topup_settle", begun[4], "G-3")
    books.transfer(a, b, 1)
    publish(relay(books), third)
    books.db.execute("select payment.relay_forget('test')")
    again = []
    publish(relay(books), again)
    assert again == first + second + third


def test_a_long_difference_tells_what_short_ones_told(books):
    a, b = books.user(100_000), books.user()
    merchant, _ = books.merchant()
    db, short, long = relay(books), [], []
    publish(db, short)
    for _ in range(5):
        books.transfer(a, b, 1)
        books.process(books.payment(a, merchant, 700)["id"], a)
        publish(db, short)
    for _ in range(1001):  # transactions between: payment.relay_open counts them
        books.db.execute("select pg_current_xact_id()")
    books.db.execute("select payment.relay_forget('test')")
    publish(db, long)
    assert long == short


def test_nothing_is_published_twice_and_lag_is_told(books):
    a, b = books.user(1000), books.user()
    db, out = relay(books), []
    publish(db, out)
    publish(db, out)
    assert len(out) == 1
    books.transfer(a, b, 1)
    assert db.execute("select rows from payment.relay_lag('test')").fetchone()[0] == 1
    db.rollback()
    publish(db, out)
    assert len(out) == 3
    assert db.execute("select rows from payment.relay_lag('test')").fetchone()[0] == 0


def test_after_a_restore_all_is_told_again_and_nothing_doubles(books):
    a, b = books.user(1000), books.user()
    books.transfer(a, b, 1)
    db, first, again = relay(books), [], []
    publish(db, first)
    books.db.execute("update payment.relay_state set snapshot = '999999999:999999999:'")
    books.db.execute("update payment.user_event_state set snapshot = '999999999:999999999:'")
    books.db.execute("select payment.after_restore()")
    publish(db, again)
    assert again == first
    assert books.value("select payment.open_accounts()") == 0
    assert books.available(books.user(7)) == 7


def test_writers_that_overlap_wait_and_roll_back(books):
    people = [books.user(1_000_000) for _ in range(6)]
    stop, failures = threading.Event(), []

    def write(seed):
        chance, db = random.Random(seed), books.connect(autocommit=False)
        try:
            for _ in range(40):
                if chance.random() < .3:
                    db.execute("select pg_current_xact_id()")
                pairs = [chance.sample(people, 2) for _ in range(chance.randint(1, 8))]
                try:
                    books.post([dict(debit=x, credit=y, amount=1,
                        id=db.execute("select meta.uuid_new()").fetchone()[0])
                        for x, y in pairs], db=db)
                    if chance.random() < .3:
                        db.execute("select pg_sleep(0.005)")
                    if chance.random() < .15:
                        db.rollback()
                    else:
                        db.commit()
                except psycopg.errors.DeadlockDetected:
                    db.rollback()
        except Exception as failure:
            failures.append(failure)
        finally:
            db.close()

    out, db, chance = [], relay(books), random.Random(1)

    def follow():
        while not stop.is_set():
            publish(db, out, crash=chance.random() < .1)
        publish(db, out)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    follower = threading.Thread(target=follow)
    for thread in (*threads, follower):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    follower.join()
    assert not failures, failures

    stored = books.value("select count(*) from payment.account_sides s "
        "join payment.accounts a on a.id = s.account_id and a.kind = 'user'")
    heard = {}
    seen = set()
    for event in out:
        account, sequence = event["account_id"], event["sequence"]
        # A repeat after a crash is dropped; what is new must be the next one.
        if sequence > heard.get(account, 0):
            assert sequence == heard.get(account, 0) + 1
            heard[account] = sequence
        seen.add(event["event_id"])
    assert len(seen) == stored == sum(heard.values())


def test_the_history_that_is_built_from_the_events_agrees(books):
    a, b = books.user(100_000), books.user(500)
    merchant, _ = books.merchant()
    books.transfer(a, b, 300)
    for call, arguments in (("topup_settle", ("x",)), ("topup_release", ("FAILED", "x")),
            ("operation_escalate", ("x",))):
        books.decide(call, books.begin("out", a, 100)["id"], *arguments)
    books.decide("charge_credit", books.begin("in", b, 100)["id"], "x")
    books.begin("in", b, 50)
    payment = books.payment(a, merchant, 700)["id"]
    books.process(payment, a)
    books.refund(payment, a, 200)
    books.cancel(books.payment(a, merchant, 1)["id"], a)
    out = []
    publish(relay(books), out)

    consumer = books.connect("onegate_transaction")
    for half in (slice(None, 5), slice(3, None), slice(None), slice(None, 1)):  # with repeats
        store(consumer, out[half])
    consumer.close()
    assert books.rows("select * from payment.audit_history()") == []
    assert books.value("select count(*) from transaction.historical_transactions") == \
        len({e["id"] for e in out})
    books.db.execute("update transaction.historical_transactions set amount = amount + 1 "
        "where transaction_type = 'REFUND'")
    assert {r["check_name"] for r in books.rows("select * from payment.audit_history()")} == \
        {"history holds what the journal says", "totals equal the rows"}


EXPLAINED = "-c session_preload_libraries=auto_explain " \
    "-c auto_explain.log_min_duration=0 -c auto_explain.log_analyze=on " \
    "-c auto_explain.log_timing=off -c auto_explain.log_nested_statements=on " \
    "-c auto_explain.log_level=notice"


def test_plans_made_while_all_was_empty_stay_look_ups(books):
    """Both ends keep their plans for as long as they are connected. The books
    fill meanwhile, and nobody gathers statistics."""
    plans, out = [], []
    db = psycopg.connect(books.cluster.dsn(books.name), autocommit=True,
        options=EXPLAINED)
    db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    db.add_notice_handler(lambda notice: plans.append(notice.message_primary))
    publish(db, out)
    store(db, out)
    people = [books.user(1_000) for _ in range(20)]
    books.post([dict(debit=a, credit=b, amount=1)
        for a, b in zip(people, people[1:])])
    plans.clear()
    publish(db, out)
    assert store(db, out) == len(out) == 20 + 2 * 19
    db.close()
    assert [plan for plan in plans if "using accounts_pkey" in plan]
    assert [plan for plan in plans if "historical_transactions_pkey" in plan]
    for plan in plans:
        assert "Materialize" not in plan, plan
        assert "Removed by Join Filter" not in plan, plan
