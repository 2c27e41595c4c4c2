"""Misbehaviour on demand: which faults there are, who asked for one, and how
each looks on the wire.

A fault is asked for by the header X-Sandbox-Fault, by a rule set through
POST /sandbox/faults, or by the last six digits of the phone; looked for in
that order. A fault never changes what an operation means: it strikes before
the acting, after it, or in the notification, and the tables say which.
"""
import asyncio
import json

from http_server import Answer

ANSWER_BIG_BYTES = 10 * 1024 * 1024
HOLD_SECONDS = 120
DRIP_SECONDS = 0.1
DELAY_MAX_SECONDS = 600

# name: (when it strikes, default argument). "refuse": the provider refuses
# and nothing is done. "before": waits, then acts. "after": acts, and
# answers with an error. "wire": acts, then the answer suffers. "plan": the answer is right, what follows is not.
FAULTS = {
    "delay": ("before", 2.0),
    "timeout": ("wire", HOLD_SECONDS),
    "error_500": ("refuse", 0),
    "bad_json": ("wire", 0),
    "duplicate_notification": ("plan", 2.0),
    "late_notification": ("plan", 5.0),
    "early_notification": ("plan", 0),
    "html": ("wire", 200.0),
    "error_in_200": ("refuse", 0),
    "close": ("wire", 0),
    "big_body": ("wire", ANSWER_BIG_BYTES),
    "slow_drip": ("wire", DRIP_SECONDS),
    "insufficient_funds": ("refuse", 0),
    "too_many": ("refuse", 1.0),
    "token_expired": ("refuse", 0),
    "no_notification": ("plan", 0),
    "payment_fails": ("plan", 0),
    "stays_pending": ("plan", 0),
    "pending_first": ("plan", 0),
    "close_before": ("refuse", 0),
    "error_503": ("refuse", 0),
    "error_504": ("after", 0),
}

# The last four digits of a phone, behind a mark that no phone ends with by
# chance. The second value: whether the fault strikes only the first attempt of
# each reference, so that a repeat can succeed.
SUFFIX_MARK = "99"
SUFFIXES = {
    "9001": ("delay", True),
    "9002": ("timeout", True),
    "9003": ("error_500", True),
    "9004": ("bad_json", True),
    "9005": ("duplicate_notification", False),
    "9006": ("late_notification", False),
    "9007": ("early_notification", False),
    "9008": ("html", True),
    "9009": ("error_in_200", True),
    "9010": ("close", True),
    "9011": ("big_body", True),
    "9012": ("slow_drip", True),
    "9013": ("insufficient_funds", False),
    "9014": ("too_many", True),
    "9015": ("token_expired", True),
    "9016": ("no_notification", False),
    "9017": ("payment_fails", False),
    "9018": ("stays_pending", False),
    "9019": ("pending_first", False),
    "9020": ("close_before", True),
    "9021": ("error_503", True),
    "9022": ("error_504", True),
}
# Calls a phone's suffix strikes; the others answer plainly, so that a status
# query can find out what became of a struck operation.
SUFFIX_CALLS = ("balance", "topup", "pay")
CALLS = ("token", "balance", "topup", "pay", "status", "cancel", "refund")


class Fault:
    """One fault about to strike: `name`, `stage` and a number `arg`."""
    __slots__ = ("name", "stage", "arg")

    def __init__(self, text):
        name, equals, arg = text.strip().partition("=")
        if name not in FAULTS:
            raise ValueError(f"no fault is called {name}")
        self.name = name
        self.stage, default = FAULTS[name]
        self.arg = float(arg) if equals else default
        if not 0 <= self.arg <= ANSWER_BIG_BYTES:
            raise ValueError("the argument is out of range")


