"""Does payment keep the contract: exact money, one effect for one request,
and a reason for each refusal?

Each test makes its own people; what one loses the other must have gained.
"""
import concurrent.futures
import itertools
import re
import uuid
from decimal import Decimal

import pytest

from onegate import (command, exact, expect, fields, phone_new, unique, until)

ID = "0190a000-0000-7000-8000-000000000000"
PUBLIC_ID = re.compile(r"TRX-[0-9A-HJKMNP-TV-Z]{26}(-GPX|-SPX)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
METHODS = {"GOPAY": "gopay", "SHOPEE_PAY": "shopeepay"}


@pytest.fixture(scope="module")
def rich(stack):
    return stack.user(balance=5_000_000)


@pytest.fixture(scope="module")
def quiet(stack):
    """Somebody whose every request is refused: no top-up of before arrives
    between two looks at the balance."""
    return stack.user(balance=100_000)


@pytest.fixture(scope="module")
def poor(stack):
    return stack.user()


@pytest.fixture(scope="module")
def merchant(rich):
    listed = expect(rich.payment.get("/api/payment/merchants"), 200).data
    assert listed, "a development stack has some merchants"
    return listed[0]["merchant_id"]


def money_routes(rich, poor, merchant):
    """name -> (path, a body that works but for its amount)."""
    return {
        "transfer": ("/api/payment/transfer", {"to": poor.username}),
        "topup": ("/api/payment/topup", {"payment_method": "GOPAY",
            "phone_number": rich.phone}),
        "wallet topup": ("/api/payment/wallet/topup",
            {"payment_method": "GOPAY", "phone_number": rich.phone}),
        "payment": ("/api/payment/payments", {"merchant_id": merchant}),
    }


ROUTES = ("transfer", "topup", "wallet topup", "payment")


@pytest.fixture
def route(rich, poor, merchant, request):
    return money_routes(rich, poor, merchant)[request.param]


# -- how money is written ------------------------------------------------------------------

BAD_AMOUNTS = ["0", "0.00", "-1", "-0.01", "0.001", "1.999", "1e3", "1E3",
    "1e-2", "10000000000000", "9999999999999.991", "99999999999999999999999",
    "null", "true", "false", '""', '" "', '"abc"', '"0"', '"-1"', '"1e3"',
    '"NaN"', '"Infinity"', '"1,000"', '"1.000,00"', '"0x10"', '" 1"', '"1 "',
    '"+1"', '"1."', '".5"', '"1.001"', '"--1"', '"\uff11"', '"1_000"', "[]",
    "{}", "[1]", '{"value":1}']


@pytest.mark.parametrize("route", ROUTES, indirect=True)
@pytest.mark.parametrize("text", BAD_AMOUNTS)
def test_an_amount_that_is_none_is_refused(quiet, route, text):
    path, body = route
    before = quiet.balance()
    raw = "{" + "".join(f'"{name}":"{value}",'
        for name, value in body.items()) + f'"amount":{text}}}'
    answer = expect(quiet.payment.request("POST", path, raw.encode(),
        {"Content-Type": "application/json"}), 400)
    assert fields(answer) == {"amount"}, answer
    assert quiet.balance() == before


@pytest.mark.parametrize("text", ["NaN", "Infinity", "01", "1.", ".5", "+1",
    "0x1", "1_0", "--1", "-"])
def test_an_amount_that_is_not_even_json_is_refused(rich, text):
    answer = rich.payment.request("POST", "/api/payment/transfer",
        f'{{"to":"x","amount":{text}}}'.encode(),
        {"Content-Type": "application/json"})
    expect(answer, 400, "malformed_json")


@pytest.mark.parametrize("text,amount", [("1", "1.00"), ("1.5", "1.50"),
    ("1.25", "1.25"), ("0.01", "0.01"), ("1.0", "1.00"), ('"2"', "2.00"),
    ('"2.5"', "2.50"), ('"2.05"', "2.05")])
def test_an_amount_is_read_exactly_from_its_text(stack, rich, text, amount):
    to = stack.user()
    answer = expect(rich.payment.request("POST", "/api/payment/transfer",
        f'{{"to":"{to.username}","amount":{text}}}'.encode(),
        {"Content-Type": "application/json"}), 201)
    assert f'"amount":{amount}'.encode() in answer.raw
    assert to.balance() == Decimal(amount)
    raw = to.payment.get("/api/payment/balance").raw
    assert f'"balance":{amount}'.encode() in raw


def test_pennies_add_up(stack):
    giver, taker = stack.user(balance=10_000), stack.user()
    for _ in range(30):
        expect(giver.transfer(taker, "0.10"), 201)
    assert taker.balance() == Decimal("3.00")
    assert giver.balance() == Decimal("9997.00")


# -- the account ----------------------------------------------------------------------------

def test_an_account_is_as_the_contract_says(stack):
    user = stack.user()
    answer = expect(user.payment.get("/api/payment/account"), 200)
    account = answer.data
    assert set(account) >= {"id", "user_id", "balance", "currency",
        "account_status", "created_at", "updated_at"}
    uuid.UUID(account["id"])
    assert account["user_id"] == \
        expect(user.auth.get("/api/auth/me"), 200).data["id"]
    assert b'"balance":0.00' in answer.raw
    assert (account["currency"], account["account_status"]) == \
        ("IDR", "ACTIVE")
    assert TIME.fullmatch(account["created_at"])
    assert TIME.fullmatch(account["updated_at"])
    assert user.account()["id"] == account["id"]


@pytest.mark.parametrize("provider", ["gopay", "shopeepay"])
def test_a_wallet_shows_what_the_provider_says(stack, sandbox, provider):
    user = stack.user()
    sandbox.wallet_set(provider, user.phone, 175_000)
    answer = expect(user.payment.get("/api/payment/wallet?ewallet="
        + provider), 200)
    data = answer.data
    assert set(data) >= {"provider", "balance", "currency", "account_number",
        "last_updated"}
    assert b'"balance":175000.00' in answer.raw
    assert data["currency"] == "IDR"
    assert TIME.fullmatch(data["last_updated"])


@pytest.mark.parametrize("provider", ["gopay", "shopeepay"])
def test_a_wallet_shows_what_was_moved_just_now(stack, sandbox, provider):
    user = stack.user(balance=50_000)
    method = {word: name for name, word in METHODS.items()}[provider]
    path = "/api/payment/wallet?ewallet=" + provider
    before = exact(expect(user.payment.get(path), 200))["data"]["balance"]
    expect(user.payment.post("/api/payment/wallet/topup", {"amount": 20_000,
        "payment_method": method, "phone_number": user.phone}), 200)
    after = exact(expect(user.payment.get(path), 200))["data"]["balance"]
    assert after == before + 20_000


@pytest.mark.parametrize("query", ["", "?ewallet=", "?ewallet=ovo",
    "?ewallet=GOPAY%20", "?ewallet=gopay&ewallet=shopeepay", "?ewallet=%00",
    "?wallet=gopay", "?ewallet=" + "g" * 500])
def test_an_unknown_wallet_is_400(rich, query):
    expect(rich.payment.get("/api/payment/wallet" + query), 400)


@pytest.mark.parametrize("fault", ["error_500", "error_503", "bad_json",
    "html", "close", "close_before", "big_body", "error_in_200"])
@pytest.mark.parametrize("provider", ["gopay", "shopeepay"])
def test_a_provider_that_is_down_is_502(stack, sandbox, provider, fault):
    user = stack.user()
    sandbox.fault(fault, provider=provider, call="balance", phone=user.phone)
    answer = user.payment.get("/api/payment/wallet?ewallet=" + provider)
    assert answer.status in (502, 503), answer
    expect(answer, answer.status)


# -- transfer --------------------------------------------------------------------------------

def test_a_transfer_moves_money_once_and_says_so(stack):
    giver, taker = stack.user(balance=100_000), stack.user()
    answer = expect(giver.transfer(taker, 25_000, description="lunch"), 201)
    sent = answer.data
    uuid.UUID(sent["id"])
    assert PUBLIC_ID.fullmatch(sent["transaction_id"])
    assert sent["transaction_type"] == "TRANSFER"
    assert sent["transaction_status"] == "SUCCESS"
    assert sent["currency"] == "IDR"
    assert sent["payment_method"] is None
    assert sent["description"] == "lunch"
    assert TIME.fullmatch(sent["created_at"])
    for text in ('"amount":25000.00', '"balance_before":100000.00',
            '"balance_after":75000.00'):
        assert text.encode() in answer.raw
    assert (giver.balance(), taker.balance()) == (75_000, 25_000)
    received = expect(taker.payment.get("/api/payment/transactions"),
        200).data
    assert len(received) == 1
    assert received[0]["balance_after"] == 25_000
    assert received[0]["transaction_type"] == "TRANSFER"


def test_the_receiver_may_be_named_in_every_way(stack):
    giver, taker = stack.user(balance=100_000), stack.user()
    names = [taker.username, taker.username.upper(), taker.phone,
        "+62" + taker.phone[1:], "62" + taker.phone[1:],
        taker.account()["id"]]
    for name in names:
        expect(giver.transfer(name, 1_000), 201)
    assert taker.balance() == 1_000 * len(names)


def test_each_refusal_has_its_own_reason(stack, sandbox):
    giver, taker = stack.user(balance=100_000), stack.user()
    reasons = {}

    def refused(name, answer):
        assert 400 <= answer.status < 500 and answer.status != 400, \
            (name, answer)
        expect(answer, answer.status)
        reasons[name] = answer.reason

    refused("funds", giver.transfer(taker, "100000.01"))
    refused("unknown", giver.transfer(unique("nobody"), 1))
    refused("self", giver.transfer(giver, 1))
    full = stack.register().login()
    sandbox.wallet_set("gopay", full.phone, 50_000_000)
    full.fund(19_999_999)
    refused("receiver", giver.transfer(full, 2))
    assert len(set(reasons.values())) == len(reasons), reasons
    assert (giver.balance(), taker.balance()) == (100_000, 0)
    assert full.balance() == 19_999_999


@pytest.mark.parametrize("how", ["username", "phone", "account"])
def test_nobody_sends_money_to_himself(stack, how):
    user = stack.user(balance=10_000)
    name = {"username": user.username, "phone": user.phone,
        "account": user.account()["id"]}[how]
    answer = user.transfer(name, 1)
    assert 400 <= answer.status < 500
    expect(answer, answer.status)
    assert user.balance() == 10_000


@pytest.mark.parametrize("to", ["", " ", None, 5, True, [], {}, "x" * 5_000,
    "a\0b"])
def test_a_receiver_that_is_no_name_is_400(rich, to):
    answer = rich.payment.post("/api/payment/transfer",
        {"to": to, "amount": 1})
    assert answer.status in (400, 404), answer
    expect(answer, answer.status)


@pytest.mark.parametrize("to", ["nobody-at-all", "08999999999999", ID,
    "08990000001", "' or 1=1 --", "../../x", "%s%n"])
def test_an_unknown_receiver_is_404(rich, to):
    answer = rich.payment.post("/api/payment/transfer",
        {"to": to, "amount": 1})
    assert answer.status in (404, 422), answer
    expect(answer, answer.status)


@pytest.mark.parametrize("description", [5, True, [], {}, "x" * 5_000,
    "a\0b"])
def test_a_description_that_is_none_is_400(rich, poor, description):
    answer = rich.payment.post("/api/payment/transfer", {
        "to": poor.username, "amount": 1, "description": description})
    expect(answer, 400)


def test_a_description_comes_back_as_it_was(stack, rich):
    to = stack.user()
    for text in ('quote " backslash \\ slash /', "<script>alert(1)</script>",
            "emoji \U0001f600 \u00e9 \u4e2d", "tab\tand\nline", "=1+1"):
        sent = expect(rich.transfer(to, 1, description=text), 201).data
        assert sent["description"] == text
        assert rich.transaction(sent["id"])["description"] == text


def test_parallel_transfers_never_overdraw(stack):
    giver = stack.user(balance=10_000)
    takers = [stack.user() for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda number: giver.transfer(
            takers[number % 4], 1_000).status, range(32)))
    assert statuses.count(201) == 10
    assert giver.balance() == 0
    assert sum(taker.balance() for taker in takers) == 10_000


