"""ShopeePay's wallet interface: authentication, balance, top-up.

  POST /shopeepay/authentication    signed form -> bearer token
  POST /shopeepay/account/balance   what a wallet holds
  POST /shopeepay/wallet/topup      puts money into a wallet, once per request_id

Each error is {success:false, error_code, error_message, timestamp}. Amounts
are whole rupiah. Direct debit is in snap.py.
"""
import hashlib
import hmac
import re
import time
import urllib.parse

import faults
import wire
from http_server import Answer

TOPUP_MIN = 10_000
TOPUP_MAX = 10_000_000_000_000
WINDOW_SECONDS = 300
SOURCES = ("BANK_ACCOUNT", "CREDIT_CARD", "VIRTUAL_ACCOUNT")
USER = re.compile(r"897((?:0|62)8[0-9]{8,11})")
FORM = ("merchant_id", "api_key", "signature", "timestamp")

REFUSALS = {
    "error_500": (500, "SYSTEM_ERROR", "Internal server error"),
    "error_503": (503, "SERVICE_UNAVAILABLE", "Service unavailable"),
    "error_504": (504, "TIMEOUT", "No answer in time"),
    "error_in_200": (200, "SYSTEM_ERROR", "The request was not processed"),
    "insufficient_funds": (402, "INSUFFICIENT_BALANCE",
        "The merchant balance is not enough"),
    "too_many": (429, "TOO_MANY_REQUESTS", "Rate limit exceeded"),
    "token_expired": (401, "TOKEN_EXPIRED", "The token has expired"),
}


def signature(merchant_id, timestamp, api_key):
    """Lower-case hex HMAC-SHA256 over merchant_id + timestamp."""
    return hmac.new(api_key.encode(), (merchant_id + timestamp).encode(),
        hashlib.sha256).hexdigest()


