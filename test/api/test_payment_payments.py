"""Is a merchant paid once, and never given back more than was paid?"""
import concurrent.futures
import uuid
from decimal import Decimal

import pytest

from onegate import exact, expect, fields, unique

NOBODY = "0190a000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def merchant(stack, alice):
    answer = expect(alice.payment.get("/api/payment/merchants"), 200)
    assert answer.data, "a development stack has some merchants"
    return answer.data[0]


@pytest.fixture(scope="module")
def payer(stack):
    return stack.user(balance=5_000_000)


def create(user, merchant, amount=100_000, headers=(), **more):
    return user.payment.post("/api/payment/payments", {
        "merchant_id": merchant["merchant_id"], "amount": amount, **more},
        headers=headers)


def act(user, payment, what, body=None, headers=()):
    return user.payment.post(
        f"/api/payment/payments/{payment}/{what}", body, headers=headers)


def paid(user, merchant, amount=100_000):
    payment = expect(create(user, merchant, amount), 201).data["id"]
    expect(act(user, payment, "process"), 200)
    return payment


# -- merchants --------------------------------------------------------------------

def test_merchants_are_listed_and_found(alice, merchant):
    assert {"merchant_id", "name", "category", "city"} <= set(merchant)
    uuid.UUID(merchant["merchant_id"])
    one = expect(alice.payment.get(
        "/api/payment/merchants/" + merchant["merchant_id"]), 200)
    assert one.data == merchant
    found = expect(alice.payment.get("/api/payment/merchants?q="
        + merchant["name"].upper().replace(" ", "%20")), 200)
    assert merchant in found.data


def test_merchants_come_in_pages(alice):
    seen, cursor = [], ""
    while True:
        answer = expect(alice.payment.get(
            "/api/payment/merchants?limit=1" + cursor), 200)
        assert len(answer.data) <= 1
        seen += [found["merchant_id"] for found in answer.data]
        if answer.meta["next_cursor"] is None:
            break
        cursor = "&cursor=" + answer.meta["next_cursor"]
    every = expect(alice.payment.get("/api/payment/merchants?limit=100"),
        200)
    assert seen[:100] == [found["merchant_id"] for found in every.data]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("name", [NOBODY, "x", "%00", "..", "1"])
def test_an_unknown_merchant_is_404(alice, name):
    expect(alice.payment.get("/api/payment/merchants/" + name), 404)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x",
    "cursor=x", "limit=-1", "cursor=" + "A" * 300])
def test_a_bad_page_is_400(alice, query):
    expect(alice.payment.get("/api/payment/merchants?" + query), 400)


# -- a payment's life --------------------------------------------------------------

def test_a_payment_begins_pending_and_moves_nothing(payer, merchant):
    before = payer.balance()
    answer = expect(create(payer, merchant, "25000.50",
        description="two coffees", items=[{"name": "coffee", "quantity": 2}],
        metadata={"table": "7"}), 201)
    data = exact(answer)["data"]
    assert data["transaction_type"] == "PAYMENT"
    assert data["transaction_status"] == "PENDING"
    assert data["amount"] == Decimal("25000.50")
    assert payer.balance() == before
    detail = expect(payer.payment.get(
        "/api/payment/payments/" + data["id"]), 200).data
    assert detail["description"] == "two coffees"
    assert detail["items"] == [{"name": "coffee", "quantity": 2}]
    assert detail["metadata"] == {"table": "7"}
    assert detail["merchant_id"] == merchant["merchant_id"]


def test_processing_debits_the_payer_once(payer, merchant):
    payment = expect(create(payer, merchant), 201).data["id"]
    before = payer.balance()
    answer = expect(act(payer, payment, "process"), 200)
    data = exact(answer)["data"]
    assert data["transaction_status"] == "SUCCESS"
    assert data["balance_before"] == before
    assert data["balance_after"] == before - 100_000
    again = act(payer, payment, "process")
    assert 400 <= again.status < 500, again
    assert payer.balance() == before - 100_000


def test_a_cancelled_payment_stays_cancelled(payer, merchant):
    payment = expect(create(payer, merchant), 201).data["id"]
    before = payer.balance()
    answer = expect(act(payer, payment, "cancel"), 200)
    assert answer.data["transaction_status"] == "CANCELLED"
    for what in ("process", "cancel"):
        assert 400 <= act(payer, payment, what).status < 500
    assert 400 <= act(payer, payment, "refund",
        {"reason": "x"}).status < 500
    assert payer.balance() == before


def test_what_is_paid_cannot_be_cancelled(payer, merchant):
    payment = paid(payer, merchant)
    assert 400 <= act(payer, payment, "cancel").status < 500


def test_too_little_money_leaves_it_pending(stack, merchant):
    poor = stack.user()
    payment = expect(create(poor, merchant), 201).data["id"]
    expect(act(poor, payment, "process"), 422, "insufficient_funds")
    poor.fund(200_000)
    expect(act(poor, payment, "process"), 200)
    assert poor.balance() == 100_000


