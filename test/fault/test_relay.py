"""Does Kafka hear every row of the journal, in each account's order, whatever
dies in between?

People pay over HTTP while transactions of our own overlap, wait and roll back
in the journal's database. Meanwhile the process of the relay is killed (busy,
without Kafka, and while it catches up), and Kafka hangs and dies. What counts
is read afterwards, once: the topics from their first message on, the journal,
and the read model.
"""
import collections
import concurrent.futures
import contextlib
import http.client
import itertools
import random
import signal
import threading
import uuid
from decimal import Decimal

import pytest

import topic
from onegate import MODULES, expect, unique, until
from servers import Server, ready, worker_kill

PEOPLE = 6
BALANCE = 1_000_000
HTTP_WRITERS, SQL_WRITERS = 4, 3
STEP = 60  # postings that show that the writers go on
BACKLOG, BATCH = 7_680, 128  # rows: several pages of the relay
CAUGHT = 1_000  # messages that show that it catches up
OVERLAP_SECONDS = 0.2
RECOVER_SECONDS = 30
PAYMENT_AMOUNT, REFUND_AMOUNT = 1_000, 400
FAILED_PAYMENTS = 3

POST = """select code from payment.post(%s::uuid[], %s::uuid[], %s::int2[],
    %s::int[], %s::int[], %s::bigint[], %s::uuid[], %s::text[], %s::text[],
    %s::text[], %s::bytea[])"""
JOURNAL = """select event_id, account_id, sequence, id, transaction_type,
    transaction_status, amount, balance_after from payment.relay_events
    where account_id = any(%s) order by account_id, sequence"""
OF_PAYMENTS = """select operation, case when kind = 6 then 'payment.completed'
        when kind = 7 then 'payment.refunded'
        when state = 2 then 'payment.failed' else 'payment.cancelled' end
    from payment.transfers where operation = any(%s)
        and (kind in (6, 7) or kind = 12 and state > 1)"""
LEADER = "\nonegate_relay_leader 1\n"


