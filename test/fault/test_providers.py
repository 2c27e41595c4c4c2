"""Whatever a provider does, is money neither made nor lost?

Every fault of the sandbox meets every operation, all at once, each with its
own person. The rule is the same for all: what left one side arrived at the
other, exactly once, or nothing moved; and nobody waits for an answer for ever.
"""
import concurrent.futures
import time
from decimal import Decimal

import pytest

from onegate import phone_new, until

AMOUNT = 50_000
OPENING = 200_000
WALLET = 10_000_000
ANSWER_SECONDS = 30
DECIDED_SECONDS = 120
PROVIDERS = {"GOPAY": "gopay", "SHOPEE_PAY": "shopeepay"}
PLAIN = "0001"

# suffix: how charging a wallet (in) and topping one up (out) may end.
DONE, REFUSED, OPEN = {"SUCCESS"}, {"FAILED"}, {"PENDING"}
EITHER = DONE | REFUSED
ENDS = {
    PLAIN: (DONE, DONE),
    "9001": (DONE, DONE), "9002": (DONE, DONE), "9003": (EITHER, EITHER),
    "9004": (DONE, DONE), "9005": (DONE, DONE), "9006": (DONE, DONE),
    "9007": (DONE, DONE), "9008": (DONE, DONE), "9009": (EITHER, EITHER),
    "9010": (DONE, DONE), "9011": (DONE, DONE), "9012": (DONE, DONE),
    "9013": (REFUSED, REFUSED), "9014": (EITHER, EITHER),
    "9015": (DONE, DONE), "9016": (DONE, DONE), "9017": (REFUSED, EITHER),
    "9018": (OPEN, DONE | OPEN), "9019": (DONE, DONE),
    "9020": (EITHER, EITHER), "9021": (EITHER, EITHER), "9022": (DONE, DONE),
}
CASES = [(way, method, suffix) for way in ("in", "out")
    for method in PROVIDERS for suffix in ENDS]


class Operation:
    """One top-up, in or out, under one fault, and what became of it."""

    def __init__(self, stack, way, method, suffix):
        self.stack, self.way = stack, way
        self.provider = PROVIDERS[method]
        self.wallet_phone = phone_new(suffix)
        if way == "in":
            self.user = stack.user(phone=self.wallet_phone)
            self.before = Decimal(0)
            path = "/api/payment/topup"
        else:
            self.user = stack.user(balance=OPENING)
            self.before = Decimal(OPENING)
            path = "/api/payment/wallet/topup"
        started = time.monotonic()
        self.answer = self.user.payment.post(path, {"amount": AMOUNT,
            "payment_method": method, "phone_number": self.wallet_phone},
            timeout=ANSWER_SECONDS)
        self.seconds = time.monotonic() - started

    def status(self):
        """How the transaction stands; FAILED when it was refused at once."""
        if self.answer.status not in (200, 201):
            return "FAILED"
        return self.user.transaction(self.answer.data["id"])[
            "transaction_status"]

    def moved(self):
        """(what the account gained, what the wallet gained)."""
        wallet = self.stack.sandbox.wallet(self.provider, self.wallet_phone)
        return (self.user.balance() - self.before,
            Decimal(str(wallet)) - WALLET)

    def acted(self):
        """How often the provider moved money for this person."""
        return [found["acted"] for found in self.stack.sandbox.operations(
            provider=self.provider, phone=self.wallet_phone)]


@pytest.fixture(scope="module")
def operations(stack):
    """Every case, begun at once."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        begun = {case: pool.submit(Operation, stack, *case) for case in CASES}
        return {case: started.result() for case, started in begun.items()}


def ended(operation, wanted, seconds=DECIDED_SECONDS):
    """Wait for an end among those wanted; other ends fail at once."""
    def look():
        status = operation.status()
        assert status in wanted | {"PENDING"}, status
        return status if status in wanted else None
    return until(look, seconds, 0.2)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_money_is_neither_made_nor_lost(operations, case):
    operation = operations[case]
    status = ended(operation, ENDS[case[2]][case[0] == "out"])
    account, wallet = operation.moved()
    if status == "SUCCESS":
        sign = 1 if case[0] == "in" else -1
        assert (account, wallet) == (sign * AMOUNT, -sign * AMOUNT)
        assert operation.acted() == [1]
    if status == "FAILED":
        assert (account, wallet) == (0, 0)
        assert all(times == 0 for times in operation.acted())


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_nobody_waits_for_a_provider_for_ever(operations, case):
    operation = operations[case]
    assert operation.seconds < ANSWER_SECONDS
    status = operation.answer.status
    assert status in (200, 201) or 400 <= status < 500 or status in (502, 503)


def test_what_is_pending_is_held(operations):
    """Money that may have left cannot be spent a second time."""
    operation = operations["out", "SHOPEE_PAY", "9018"]
    if operation.status() == "PENDING":
        other = operation.stack.user()
        answer = operation.user.transfer(other, OPENING - AMOUNT + 1)
        assert answer.status in (400, 402, 403, 409, 422), answer
