"""Do many at once get the answer that one after the other would get?"""
import random
import threading

import psycopg
import pytest


def at_once(books, count, work):
    """Runs work(db, n) in COUNT sessions that start together; the results."""
    start = threading.Barrier(count)
    results, failures = [None] * count, []

    def run(n):
        db = books.connect()
        try:
            start.wait(timeout=30)
            results[n] = work(db, n)
        except Exception as failure:  # handed to the test below
            failures.append(failure)
        finally:
            db.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not failures, failures
    return results


def test_one_key_in_many_sessions_is_one_posting(books):
    a, b = books.user(10_000), books.user()
    done = at_once(books, 8, lambda db, n: books.post(
        [dict(debit=a, credit=b, amount=100, key="k", id=books_id(db))], db=db)[0])
    assert [d["code"] for d in done] == [0] * 8
    assert sorted(d["replayed"] for d in done) == [False] + [True] * 7
    assert len({d["row_id"] for d in done}) == 1
    assert books.available(b) == 100


def books_id(db):
    return db.execute("select meta.uuid_new()").fetchone()[0]


def test_the_last_money_is_spent_once(books):
    a, b = books.user(100), books.user()
    done = at_once(books, 8, lambda db, n: books.post(
        [dict(debit=a, credit=b, amount=60, id=books_id(db))], db=db)[0]["code"])
    assert sorted(done) == [0] + [8] * 7
    assert (books.available(a), books.available(b)) == (40, 60)


def test_a_cap_holds_for_many_senders(books):
    senders, b = [books.user(1_500_000_000) for _ in range(6)], books.user()
    done = at_once(books, 6, lambda db, n: books.post(
        [dict(debit=senders[n], credit=b, amount=700_000_000, id=books_id(db))], db=db)[0]["code"])
    assert sorted(done) == [0, 0, 10, 10, 10, 10]


def call(db, sql, *arguments):
    cursor = db.execute(sql, arguments)
    return dict(zip([c.name for c in cursor.description], cursor.fetchone()))


@pytest.mark.parametrize("amount,wins", [(0, 1), (400, 1), (300, 2), (100, 7)])
def test_refunds_never_exceed_the_payment(books, amount, wins):
    payer = books.user(1000)
    merchant, shop = books.merchant(5000)
    payment = books.payment(payer, merchant, 700)["id"]
    books.process(payment, payer)
    done = at_once(books, 8, lambda db, n: call(db,
        "select * from payment.payment_refund(%s, %s, meta.uuid_new(), %s, 'x', null, null, null)",
        payment, payer, amount)["code"])
    assert sorted(done) == [0] * wins + [17] * (8 - wins)
    assert books.available(payer) == 300 + wins * (amount or 700)


def test_a_payment_is_processed_or_cancelled_once(books):
    payer = books.user(10_000)
    merchant, _ = books.merchant()
    payment = books.payment(payer, merchant, 700, ttl=-1)["id"]
    books.db.execute("update payment.payment_intents set expires_at = now() + interval '1 hour'")
    steps = ["select * from payment.payment_process(%s, %s, meta.uuid_new(), null, null, null)",
        "select * from payment.payment_cancel(%s, %s, null, null, null)"]
    done = at_once(books, 8, lambda db, n: call(db, steps[n % 2], payment, payer)["code"])
    assert sorted(done) == [0] + [14] * 7


@pytest.mark.parametrize("direction,calls", [
    ("out", ["topup_settle(%s, 'x')", "topup_release(%s, 'FAILED', 'x')",
        "operation_escalate(%s, 'x')"]),
    ("in", ["charge_credit(%s, 'x')", "charge_fail(%s, 'FAILED', 'x')",
        "operation_escalate(%s, 'x')"])])
def test_an_operation_is_decided_once(books, direction, calls):
    a = books.user(1000)
    for _ in range(4):
        operation = books.begin(direction, a, 100)["id"]

        def decide(db, n):
            while True:
                try:
                    return n % 3, call(db, f"select * from payment.{calls[n % 3]}", operation)["code"]
                except psycopg.errors.SerializationFailure:
                    continue  # escalated meanwhile: send again, as the worker does
        done = at_once(books, 9, decide)
        decided = [code for which, code in done if which < 2]
        assert sorted(decided) == [0] + [20] * 5
        assert sum(code == 0 for which, code in done if which == 2) <= 1