def test_two_people_paying_each_other_never_stand_still(stack):
    one, two = stack.user(balance=50_000), stack.user(balance=50_000)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda number: (one.transfer(two, 10)
            if number % 2 else two.transfer(one, 10)).status, range(100)))
    assert set(statuses) == {201}
    assert one.balance() + two.balance() == 100_000


# -- idempotency -------------------------------------------------------------------------------

def body_of(route, amount=10_000):
    return {**route[1], "amount": amount}


@pytest.mark.parametrize("route", ROUTES, indirect=True)
def test_the_same_key_and_body_act_once(rich, route):
    key = {"Idempotency-Key": unique("key ")}
    first = rich.payment.post(route[0], body_of(route), headers=key)
    assert first.status in (200, 201), first
    assert first.headers.get("Idempotent-Replayed") is None
    before = rich.balance()
    for _ in range(3):
        again = rich.payment.post(route[0], body_of(route), headers=key)
        assert again.status == first.status
        assert again.headers["Idempotent-Replayed"] == "true"
        named = "id" if "id" in first.data else "payment_id"
        assert again.data[named] == first.data[named]
    if route[0] != "/api/payment/topup":
        assert rich.balance() == before


@pytest.mark.parametrize("route", ROUTES, indirect=True)
def test_the_same_key_with_another_body_is_422(rich, route):
    key = {"Idempotency-Key": unique("key")}
    first = rich.payment.post(route[0], body_of(route), headers=key)
    assert first.status in (200, 201), first
    other = rich.payment.post(route[0], body_of(route, 10_001), headers=key)
    expect(other, 422)
    other = rich.payment.post(route[0],
        {**body_of(route), "description": "other"}, headers=key)
    expect(other, 422)