class Load:
    """Writers that go on through everything until they are told to end."""

    def __init__(self, stack):
        self.stack = stack
        self.people = [stack.user(balance=BALANCE) for _ in range(PEOPLE)]
        self.accounts = [uuid.UUID(user.account()["id"])
            for user in self.people]
        self.merchant = expect(self.people[0].payment.get(
            "/api/payment/merchants"), 200).data[0]["merchant_id"]
        self.postings = itertools.count()
        self.done = 0
        self.payments = []
        self.rolled_back = 0
        self.hurries = False
        self.ended = threading.Event()

    def count(self):
        self.done = next(self.postings)

    def goes_on(self, rows=STEP):
        """Wait until that many more postings are done."""
        wanted = self.done + rows
        until(lambda: self.done >= wanted, RECOVER_SECONDS)

    # -- over HTTP ----------------------------------------------------------

    def insist(self, user, path, body, status):
        """Ask with one key until the answer is there; it acts once."""
        key = {"Idempotency-Key": unique("relay")}

        def ask():
            try:
                answer = user.payment.post(path, body, headers=key)
            except (OSError, http.client.HTTPException):
                return None
            return answer.status != 503 and answer
        answer = expect(until(ask, RECOVER_SECONDS), status)
        self.count()
        return answer.data

    def write_http(self, seed):
        chance = random.Random(seed)
        while not self.ended.is_set():
            user, other = chance.sample(self.people, 2)
            if chance.random() < .8:
                self.insist(user, "/api/payment/transfer",
                    {"to": other.username, "amount": 1}, 201)
            else:
                self.pay(user, chance)

    def pay(self, user, chance):
        path = "/api/payment/payments"
        payment = self.insist(user, path, {"merchant_id": self.merchant,
            "amount": PAYMENT_AMOUNT}, 201)["id"]
        self.payments.append(uuid.UUID(payment))
        path += "/" + payment
        if chance.random() < .2:
            self.insist(user, path + "/cancel", {}, 200)
            return
        self.insist(user, path + "/process", {}, 200)
        for _ in range(chance.randint(0, 2)):
            self.insist(user, path + "/refund", {"amount": REFUND_AMOUNT,
                "reason": "relay"}, 200)

    # -- in the journal's database --------------------------------------------

    def post(self, db, chance, count):
        pairs = [chance.sample(self.accounts, 2) for _ in range(count)]
        used = sorted({one for pair in pairs for one in pair})
        place = {account: n + 1 for n, account in enumerate(used)}
        ids = [row[0] for row in db.execute(
            "select meta.uuid_new() from generate_series(1, %s)", (count,))]
        none = [None] * count
        codes = db.execute(POST, (used, ids, [5] * count,
            [place[a] for a, _ in pairs], [place[b] for _, b in pairs],
            [1] * count, none, ["relay"] * count, none, none, none))
        assert {code for code, in codes} == {0}

    def overlap(self):
        """Stay open while others go on, when they can."""
        if self.hurries:
            return
        seen = self.done
        with contextlib.suppress(AssertionError):
            until(lambda: self.done > seen + 3, OVERLAP_SECONDS)

    def write_sql(self, seed):
        """Transactions that take their id long before their rows, hold their
        accounts, and often come to nothing."""
        chance = random.Random(seed)
        with self.stack.pg(autocommit=False) as db:
            while not self.ended.is_set():
                if chance.random() < .5:
                    db.execute("select pg_current_xact_id()")
                    self.overlap()
                self.post(db, chance, chance.randint(1, 4))
                if chance.random() < .3:
                    self.overlap()
                if chance.random() < .3:
                    db.rollback()
                    self.rolled_back += 1
                else:
                    db.commit()
                    self.count()

    def backlog(self):
        self.hurries = True
        with self.stack.pg() as db:
            for _ in range(BACKLOG // BATCH):
                self.post(db, random, BATCH)
        self.hurries = False

    def fail_payments(self):
        """Payments that nobody pays in time: the janitor ends them."""
        with self.stack.pg() as db:
            for account in self.accounts[:FAILED_PAYMENTS]:
                payment, = db.execute("""select (payment.payment_create(
                    meta.uuid_new(), %s, %s, 1000, '[]', 'relay', null, 1,
                    false, null, null, null)).id""",
                    (account, self.merchant)).fetchone()
                self.payments.append(payment)


@contextlib.contextmanager
def writing(load):
    with concurrent.futures.ThreadPoolExecutor(
            HTTP_WRITERS + SQL_WRITERS) as pool:
        work = [pool.submit(load.write_http, n) for n in range(HTTP_WRITERS)]
        work += [pool.submit(load.write_sql, n) for n in range(SQL_WRITERS)]
        try:
            load.goes_on()
            yield
            load.goes_on()
        finally:
            load.ended.set()
        for finished in work:
            finished.result()


def leads(stack):
    try:
        return LEADER in stack.internal("payment").get("/metrics").raw.decode()
    except OSError:
        return False


def heard(db):
    """How many messages the read model has taken."""
    return db.execute("select coalesce(sum(next_offset), 0) from "
        "transaction.consumer_offsets").fetchone()[0]


@pytest.fixture(scope="module")
def load(stack):
    """All that happens, in the order in which it happens."""
    found, kafka = Load(stack), Server(stack, "kafka")
    regulator = stack.regulator()
    found.fail_payments()
    try:
        with writing(found), stack.pg() as db:
            worker_kill(stack, "payment")  # busy
            found.goes_on()
            until(lambda: leads(stack), RECOVER_SECONDS)

            kafka.send(signal.SIGSTOP)  # hangs until the relay gives it up
            until(lambda: not leads(stack), RECOVER_SECONDS)
            kafka.send(signal.SIGCONT)
            until(lambda: leads(stack), RECOVER_SECONDS)

            kafka.kill()
            found.goes_on()
            expect(regulator.get("/api/transaction/histories"), 200)
            worker_kill(stack, "payment")
            found.backlog()
            found.goes_on()
            before = heard(db)
            kafka.start()
            until(lambda: heard(db) > before + CAUGHT, RECOVER_SECONDS)
            worker_kill(stack, "payment")  # while it catches up
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            kafka.send(signal.SIGCONT)
        kafka.start()
        raise
    for module in MODULES:
        until(lambda: ready(stack, module), RECOVER_SECONDS)
    with stack.pg() as db:
        until(lambda: not db.execute("""select 1 from payment.payment_intents
            where id = any(%s) and state = 'PENDING'""",
            (found.payments,)).fetchall(), RECOVER_SECONDS)
        until(lambda: db.execute("select rows = 0 from "
            "payment.relay_lag('kafka')").fetchone()[0], RECOVER_SECONDS)
        found.journal = db.execute(JOURNAL, (found.accounts,)).fetchall()
    found.events = topic.events(stack, "transaction-events", found.accounts)
    return found


def first_heard(events):
    """Each event once, as it was heard first."""
    once = {}
    for event in events:
        once.setdefault(event["value"]["event_id"], event)
    return list(once.values())


def test_the_writers_did_what_they_should(load):
    assert load.rolled_back > 0
    assert len(load.journal) > 2 * BACKLOG


def test_the_topic_holds_every_event_of_the_journal(load):
    told = {uuid.UUID(event["value"]["event_id"]): event["value"]
        for event in load.events}
    assert len(told) == len(load.journal)
    for (event_id, account, sequence, transaction, kind, status, amount,
            balance) in load.journal:
        event = told[event_id]
        assert event["account_id"] == str(account)
        assert event["sequence"] == sequence
        assert event["id"] == str(transaction)
        assert (event["transaction_type"], event["transaction_status"]) == \
            (kind, status)
        assert Decimal(str(event["amount"])) * 100 == amount
        assert Decimal(str(event["balance_after"])) * 100 == balance


def test_each_account_is_told_in_order(load):
    of_account = collections.defaultdict(list)
    for event in load.events:
        of_account[event["key"]].append(event)
    assert set(of_account) == {str(account) for account in load.accounts}
    for events in of_account.values():
        assert len({event["partition"] for event in events}) == 1
        sequences = [event["value"]["sequence"]
            for event in first_heard(events)]
        assert sequences == list(range(1, len(sequences) + 1))


def test_what_is_told_again_is_the_same_and_in_order(load):
    """After a crash a part comes again: from some earlier event on, without
    a hole, until it goes on with what is new."""
    first, last, newest = {}, {}, collections.Counter()
    for event in load.events:
        account, value = event["key"], event["value"]
        sequence = value["sequence"]
        if sequence > newest[account]:
            assert sequence == newest[account] + 1
            newest[account] = sequence
            first[account, sequence] = value
        else:
            assert value == first[account, sequence]
            assert sequence <= last[account] + 1
        last[account] = sequence


def test_the_read_model_agrees(stack, load):
    newest = {account: sequence for _, account, sequence, *_ in load.journal}
    with stack.pg() as db:
        until(lambda: dict(db.execute("select account_id, max(sequence) from "
            "transaction.historical_transactions where account_id = any(%s) "
            "group by account_id", (load.accounts,)).fetchall()) == newest,
            RECOVER_SECONDS)
        until(lambda: not db.execute(
            "select * from payment.audit_history()").fetchall())
        assert db.execute("select * from payment.audit()").fetchall() == []


def test_merchants_hear_once_what_became_of_each_payment(stack, load):
    with stack.pg() as db:
        wanted = collections.Counter(db.execute(OF_PAYMENTS,
            (load.payments,)).fetchall())
    told = collections.Counter()
    for event in first_heard(topic.events(stack, "payment-events",
            [load.merchant])):
        payment = uuid.UUID(event["value"]["payment_id"])
        if payment in set(load.payments):
            told[payment, event["value"]["event_type"]] += 1
            assert event["headers"]["event_type"] == \
                event["value"]["event_type"]
    assert told == wanted
    ends = collections.Counter(end for _, end in told.elements())
    assert ends["payment.failed"] == FAILED_PAYMENTS
    assert ends["payment.completed"] and ends["payment.refunded"]
    assert all(times == 1 for (_, end), times in told.items()
        if end != "payment.refunded")