# -- refunds -----------------------------------------------------------------------

def test_refunds_in_parts_up_to_what_was_paid(payer, merchant):
    payment = paid(payer, merchant, 100_000)
    before = payer.balance()
    first = expect(act(payer, payment, "refund",
        {"amount": "30000.25", "reason": "cold"}), 200)
    assert first.data["transaction_type"] == "REFUND"
    assert first.data["transaction_status"] == "SUCCESS"
    assert payer.balance() == before + Decimal("30000.25")
    expect(act(payer, payment, "refund",
        {"amount": 70_000, "reason": "too much"}), 422,
        "refund_exceeds_payment")
    rest = expect(act(payer, payment, "refund", {"reason": "rest"}), 200)
    assert exact(rest)["data"]["amount"] == Decimal("69999.75")
    assert payer.balance() == before + 100_000
    expect(act(payer, payment, "refund", {"reason": "again"}), 422,
        "refund_exceeds_payment")


def test_what_was_not_paid_cannot_be_refunded(payer, merchant):
    payment = expect(create(payer, merchant), 201).data["id"]
    answer = act(payer, payment, "refund", {"reason": "x"})
    assert 400 <= answer.status < 500 and answer.reason


@pytest.mark.parametrize("body,wrong", [({}, {"reason"}),
    ({"reason": ""}, {"reason"}), ({"reason": 5}, {"reason"}),
    ({"reason": "x", "amount": 0}, {"amount"}),
    ({"amount": "x"}, {"amount", "reason"})])
def test_a_bad_refund_names_its_fields(payer, merchant, body, wrong):
    payment = paid(payer, merchant, 1_000)
    assert fields(expect(act(payer, payment, "refund", body), 400)) == wrong


def test_refunds_at_once_never_exceed_the_payment(stack, merchant):
    user = stack.user(balance=100_000)
    payment = paid(user, merchant, 100_000)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: act(user, payment, "refund",
            {"amount": 15_000, "reason": "race"}), range(32)))
    done = [answer for answer in answers if answer.status == 200]
    assert len(done) == 6
    assert {answer.status for answer in answers} == {200, 422}
    assert user.balance() == 90_000


def test_a_payment_processed_by_many_at_once_is_paid_once(stack, merchant):
    user = stack.user(balance=300_000)
    payment = expect(create(user, merchant), 201).data["id"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(
            lambda _: act(user, payment, "process"), range(24)))
    assert len([1 for answer in answers if answer.status == 200]) == 1
    assert all(answer.status in (200, 409, 422) for answer in answers)
    assert user.balance() == 200_000


# -- keys ---------------------------------------------------------------------------

def test_each_step_can_be_repeated_under_its_key(payer, merchant):
    before = payer.balance()
    keys = [{"Idempotency-Key": unique("k")} for _ in range(3)]
    one = expect(create(payer, merchant, headers=keys[0]), 201)
    two = expect(create(payer, merchant, headers=keys[0]), 201)
    assert two.headers["Idempotent-Replayed"] == "true"
    assert one.data == two.data
    payment = one.data["id"]
    done = [expect(act(payer, payment, "process", headers=keys[1]), 200)
        for _ in range(2)]
    assert done[1].headers["Idempotent-Replayed"] == "true"
    assert done[0].data == done[1].data
    back = [expect(act(payer, payment, "refund",
        {"amount": 40_000, "reason": "x"}, headers=keys[2]), 200)
        for _ in range(2)]
    assert back[1].headers["Idempotent-Replayed"] == "true"
    assert back[0].data == back[1].data
    expect(act(payer, payment, "refund", {"amount": 1, "reason": "x"},
        headers=keys[2]), 422, "idempotency_key_reused")
    expect(create(payer, merchant, 1, headers=keys[0]), 422,
        "idempotency_key_reused")
    assert payer.balance() == before - 60_000


# -- other people's, and lists -----------------------------------------------------

def test_another_users_payment_is_404(stack, payer, merchant):
    stranger = stack.user(balance=200_000)
    payment = expect(create(payer, merchant), 201).data["id"]
    expect(stranger.payment.get("/api/payment/payments/" + payment), 404)
    for what in ("process", "cancel", "refund"):
        body = {"reason": "x"} if what == "refund" else None
        expect(act(stranger, payment, what, body), 404)
        expect(act(stranger, NOBODY, what, body), 404)
    assert expect(payer.payment.get("/api/payment/payments/" + payment),
        200).data["transaction_status"] == "PENDING"


@pytest.mark.parametrize("body,wrong", [
    ({}, {"merchant_id", "amount"}),
    ({"merchant_id": "x", "amount": -1}, {"merchant_id", "amount"}),
    ({"merchant_id": NOBODY, "amount": 1, "items": {}}, {"items"}),
    ({"merchant_id": NOBODY, "amount": 1, "metadata": []}, {"metadata"}),
])
def test_a_bad_payment_names_its_fields(payer, body, wrong):
    answer = expect(payer.payment.post("/api/payment/payments", body), 400)
    assert fields(answer) == wrong