def test_the_order_and_spelling_of_a_body_do_not_matter(stack, rich):
    to = stack.user()
    key = {"Idempotency-Key": unique("key"),
        "Content-Type": "application/json"}
    for text in (f'{{"to":"{to.username}","amount":10}}',
            f'{{ "amount" : 10 , "to" : "{to.username}" }}',
            f'{{"to":"{to.username}","amount":"10.00"}}'):
        answer = rich.payment.request("POST", "/api/payment/transfer",
            text.encode(), key)
        assert answer.status == 201, (text, answer)
    assert to.balance() == 10


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9", "a\tb", "\x7f"])
@pytest.mark.parametrize("route", ROUTES, indirect=True)
def test_a_key_that_is_none_is_400(quiet, route, key):
    before = quiet.balance()
    answer = quiet.payment.post(route[0], body_of(route),
        headers={"Idempotency-Key": key.encode("latin-1")})
    expect(answer, 400)
    assert quiet.balance() == before


@pytest.mark.parametrize("key", ["x", "x" * 255, " !\"#$%&'()*+,-./:;<=>?@~",
    "a b", "{}", "0"])
def test_every_printable_key_is_a_key(stack, key):
    giver, taker = stack.user(balance=10_000), stack.user()
    for _ in range(2):
        answer = giver.transfer(taker, 10,
            headers={"Idempotency-Key": "k" + key[:254]})
        expect(answer, 201)
    assert taker.balance() == 10


