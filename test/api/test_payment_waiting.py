"""Postings that wait: how many may, and what becomes of one whose client has
gone?

A sender's account is locked for a moment, so that a batch stands in PostgreSQL
and what comes meanwhile waits behind it.
"""
import concurrent.futures
import contextlib
import json

from onegate import Client, Raw, expect, unique, until
from own import OwnModule

AMOUNT = 1_000
TRANSFER = "/api/payment/transfer"


@contextlib.contextmanager
def locked(stack, user):
    account = user.account()["id"]
    with stack.pg(autocommit=False) as pg:
        pg.execute("select 1 from payment.accounts where id = %s for update",
            (account,))
        yield
        pg.rollback()


def stands_in_postgres(stack):
    with stack.pg() as pg:
        return pg.execute("select 1 from pg_locks where not granted "
            "and locktype = 'transactionid'").fetchone()


def test_more_than_may_wait_are_503_and_who_waits_is_served(stack, tmp_path):
    sender, receiver = stack.user(balance=10_000), stack.user()
    to = receiver.account()["id"]
    own = OwnModule(stack, tmp_path, "payment", PAYMENT_QUEUE=1,
        PAYMENT_LANES=1)

    def transfer():
        return Client(f"http://127.0.0.1:{own.port}", {"Authorization":
            "Bearer " + sender.access_token}).post(TRANSFER,
            {"to": to, "amount": AMOUNT})

    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            with locked(stack, sender):
                begun = [pool.submit(transfer)]
                until(lambda: stands_in_postgres(stack))
                begun += [pool.submit(transfer) for _ in range(3)]
                until(lambda: sum(one.done() for one in begun) == 2)
            answers = sorted((one.result() for one in begun),
                key=lambda answer: answer.status)
    finally:
        own.end()
    for answer in answers[:2]:
        expect(answer, 201)
    for answer in answers[2:]:
        expect(answer, 503, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
    assert receiver.balance() == 2 * AMOUNT


def test_a_posting_whose_client_has_gone_completes_once(stack):
    sender, receiver = stack.user(balance=10_000), stack.user()
    body, key = {"to": receiver.username, "amount": AMOUNT}, unique("gone")
    text = json.dumps(body)
    with locked(stack, sender):
        with Raw(stack.status["payment"]["base_url"]) as raw:
            raw.send(f"POST {TRANSFER} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {sender.access_token}\r\n"
                f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(text)}\r\n\r\n{text}")
            until(lambda: stands_in_postgres(stack))
    until(lambda: receiver.balance() == AMOUNT)
    again = expect(sender.payment.post(TRANSFER, body,
        headers={"Idempotency-Key": key}), 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert receiver.balance() == AMOUNT