class Rule:
    """A standing order from the admin endpoint; None matches everything."""

    def __init__(self, order):
        known = {"fault", "provider", "call", "phone", "count"}
        if not set(order) <= known or not isinstance(order.get("fault"), str):
            raise ValueError(f"fields are {', '.join(sorted(known))}")
        self.fault = Fault(order["fault"])
        self.text = order["fault"]
        self.provider = order.get("provider")
        self.call = order.get("call")
        self.phone = order.get("phone")
        self.count = order.get("count")
        if self.provider not in (None, "gopay", "shopeepay"):
            raise ValueError("no such provider")
        if self.call not in (None, *CALLS):
            raise ValueError("no such call")
        if self.count is not None and (type(self.count) is not int
                or self.count < 1):
            raise ValueError("count is a positive integer")
        self.struck = 0

    def matches(self, provider, call, phone):
        """Whether this call is meant and the rule is not used up."""
        return (self.provider in (None, provider)
            and self.call in (None, call)
            and self.phone in (None, phone)
            and (self.count is None or self.struck < self.count))

    def show(self):
        """The rule as JSON."""
        return {"fault": self.text, "provider": self.provider,
            "call": self.call, "phone": self.phone, "count": self.count,
            "struck": self.struck}


class Faults:
    """The standing rules, and the answer to: does this call suffer?"""

    def __init__(self, state):
        self.state = state
        self.rules = []

    def find(self, request, provider, call, phone=None, reference=None):
        """The Fault that strikes this call, or None. Bad header: ValueError."""
        text = request.headers.get("x-sandbox-fault")
        if text is not None:
            return Fault(text)
        for rule in self.rules:
            if rule.matches(provider, call, phone):
                rule.struck += 1
                return rule.fault
        if phone is None or call not in SUFFIX_CALLS:
            return None
        name, once = SUFFIXES.get(phone[-4:], (None, False))
        if name is None or phone[-6:-4] != SUFFIX_MARK:
            return None
        if name == "token_expired" and reference is None:
            reference = phone
        if once and reference is not None and not self.state.strike_first(
                provider, call, reference):
            return None
        return Fault(name)


async def suffer(fault, act, refuse):
    """Run `act()` under a fault; `refuse(fault)` gives the refusal instead."""
    if fault.stage == "before":
        await asyncio.sleep(min(fault.arg, DELAY_MAX_SECONDS))
        return act(None)
    if fault.name == "close_before":
        return Answer(500, b"", wire=wire_close)
    if fault.stage == "refuse":
        return refuse(fault)
    if fault.stage == "after":
        act(None)
        return refuse(fault)
    if fault.stage == "wire":
        answer = act(None)
        answer.wire = WIRES[fault.name](fault)
        return answer
    answer = act(fault)
    return await answer if asyncio.iscoroutine(answer) else answer


# -- how an answer suffers: async (connection, answer) -> keep the connection --

async def wire_close(_connection, _answer):
    return False


def wire_timeout(fault):
    async def hold(connection, _answer):
        try:
            await asyncio.wait_for(connection.gone.wait(), fault.arg)
        except asyncio.TimeoutError:
            pass
        return False
    return hold


def wire_replaced(body, content_type="application/json", status=None):
    async def replace(connection, answer):
        connection.transport.write(Answer(status or answer.status,
            body(answer), [("Content-Type", content_type)]).encode())
        return True
    return replace


def wire_bad_json(_fault):
    return wire_replaced(lambda answer: answer.body[:len(answer.body) // 2])


def wire_html(fault):
    page = b"<!doctype html><html><body><h1>We will be right back</h1></body>" \
        b"</html>\n"
    return wire_replaced(lambda _: page, "text/html; charset=utf-8",
        int(fault.arg))


def wire_big(fault):
    def padded(answer):
        # Still JSON, and the true answer first: a reader without a limit on
        # size would take it.
        room = b'"padding":"' + b"x" * int(fault.arg) + b'"}'
        return answer.body[:-1] + b"," + room
    return wire_replaced(padded)


def wire_drip(fault):
    async def drip(connection, answer):
        for byte in answer.encode():
            if connection.gone.is_set():
                return False
            connection.transport.write(bytes((byte,)))
            await asyncio.sleep(fault.arg)
        return True
    return drip


WIRES = {
    "timeout": wire_timeout,
    "bad_json": wire_bad_json,
    "html": wire_html,
    "close": lambda _fault: wire_close,
    "big_body": wire_big,
    "slow_drip": wire_drip,
}


def rule_add(faults, raw):
    """Add the rule in the JSON bytes; ValueError says what is wrong."""
    order = json.loads(raw)
    if not isinstance(order, dict):
        raise ValueError("not an object")
    rule = Rule(order)
    faults.rules.append(rule)
    return rule