def test_a_key_belongs_to_its_user_and_route(stack, merchant):
    one, two = stack.user(balance=50_000), stack.user(balance=50_000)
    taker = stack.user()
    key = {"Idempotency-Key": unique("shared")}
    first = expect(one.transfer(taker, 10, headers=key), 201)
    other = expect(two.transfer(taker, 10, headers=key), 201)
    assert first.data["id"] != other.data["id"]
    expect(one.payment.post("/api/payment/payments", {
        "merchant_id": merchant, "amount": 10}, headers=key), 201)
    assert taker.balance() == 20


def test_a_refusal_is_replayed_too(stack):
    giver, taker = stack.user(balance=10_000), stack.user()
    key = {"Idempotency-Key": unique("refused")}
    first = giver.transfer(taker, 20_000, headers=key)
    assert 400 < first.status < 500
    giver.fund(50_000)
    again = giver.transfer(taker, 20_000, headers=key)
    assert (again.status, again.reason) == (first.status, first.reason)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert taker.balance() == 0


def test_a_stranger_s_wallet_is_refused_the_same_again(stack):
    user, stranger = stack.user(), stack.user()
    key = {"Idempotency-Key": unique("linked")}
    for replayed in (None, "true"):
        answer = expect(user.topup(20_000, phone=stranger.phone, headers=key),
            403, "wallet_not_linked")
        assert answer.headers["Idempotent-Replayed"] == replayed
    expect(user.topup(20_000, headers=key), 422, "idempotency_key_reused")
    expect(user.topup(20_000, phone=stranger.phone), 403, "wallet_not_linked")
    assert user.payment.get("/api/payment/transactions").data == []


