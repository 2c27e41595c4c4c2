"""SNAP direct debit: takes money out of a person's wallet for the partner.

The national standard, the same for both providers, each under its own base:
  POST {base}/v1.0/access-token/b2b            service 73, signed with RSA
  POST {base}/v1.0/debit/payment-host-to-host  service 54
  POST {base}/v1.0/debit/status                service 55
  POST {base}/v1.0/debit/cancel                service 57
  POST {base}/v1.0/debit/refund                service 58
The path that is signed begins at /v1.0. Every answer carries responseCode =
HTTP status + service + case. The notification (56) is in notify.py.
"""
import base64
import binascii
import hashlib
import hmac
import re
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import faults
import wire
from http_server import Answer

WINDOW_SECONDS = 300
CHANNEL = re.compile(r"[0-9A-Za-z]{5}")
EXTERNAL = re.compile(r"[!-~]{1,36}")
REFERENCE = re.compile(r"[!-~]{1,64}")

# case name: (HTTP status, case code, responseMessage)
CASES = {
    "ok": (200, "00", "Successful"),
    "in_progress": (202, "00", "Request In Progress"),
    "bad_request": (400, "00", "Bad Request"),
    "format": (400, "01", "Invalid Field Format {}"),
    "mandatory": (400, "02", "Invalid Mandatory Field {}"),
    "unauthorized": (401, "00", "Unauthorized. [{}]"),
    "token_invalid": (401, "01", "Invalid Token (B2B)"),
    "token_missing": (401, "03", "Token Not Found (B2B)"),
    "not_honored": (403, "05", "Do Not Honor"),
    "insufficient_funds": (403, "14", "Insufficient Funds"),
    "wrong_status": (404, "00", "Invalid Transaction Status"),
    "not_found": (404, "01", "Transaction Not Found"),
    "amount": (404, "13", "Invalid Amount"),
    "inconsistent": (404, "18", "Inconsistent Request"),
    "unsupported": (405, "00", "Requested Function Is Not Supported"),
    "conflict": (409, "00", "Conflict"),
    "too_many": (429, "00", "Too Many Requests"),
    "error": (500, "00", "General Error"),
    "unavailable": (503, "00", "Service Unavailable"),
    "timeout": (504, "00", "Timeout"),
}
# fault name: case name
REFUSALS = {
    "error_500": "error", "error_503": "unavailable", "error_504": "timeout",
    "error_in_200": "error", "insufficient_funds": "insufficient_funds",
    "too_many": "too_many", "token_expired": "token_invalid",
}
STATUS_TEXT = {
    "00": "Success", "01": "Initiated", "02": "Paying", "03": "Pending",
    "04": "Refunded", "05": "Cancelled", "06": "Failed", "07": "Not Found",
}


class Plan:
    """What follows a payment: when and how it ends, and its notifications."""

    def __init__(self, status, settles=True, notices=1, debits=True):
        self.status = status
        self.settles = settles
        self.notices = notices
        self.debits = debits


PLANS = {
    "plain": Plan("00"),
    "pending_first": Plan("00"),
    "duplicate_notification": Plan("00", notices=2),
    "late_notification": Plan("00"),
    "early_notification": Plan("00"),
    "no_notification": Plan("00", settles=False, notices=0),
    "payment_fails": Plan("06", debits=False),
    "stays_pending": Plan("03", settles=False, notices=0, debits=False),
}


def symmetric(secret, method, path, token, body, timestamp):
    """X-SIGNATURE of a call: base64 HMAC-SHA512; `body` as it was sent."""
    digest = hashlib.sha256(wire.minify(body)).hexdigest()
    text = f"{method}:{path}:{token}:{digest}:{timestamp}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(),
        hashlib.sha512).digest()).decode()


class Refusal(Exception):
    """SNAP says no: a case of CASES and what its message names."""

    def __init__(self, case, what=""):
        super().__init__(case)
        self.case = case
        self.what = what


