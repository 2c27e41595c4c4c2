"""GoPay's wallet interface: token, balance, top-up.

  POST /gopay/auth/token        client id and secret -> bearer token
  GET  /gopay/wallet/balance    what a wallet holds
  POST /gopay/wallet/topup      puts money into a wallet, once per reference_id

Each error is {error, error_description, status_code}. Direct debit, which
takes money out of the wallet, is in snap.py.
"""
import hmac
import re
import urllib.parse

import faults
import wire
from http_server import Answer
from wire import Number

TOPUP_MIN_SEN = 10_000 * 100
TOPUP_MAX_SEN = 10_000_000_000_000 * 100
METHODS = ("bank_transfer", "credit_card", "debit_card")
WALLET = re.compile(r"898((?:0|62)8[0-9]{8,11})")
SCOPES = {"payment:read", "payment:write"}

REFUSALS = {
    "error_500": (500, "internal_error", "Internal server error"),
    "error_503": (503, "service_unavailable", "Service unavailable"),
    "error_504": (504, "gateway_timeout", "No answer in time"),
    "error_in_200": (200, "internal_error", "The request was not processed"),
    "insufficient_funds": (402, "insufficient_balance",
        "The partner balance is not enough"),
    "too_many": (429, "too_many_requests", "Rate limit exceeded"),
    "token_expired": (401, "invalid_token", "The access token has expired"),
}


class Refusal(Exception):
    """GoPay says no: HTTP status, its error word and its sentence."""

    def __init__(self, status, error, description):
        super().__init__(description)
        self.status = status
        self.error = error

    def answer(self):
        headers = [("Retry-After", "1")] if self.status in (429, 503) else []
        return Answer(self.status, wire.dump({"error": self.error,
            "error_description": str(self),
            "status_code": self.status}).encode(), headers)


def invalid(description):
    return Refusal(400, "invalid_request", description)