def test_a_body_that_was_invalid_uses_up_no_key(stack):
    giver, taker = stack.user(balance=10_000), stack.user()
    key = {"Idempotency-Key": unique("invalid")}
    expect(giver.transfer(taker, "x", headers=key), 400)
    expect(giver.transfer(taker, 10, headers=key), 201)


def test_one_key_in_parallel_acts_once(stack):
    giver, taker = stack.user(balance=100_000), stack.user()
    key = {"Idempotency-Key": unique("parallel")}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: giver.transfer(taker, 1_000,
            headers=key), range(32)))
    assert {answer.status for answer in answers} <= {201, 409}
    done = {answer.data["id"] for answer in answers if answer.status == 201}
    assert len(done) == 1
    assert taker.balance() == 1_000


# -- top-ups ------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", METHODS)
def test_money_comes_in(stack, sandbox, method):
    user = stack.user()
    answer = expect(user.topup(150_000, method), 201)
    begun = answer.data
    assert begun["transaction_type"] == "TOPUP"
    assert begun["transaction_status"] in ("PENDING", "SUCCESS")
    assert begun["payment_method"] == method
    assert PUBLIC_ID.fullmatch(begun["transaction_id"]).group(1) == \
        ("-GPX" if method == "GOPAY" else "-SPX")
    done = user.settled(begun["id"])
    assert done["transaction_status"] == "SUCCESS"
    assert done["balance_after"] == 150_000
    assert user.balance() == 150_000
    assert sandbox.wallet(METHODS[method], user.phone) == 9_850_000


@pytest.mark.parametrize("method", METHODS)
def test_money_goes_out(stack, sandbox, method):
    user, phone = stack.user(balance=200_000), phone_new()
    answer = expect(user.payment.post("/api/payment/wallet/topup", {
        "amount": 50_000, "payment_method": method, "phone_number": phone,
        "description": "pocket money"}), 200)
    assert answer.data["transaction_type"] == "TOPUP"
    assert answer.data["payment_method"] == method
    done = user.settled(answer.data["id"])
    assert done["transaction_status"] == "SUCCESS"
    assert user.balance() == 150_000
    assert sandbox.wallet(METHODS[method], phone) == 10_050_000


@pytest.mark.parametrize("spelling", [
    lambda phone: phone, lambda phone: "62" + phone[1:],
    lambda phone: "+62" + phone[1:], lambda phone: "898" + phone],
    ids=["08", "62", "+62", "898"])
def test_a_phone_may_be_spelled_in_every_way(stack, sandbox, spelling):
    user, phone = stack.user(balance=50_000), phone_new()[:12]
    answer = expect(user.payment.post("/api/payment/wallet/topup", {
        "amount": 10_000, "payment_method": "GOPAY",
        "phone_number": spelling(phone)}), 200)
    user.settled(answer.data["id"])
    assert sandbox.wallet("gopay", phone) == 10_010_000


@pytest.mark.parametrize("path", ["/api/payment/topup",
    "/api/payment/wallet/topup"])
