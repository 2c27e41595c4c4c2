"""Does a transfer move exactly what was asked, once, or nothing at all?"""
import concurrent.futures
import datetime
import re
import uuid
from decimal import Decimal

import pytest

from onegate import exact, expect, fields, unique

OBJECT = {"id", "transaction_id", "transaction_type", "transaction_status",
    "amount", "balance_before", "balance_after", "currency",
    "payment_method", "description", "created_at"}
TRX = re.compile(r"TRX-[0-9A-HJKMNP-TV-Z]{26}")


@pytest.fixture(scope="module")
def pair(stack):
    return stack.user(balance=5_000_000), stack.user()


def test_the_answer_is_the_transaction_object(pair):
    sender, receiver = pair
    before = sender.balance()
    answer = expect(sender.transfer(receiver, "12500.50",
        description="lunch"), 201)
    data = exact(answer)["data"]
    assert set(data) == OBJECT
    assert uuid.UUID(data["id"]).version == 7
    assert TRX.fullmatch(data["transaction_id"])
    assert data["transaction_type"] == "TRANSFER"
    assert data["transaction_status"] == "SUCCESS"
    assert data["amount"] == Decimal("12500.50")
    assert data["balance_before"] == before
    assert data["balance_after"] == before - data["amount"]
    assert data["currency"] == "IDR"
    assert data["payment_method"] is None
    assert data["description"] == "lunch"
    made = datetime.datetime.fromisoformat(
        data["created_at"].replace("Z", "+00:00"))
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - made).total_seconds()) < 60
    assert sender.balance() == data["balance_after"]


@pytest.mark.parametrize("name", [
    lambda user: user.username,
    lambda user: user.username.upper(),
    lambda user: user.phone,
    lambda user: "+62" + user.phone[1:],
    lambda user: "62" + user.phone[1:],
    lambda user: user.account()["id"],
    lambda user: user.account()["id"].upper(),
], ids=["name", "NAME", "phone", "+62", "62", "account", "ACCOUNT"])
def test_a_receiver_has_many_names(pair, name):
    sender, receiver = pair
    before = receiver.balance()
    expect(sender.transfer(name(receiver), 1_000), 201)
    assert receiver.balance() == before + 1_000


AMOUNTS_GOOD = [("1", "1.00"), ("0.01", "0.01"), ('"0.1"', "0.10"),
    ("10.10", "10.10"), ('"7"', "7.00"), ("100.0", "100.00")]


@pytest.mark.parametrize("text,value", AMOUNTS_GOOD)
def test_amounts_are_read_exactly(pair, text, value):
    sender, receiver = pair
    body = '{"to":"%s","amount":%s}' % (receiver.username, text)
    answer = expect(sender.payment.post("/api/payment/transfer", body,
        headers={"Content-Type": "application/json"}), 201)
    assert f'"amount":{value},' in answer.raw.decode()


AMOUNTS_BAD = ["0", "0.00", "-1", "-0.01", "0.001", "1e3", "1E3", '"1e3"',
    "10000000000000", "9999999999999.991", '"NaN"', '"Infinity"', '""', '" 1"',
    '"1 "', '"+1"', '"0x10"', '"1,000"', "true", "null", "[]", "{}", '"1."',
    '".5"', '"01"', "99999999999999999999999999999999", '"\\u0661"']


@pytest.mark.parametrize("text", AMOUNTS_BAD)
def test_bad_amounts_move_nothing(pair, text):
    sender, receiver = pair
    before = sender.balance(), receiver.balance()
    body = '{"to":"%s","amount":%s}' % (receiver.username, text)
    answer = expect(sender.payment.post("/api/payment/transfer", body,
        headers={"Content-Type": "application/json"}), 400)
    assert fields(answer) == {"amount"}
    assert (sender.balance(), receiver.balance()) == before


@pytest.mark.parametrize("text", ["NaN", "01", ".5", "5.", "+1", "Infinity"])
def test_what_is_no_json_is_malformed(pair, text):
    sender, receiver = pair
    body = '{"to":"%s","amount":%s}' % (receiver.username, text)
    expect(sender.payment.post("/api/payment/transfer", body,
        headers={"Content-Type": "application/json"}), 400, "malformed_json")