class Snap:
    """One provider's direct debit. `config` gives its client and keys."""

    def __init__(self, provider, config, state, faults_asked, notifier):
        self.provider = provider
        self.client_id = config[f"{provider}_snap_client_id"]
        self.secret = config[f"{provider}_snap_client_secret"]
        self.partner_key = config[f"{provider}_partner_key"]
        self.config = config
        self.scheme = provider + "-snap"
        self.state = state
        self.faults = faults_asked
        self.notifier = notifier
        self.routes = {
            "/v1.0/access-token/b2b": ("73", self.token),
            "/v1.0/debit/payment-host-to-host": ("54", self.pay),
            "/v1.0/debit/status": ("55", self.status),
            "/v1.0/debit/cancel": ("57", self.cancel),
            "/v1.0/debit/refund": ("58", self.refund),
        }

    def handle(self, request):
        """Answer any path under the provider's base."""
        path = request.path[len(self.scheme) + 1:]
        service, call = self.routes.get(path, ("00", None))
        try:
            if call is None:
                raise Refusal("not_found")
            if request.method != "POST":
                raise Refusal("unsupported")
            kind = request.headers.get("content-type", "").partition(";")[0]
            if kind.strip().lower() != "application/json":
                raise Refusal("bad_request")
            return call(request, path, service)
        except Refusal as refusal:
            return say(service, refusal.case, refusal.what)

    def run(self, request, service, call, act, phone=None, reference=None):
        """Act plainly, or under the fault that strikes this call."""
        try:
            fault = self.faults.find(request, self.provider, call, phone,
                reference)
        except ValueError as bad:
            raise Refusal("format", "X-Sandbox-Fault") from bad
        if fault is None:
            return act(None)
        return faults.suffer(fault, act, lambda struck:
            self.refuse(request, service, struck))

    def refuse(self, request, service, fault):
        """SNAP's own words for a refusal asked for by a fault."""
        if fault.name == "token_expired":
            token = request.headers.get("authorization", "")[7:]
            self.state.record("revoke", token)
        answer = say(service, REFUSALS[fault.name])
        if fault.name == "error_in_200":
            answer.status = 200
        return answer

    # -- who is calling ---------------------------------------------------

    def stamp(self, request):
        """X-TIMESTAMP, within the window."""
        text = request.headers.get("x-timestamp")
        if not text:
            raise Refusal("mandatory", "X-TIMESTAMP")
        seconds = wire.jakarta_seconds(text)
        if seconds is None:
            raise Refusal("format", "X-TIMESTAMP")
        if abs(seconds - time.time()) > WINDOW_SECONDS:
            raise Refusal("unauthorized", "X-TIMESTAMP")
        return text

    def token(self, request, _path, service):
        """Service 73: a signature made with the partner's private key."""
        headers = request.headers
        for name in ("X-CLIENT-KEY", "X-SIGNATURE"):
            if not headers.get(name.lower()):
                raise Refusal("mandatory", name)
        stamp = self.stamp(request)
        if headers["x-client-key"] != self.client_id:
            raise Refusal("unauthorized", "Unknown client")
        try:
            signed = base64.b64decode(headers["x-signature"], validate=True)
            self.partner_key.verify(signed,
                f"{self.client_id}|{stamp}".encode(), padding.PKCS1v15(),
                hashes.SHA256())
        except (InvalidSignature, binascii.Error) as bad:
            raise Refusal("unauthorized", "Signature") from bad
        body = read_body(request)
        if "grantType" not in body:
            raise Refusal("mandatory", "grantType")
        if body["grantType"] != "client_credentials":
            raise Refusal("format", "grantType")

        def act(_fault):
            lifetime = self.config["snap_token_seconds"]
            token = self.state.token_new(self.scheme, lifetime)
            return say(service, "ok", accessToken=token, tokenType="Bearer",
                expiresIn=str(lifetime))
        return self.run(request, service, "token", act)

    def caller(self, request, path):
        """Check every header of a call, in the order of the standard."""
        headers = request.headers
        for name in ("X-SIGNATURE", "X-PARTNER-ID", "X-EXTERNAL-ID",
                "CHANNEL-ID"):
            if not headers.get(name.lower()):
                raise Refusal("mandatory", name)
        stamp = self.stamp(request)
        if not EXTERNAL.fullmatch(headers["x-external-id"]):
            raise Refusal("format", "X-EXTERNAL-ID")
        if not CHANNEL.fullmatch(headers["channel-id"]):
            raise Refusal("format", "CHANNEL-ID")
        bearer = headers.get("authorization", "")
        if not bearer.startswith("Bearer "):
            raise Refusal("token_missing")
        token = bearer[7:]
        if not self.state.token_valid(self.scheme, token):
            raise Refusal("token_invalid")
        if headers["x-partner-id"] != self.client_id:
            raise Refusal("unauthorized", "Unknown partner")
        wanted = symmetric(self.secret, "POST", path, token, request.body,
            stamp)
        if not hmac.compare_digest(wanted.encode(),
                headers["x-signature"].encode()):
            raise Refusal("unauthorized", "Signature")
        day = wire.jakarta_text()[:10]
        if self.state.external_taken(self.provider, day,
                headers["x-external-id"]):
            raise Refusal("conflict")

    # -- paying -----------------------------------------------------------

    def pay(self, request, path, service):
        """Service 54."""
        self.caller(request, path)
        body = read_body(request)
        reference = read_text(body, "partnerReferenceNo")
        amount = read_amount(body, "amount")
        extra = body.get("additionalInfo")
        if not isinstance(extra, dict) or "phoneNo" not in extra:
            raise Refusal("mandatory", "additionalInfo.phoneNo")
        phone = wire.phone_national(extra["phoneNo"])
        if phone is None:
            raise Refusal("format", "additionalInfo.phoneNo")
        fingerprint = hashlib.sha256(wire.minify(request.body)).hexdigest()
        external = request.headers["x-external-id"]
        return self.run(request, service, "pay", lambda fault: self.pay_act(
            fault, reference, fingerprint, phone, amount, external), phone,
            reference)

    def pay_act(self, fault, reference, fingerprint, phone, amount, external):
        """Debit the wallet once; the outcome is told by notification."""
        known = self.state.operation(self.provider, "pay", reference)
        if known is not None:
            return self.pay_again(known, fingerprint)
        name = fault.name if fault is not None else "plain"
        plan = PLANS[name]
        operation = self.state.operation_new(self.provider, "pay", reference,
            fingerprint, phone, amount, plan=name, external=external,
            notices=plan.notices, acknowledged=0, finished=0,
            wait=fault.arg if fault is not None else 0)
        if name == "duplicate_notification":
            operation["notices"] = max(1, int(fault.arg))
        if self.state.balance(self.provider, phone) < amount:
            self.state.operation_keep(operation, status="06", notices=0,
                refused=True)
            return say("54", "insufficient_funds")
        status = "02" if plan.status != "03" else "03"
        operation = self.state.operation_keep(operation,
            -amount if plan.debits else 0, status=status)
        answer = self.pay_answer(operation)
        if name == "early_notification":
            return self.notifier.settle_first(operation, answer)
        if plan.settles:
            self.notifier.settle_soon(operation)
        return answer

    def pay_again(self, known, fingerprint):
        """The same reference: the same answer, or how it ended meanwhile."""
        if known["fingerprint"] != fingerprint:
            return say("54", "inconsistent")
        known = self.state.operation_keep(known,
            attempts=known["attempts"] + 1)
        if known.get("refused"):
            return say("54", "insufficient_funds")
        if known["status"] == "06":
            return say("54", "not_honored")
        if known["status"] == "05":
            return say("54", "wrong_status")
        return self.pay_answer(known)

    def pay_answer(self, operation):
        case = "ok" if operation["status"] in ("00", "04") else "in_progress"
        return say("54", case, referenceNo=operation["id"],
            partnerReferenceNo=operation["reference"])

    # -- afterwards -------------------------------------------------------

    def original(self, body):
        """The payment a later call is about; its refund total beside it."""
        reference = read_text(body, "originalPartnerReferenceNo")
        known = self.state.operation(self.provider, "pay", reference)
        number = body.get("originalReferenceNo")
        if known is None or number not in (None, "", known["id"]):
            raise Refusal("not_found")
        return self.original_now(reference)

    def original_now(self, reference):
        """A known payment and its refund total in sen, as they stand."""
        return (self.state.operation(self.provider, "pay", reference),
            self.state.refunds.get((self.provider, reference), 0))

    def status(self, request, path, service):
        """Service 55."""
        self.caller(request, path)
        body = read_body(request)
        if read_text(body, "serviceCode") != "54":
            raise Refusal("format", "serviceCode")
        reference = self.original(body)[0]["reference"]

        def act(_fault):
            known, refunded = self.original_now(reference)
            if known["plan"] == "no_notification" and known["status"] == "02":
                known = self.state.operation_keep(known, status="00",
                    finished=int(time.time()))
            status = "04" if refunded == known["amount"] else known["status"]
            more = {"paidTime": wire.jakarta_text(known["finished"])} \
                if known["status"] == "00" else {}
            return say(service, "ok", originalReferenceNo=known["id"],
                originalPartnerReferenceNo=known["reference"],
                originalExternalId=known["external"], serviceCode="54",
                latestTransactionStatus=status,
                transactionStatusDesc=STATUS_TEXT[status],
                transAmount=money(known["amount"]),
                amount=money(known["amount"]), **more)
        phone = self.original_now(reference)[0]["phone"]
        return self.run(request, service, "status", act, phone, reference)

    def cancel(self, request, path, service):
        """Service 57: gives the whole amount back; twice is once."""
        self.caller(request, path)
        known, _ = self.original(read_body(request))

        def act(_fault):
            # Looked at again: a fault may have let time pass.
            now, refunded = self.original_now(known["reference"])
            if refunded or now["status"] == "06":
                return say(service, "wrong_status")
            if now["status"] != "05":
                taken = PLANS[now["plan"]].debits
                self.state.operation_keep(now,
                    now["amount"] if taken else 0, status="05", notices=0)
            return say(service, "ok", originalReferenceNo=now["id"],
                originalPartnerReferenceNo=now["reference"],
                cancelTime=wire.jakarta_text())
        return self.run(request, service, "cancel", act, known["phone"],
            known["reference"])

    def refund(self, request, path, service):
        """Service 58: gives part or all back, once per partnerRefundNo."""
        self.caller(request, path)
        body = read_body(request)
        reference = read_text(body, "partnerRefundNo")
        amount = read_amount(body, "refundAmount")
        known, _ = self.original(body)
        fingerprint = f"{known['reference']}|{amount}"

        def act(_fault):
            now, refunded = self.original_now(known["reference"])
            kept = self.state.operation(self.provider, "refund", reference)
            if kept is not None and kept["fingerprint"] != fingerprint:
                return say(service, "inconsistent")
            if kept is None and now["status"] != "00":
                return say(service, "wrong_status")
            if kept is None and amount > now["amount"] - refunded:
                return say(service, "amount")
            if kept is None:
                kept = self.state.operation_new(self.provider, "refund",
                    reference, fingerprint, now["phone"], amount,
                    original=now["reference"])
                kept = self.state.operation_keep(kept, amount, status="00")
            return say(service, "ok", originalReferenceNo=now["id"],
                originalPartnerReferenceNo=now["reference"],
                refundNo=kept["id"], partnerRefundNo=reference,
                refundAmount=money(amount),
                refundTime=wire.jakarta_text(kept["created"]))
        return self.run(request, service, "refund", act, known["phone"],
            reference)