class Refusal(Exception):
    """ShopeePay says no: HTTP status, its error code and its sentence."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status = status
        self.code = code

    def answer(self):
        headers = [("Retry-After", "1")] if self.status in (429, 503) else []
        return Answer(self.status, wire.dump({"success": False,
            "error_code": self.code, "error_message": str(self),
            "timestamp": int(time.time())}).encode(), headers)


def invalid(message):
    return Refusal(400, "INVALID_REQUEST", message)


class ShopeePay:
    """`config` gives merchant_id, api_key and the token lifetime."""

    def __init__(self, config, state, faults_asked):
        self.config = config
        self.state = state
        self.faults = faults_asked
        self.routes = {
            "/shopeepay/authentication": self.authentication,
            "/shopeepay/account/balance": self.balance,
            "/shopeepay/wallet/topup": self.topup,
        }

    def handle(self, request):
        """Answer any path under /shopeepay/."""
        try:
            call = self.routes.get(request.path)
            if call is None:
                raise Refusal(404, "NOT_FOUND", "No such resource")
            if request.method != "POST":
                raise Refusal(405, "METHOD_NOT_ALLOWED", "Use POST")
            return call(request)
        except Refusal as refusal:
            return refusal.answer()

    def run(self, request, call, act, phone=None, reference=None):
        """Act plainly, or under the fault that strikes this call."""
        try:
            fault = self.faults.find(request, "shopeepay", call, phone,
                reference)
        except ValueError as bad:
            raise invalid(str(bad)) from bad
        if fault is None:
            return act(None)
        return faults.suffer(fault, act, lambda struck:
            self.refuse(request, struck))

    def refuse(self, request, fault):
        """ShopeePay's own words for a refusal asked for by a fault."""
        if fault.name == "token_expired":
            token = request.headers.get("authorization", "")[7:]
            self.state.record("revoke", token)
        return Refusal(*REFUSALS[fault.name]).answer()

    def media(self, request, wanted):
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind.strip().lower() != wanted:
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Send {wanted}")

    def authentication(self, request):
        self.media(request, "application/x-www-form-urlencoded")
        form = urllib.parse.parse_qs(request.body.decode("latin-1"),
            keep_blank_values=True)
        if set(form) != set(FORM) or any(len(v) != 1 for v in form.values()):
            raise invalid(f"{', '.join(FORM)} are required, once each")
        merchant, key, signed, stamp = (form[name][0] for name in FORM)
        if not re.fullmatch(r"[0-9]{1,12}", stamp):
            raise invalid("timestamp is Unix seconds")
        if abs(int(stamp) - time.time()) > WINDOW_SECONDS:
            raise Refusal(401, "AUTH_FAILED", "The timestamp is too far off")
        wanted = signature(self.config["shopeepay_merchant_id"], stamp,
            self.config["shopeepay_api_key"])
        good = hmac.compare_digest(merchant.encode(),
            self.config["shopeepay_merchant_id"].encode())
        good &= hmac.compare_digest(key.encode(),
            self.config["shopeepay_api_key"].encode())
        good &= hmac.compare_digest(signed.encode(), wanted.encode())
        if not good:
            raise Refusal(401, "AUTH_FAILED",
                "Merchant, key or signature is wrong")

        def act(_fault):
            lifetime = self.config["shopeepay_token_seconds"]
            return ok({"success": True,
                "token": self.state.token_new("shopeepay", lifetime),
                "valid_until": int(time.time()) + lifetime,
                "merchant_info": {"merchant_id": merchant,
                    "merchant_name": "One Gate"}})
        return self.run(request, "token", act)

    def bearer(self, request):
        """Refuse a call without a token that is valid now."""
        text = request.headers.get("authorization", "")
        if not text.startswith("Bearer "):
            raise Refusal(401, "AUTH_FAILED", "The token is missing")
        if not self.state.token_valid("shopeepay", text[7:]):
            raise Refusal(401, "TOKEN_EXPIRED",
                "The token is unknown or has expired")

    def body(self, request, required, optional):
        """The JSON object of a call, with no field missing or unknown."""
        self.media(request, "application/json")
        try:
            body = wire.parse(request.body)
        except ValueError as bad:
            raise invalid("The body is not a JSON object") from bad
        missing = required - set(body)
        unknown = set(body) - required - optional
        if missing or unknown:
            raise invalid("; ".join(
                [f"{name} is missing" for name in sorted(missing)]
                + [f"{name} is not known" for name in sorted(unknown)]))
        reference = body["request_id"]
        if not isinstance(reference, str) or not 1 <= len(reference) <= 64:
            raise invalid("request_id is 1 to 64 characters")
        user = body["user_id"]
        match = USER.fullmatch(user) if isinstance(user, str) else None
        if match is None:
            raise Refusal(404, "USER_NOT_FOUND", "The user does not exist")
        return body, reference, wire.phone_national(match.group(1))

    def balance(self, request):
        self.bearer(request)
        body, reference, phone = self.body(request,
            {"user_id", "request_id"}, {"include_details"})
        if type(body.get("include_details", False)) is not bool:
            raise invalid("include_details is true or false")

        def act(_fault):
            sen = self.state.balance("shopeepay", phone)
            return ok({"result": "SUCCESS", "request_id": reference,
                "balance_info": {"user_id": body["user_id"],
                    "available_balance": sen // 100, "pending_balance": 0,
                    "currency_code": "IDR",
                    "last_transaction_date": wire.utc_text()}})
        return self.run(request, "balance", act, phone)

    def topup(self, request):
        self.bearer(request)
        body, reference, phone = self.body(request,
            {"user_id", "topup_amount", "source_type", "source_details",
             "request_id"}, {"callback_url"})
        amount = body["topup_amount"]
        if type(amount) is not int or not TOPUP_MIN <= amount <= TOPUP_MAX:
            raise Refusal(400, "INVALID_AMOUNT",
                "topup_amount is whole rupiah, at least 10000")
        if body["source_type"] not in SOURCES:
            raise invalid("source_type is not known")
        source = body["source_details"]
        if not isinstance(source, dict) \
                or set(source) != {"bank_code", "account_number"} \
                or not all(isinstance(v, str) and v for v in source.values()):
            raise invalid("source_details needs bank_code, account_number")
        if not isinstance(body.get("callback_url", ""), str):
            raise invalid("callback_url is a URL")
        fingerprint = wire.dump({name: body[name] for name in sorted(body)})
        return self.run(request, "topup", lambda fault: self.topup_act(fault,
            reference, fingerprint, body["user_id"], phone, amount), phone,
            reference)

    def topup_act(self, fault, reference, fingerprint, user, phone, amount):
        """Credit the wallet once; a repeat is told where it stands now."""
        known = self.state.operation("shopeepay", "topup", reference)
        if known is None:
            plan = fault.name if fault is not None else "plain"
            known = self.state.operation_new("shopeepay", "topup", reference,
                fingerprint, phone, amount * 100, plan=plan,
                status="PENDING")
            if plan in PLANS_PENDING:
                self.state.operation_keep(known)
            else:
                known = self.state.operation_keep(known, amount * 100,
                    status="SUCCESS")
        elif known["fingerprint"] != fingerprint:
            return Refusal(409, "DUPLICATE_REQUEST",
                "request_id was used for another request").answer()
        else:
            known = self.topup_again(known)
        return ok({"result": "SUCCESS", "request_id": reference,
            "topup_details": {"transaction_id": "SP" + known["id"],
                "user_id": user, "amount": amount,
                "status": known["status"],
                "created_at": wire.utc_text(known["created"])}})

    def topup_again(self, known):
        """A repeat settles what was planned to be pending at first."""
        status, delta = known["status"], 0
        if status == "PENDING":
            status, credited = PLANS_PENDING[known["plan"]]
            delta = known["amount"] if credited else 0
        return self.state.operation_keep(known, delta, status=status,
            attempts=known["attempts"] + 1)


# Plans that answer PENDING at first: (status for a repeat, wallet credited).
PLANS_PENDING = {
    "pending_first": ("SUCCESS", True),
    "no_notification": ("SUCCESS", True),
    "payment_fails": ("FAILED", False),
    "stays_pending": ("PENDING", False),
}


def ok(value):
    return Answer(200, wire.dump(value).encode())
