"""A death in each step of each provider operation: is money lost, made or
stuck without anybody being told?

For each victim (the worker, PostgreSQL, the sandbox) the same scene: at both
providers somebody stands in each step, before the provider acts and after it
has acted without an answer; then the victim is killed and comes back. Whoever
got no answer asks again with the same key.
"""
import concurrent.futures
import http.client
import os
import signal
from decimal import Decimal

import pytest

from onegate import MODULES, expect, unique, until
from own import OwnModule
from servers import ProviderSandbox, Server, ready, worker_kill

AMOUNT = 20_000
OPENING = 100_000
PROVIDERS = {"gopay": "GOPAY", "shopeepay": "SHOPEE_PAY"}
VICTIMS = ("worker", "postgres", "sandbox")
ANSWER_SECONDS = 30
STRIKE_SECONDS = 20
RECOVER_SECONDS = 30
DECIDED_SECONDS = 90

BEFORE, AFTER = "delay=3", "timeout"  # acts after 3 s; acts and never answers
# step: (way, the faults that hold it there, by call)
STEPS = {
    "status-before": ("in", {"pay": "no_notification", "status": BEFORE}),
    "status-after": ("in", {"pay": "no_notification", "status": AFTER}),
    "balance": ("wallet", {"balance": BEFORE}),
    "topup-before": ("out", {"topup": BEFORE}),
    "topup-after": ("out", {"topup": AFTER}),
    "pay-before": ("in", {"pay": BEFORE}),
    "pay-after": ("in", {"pay": AFTER}),
    "notification": ("in", {"pay": "late_notification=1"}),
    "notifications": ("in", {"pay": "duplicate_notification=12"}),
    "token-topup": ("out", {}),
    "token-pay": ("in", {}),
}
FIRST = ("status-before", "status-after")  # the janitor has to come round
TOKEN = ("token-topup", "token-pay")
PATHS = {"in": "/api/payment/topup", "out": "/api/payment/wallet/topup"}
CASES = [(victim, provider, step) for victim in VICTIMS
    for provider in PROVIDERS for step in STEPS]
MONEY_CASES = [case for case in CASES if STEPS[case[2]][0] != "wallet"]


class Person:
    """One person in one step at one provider."""

    def __init__(self, stack, provider, step):
        self.stack, self.provider, self.step = stack, provider, step
        self.way, self.faults = STEPS[step]
        self.user = stack.user(balance=OPENING if self.way == "out" else 0)
        self.account = self.user.account()["id"]
        self.balance = self.user.balance()
        self.wallet = self.in_wallet()
        self.key = {"Idempotency-Key": unique("death")}
        self.answer = None

    def __repr__(self):
        return f"<{self.provider} {self.step} {self.answer}>"

    def in_wallet(self):
        return Decimal(str(self.stack.sandbox.wallet(self.provider,
            self.user.phone)))

    def hold(self):
        for call, fault in self.faults.items():
            self.stack.sandbox.fault(fault, provider=self.provider, call=call,
                phone=self.user.phone, count=1)

    def ask(self):
        """The answer, None when there was none."""
        try:
            if self.way == "wallet":
                return self.user.payment.get("/api/payment/wallet?ewallet="
                    + self.provider, timeout=ANSWER_SECONDS)
            return self.user.payment.post(PATHS[self.way], {"amount": AMOUNT,
                "payment_method": PROVIDERS[self.provider],
                "phone_number": self.user.phone}, headers=self.key,
                timeout=ANSWER_SECONDS)
        except (OSError, http.client.HTTPException):
            return None

    def begin(self):
        self.answer = self.ask()

    def operations(self):
        """The states of what this person began; one, whatever was repeated."""
        with self.stack.pg() as pg:
            return [state for state, in pg.execute("""select state
                from payment.provider_operations
                where account_id = %s and amount = %s""",
                (self.account, AMOUNT * 100))]

    def insist(self):
        """Ask again with the same key until it stands in the books, then wait
        for its end. A wallet: until it is shown."""
        def ended():
            if self.way == "wallet":
                self.answer = self.ask()
                return self.answer is not None and self.answer.status == 200
            found = self.operations()
            if not found:
                self.answer = self.ask()
            return found and "PENDING" not in found
        try:
            until(ended, DECIDED_SECONDS, 0.3)
        except AssertionError as never:
            raise AssertionError(f"no end: {self}") from never

    def at_provider(self):
        """What the provider did for this person since it began."""
        way = {"in": "pay", "out": "topup"}[self.way]
        return [found for found in self.stack.sandbox.operations(
            provider=self.provider, phone=self.user.phone)
            if found["kind"] == way and Decimal(found["amount"]) == AMOUNT]


def victim_dies(stack, victim):
    """Kill it, and bring it back."""
    if victim == "worker":
        worker_kill(stack, "payment")
    elif victim == "sandbox":
        sandbox = ProviderSandbox(stack)
        sandbox.kill()
        sandbox.start()
    else:
        postgres = Server(stack, "postgres")
        postgres.kill(signal.SIGQUIT)
        postgres.start()
    for module in MODULES:
        until(lambda: ready(stack, module), RECOVER_SECONDS)