@pytest.mark.parametrize("body,wrong", [
    ({}, {"to", "amount"}),
    ({"to": "", "amount": 0}, {"to", "amount"}),
    ({"to": 5, "amount": "x", "description": 7},
        {"to", "amount", "description"}),
    ({"to": None, "amount": 1}, {"to"}),
    ({"to": "x" * 256, "amount": 1}, {"to"}),
    ({"to": "someone", "amount": 1, "description": "x" * 256},
        {"description"}),
])
def test_every_wrong_field_is_named_at_once(pair, body, wrong):
    answer = expect(pair[0].payment.post("/api/payment/transfer", body), 400)
    assert fields(answer) == wrong


REFUSALS = [
    ("unknown_receiver", 404, lambda a, b: (unique("ghost"), 1)),
    ("unknown_receiver", 404, lambda a, b: (str(uuid.uuid4()), 1)),
    ("unknown_receiver", 404, lambda a, b: ("089999999999", 1)),
    ("self_transfer", 422, lambda a, b: (a.username, 1)),
    ("self_transfer", 422, lambda a, b: (a.phone, 1)),
    ("insufficient_funds", 422, lambda a, b: (b.username, 9_999_999_999)),
]


@pytest.mark.parametrize("reason,status,ask", REFUSALS)
def test_each_refusal_has_its_own_reason(pair, reason, status, ask):
    sender, receiver = pair
    before = sender.balance(), receiver.balance()
    to, amount = ask(sender, receiver)
    key = {"Idempotency-Key": unique("k")}
    first = expect(sender.transfer(to, amount, headers=key), status, reason)
    assert "Idempotent-Replayed" not in first.headers
    again = expect(sender.transfer(to, amount, headers=key), status, reason)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = sender.transfer(to, "2.22", headers=key)
    expect(other, 422, "idempotency_key_reused")
    assert (sender.balance(), receiver.balance()) == before


def test_the_last_sen_can_be_spent_and_no_more(stack):
    sender, receiver = stack.user(balance=10_000), stack.user()
    expect(sender.transfer(receiver, "10000.01"), 422, "insufficient_funds")
    expect(sender.transfer(receiver, "10000.00"), 201)
    expect(sender.transfer(receiver, "0.01"), 422, "insufficient_funds")
    assert sender.balance() == 0 and receiver.balance() == 10_000


def test_a_suspended_side_moves_nothing(stack):
    sender, receiver = stack.user(balance=10_000), stack.user()

    def status(user, value):
        with stack.pg() as db:
            db.execute("update payment.accounts set account_status = %s "
                "where id = %s", (value, user.account()["id"]))
    status(sender, "SUSPENDED")
    expect(sender.transfer(receiver, 1), 403, "account_suspended")
    status(sender, "ACTIVE")
    status(receiver, "SUSPENDED")
    expect(sender.transfer(receiver, 1), 422, "receiver_unavailable")
    status(receiver, "ACTIVE")
    expect(sender.transfer(receiver, 1), 201)


def test_the_receivers_cap_holds_and_tells_nothing(stack):
    """A registered wallet holds at most 20,000,000."""
    sender = stack.user(balance=10_000_000)
    receiver = stack.user(balance=10_000_000)
    other = stack.user(balance=1_000)
    expect(sender.transfer(receiver, 10_000_000), 201)
    answer = expect(other.transfer(receiver, 1), 422, "receiver_limit_exceeded")
    assert "20" not in answer.meta["message"]
    assert receiver.balance() == 20_000_000


# -- idempotency ------------------------------------------------------------------

def test_the_same_key_gives_the_same_answer(pair):
    sender, receiver = pair
    before = receiver.balance()
    key = {"Idempotency-Key": unique("k")}
    first = expect(sender.transfer(receiver, 77, headers=key), 201)
    assert "Idempotent-Replayed" not in first.headers
    for _ in range(3):
        again = expect(sender.transfer(receiver, 77, headers=key), 201)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.data == first.data
    assert receiver.balance() == before + 77


@pytest.mark.parametrize("same", [
    '{"amount": 55, "to": "%s"}', '{"to":"%s","amount":55.00}',
    '{"to":"%s","amount":"55.0"}', ' {"to" : "%s" , "amount" : "55" } '])