def test_an_unknown_merchant_cannot_be_paid(payer):
    expect(payer.payment.post("/api/payment/payments",
        {"merchant_id": NOBODY, "amount": 1}), 404, "merchant_not_found")


def test_payments_are_listed_newest_first_in_pages(stack, merchant):
    user = stack.user(balance=10_000)
    made = [expect(create(user, merchant, n + 1), 201).data["id"]
        for n in range(5)]
    expect(act(user, made[0], "process"), 200)
    seen, cursor = [], ""
    while True:
        answer = expect(user.payment.get(
            "/api/payment/payments?limit=2" + cursor), 200)
        seen += [found["id"] for found in answer.data]
        if answer.meta["next_cursor"] is None:
            break
        cursor = "&cursor=" + answer.meta["next_cursor"]
    assert seen == made[::-1]
    only = expect(user.payment.get("/api/payment/payments?status=SUCCESS"),
        200)
    assert [found["id"] for found in only.data] == made[:1]


# -- QRIS ----------------------------------------------------------------------------

QRIS = ("00020101021126570011ID.DANA.WWW01189360091530302325170209030232517"
    "0303UMI51440014ID.CO.QRIS.WWW0215ID10265294489570303UMI5204737253033605"
    "802ID5914Raol Mukarrozi6015Kota Banjar Bar6105707316304E0BD")
# The same of a merchant whom nobody knows.
STRANGER = QRIS[:-4].replace("ID1026529448957", "ID1999999999999") + "08D2"


def test_a_good_code_is_read(payer):
    data = expect(payer.payment.post("/api/payment/qris/inspect",
        {"qris": QRIS}), 200).data
    assert data["merchant_name"] == "Raol Mukarrozi"
    assert data["merchant_city"] == "Kota Banjar Bar"
    assert data["currency"] == "IDR"
    assert data["amount"] is None


@pytest.mark.parametrize("code", ["", "x", QRIS[:-1], QRIS[:-4] + "0000",
    QRIS.replace("360", "840"), QRIS + "00", "0" * 600])
def test_a_damaged_code_is_refused(payer, code):
    answer = payer.payment.post("/api/payment/qris/inspect", {"qris": code})
    assert answer.status in (400, 422), answer


def test_a_code_of_nobody_we_know_cannot_be_paid(payer):
    expect(payer.payment.post("/api/payment/payments",
        {"qris": STRANGER, "amount": 1_000}), 404, "merchant_not_found")


def test_a_code_is_paid_as_its_merchant(payer):
    made = expect(payer.payment.post("/api/payment/payments",
        {"qris": QRIS, "amount": 1_000}), 201).data
    assert made["merchant_name"] == "Raol Mukarrozi"
    assert made["status"] == "PENDING"
    expect(payer.payment.post(f"/api/payment/payments/{made['id']}/process"),
        200)


def test_payments_of_a_time(payer, merchant):
    expect(payer.payment.post("/api/payment/payments",
        {"merchant_id": merchant["merchant_id"], "amount": 1_000}), 201)
    path = "/api/payment/payments"
    day = expect(payer.payment.get(path), 200).data[0]["created_at"][:10]
    for query, some in ((f"from_date={day}&to_date={day}", True),
            ("from_date=2999-01-01", False), ("to_date=1970-01-01", False)):
        found = expect(payer.payment.get(f"{path}?{query}"), 200).data
        assert bool(found) == some, query
    expect(payer.payment.get(path + "?from_date=x"), 400)
    expect(payer.payment.get(path + "?from_date=2999-01-01&to_date=" + day),
        400)


@pytest.mark.parametrize("field,value", [
    ("metadata", '{"a": 1e131071}'), ("metadata", '{"a": [{"b": 1E-999999}]}'),
    ("metadata", '{"a": 1e+400}'), ("items", '[{"price": 1e999999}]')])
def test_a_number_too_large_to_keep_is_400(payer, merchant, field, value):
    answer = expect(payer.payment.post("/api/payment/payments",
        f'{{"{field}": {value}, "amount": 10, "merchant_id": '
        f'"{merchant["merchant_id"]}"}}',
        headers={"Content-Type": "application/json"}), 400)
    assert [found["field"] for found in answer.data] == [field]


def test_an_unknown_code_is_refused_the_same_again(payer):
    key = {"Idempotency-Key": unique("code")}
    body = {"qris": STRANGER, "amount": 1_000}
    for replayed in (None, "true"):
        answer = expect(payer.payment.post("/api/payment/payments", body,
            headers=key), 404, "merchant_not_found")
        assert answer.headers["Idempotent-Replayed"] == replayed
    expect(payer.payment.post("/api/payment/payments",
        {**body, "amount": 2_000}, headers=key), 422)