@pytest.mark.parametrize("field,value", [
    *[("payment_method", value) for value in ("", "gopay", "OVO", "GOPAY ",
        None, 5, True, [], {})],
    *[("phone_number", value) for value in ("", "0812", "12345678901",
        "0912345678", "08123456789x", "0812345678901234567", "+1415555012345",
        None, 81234567890, [], {}, "08 123456789")],
])
def test_a_bad_field_is_named(rich, path, field, value):
    body = {"amount": 10_000, "payment_method": "GOPAY",
        "phone_number": rich.phone, field: value}
    answer = expect(rich.payment.post(path, body), 400)
    assert fields(answer) == {field}, answer


@pytest.mark.parametrize("path", ["/api/payment/topup",
    "/api/payment/wallet/topup"])
@pytest.mark.parametrize("method,amount", [("GOPAY", 9_999),
    ("SHOPEE_PAY", 9_999), ("GOPAY", "9999.99"), ("SHOPEE_PAY", "10000.50")])
def test_what_the_provider_would_not_take_is_400_before(rich, path, method,
        amount):
    if path == "/api/payment/topup" and method == "GOPAY":
        pytest.skip("direct debit knows no least amount")
    before = rich.balance()
    answer = rich.payment.post(path, {"amount": amount,
        "payment_method": method, "phone_number": rich.phone})
    if path == "/api/payment/topup" and amount == 9_999:
        assert answer.status in (201, 400)
        return
    expect(answer, 400)
    assert rich.balance() == before


def test_more_than_there_is_does_not_go_out(stack, sandbox):
    user, phone = stack.user(balance=20_000), phone_new()
    answer = user.payment.post("/api/payment/wallet/topup", {
        "amount": 20_001, "payment_method": "GOPAY", "phone_number": phone})
    assert 400 < answer.status < 500
    expect(answer, answer.status)
    assert user.balance() == 20_000
    assert sandbox.wallet("gopay", phone) == 10_000_000


def test_more_than_the_cap_does_not_come_in(stack, sandbox):
    user = stack.user()
    sandbox.wallet_set("gopay", user.phone, 50_000_000)
    answer = user.topup(20_000_001)
    assert 400 < answer.status < 500, answer
    expect(answer, answer.status)
    assert sandbox.wallet("gopay", user.phone) == 50_000_000


# -- payments to merchants -------------------------------------------------------------------------

def pay(user, merchant, amount=10_000, **more):
    return user.payment.post("/api/payment/payments",
        {"merchant_id": merchant, "amount": amount, **more})


def act(user, payment, verb, body=None, headers=()):
    return user.payment.post(f"/api/payment/payments/{payment}/{verb}", body,
        headers=headers)


def identity(answer):
    return answer.data.get("payment_id") or answer.data["id"]


def test_merchants_can_be_found(rich):
    answer = expect(rich.payment.get("/api/payment/merchants"), 200)
    assert answer.meta["size"] == len(answer.data)
    assert "next_cursor" in answer.meta
    first = answer.data[0]
    assert set(first) >= {"merchant_id", "name", "category", "city"}
    found = expect(rich.payment.get("/api/payment/merchants?q="
        + first["name"].split()[0]), 200).data
    assert first in found
    one = expect(rich.payment.get("/api/payment/merchants/"
        + first["merchant_id"]), 200).data
    assert one["name"] == first["name"]
    assert expect(rich.payment.get("/api/payment/merchants?q="
        + unique("zz")), 200).data == []
    expect(rich.payment.get("/api/payment/merchants/" + ID), 404)