def struck(stack, calls):
    """Every standing rule for these calls has met its call."""
    rules = stack.sandbox.ask("GET", "/sandbox/faults")["rules"]
    return all(rule["struck"] for rule in rules if rule["call"] in calls)


def scene(stack, victim, people, pool):
    """Everybody stands in a step; then the victim dies."""
    steps = {step: [one for one in people if one.step == step]
        for step in STEPS}
    begun = []

    def begin(names):
        for name in names:
            for one in steps[name]:
                one.hold()
                begun.append(pool.submit(one.begin))

    try:
        begin(FIRST)
        until(lambda: struck(stack, ("pay", "status")), STRIKE_SECONDS)
        begin(name for name in STEPS if name not in FIRST + TOKEN)
        until(lambda: struck(stack, ("pay", "topup", "balance")),
            STRIKE_SECONDS)
        stack.sandbox.ask("POST", "/sandbox/tokens/revoke", {})
        for provider in PROVIDERS:
            stack.sandbox.fault(BEFORE, provider=provider, call="token",
                count=2)
        begin(TOKEN)
        until(lambda: struck(stack, ("token",)), STRIKE_SECONDS)
    finally:
        victim_dies(stack, victim)
        stack.sandbox.faults_clear()
    for one in begun:
        one.result()


@pytest.fixture(scope="module")
def people(stack):
    """All scenes, one after the other; then everybody insists."""
    with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
        with concurrent.futures.ThreadPoolExecutor(8) as few:
            found = dict(zip(CASES, few.map(
                lambda case: Person(stack, *case[1:]), CASES)))
        for victim in VICTIMS:
            scene(stack, victim, [one for case, one in found.items()
                if case[0] == victim], pool)
        for done in [pool.submit(one.insist) for one in found.values()]:
            done.result()
    return found


@pytest.mark.parametrize("case", MONEY_CASES, ids="-".join)
def test_money_moves_on_both_sides_or_on_none(people, case):
    one = people[case]
    (state,) = one.operations()
    assert state in ("SUCCESS", "FAILED")
    done = state == "SUCCESS"
    moved = (AMOUNT if one.way == "in" else -AMOUNT) if done else 0
    assert one.user.balance() - one.balance == moved
    assert one.in_wallet() - one.wallet == -moved
    acted = [found["acted"] for found in one.at_provider()]
    assert sum(acted) == done, acted
    # The key goes on telling the same, and begins nothing new.
    again = one.ask()
    assert again.status in ((200, 201) if done else (200, 201, 502, 503))
    assert one.operations() == [state]


@pytest.mark.parametrize("victim", VICTIMS)
def test_the_wallet_is_shown_again(people, victim):
    for provider in PROVIDERS:
        one = people[victim, provider, "balance"]
        expect(one.answer, 200)
        assert Decimal(str(one.answer.data["balance"])) == one.in_wallet()


def test_the_books_have_no_break(stack, people):
    assert people
    with stack.pg() as pg:
        assert pg.execute("select * from payment.audit()").fetchall() == []


def escalated(stack):
    """The metric that rouses people."""
    text = stack.internal("payment").get("/metrics").raw.decode()
    (line,) = [line for line in text.splitlines()
        if line.startswith("onegate_provider_operations_escalated ")]
    return float(line.split()[1])


def test_what_nobody_decides_stands_in_suspense_with_an_alert(stack, sandbox,
        tmp_path):
    """One hung operation each way at each provider; a process of our own,
    whose patience is a second, gives them to people."""
    people = [(way, provider, stack.user(balance=OPENING if way == "out"
        else 0)) for way in PATHS for provider in PROVIDERS]
    worker = expect(stack.payment.get("/health"), 200).data["pid"]
    own = OwnModule(stack, tmp_path, "payment", PROVIDER_ESCALATE_SECONDS=1)
    begun = []
    try:
        for way, provider, user in people:
            sandbox.fault("stays_pending" if way == "in" else "close",
                provider=provider, phone=user.phone)
            answer = user.payment.post(PATHS[way], {"amount": AMOUNT,
                "payment_method": PROVIDERS[provider],
                "phone_number": user.phone})
            assert answer.status in (200, 201), answer
            begun.append((way, user, answer.data["id"]))
        # The stack's own janitor is patient; it would only take turns.
        os.kill(worker, signal.SIGSTOP)
        with stack.pg() as pg:
            until(lambda: pg.execute("""select count(*)
                from payment.provider_operations
                where id = any(%s::uuid[]) and escalated_at is not null""",
                ([each for _, _, each in begun],)).fetchone()[0] == len(begun),
                RECOVER_SECONDS)
    finally:
        os.kill(worker, signal.SIGCONT)
        own.end()
    until(lambda: escalated(stack) >= len(begun))
    for way, user, operation in begun:
        assert user.transaction(operation)["transaction_status"] == "PENDING"
        assert user.balance() == (OPENING - AMOUNT if way == "out" else 0)
    with stack.pg() as pg:
        assert pg.execute("select * from payment.audit()").fetchall() == []
