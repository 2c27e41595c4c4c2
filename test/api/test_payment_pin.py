"""Does outgoing money above the threshold need the PIN, and only that?

The stack's own payment asks for none (threshold 0), so these tests start one
that does, on the same books.
"""
import pytest

from onegate import PASSWORD, expect
from own import OwnModule

THRESHOLD = 1_000_000
PIN = "271828"


@pytest.fixture(scope="module")
def payment(stack, tmp_path_factory):
    own = OwnModule(stack, tmp_path_factory.mktemp("payment"), "payment",
        PIN_THRESHOLD=THRESHOLD)
    yield own.client
    own.end()


@pytest.fixture
def user(stack):
    return stack.user(balance=5_000_000)


def send(payment, user, to, amount, pin=None, **headers):
    return payment.post("/api/payment/transfer",
        {"to": to.username, "amount": amount}, headers={
            "Authorization": "Bearer " + user.access_token,
            "X-Payment-Pin": pin, **headers})


def pin_set(user):
    expect(user.auth.put("/api/auth/pin",
        {"pin": PIN, "password": PASSWORD}), 200)


def test_small_amounts_need_none(payment, user, alice):
    expect(send(payment, user, alice, THRESHOLD - 1), 201)


def test_from_the_threshold_on_it_is_needed(payment, user, alice):
    expect(send(payment, user, alice, THRESHOLD), 403, "pin_required")
    expect(send(payment, user, alice, THRESHOLD, PIN), 403, "pin_not_set")
    pin_set(user)
    expect(send(payment, user, alice, THRESHOLD), 403, "pin_required")
    for wrong in ("", "000000", "27182", "2718281", "abcdef"):
        answer = send(payment, user, alice, THRESHOLD, wrong)
        assert answer.status == 403, answer
        assert answer.reason in ("pin_wrong", "pin_required")
    before = user.balance()
    expect(send(payment, user, alice, THRESHOLD, PIN), 201)
    assert before - user.balance() == THRESHOLD


def test_five_wrong_ones_block_outgoing_money_only(payment, user, alice):
    pin_set(user)
    for _ in range(5):
        expect(send(payment, user, alice, THRESHOLD, "161803"), 403,
            "pin_wrong")
    answer = expect(send(payment, user, alice, THRESHOLD, PIN), 429,
        "pin_blocked")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    # Small amounts, signing in and incoming money go on.
    expect(send(payment, user, alice, 1_000), 201)
    user.login()
    user.fund(10_000)


def test_a_right_one_takes_the_wrong_ones_back(payment, user, alice):
    pin_set(user)
    for _ in range(2):
        for _ in range(4):
            expect(send(payment, user, alice, THRESHOLD, "161803"), 403,
                "pin_wrong")
        expect(send(payment, user, alice, THRESHOLD, PIN), 201)


def test_the_pin_is_in_no_log(stack, payment, user, alice, tmp_path_factory):
    pin_set(user)
    expect(send(payment, user, alice, THRESHOLD, "918273"), 403)
    logs = tmp_path_factory.getbasetemp().glob("payment*/log")
    texts = [path.read_text() for path in logs]
    assert texts and all("918273" not in text for text in texts)