def test_a_payment_from_pending_to_refunded(stack, merchant):
    user = stack.user(balance=100_000)
    created = expect(pay(user, merchant, 30_000, description="two shirts",
        items=[{"name": "shirt", "quantity": 2, "price": 15_000}],
        metadata={"order": "A-1"}), 201)
    payment = identity(created)
    shown = expect(user.payment.get("/api/payment/payments/" + payment), 200)
    assert "PENDING" in (shown.data.get("payment_status"),
        shown.data.get("transaction_status"), shown.data.get("status"))
    assert user.balance() == 100_000
    expect(act(user, payment, "process"), 200)
    assert user.balance() == 70_000
    again = act(user, payment, "process")
    assert again.status in (200, 409), again
    assert user.balance() == 70_000
    assert 400 < act(user, payment, "cancel").status < 500
    expect(act(user, payment, "refund",
        {"amount": 10_000, "reason": "one is torn"}), 200)
    assert user.balance() == 80_000
    more = act(user, payment, "refund",
        {"amount": "20000.01", "reason": "too much"})
    assert 400 < more.status < 500
    expect(act(user, payment, "refund", {"reason": "the rest"}), 200)
    assert user.balance() == 100_000
    none = act(user, payment, "refund", {"reason": "nothing left"})
    assert 400 < none.status < 500
    assert user.balance() == 100_000
    kinds = [found["transaction_type"] for found in expect(
        user.payment.get("/api/payment/transactions?limit=50"), 200).data]
    assert kinds.count("PAYMENT") == 1 and kinds.count("REFUND") == 2


def test_a_cancelled_payment_stays_cancelled(stack, merchant):
    user = stack.user(balance=50_000)
    payment = identity(expect(pay(user, merchant), 201))
    expect(act(user, payment, "cancel"), 200)
    assert 400 < act(user, payment, "process").status < 500
    assert 400 < act(user, payment, "refund",
        {"reason": "never paid"}).status < 500
    assert user.balance() == 50_000


def test_a_payment_without_enough_money(stack, merchant):
    user = stack.user(balance=10_000)
    payment = identity(expect(pay(user, merchant, 20_000), 201))
    answer = act(user, payment, "process")
    assert 400 < answer.status < 500
    expect(answer, answer.status)
    assert user.balance() == 10_000


def test_a_payment_belongs_to_its_payer(stack, merchant):
    mine, yours = stack.user(balance=50_000), stack.user(balance=50_000)
    payment = identity(expect(pay(mine, merchant), 201))
    expect(yours.payment.get("/api/payment/payments/" + payment), 404)
    for verb in ("process", "cancel"):
        expect(act(yours, payment, verb), 404)
    expect(act(yours, payment, "refund", {"reason": "mine now"}), 404)
    expect(act(mine, payment, "process"), 200)


def test_refunds_in_parallel_never_give_more_than_was_paid(stack, merchant):
    user = stack.user(balance=100_000)
    payment = identity(expect(pay(user, merchant, 50_000), 201))
    expect(act(user, payment, "process"), 200)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: act(user, payment, "refund",
            {"amount": 20_000, "reason": "again"}).status, range(12)))
    assert statuses.count(200) == 2
    assert user.balance() == 90_000


def test_processing_in_parallel_pays_once(stack, merchant):
    user = stack.user(balance=100_000)
    payment = identity(expect(pay(user, merchant, 30_000), 201))
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(
            lambda _: act(user, payment, "process").status, range(12)))
    assert 200 in statuses and set(statuses) <= {200, 409}
    assert user.balance() == 70_000


@pytest.mark.parametrize("changed", [
    {"merchant_id": value} for value in ("", None, 5, "x" * 300, [], {})] + [
    {"items": value} for value in ("x", 5, {}, [5], ["x"])] + [
    {"metadata": value} for value in ("x", 5, [])] + [
    {"description": value} for value in (5, [], "x" * 5_000)],
    ids=lambda changed: repr(changed)[:30])
def test_a_bad_payment_names_its_field(rich, merchant, changed):
    answer = rich.payment.post("/api/payment/payments",
        {"merchant_id": merchant, "amount": 10_000, **changed})
    assert answer.status in (400, 404), answer
    expect(answer, answer.status)
    if answer.status == 400:
        names = {name.split(".")[0].split("[")[0] for name in fields(answer)}
        assert names == set(changed), answer


@pytest.mark.parametrize("body", [{}, {"amount": 10}, {"reason": ""},
    {"reason": None}, {"reason": 5}, {"reason": "x", "amount": 0},
    {"reason": "x", "amount": -1}, {"reason": "x", "amount": "x"},
    {"reason": "x" * 5_000}])
