"""Does only a true notification, told once or often, move money?

A payment is left pending by the sandbox; the test then speaks as the provider,
with the provider's key, and as somebody who has none.
"""
import base64
import hashlib
import itertools
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from onegate import Answer, expect, unique, until

AMOUNT = 30_000
PROVIDERS = {"gopay": "GOPAY", "shopeepay": "SHOPEE_PAY"}
externals = itertools.count(time.time_ns())


def stamp(offset=0):
    return time.strftime("%Y-%m-%dT%H:%M:%S+07:00",
        time.gmtime(time.time() + 25_200 + offset))


class Provider:
    """One provider's voice, with the key the running sandbox signs with."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        self.path = f"/api/payment/notifications/{name}"
        pid = stack.sandbox.ask("GET", "/sandbox/health")["pid"]
        with open(f"/proc/{pid}/environ", "rb") as file:
            environment = dict(part.decode().split("=", 1)
                for part in file.read().split(b"\0") if part)
        variable = f"ONEGATE_SANDBOX_{name.upper()}_PRIVATE_KEY_FILE"
        with open(environment[variable], "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        self.client_id = environment.get(
            f"ONEGATE_{name.upper()}_SNAP_CLIENT_ID", "")

    def pending(self):
        """A charge that stays pending -> (user, its operation there)."""
        user = self.stack.user()
        self.stack.sandbox.fault("stays_pending", provider=self.name,
            phone=user.phone)
        answer = user.topup(AMOUNT, PROVIDERS[self.name])
        expect(answer, 201)
        operation = until(lambda: self.stack.sandbox.operations(
            provider=self.name, phone=user.phone))[0]
        return user, answer.data["id"], operation

    def message(self, operation, status="00", **changed):
        return {"originalPartnerReferenceNo": operation["reference"],
            "originalReferenceNo": operation["id"],
            "amount": {"value": f"{AMOUNT}.00", "currency": "IDR"},
            "latestTransactionStatus": status,
            "transactionStatusDesc": "-", "createdTime": stamp(-5),
            "finishedTime": stamp(), **changed}

    def sign(self, body, when, key=None, path=None, method="POST"):
        digest = hashlib.sha256(body).hexdigest()
        text = f"{method}:{path or self.path}:{digest}:{when}"
        return base64.b64encode((key or self.key).sign(text.encode(),
            padding.PKCS1v15(), hashes.SHA256())).decode()

    def tell(self, body, headers=(), when=None, **signing):
        """Send a notification; headers given here replace the good ones."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        when = when or stamp()
        every = {"Content-Type": "application/json", "X-TIMESTAMP": when,
            "X-PARTNER-ID": self.client_id, "CHANNEL-ID": "95221",
            "X-EXTERNAL-ID": str(next(externals)),
            "X-SIGNATURE": self.sign(raw, when, **signing), **dict(headers)}
        return self.stack.payment.request("POST", self.path, raw, every)


@pytest.fixture(params=PROVIDERS)
def provider(stack, sandbox, request):
    return Provider(stack, request.param)


def said(answer: Answer, *codes):
    """The answer is in the provider's own shape, with one of these codes."""
    code = answer.json["responseCode"]
    assert code in codes, answer
    assert str(answer.status) == code[:3]
    assert answer.json["responseMessage"]


def test_a_true_notification_credits_once_however_often_told(provider):
    user, transaction, operation = provider.pending()
    assert user.balance() == 0
    body = provider.message(operation)
    for _ in range(3):
        said(provider.tell(body), "2005600")
    assert user.settled(transaction)["transaction_status"] == "SUCCESS"
    assert user.balance() == AMOUNT
    # What comes after the end changes nothing.
    provider.tell(provider.message(operation, "06"))
    assert user.balance() == AMOUNT


def test_the_same_bytes_again_are_acknowledged_and_do_nothing(provider):
    user, transaction, operation = provider.pending()
    raw = json.dumps(provider.message(operation)).encode()
    headers = {"X-EXTERNAL-ID": str(next(externals))}
    when = stamp()
    said(provider.tell(raw, headers, when), "2005600")
    said(provider.tell(raw, headers, when), "2005600", "4095600")
    user.settled(transaction)
    assert user.balance() == AMOUNT


def test_a_failed_payment_ends_as_failed(provider):
    user, transaction, operation = provider.pending()
    said(provider.tell(provider.message(operation, "06")), "2005600")
    assert user.settled(transaction)["transaction_status"] == "FAILED"
    assert user.balance() == 0