def test_one_name_is_registered_once(books):
    done = at_once(books, 8, lambda db, n: db.execute(
        "select auth.register(meta.uuid_new(), 'Ann', 'ann', %s, %s, %s, %s)",
        (f"{n}@x", f"{n}@x", f"08123456789{n}", "$argon2id$x")).fetchone()[0])
    assert sorted(done) == [""] + ["username"] * 7
    accounts = at_once(books, 4, lambda db, n: db.execute(
        "select payment.open_accounts()").fetchone()[0])
    assert sorted(accounts) == [0, 0, 0, 1]


def test_no_registration_is_missed_by_the_accounts(books):
    """Registrations commit in any order while accounts are being opened."""
    stop = threading.Event()

    def work(db, n):
        if n == 0:
            while not stop.is_set():
                db.execute("select payment.open_accounts()")
            return 0
        for i in range(40):
            with db.transaction():
                db.execute("select auth.register(meta.uuid_new(), %s, %s, %s, %s, %s, %s)",
                    (f"u{n}x{i}", f"u{n}x{i}", f"u{n}x{i}@x", f"u{n}x{i}@x",
                        f"0812{n:03}{i:04}", "$argon2id$x"))
        return 1

    watch = threading.Timer(20, stop.set)
    watch.start()

    def until_done(db, n):
        result = work(db, n)
        if n and books_done.release():
            stop.set()
        return result

    class Done:
        """Counts the writers that have ended."""
        left, lock = 5, threading.Lock()

        def release(self):
            with self.lock:
                self.left -= 1
                return self.left == 0
    books_done = Done()
    at_once(books, 6, until_done)
    watch.cancel()
    books.db.execute("select payment.open_accounts()")
    assert books.value("select count(*) from payment.account_holders") == 200


def test_a_storm_of_everything_leaves_the_books_right(books):
    """Batches, operations, payments and refunds over few accounts, with
    rollbacks and deadlock victims; the fixture audits at the end."""
    people = [books.user(50_000) for _ in range(4)]
    merchant, shop = books.merchant(10_000)

    def work(db, n):
        chance = random.Random(n)
        done = 0
        for _ in range(40):
            payer, other = chance.sample(people, 2)
            try:
                with db.transaction():
                    kind = chance.randrange(5)
                    if kind < 2:
                        pairs = [chance.sample(people + [shop], 2)
                            for _ in range(chance.randint(1, 12))]
                        books.post([dict(debit=x, credit=y, amount=chance.randint(1, 900),
                            id=books_id(db), key=chance.choice([None, f"k{chance.randrange(50)}"]))
                            for x, y in pairs], db=db)
                    elif kind == 2:
                        operation = books_id(db)
                        begun = call(db, """select * from payment.topup_begin(%s, %s, 'GOPAY',
                            '0812', %s, %s, 't', null, 30, null, null, null)""", operation,
                            payer, chance.randint(1, 900), str(operation))
                        if begun["code"] == 0:
                            call(db, chance.choice([
                                "select * from payment.topup_settle(%s, 'x')",
                                "select * from payment.topup_release(%s, 'FAILED', 'x')",
                                "select * from payment.operation_escalate(%s, 'x')"]), operation)
                    elif kind == 3:
                        operation = books_id(db)
                        call(db, """select * from payment.charge_begin(%s, %s, 'SHOPEE_PAY',
                            '0812', %s, %s, 't', null, 30, null, null, null)""", operation,
                            other, chance.randint(1, 900), str(operation))
                        call(db, "select * from payment.charge_credit(%s, 'x')", operation)
                    else:
                        payment = books_id(db)
                        call(db, """select * from payment.payment_create(%s, %s, %s, %s, '[]',
                            't', null, 900, false, null, null, null)""", payment, payer,
                            merchant, chance.randint(1, 900))
                        call(db, """select * from payment.payment_process(%s, %s,
                            meta.uuid_new(), null, null, null)""", payment, payer)
                        call(db, """select * from payment.payment_refund(%s, %s,
                            meta.uuid_new(), %s, 'x', null, null, null)""", payment, payer,
                            chance.randint(0, 500))
                    if chance.random() < .1:
                        raise psycopg.Rollback()
                done += 1
            except (psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation):
                continue
        return done

    assert sum(at_once(books, 8, work)) > 200