def test_a_bad_refund_is_400(stack, merchant, body):
    user = stack.user(balance=20_000)
    payment = identity(expect(pay(user, merchant), 201))
    expect(act(user, payment, "process"), 200)
    expect(act(user, payment, "refund", body), 400)
    assert user.balance() == 10_000


@pytest.mark.parametrize("payment", [ID, "x", "0", "a" * 300, "%00", "-1"])
def test_an_unknown_payment_is_404(rich, payment):
    for verb, body in (("process", None), ("cancel", None),
            ("refund", {"reason": "x"})):
        answer = act(rich, payment, verb, body)
        assert answer.status in (400, 404), (verb, answer)
        expect(answer, answer.status)


# -- one's own history -----------------------------------------------------------------------------

def test_a_history_adds_up_and_pages_without_gaps(stack):
    user, other = stack.user(balance=100_000), stack.user()
    for number in range(1, 26):
        expect(user.transfer(other, number), 201)
    seen, cursor = [], ""
    for _ in itertools.repeat(None, 10):
        answer = expect(user.payment.get(
            "/api/payment/transactions?limit=10" + cursor), 200)
        assert answer.meta["size"] == len(answer.data) <= 10
        seen += exact(answer)["data"]
        if answer.meta["next_cursor"] is None:
            break
        cursor = "&cursor=" + answer.meta["next_cursor"]
    assert len(seen) == 26
    assert len({found["id"] for found in seen}) == 26
    for newer, older in itertools.pairwise(seen):
        assert newer["balance_before"] == older["balance_after"]
        assert newer["created_at"] >= older["created_at"]
    assert seen[0]["balance_after"] == user.balance()
    for found in seen[:-1]:
        assert found["balance_before"] - found["amount"] == \
            found["balance_after"]


def test_a_history_is_filtered(stack):
    user, other = stack.user(balance=100_000), stack.user()
    expect(user.transfer(other, 10), 201)

    def kinds(query):
        return [found["transaction_type"] for found in expect(
            user.payment.get("/api/payment/transactions?" + query), 200).data]
    assert kinds("type=TRANSFER") == ["TRANSFER"]
    assert kinds("type=TOPUP") == ["TOPUP"]
    assert kinds("type=REFUND") == []
    assert len(kinds("status=SUCCESS")) == 2
    assert kinds("status=FAILED") == []
    assert len(kinds("from_date=2020-01-01&to_date=2099-01-01")) == 2
    assert kinds("from_date=2099-01-01") == []
    assert kinds("to_date=2020-01-01") == []
    assert len(kinds("limit=1")) == 1


def test_one_transaction_in_detail(stack):
    user, other = stack.user(balance=100_000), stack.user()
    sent = expect(user.transfer(other, 10), 201).data
    for name in (sent["id"], sent["transaction_id"]):
        found = user.transaction(name)
        assert found["transaction_id"] == sent["transaction_id"]
        assert set(found) >= {"user_id", "account_id", "external_reference",
            "metadata", "is_accessible_external", "updated_at"}
    stranger = stack.user()
    for name in (sent["id"], sent["transaction_id"], ID, "TRX-" + "0" * 26,
            "x", "TRX-", "a" * 300):
        answer = stranger.payment.get("/api/payment/transactions/" + name)
        assert answer.status in (404, 400), (name, answer)
        expect(answer, answer.status)


# -- accounts that may not ---------------------------------------------------------------------------

def test_a_suspended_account_neither_pays_nor_is_paid(stack):
    user, other = stack.user(balance=50_000), stack.user(balance=50_000)
    command("account", "suspend", user.username)
    try:
        for answer in (user.transfer(other, 10), other.transfer(user, 10),
                user.topup(10_000)):
            assert 400 < answer.status < 500, answer
            expect(answer, answer.status)
        assert user.account()["account_status"] == "SUSPENDED"
    finally:
        command("account", "activate", user.username)
    assert (user.balance(), other.balance()) == (50_000, 50_000)
    until(lambda: user.transfer(other, 10).status == 201, 3)