def test_the_same_body_written_differently_is_the_same(pair, same):
    sender, receiver = pair
    headers = {"Idempotency-Key": unique("k"),
        "Content-Type": "application/json"}
    first = '{"to":"%s","amount":55}'
    for body in (first, same):
        answer = expect(sender.payment.post("/api/payment/transfer",
            body % receiver.username, headers=headers), 201)
    assert answer.headers["Idempotent-Replayed"] == "true"


def test_another_body_under_the_same_key_is_422(pair):
    sender, receiver = pair
    key = {"Idempotency-Key": unique("k")}
    expect(sender.transfer(receiver, 5, headers=key), 201)
    for change in ({"amount": 6}, {"description": "x"}, {"to": sender.phone}):
        body = {"to": receiver.username, "amount": 5, **change}
        expect(sender.payment.post("/api/payment/transfer", body,
            headers=key), 422, "idempotency_key_reused")


def test_a_key_belongs_to_one_user(stack, pair):
    sender, receiver = pair
    other = stack.user(balance=10_000)
    key = {"Idempotency-Key": unique("k")}
    one = expect(sender.transfer(receiver, 5, headers=key), 201)
    two = expect(other.transfer(receiver, 5, headers=key), 201)
    assert one.data["id"] != two.data["id"]
    assert "Idempotent-Replayed" not in two.headers


@pytest.mark.parametrize("key", ["", "x" * 256, "snow\xe9", "tab\there"])
def test_a_bad_key_is_400(pair, key):
    sender, receiver = pair
    expect(sender.transfer(receiver, 5,
        headers={"Idempotency-Key": key}), 400)


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b ~!\"#{}"])
def test_every_printable_key_will_do(pair, key):
    sender, receiver = pair
    answer = sender.transfer(receiver, 5,
        headers={"Idempotency-Key": key})
    assert answer.status == 201, answer


def test_no_key_means_no_protection(pair):
    sender, receiver = pair
    before = receiver.balance()
    ids = {expect(sender.transfer(receiver, 3), 201).data["id"]
        for _ in range(3)}
    assert len(ids) == 3 and receiver.balance() == before + 9


def test_one_key_from_many_at_once_moves_once(stack):
    sender, receiver = stack.user(balance=100_000), stack.user()
    key = {"Idempotency-Key": unique("k")}
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: sender.transfer(receiver, 1_000,
            headers=key), range(48)))
    done = [answer for answer in answers if answer.status == 201]
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.data["id"] for answer in done}) == 1
    assert len([1 for answer in done
        if "Idempotent-Replayed" not in answer.headers]) == 1
    assert receiver.balance() == 1_000


# -- many at once -----------------------------------------------------------------

def test_64_clients_on_two_accounts_make_and_lose_nothing(stack):
    """Both directions at once, more asked for than there is."""
    left, right = stack.user(balance=50_000), stack.user(balance=50_000)
    pairs = [(left, right), (right, left)] * 32

    def client(sides):
        sender, receiver = sides
        seen = []
        for amount in ("1000", "2500.25", "9999.99", "0.01", "30000"):
            answer = sender.transfer(receiver, amount)
            assert answer.status in (201, 422), answer
            seen.append((sender, answer))
        return seen

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        answers = [one for many in pool.map(client, pairs) for one in many]
    assert left.balance() + right.balance() == 100_000
    assert left.balance() >= 0 and right.balance() >= 0
    net = sum(exact(answer)["data"]["amount"] * (1 if who is left else -1)
        for who, answer in answers if answer.status == 201)
    assert left.balance() == 50_000 - net
    # Each sender's answers, ordered by balance, chain without a gap.
    for _, answer in answers:
        if answer.status == 201:
            data = exact(answer)["data"]
            assert data["balance_before"] - data["amount"] == \
                data["balance_after"]
            assert data["balance_after"] >= 0


def test_the_whole_balance_can_be_spent_once_only(stack):
    sender = stack.user(balance=100_000)
    receivers = [stack.user() for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: sender.transfer(
            receivers[n % 4], 100_000), range(32)))
    assert sorted(answer.status for answer in answers) == [201] + [422] * 31
    assert sum(user.balance() for user in receivers) == 100_000