class GoPay:
    """`config` gives client_id and client_secret and the token lifetime."""

    def __init__(self, config, state, faults_asked):
        self.config = config
        self.state = state
        self.faults = faults_asked
        self.routes = {
            "/gopay/auth/token": ("POST", self.token),
            "/gopay/wallet/balance": ("GET", self.balance),
            "/gopay/wallet/topup": ("POST", self.topup),
        }

    def handle(self, request):
        """Answer any path under /gopay/."""
        try:
            method, call = self.routes.get(request.path, (None, None))
            if call is None:
                raise Refusal(404, "not_found", "No such resource")
            if request.method != method:
                raise Refusal(405, "method_not_allowed", f"Use {method}")
            return call(request)
        except Refusal as refusal:
            return refusal.answer()

    def run(self, request, call, act, phone=None, reference=None):
        """Act plainly, or under the fault that strikes this call."""
        try:
            fault = self.faults.find(request, "gopay", call, phone, reference)
        except ValueError as bad:
            raise invalid(str(bad)) from bad
        if fault is None:
            return act(None)
        return faults.suffer(fault, act, lambda struck:
            self.refuse(request, struck))

    def refuse(self, request, fault):
        """GoPay's own words for a refusal asked for by a fault."""
        if fault.name == "token_expired":
            token = request.headers.get("authorization", "")[7:]
            self.state.record("revoke", token)
        return Refusal(*REFUSALS[fault.name]).answer()

    def body(self, request):
        """The JSON object of a POST."""
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind.strip().lower() != "application/json":
            raise Refusal(415, "unsupported_media_type", "Send JSON")
        try:
            return wire.parse(request.body)
        except ValueError as bad:
            raise invalid("The body is not a JSON object") from bad

    def bearer(self, request):
        """Refuse a call without a token that is valid now."""
        text = request.headers.get("authorization", "")
        if not text.startswith("Bearer "):
            raise Refusal(401, "invalid_token", "The access token is missing")
        if not self.state.token_valid("gopay", text[7:]):
            raise Refusal(401, "invalid_token",
                "The access token is unknown or has expired")

    def token(self, request):
        body = self.body(request)
        for name in ("client_id", "client_secret", "grant_type"):
            if not isinstance(body.get(name), str):
                raise invalid(f"{name} is missing")
        if body["grant_type"] != "client_credentials":
            raise Refusal(400, "unsupported_grant_type",
                "Only client_credentials is supported")
        scope = body.get("scope", "payment:read payment:write")
        if not isinstance(scope, str) or not scope.split() \
                or not set(scope.split()) <= SCOPES:
            raise Refusal(400, "invalid_scope", "The scope is not known")
        known = hmac.compare_digest(body["client_id"].encode(),
            self.config["gopay_client_id"].encode())
        known &= hmac.compare_digest(body["client_secret"].encode(),
            self.config["gopay_client_secret"].encode())
        if not known:
            raise Refusal(401, "invalid_client",
                "Client authentication failed")

        def act(_fault):
            lifetime = self.config["gopay_token_seconds"]
            return ok({
                "access_token": self.state.token_new("gopay", lifetime),
                "token_type": "Bearer", "expires_in": lifetime,
                "scope": scope})
        return self.run(request, "token", act)

    def balance(self, request):
        self.bearer(request)
        query = urllib.parse.parse_qs(request.query, keep_blank_values=True)
        if set(query) != {"wallet_id"} or len(query["wallet_id"]) != 1:
            raise invalid("wallet_id is required, once, and nothing else")
        wallet, phone = self.wallet(query["wallet_id"][0])

        def act(_fault):
            sen = self.state.balance("gopay", phone)
            return ok({"status": "success", "data": {
                "wallet_id": wallet, "balance": Number(wire.sen_text(sen)),
                "currency": "IDR", "last_updated": wire.utc_text()}})
        return self.run(request, "balance", act, phone)

    def wallet(self, text):
        """wallet_id -> (wallet_id, phone)."""
        match = WALLET.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise Refusal(404, "wallet_not_found", "The wallet does not exist")
        return text, wire.phone_national(match.group(1))

    def topup(self, request):
        self.bearer(request)
        body = self.body(request)
        if set(body) != {"wallet_id", "amount", "payment_method",
                "reference_id"}:
            raise invalid("wallet_id, amount, payment_method and "
                "reference_id are required, and nothing else")
        reference = body["reference_id"]
        if not isinstance(reference, str) or not 1 <= len(reference) <= 64:
            raise invalid("reference_id is 1 to 64 characters")
        amount = wire.number_sen(body["amount"])
        if amount is None or amount > TOPUP_MAX_SEN:
            raise Refusal(400, "invalid_amount", "amount is not an amount")
        if amount < TOPUP_MIN_SEN:
            raise Refusal(400, "invalid_amount", "amount is at least 10000")
        if body["payment_method"] not in METHODS:
            raise Refusal(400, "invalid_payment_method",
                "payment_method is not known")
        wallet, phone = self.wallet(body["wallet_id"])
        fingerprint = f"{wallet}|{amount}|{body['payment_method']}"
        return self.run(request, "topup", lambda fault: self.topup_act(
            reference, fingerprint, wallet, phone, amount), phone, reference)

    def topup_act(self, reference, fingerprint, wallet, phone, amount):
        """Credit the wallet once; a repeat gets the first answer again."""
        known = self.state.operation("gopay", "topup", reference)
        if known is not None:
            if known["fingerprint"] != fingerprint:
                return Refusal(409, "duplicate_reference",
                    "reference_id was used for another request").answer()
            self.state.operation_keep(known, attempts=known["attempts"] + 1)
            return Answer(200, known["answer"].encode())
        operation = self.state.operation_new("gopay", "topup", reference,
            fingerprint, phone, amount)
        after = self.state.balance("gopay", phone) + amount
        answer = wire.dump({
            "status": "success", "transaction_id": "GP" + operation["id"],
            "wallet_id": wallet, "amount": Number(wire.sen_text(amount)),
            "new_balance": Number(wire.sen_text(after)),
            "transaction_time": wire.utc_text()})
        self.state.operation_keep(operation, amount, answer=answer,
            status="SUCCESS")
        return Answer(200, answer.encode())


def ok(value):
    return Answer(200, wire.dump(value).encode())