def test_a_status_on_the_way_decides_nothing(provider):
    user, transaction, operation = provider.pending()
    for status in ("01", "02", "03"):
        provider.tell(provider.message(operation, status))
    assert user.transaction(transaction)["transaction_status"] == "PENDING"
    assert user.balance() == 0


STRANGER = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize("how,codes", [
    ({"key": STRANGER}, ("4015600",)),
    ({"path": "/v1.0/debit/other"}, ("4015600",)),
    ({"method": "PUT"}, ("4015600",)),
    ({"when": stamp(-3_600)}, ("4015600", "4005601")),
    ({"when": stamp(3_600)}, ("4015600", "4005601")),
    ({"when": "yesterday"}, ("4015600", "4005601")),
    ({"headers": {"X-SIGNATURE": None}}, ("4015600", "4005602")),
    ({"headers": {"X-SIGNATURE": ""}}, ("4015600", "4005602", "4005601")),
    ({"headers": {"X-SIGNATURE": "AAAA"}}, ("4015600",)),
    ({"headers": {"X-SIGNATURE": "%%%"}}, ("4015600", "4005601")),
    ({"headers": {"X-TIMESTAMP": None}}, ("4015600", "4005602")),
    ({"headers": {"X-TIMESTAMP": "2026-01-01T10:00:00+07:00"}},
        ("4015600", "4005601")),
])
def test_a_false_notification_moves_nothing(provider, how, codes):
    user, transaction, operation = provider.pending()
    how = dict(how)
    said(provider.tell(provider.message(operation), how.pop("headers", ()),
        **how), *codes)
    assert user.transaction(transaction)["transaction_status"] == "PENDING"
    assert user.balance() == 0


def test_one_provider_cannot_speak_for_the_other(stack, provider):
    other = Provider(stack, next(name for name in PROVIDERS
        if name != provider.name))
    user, transaction, operation = provider.pending()
    said(provider.tell(provider.message(operation), key=other.key), "4015600")
    # The other's own, well signed, but about a payment that is not its own.
    said(other.tell(provider.message(operation)), "4045601", "4045600")
    assert user.transaction(transaction)["transaction_status"] == "PENDING"


def test_bytes_changed_on_the_way_are_noticed(provider):
    user, transaction, operation = provider.pending()
    signed = json.dumps(provider.message(operation)).encode()
    when = stamp()
    headers = {"X-SIGNATURE": provider.sign(signed, when)}
    changed = signed.replace(b"30000.00", b"90000.00")
    assert changed != signed
    for sent in (changed, signed + b" ", signed.replace(b": ", b":")):
        said(provider.tell(sent, headers, when), "4015600")
    assert user.balance() == 0


@pytest.mark.parametrize("changed", [
    {"amount": {"value": "30000.01", "currency": "IDR"}},
    {"amount": {"value": "3000000.00", "currency": "IDR"}},
    {"amount": {"value": "30000.00", "currency": "USD"}},
    {"amount": {"value": "-30000.00", "currency": "IDR"}},
    {"amount": {"value": 30_000, "currency": "IDR"}},
    {"amount": None},
    {"latestTransactionStatus": "99"}, {"latestTransactionStatus": 0},
    {"latestTransactionStatus": None},
    {"originalPartnerReferenceNo": None},
    {"originalPartnerReferenceNo": 5},
])
def test_a_true_voice_that_says_nonsense_moves_nothing(provider, changed):
    user, transaction, operation = provider.pending()
    body = {name: value for name, value in
        provider.message(operation, **{}).items()}
    body.update(changed)
    answer = provider.tell(body)
    assert answer.json["responseCode"][3:5] == "56"
    assert answer.status in (400, 404), answer
    assert user.transaction(transaction)["transaction_status"] == "PENDING"
    assert user.balance() == 0


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"x"',
    b'{"a":1,"a":2}', b"<xml/>"])
def test_nonsense_with_a_true_signature_is_400(provider, raw):
    answer = provider.tell(raw)
    said(answer, "4005600", "4005601", "4005602")


def test_an_unknown_payment_is_404(provider):
    body = provider.message({"reference": unique("none"), "id": "x"})
    said(provider.tell(body), "4045601", "4045600")


def test_an_unknown_provider_is_404(stack):
    answer = stack.payment.post("/api/payment/notifications/ovo", {})
    assert answer.status == 404
