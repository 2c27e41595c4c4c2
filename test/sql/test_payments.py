"""Payments: one debit, refunds that never exceed it, states that end."""
import uuid

import pytest


@pytest.fixture
def sale(books):
    """A payer with 1000, a merchant with nothing, a pending payment of 700."""
    payer = books.user(1000)
    merchant, shop = books.merchant()
    return payer, shop, books.payment(payer, merchant, 700)["id"]


def test_pay_and_refund_in_parts(books, sale):
    payer, shop, payment = sale
    paid = books.process(payment, payer)
    assert (paid["code"], paid["state"], paid["row_amount"], paid["balance_before"],
        paid["balance_after"]) == (0, "SUCCESS", 700, 1000, 300)
    part = books.refund(payment, payer, 200)
    assert (part["code"], part["refunded"], part["row_amount"], part["state"]) == \
        (0, 200, 200, "SUCCESS")
    assert books.refund(payment, payer, 501)["code"] == 17
    rest = books.refund(payment, payer, 0)
    assert (rest["row_amount"], rest["refunded"]) == (500, 700)
    assert books.refund(payment, payer, 0)["code"] == 17
    assert books.refund(payment, payer, 1)["code"] == 17
    assert (books.available(payer), books.available(shop)) == (1000, 0)


STEPS = {"process": lambda b, p, u: b.process(p, u), "cancel": lambda b, p, u: b.cancel(p, u),
    "refund": lambda b, p, u: b.refund(p, u, 10)}


@pytest.mark.parametrize("first,second,code", [
    ("process", "process", 14), ("process", "cancel", 14), ("cancel", "process", 14),
    ("cancel", "cancel", 14), ("cancel", "refund", 16), (None, "refund", 16),
    ("process", "refund", 0)])
def test_states(books, sale, first, second, code):
    payer, _, payment = sale
    if first:
        assert STEPS[first](books, payment, payer)["code"] == 0
    assert STEPS[second](books, payment, payer)["code"] == code


@pytest.mark.parametrize("step", STEPS)
def test_a_stranger_finds_nothing(books, sale, step):
    payer, _, payment = sale
    books.process(payment, payer)
    stranger = books.user(1000)
    assert STEPS[step](books, payment, stranger)["code"] == 13
    assert STEPS[step](books, uuid.uuid4(), payer)["code"] == 13
    assert books.row("select * from payment.payment_get(%s, %s)", payment, stranger) is None


def test_expiry(books):
    payer = books.user(1000)
    merchant, _ = books.merchant()
    old = [books.payment(payer, merchant, 10, ttl=-1)["id"] for _ in range(3)]
    books.payment(books.user(5), merchant, 5, ttl=-1)
    fresh = books.payment(payer, merchant, 10)["id"]
    assert books.process(old[0], payer)["code"] == 15
    assert books.value("select payment.payments_expire(100)") == 4
    assert books.value("select payment.payments_expire(100)") == 0
    assert books.row("select * from payment.payment_get(%s, %s)", old[0], payer)["state"] == "FAILED"
    assert books.process(old[0], payer)["code"] == 14
    assert books.process(fresh, payer)["code"] == 0


@pytest.mark.parametrize("status", ["SUSPENDED", "CLOSED"])
def test_merchants_that_cannot_be_paid(books, sale, status):
    payer, shop, payment = sale
    books.db.execute("select payment.account_status_set(%s, %s, 'test', 'test')", (shop, status))
    assert books.process(payment, payer)["code"] == 6
    merchant = books.value("select id from payment.merchants where account_id = %s", shop)
    assert books.payment(payer, merchant, 10)["code"] == 22
    assert books.payment(payer, uuid.uuid4(), 10)["code"] == 22


def test_not_enough_money(books, sale):
    payer, _, payment = sale
    books.begin("out", payer, 301)
    assert books.process(payment, payer)["code"] == 8


def test_a_merchant_without_money_cannot_refund(books, sale):
    payer, shop, payment = sale
    books.process(payment, payer)
    books.db.execute("select payment.adjust(%s, -600, 'test', 'paid out')", (shop,))
    assert books.refund(payment, payer, 101)["code"] == 18
    assert books.refund(payment, payer, 100)["code"] == 0


def test_a_refund_is_never_refused_for_a_cap(books):
    payer = books.user(2_000_000_000)
    merchant, _ = books.merchant()
    payment = books.payment(payer, merchant, 500_000_000)["id"]
    books.process(payment, payer)
    books.fund(payer, 500_000_000)
    assert books.refund(payment, payer, 0)["code"] == 0
    assert books.account(payer)["incoming"] == 0


def test_qris_limit(books):
    payer = books.user(2_000_000_000)
    merchant, _ = books.merchant()
    assert books.payment(payer, merchant, 1_000_000_001, qris=True)["code"] == 23
    assert books.payment(payer, merchant, 1_000_000_000, qris=True)["code"] == 0
    assert books.payment(payer, merchant, 1_000_000_001)["code"] == 0


def test_keys_of_every_step(books):
    payer = books.user(1000)
    merchant, _ = books.merchant()
    made = [books.payment(payer, merchant, 700, key="c") for _ in range(2)]
    assert made[0]["id"] == made[1]["id"] and [m["replayed"] for m in made] == [False, True]
    payment = made[0]["id"]
    paid = [books.process(payment, payer, key="p") for _ in range(2)]
    assert [(p["code"], p["replayed"], p["row_amount"]) for p in paid] == \
        [(0, False, 700), (0, True, 700)]
    back = [books.refund(payment, payer, 300, key="r") for _ in range(2)]
    assert [(b["code"], b["replayed"], b["refunded"]) for b in back] == \
        [(0, False, 300), (0, True, 300)]
    assert back[0]["row_id"] == back[1]["row_id"]
    assert books.available(payer) == 600


def test_pages(books):
    payer = books.user(1000)
    merchant, _ = books.merchant()
    made = [books.payment(payer, merchant, n)["id"] for n in range(1, 6)]
    books.process(made[1], payer)
    call = "select * from payment.payments_of(%s, %s, null, %s, null, null, %s)"
    assert [r["id"] for r in books.rows(call, payer, None, None, 2)] == made[:2:-1]
    assert [r["id"] for r in books.rows(call, payer, None, made[3], 9)] == made[2::-1]
    assert [r["id"] for r in books.rows(call, payer, "SUCCESS", None, 9)] == [made[1]]


def test_merchants_are_found(books):
    for name, city in (("Bakso Pak Joko", "Solo"), ("Apotek Sehat", "Bandung"), ("Bakso", "Solo")):
        books.db.execute("select payment.merchant_add(%s, 'food', %s, null)", (name, city))
    call = "select name, merchant_id from payment.merchants_page(%s, %s, %s, 2)"
    first = books.rows(call, None, None, None)
    assert [r["name"] for r in first] == ["Apotek Sehat", "Bakso"]
    rest = books.rows(call, None, first[1]["name"], first[1]["merchant_id"])
    assert [r["name"] for r in rest] == ["Bakso Pak Joko"]
    assert [r["name"] for r in books.rows(call, "joko", None, None)] == ["Bakso Pak Joko"]
    assert books.rows(call, "%", None, None) == []