def read_body(request):
    try:
        return wire.parse(request.body)
    except ValueError as bad:
        raise Refusal("bad_request") from bad


def read_text(body, name):
    """A mandatory string of 1 to 64 printable characters."""
    if body.get(name) in (None, ""):
        raise Refusal("mandatory", name)
    if not isinstance(body[name], str) or not REFERENCE.fullmatch(body[name]):
        raise Refusal("format", name)
    return body[name]


def read_amount(body, name):
    """A mandatory {value, currency} -> sen, more than nothing."""
    amount = body.get(name)
    if amount is None:
        raise Refusal("mandatory", name)
    if not isinstance(amount, dict) or set(amount) != {"value", "currency"}:
        raise Refusal("format", name)
    sen = wire.value_sen(amount["value"])
    if not sen:
        raise Refusal("format", name + ".value")
    if amount["currency"] != "IDR":
        raise Refusal("format", name + ".currency")
    return sen


def money(sen):
    return {"value": wire.sen_text(sen), "currency": "IDR"}


def say(service, case, what="", **fields):
    """An answer of this service: status, code and message of the case."""
    status, code, message = CASES[case]
    headers = [("X-TIMESTAMP", wire.jakarta_text())]
    if status in (429, 503):
        headers.append(("Retry-After", "1"))
    return Answer(status, wire.dump({
        "responseCode": f"{status}{service}{code}",
        "responseMessage": message.format(what), **fields}).encode(), headers)
