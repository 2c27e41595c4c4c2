"""Does the provider sandbox speak as providers do, refuse what they refuse,
pay once, and misbehave when asked?

Each test has its own phones and references, so all share one sandbox; those
that kill it start their own.
"""
import base64
import hashlib
import hmac
import http.client
import http.server
import itertools
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import shopeepay  # noqa: E402
import snap  # noqa: E402
import wire  # noqa: E402

CREDENTIALS = {
    "ONEGATE_GOPAY_CLIENT_ID": "gopay-id",
    "ONEGATE_GOPAY_CLIENT_SECRET": "gopay-secret",
    "ONEGATE_SHOPEEPAY_MERCHANT_ID": "merchant-1",
    "ONEGATE_SHOPEEPAY_API_KEY": "shopee-key",
    "ONEGATE_GOPAY_SNAP_CLIENT_ID": "gopay-snap",
    "ONEGATE_GOPAY_SNAP_CLIENT_SECRET": "gopay-snap-secret",
    "ONEGATE_SHOPEEPAY_SNAP_CLIENT_ID": "shopeepay-snap",
    "ONEGATE_SHOPEEPAY_SNAP_CLIENT_SECRET": "shopeepay-snap-secret",
}
SNAP = {"gopay": "gopay-snap", "shopeepay": "shopeepay-snap"}
PAY = "/v1.0/debit/payment-host-to-host"
WAIT_SECONDS = 10
numbers = itertools.count(10_000)
externals = itertools.count(1)


def phone_new(suffix=None):
    """A phone nobody used; with a suffix, one that asks for that fault."""
    number = next(numbers)
    if suffix is None:
        return f"0812{number:05d}0000"
    return f"0812{number % 1000:03d}99{suffix}"


def until(condition, seconds=WAIT_SECONDS):
    """Poll until the condition holds and give its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("the condition never held")


class Keys:
    """The partner's and the providers' RSA keys, as files."""

    def __init__(self, folder):
        self.partner = self.make(folder / "partner")
        self.provider = {name: self.make(folder / name) for name in SNAP}
        self.folder = folder

    def make(self, path):
        key = rsa.generate_private_key(65537, 2048)
        path.with_suffix(".pem").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        path.with_suffix(".pub.pem").write_bytes(key.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo))
        return key


class Sandbox:
    """A sandbox process of this test, ended in close()."""

    def __init__(self, keys, notify_url="", state=None, port=0,
            arguments=()):
        self.keys = keys
        environment = {**CREDENTIALS, "PATH": os.environ["PATH"],
            "ONEGATE_SANDBOX_GOPAY_PRIVATE_KEY_FILE":
                str(keys.folder / "gopay.pem"),
            "ONEGATE_SANDBOX_SHOPEEPAY_PRIVATE_KEY_FILE":
                str(keys.folder / "shopeepay.pem"),
            "ONEGATE_SANDBOX_PARTNER_PUBLIC_KEY_FILE":
                str(keys.folder / "partner.pub.pem"),
            "ONEGATE_SANDBOX_NOTIFY_URL": notify_url}
        arguments = ["/usr/bin/python3", str(HERE / "sandbox.py"),
            "--port", str(port), "--env", "development", *arguments]
        if state:
            arguments += ["--state", str(state)]
        self.process = subprocess.Popen(arguments, env=environment,
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("sandbox: http"), line
        self.port = int(line.split(":")[3].split(" ")[0])
        self.snap_tokens = {}

    def close(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(WAIT_SECONDS)
        self.process.stdout.close()

    def call(self, method, path, body=None, headers=(), timeout=WAIT_SECONDS):
        """One exchange -> (status, parsed body or bytes, headers)."""
        headers = dict(headers)
        if isinstance(body, dict):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
            timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            raw = answer.read()
            try:
                value = json.loads(raw)
            except ValueError:
                value = raw
            return answer.status, value, answer.headers
        finally:
            connection.close()

    def ok(self, *arguments, **more):
        status, value, _ = self.call(*arguments, **more)
        assert status == 200, value
        return value

    def operations(self, reference):
        return self.ok("GET",
            "/sandbox/state?reference=" + reference)["operations"]

    def balance(self, provider, phone):
        state = self.ok("GET", "/sandbox/state?phone=" + phone)
        return state["wallets"][provider][phone]["balance"]

    # -- GoPay and ShopeePay as a good partner speaks to them ---------------

    def gopay_token(self):
        return self.ok("POST", "/gopay/auth/token", {
            "client_id": "gopay-id", "client_secret": "gopay-secret",
            "grant_type": "client_credentials"})["access_token"]

    def gopay_topup(self, phone, amount, reference, token=None, headers=(),
            **more):
        return self.call("POST", "/gopay/wallet/topup", {
            "wallet_id": "898" + phone, "amount": amount,
            "payment_method": "bank_transfer", "reference_id": reference},
            {**bearer(token or self.gopay_token()), **dict(headers)}, **more)

    def shopee_form(self, stamp=None, **changed):
        stamp = str(int(time.time())) if stamp is None else stamp
        return {"merchant_id": "merchant-1", "api_key": "shopee-key",
            "timestamp": stamp, "signature": hmac.new(b"shopee-key",
                b"merchant-1" + stamp.encode(), hashlib.sha256).hexdigest(),
            **changed}

    def shopee_login(self, form):
        return self.call("POST", "/shopeepay/authentication",
            urllib.parse.urlencode(form),
            {"Content-Type": "application/x-www-form-urlencoded"})

    def shopee_token(self):
        return self.shopee_login(self.shopee_form())[1]["token"]

    def shopee_topup(self, phone, amount, reference, token=None, **more):
        return self.call("POST", "/shopeepay/wallet/topup", {
            "user_id": "897" + phone, "topup_amount": amount,
            "source_type": "BANK_ACCOUNT", "source_details": {
                "bank_code": "014", "account_number": "1234567890"},
            "request_id": reference},
            bearer(token or self.shopee_token()), **more)

    # -- SNAP ---------------------------------------------------------------

    def snap_token(self, provider="gopay", **changed):
        stamp = changed.pop("stamp", wire.jakarta_text())
        client = changed.pop("client", SNAP[provider])
        text = f"{client}|{stamp}".encode()
        headers = {"X-TIMESTAMP": stamp, "X-CLIENT-KEY": client,
            "X-SIGNATURE": base64.b64encode(self.keys.partner.sign(text,
                padding.PKCS1v15(), hashes.SHA256())).decode(),
            "Content-Type": "application/json", **changed.pop("headers", {})}
        body = changed.pop("body", '{"grantType":"client_credentials"}')
        assert not changed
        return self.call("POST", f"/{provider}-snap/v1.0/access-token/b2b",
            body, {name: value for name, value in headers.items()
                if value is not None})

    def snap(self, path, body, provider="gopay", token=None, stamp=None,
            secret=None, headers=(), timeout=WAIT_SECONDS):
        """A signed call; `headers` are set after signing, None drops one."""
        raw = body if isinstance(body, str) else json.dumps(body)
        if token is None:
            if provider not in self.snap_tokens:
                self.snap_tokens[provider] = \
                    self.snap_token(provider)[1]["accessToken"]
            token = self.snap_tokens[provider]
        stamp = stamp or wire.jakarta_text()
        secret = secret or SNAP[provider] + "-secret"
        every = {"Content-Type": "application/json",
            "Authorization": "Bearer " + token, "X-TIMESTAMP": stamp,
            "X-PARTNER-ID": SNAP[provider],
            "X-EXTERNAL-ID": f"{os.getpid()}{next(externals)}",
            "CHANNEL-ID": "95221", "X-SIGNATURE": snap.symmetric(secret,
                "POST", path, token, raw.encode(), stamp), **dict(headers)}
        return self.call("POST", f"/{provider}-snap{path}", raw,
            {name: value for name, value in every.items()
                if value is not None}, timeout=timeout)

    def pay(self, phone, reference, value="25000.00", **more):
        return self.snap(PAY, pay_body(phone, reference, value), **more)

    def status(self, reference, **more):
        return self.snap("/v1.0/debit/status", {
            "originalPartnerReferenceNo": reference, "serviceCode": "54"},
            **more)[1]

    def ended(self, reference, provider="gopay"):
        """The payment once it has reached an end."""
        def look():
            found = self.operations(reference)
            return found and found[0]["status"] in ("00", "05", "06") \
                and found[0]
        return until(look)


def bearer(token):
    return {"Authorization": "Bearer " + token}


def pay_body(phone, reference, value="25000.00"):
    return {"partnerReferenceNo": reference,
        "amount": {"value": value, "currency": "IDR"},
        "additionalInfo": {"phoneNo": phone}}


class Partner(http.server.ThreadingHTTPServer):
    """Takes notifications; refuses the first `refusals` of each reference."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), PartnerHandler)
        self.received = []
        self.refusals = {}
        self.url = f"http://127.0.0.1:{self.server_port}/in"
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def of(self, reference):
        return [body for _, _, body in list(self.received)
            if body["originalPartnerReferenceNo"] == reference]

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class PartnerHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(raw)
        self.server.received.append((self.path, dict(self.headers), body))
        left = self.server.refusals.get(body["originalPartnerReferenceNo"], 0)
        self.server.refusals[body["originalPartnerReferenceNo"]] = left - 1
        answer = b'{"responseCode":"%s","responseMessage":"-"}' % (
            b"5005600" if left > 0 else b"2005600")
        self.headers["raw"] = raw.decode()
        self.server.received[-1] = (self.path, dict(self.headers), body)
        self.send_response(500 if left > 0 else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def partner():
    server = Partner()
    yield server
    server.close()


@pytest.fixture(scope="session")
def box(keys, partner):
    sandbox = Sandbox(keys, partner.url)
    yield sandbox
    sandbox.close()


# -- what stands in the description -----------------------------------------

def test_known_answer_of_the_symmetric_signature():
    body = (b'{"partnerReferenceNo":"2026010100000000000001",'
        b'"amount":{"value":"10000.00","currency":"IDR"}}')
    assert hashlib.sha256(body).hexdigest() == \
        "bc4fa87d148c244cf8c5281dd59273077efdd2e5049aa69dd37ba4798d1e6674"
    for spaced in (body, body.replace(b",", b" ,\n ").replace(b":", b":\t")):
        assert snap.symmetric("secret", "POST", PAY, "tok123", spaced,
            "2026-01-01T10:00:00+07:00") == (
            "z+QEPYKH+AVd5zjzjW82cGcTxjFFtX1/fstFIllZaZosufyrIeTWemoxXqG8vrx8"
            "7T6GYg6dxSe4ty3lOeT5eg==")


def test_shopeepay_signature_is_hmac_sha256_hex():
    assert shopeepay.signature("m", "1700000000", "k") == hmac.new(b"k",
        b"m1700000000", hashlib.sha256).hexdigest()


@pytest.mark.parametrize("raw", [
    b"", b"[]", b"1", b'{"a":1,"a":2}', b'{"a":NaN}', b"{'a':1}",
    b'{"a":1,}', b'{"a":01}', b'{"a":"\xff"}', b'{"a":1} x', b"[" * 100_000,
    b"{\"a\":" * 5_000,
])
def test_json_that_is_refused(raw):
    with pytest.raises(ValueError):
        wire.parse(raw)


@pytest.mark.parametrize("text,phone", [
    ("081234567890", "081234567890"), ("6281234567890", "081234567890"),
    ("+6281234567890", "081234567890"), ("0812345678", "0812345678"),
    ("08123456", None), ("0812345678901234", None), ("91234567890", None),
    ("0912345678", None), ("08 12345678", None), ("", None), (None, None),
    (81234567890, None), ("08123456789x", None),
])
def test_phone_forms(text, phone):
    assert wire.phone_national(text) == phone


# -- starting ----------------------------------------------------------------

@pytest.mark.parametrize("environment,option", [
    (None, None), ("production", None), ("production", "development"),
    ("development", "production"), ("staging", "development"),
])
def test_refuses_to_start_outside_development(keys, environment, option):
    values = {**CREDENTIALS, "PATH": os.environ["PATH"]}
    if environment:
        values["ONEGATE_ENV"] = environment
    arguments = ["/usr/bin/python3", str(HERE / "sandbox.py"), "--port", "0"]
    if option:
        arguments += ["--env", option]
    ended = subprocess.run(arguments, env=values, capture_output=True,
        text=True, timeout=WAIT_SECONDS)
    assert ended.returncode == 2
    assert "development" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("missing", [*CREDENTIALS,
    "ONEGATE_SANDBOX_GOPAY_PRIVATE_KEY_FILE"])
def test_a_missing_setting_stops_the_start_with_one_line(missing):
    values = {**CREDENTIALS, "PATH": os.environ["PATH"]}
    values.pop(missing, None)
    ended = subprocess.run(["/usr/bin/python3", str(HERE / "sandbox.py"),
        "--port", "0", "--env", "development"], env=values,
        capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert ended.returncode == 2
    assert missing in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


# -- GoPay --------------------------------------------------------------------

GOPAY_LOGIN = {"client_id": "gopay-id", "client_secret": "gopay-secret",
    "grant_type": "client_credentials"}


def test_gopay_token_balance_topup(box):
    phone = phone_new()
    token = box.ok("POST", "/gopay/auth/token",
        {**GOPAY_LOGIN, "scope": "payment:read payment:write"})
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3600
    head = bearer(token["access_token"])
    path = "/gopay/wallet/balance?wallet_id=898" + phone
    data = box.ok("GET", path, headers=head)
    assert data["status"] == "success"
    assert data["data"]["balance"] == 10_000_000
    assert data["data"]["currency"] == "IDR"
    status, answer, _ = box.gopay_topup(phone, 12500.5, "r" + phone)
    assert status == 200
    assert answer["status"] == "success"
    assert answer["new_balance"] == 10_012_500.5
    assert answer["wallet_id"] == "898" + phone
    assert box.ok("GET", path, headers=head)["data"]["balance"] \
        == 10_012_500.5


def test_gopay_money_is_printed_with_two_decimals(box):
    connection = http.client.HTTPConnection("127.0.0.1", box.port)
    connection.request("GET", "/gopay/wallet/balance?wallet_id=898"
        + phone_new(), headers=bearer(box.gopay_token()))
    assert b'"balance":10000000.00,' in connection.getresponse().read()
    connection.close()


def test_gopay_phone_forms_are_one_wallet(box):
    phone = phone_new()
    box.gopay_topup(phone, 10_000, "f" + phone)
    path = "/gopay/wallet/balance?wallet_id=89862" + phone[1:]
    assert box.ok("GET", path, headers=bearer(box.gopay_token()))["data"][
        "balance"] == 10_010_000


@pytest.mark.parametrize("body,status,error", [
    ({**GOPAY_LOGIN, "client_secret": "x"}, 401, "invalid_client"),
    ({**GOPAY_LOGIN, "client_id": "x"}, 401, "invalid_client"),
    ({**GOPAY_LOGIN, "client_id": ""}, 401, "invalid_client"),
    ({**GOPAY_LOGIN, "client_id": 7}, 400, "invalid_request"),
    ({**GOPAY_LOGIN, "grant_type": "password"}, 400,
        "unsupported_grant_type"),
    ({**GOPAY_LOGIN, "scope": "admin"}, 400, "invalid_scope"),
    ({"client_id": "gopay-id"}, 400, "invalid_request"),
    ({}, 400, "invalid_request"),
])
def test_gopay_token_refusals(box, body, status, error):
    got, answer, _ = box.call("POST", "/gopay/auth/token", body)
    assert (got, answer["error"], answer["status_code"]) == \
        (status, error, status)
    assert answer["error_description"]


@pytest.mark.parametrize("changed,status,error", [
    ({"amount": 9_999}, 400, "invalid_amount"),
    ({"amount": 9_999.99}, 400, "invalid_amount"),
    ({"amount": "10000"}, 400, "invalid_amount"),
    ({"amount": 10_000.001}, 400, "invalid_amount"),
    ({"amount": -10_000}, 400, "invalid_amount"),
    ({"amount": True}, 400, "invalid_amount"),
    ({"amount": None}, 400, "invalid_amount"),
    ({"amount": 1e300}, 400, "invalid_amount"),
    ({"payment_method": "cash"}, 400, "invalid_payment_method"),
    ({"payment_method": None}, 400, "invalid_payment_method"),
    ({"reference_id": ""}, 400, "invalid_request"),
    ({"reference_id": 5}, 400, "invalid_request"),
    ({"reference_id": "x" * 65}, 400, "invalid_request"),
    ({"wallet_id": "897081234567890"}, 404, "wallet_not_found"),
    ({"wallet_id": "081234567890"}, 404, "wallet_not_found"),
    ({"wallet_id": 898081234567890}, 404, "wallet_not_found"),
    ({"extra": 1}, 400, "invalid_request"),
])
def test_gopay_topup_refusals(box, changed, status, error):
    body = {"wallet_id": "898" + phone_new(), "amount": 10_000,
        "payment_method": "credit_card", "reference_id": "never", **changed}
    got, answer, _ = box.call("POST", "/gopay/wallet/topup", body,
        bearer(box.gopay_token()))
    assert (got, answer["error"], answer["status_code"]) == \
        (status, error, status)
    assert box.operations("never") == []


@pytest.mark.parametrize("method,path,headers,body,status", [
    ("GET", "/gopay/wallet/balance?wallet_id=898081234567890", {}, None, 401),
    ("GET", "/gopay/wallet/balance?wallet_id=898081234567890",
        bearer("nope"), None, 401),
    ("GET", "/gopay/wallet/balance?wallet_id=898081234567890",
        {"Authorization": "Basic abc"}, None, 401),
    ("POST", "/gopay/wallet/topup", {}, "{}", 401),
    ("GET", "/gopay/auth/token", {}, None, 405),
    ("POST", "/gopay/wallet/balance", {}, "{}", 405),
    ("POST", "/gopay/auth/token", {}, "{}", 415),
    ("POST", "/gopay/auth/token", {"Content-Type": "application/json"},
        "{", 400),
    ("POST", "/gopay/auth/token", {"Content-Type": "application/json"},
        '{"a":1,"a":2}', 400),
    ("GET", "/gopay/nothing", {}, None, 404),
    ("GET", "/nothing", {}, None, 404),
])
def test_gopay_edge_refusals(box, method, path, headers, body, status):
    got, answer, _ = box.call(method, path, body, headers)
    assert got == status
    assert answer["status_code"] == status


@pytest.mark.parametrize("query", ["", "wallet_id=1&wallet_id=2",
    "wallet_id=898081234567890&x=1", "wallet=898081234567890"])
def test_gopay_balance_query_refusals(box, query):
    got, answer, _ = box.call("GET", "/gopay/wallet/balance?" + query,
        headers=bearer(box.gopay_token()))
    assert (got, answer["error"]) == (400, "invalid_request")


def test_gopay_same_reference_pays_once_and_answers_the_same(box):
    phone, reference = phone_new(), "once-gopay"
    first = box.gopay_topup(phone, 20_000, reference)
    again = box.gopay_topup(phone, 20_000, reference)
    other = box.gopay_topup(phone, 30_000, reference)
    assert first[:2] == again[:2]
    assert (other[0], other[1]["error"]) == (409, "duplicate_reference")
    assert box.balance("gopay", phone) == 10_020_000
    operation, = box.operations(reference)
    assert (operation["acted"], operation["attempts"]) == (1, 2)


# -- ShopeePay -----------------------------------------------------------------

def test_shopeepay_token_balance_topup(box):
    phone = phone_new()
    status, login, _ = box.shopee_login(box.shopee_form())
    assert status == 200 and login["success"] is True
    assert 3500 < login["valid_until"] - time.time() <= 3600
    assert login["merchant_info"]["merchant_id"] == "merchant-1"
    status, answer, _ = box.shopee_topup(phone, 50_000, "s" + phone,
        login["token"])
    assert status == 200 and answer["result"] == "SUCCESS"
    details = answer["topup_details"]
    assert (details["amount"], details["status"]) == (50_000, "SUCCESS")
    info = box.ok("POST", "/shopeepay/account/balance", {
        "user_id": "897" + phone, "request_id": "b1",
        "include_details": True}, bearer(login["token"]))
    assert info["request_id"] == "b1"
    assert info["balance_info"]["available_balance"] == 10_050_000
    assert type(info["balance_info"]["available_balance"]) is int


@pytest.mark.parametrize("changed,status,code", [
    ({"api_key": "wrong"}, 401, "AUTH_FAILED"),
    ({"merchant_id": "wrong"}, 401, "AUTH_FAILED"),
    ({"signature": "0" * 64}, 401, "AUTH_FAILED"),
    ({"signature": ""}, 401, "AUTH_FAILED"),
    ({"stamp": "1700000000"}, 401, "AUTH_FAILED"),
    ({"stamp": str(int(time.time()) + 3000)}, 401, "AUTH_FAILED"),
    ({"stamp": "now"}, 400, "INVALID_REQUEST"),
    ({"stamp": "-5"}, 400, "INVALID_REQUEST"),
    ({"extra": "1"}, 400, "INVALID_REQUEST"),
])
def test_shopeepay_token_refusals(box, changed, status, code):
    got, answer, _ = box.shopee_login(box.shopee_form(**changed))
    assert (got, answer["error_code"]) == (status, code)
    assert answer["success"] is False
    assert answer["error_message"] and type(answer["timestamp"]) is int


def test_shopeepay_upper_case_signature_is_refused(box):
    form = box.shopee_form()
    form["signature"] = form["signature"].upper()
    assert box.shopee_login(form)[0] == 401


@pytest.mark.parametrize("changed,status,code", [
    ({"topup_amount": 9_999}, 400, "INVALID_AMOUNT"),
    ({"topup_amount": 10_000.5}, 400, "INVALID_AMOUNT"),
    ({"topup_amount": "10000"}, 400, "INVALID_AMOUNT"),
    ({"topup_amount": True}, 400, "INVALID_AMOUNT"),
    ({"topup_amount": -10_000}, 400, "INVALID_AMOUNT"),
    ({"source_type": "CASH"}, 400, "INVALID_REQUEST"),
    ({"source_details": {}}, 400, "INVALID_REQUEST"),
    ({"source_details": "x"}, 400, "INVALID_REQUEST"),
    ({"source_details": {"bank_code": "", "account_number": "1"}}, 400,
        "INVALID_REQUEST"),
    ({"request_id": ""}, 400, "INVALID_REQUEST"),
    ({"request_id": 1}, 400, "INVALID_REQUEST"),
    ({"callback_url": 1}, 400, "INVALID_REQUEST"),
    ({"amount": 1}, 400, "INVALID_REQUEST"),
    ({"user_id": "898081234567890"}, 404, "USER_NOT_FOUND"),
    ({"user_id": "897123"}, 404, "USER_NOT_FOUND"),
])
def test_shopeepay_topup_refusals(box, changed, status, code):
    body = {"user_id": "897" + phone_new(), "topup_amount": 10_000,
        "source_type": "CREDIT_CARD", "source_details": {
            "bank_code": "014", "account_number": "1"},
        "request_id": "never-s", **changed}
    got, answer, _ = box.call("POST", "/shopeepay/wallet/topup", body,
        bearer(box.shopee_token()))
    assert (got, answer["error_code"]) == (status, code)
    assert box.operations("never-s") == []


@pytest.mark.parametrize("method,path,headers,body,status", [
    ("POST", "/shopeepay/account/balance", {}, "{}", 401),
    ("POST", "/shopeepay/account/balance", bearer("x"), "{}", 401),
    ("POST", "/shopeepay/authentication",
        {"Content-Type": "application/json"}, "{}", 415),
    ("GET", "/shopeepay/account/balance", {}, None, 405),
    ("POST", "/shopeepay/none", {}, "", 404),
])
def test_shopeepay_edge_refusals(box, method, path, headers, body, status):
    got, answer, _ = box.call(method, path, body, headers)
    assert got == status and answer["success"] is False


def test_a_gopay_token_opens_nothing_at_shopeepay(box):
    got, answer, _ = box.shopee_topup(phone_new(), 10_000, "cross",
        box.gopay_token())
    assert (got, answer["error_code"]) == (401, "TOKEN_EXPIRED")


def test_shopeepay_same_reference_pays_once(box):
    phone, reference = phone_new(), "once-shopee"
    first = box.shopee_topup(phone, 20_000, reference)
    again = box.shopee_topup(phone, 20_000, reference)
    other = box.shopee_topup(phone, 20_001, reference)
    assert first[:2] == again[:2]
    assert (other[0], other[1]["error_code"]) == (409, "DUPLICATE_REQUEST")
    assert box.balance("shopeepay", phone) == 10_020_000


@pytest.mark.parametrize("suffix,first,repeat,after", [
    ("9019", "PENDING", "SUCCESS", 10_010_000),
    ("9016", "PENDING", "SUCCESS", 10_010_000),
    ("9017", "PENDING", "FAILED", 10_000_000),
    ("9018", "PENDING", "PENDING", 10_000_000),
])
def test_shopeepay_pending_at_first(box, suffix, first, repeat, after):
    phone, reference = phone_new(suffix), "pending" + suffix
    answers = [box.shopee_topup(phone, 10_000, reference)[1]["topup_details"][
        "status"] for _ in range(3)]
    assert answers == [first, repeat, repeat]
    box.ok("POST", "/shopeepay/account/balance", {"user_id": "897" + phone,
        "request_id": "x"}, bearer(box.shopee_token()))
    assert box.balance("shopeepay", phone) == after


# -- SNAP: who is calling ------------------------------------------------------

@pytest.mark.parametrize("provider", SNAP)
def test_snap_token(box, provider):
    status, answer, headers = box.snap_token(provider)
    assert status == 200
    assert answer["responseCode"] == "2007300"
    assert (answer["tokenType"], answer["expiresIn"]) == ("Bearer", "900")
    assert headers["X-TIMESTAMP"]


@pytest.mark.parametrize("changed,code", [
    ({"headers": {"X-SIGNATURE": "AAAA"}}, "4017300"),
    ({"headers": {"X-SIGNATURE": "not base64!"}}, "4017300"),
    ({"headers": {"X-SIGNATURE": None}}, "4007302"),
    ({"headers": {"X-TIMESTAMP": None}}, "4007302"),
    ({"headers": {"X-CLIENT-KEY": None}}, "4007302"),
    ({"headers": {"X-TIMESTAMP": "2026-01-01T10:00:00+07:00"}}, "4017300"),
    ({"client": "somebody"}, "4017300"),
    ({"stamp": "2026-01-01T10:00:00+07:00"}, "4017300"),
    ({"stamp": wire.jakarta_text(time.time() + 3600)}, "4017300"),
    ({"stamp": "2026-01-01T03:00:00Z"}, "4007301"),
    ({"stamp": "2026-13-01T10:00:00+07:00"}, "4007301"),
    ({"stamp": str(int(time.time()))}, "4007301"),
    ({"body": "{}"}, "4007302"),
    ({"body": '{"grantType":"password"}'}, "4007301"),
    ({"body": "x"}, "4007300"),
    ({"headers": {"Content-Type": "text/plain"}}, "4007300"),
])
def test_snap_token_refusals(box, changed, code):
    status, answer, _ = box.snap_token(**changed)
    assert answer["responseCode"] == code
    assert status == int(code[:3])


@pytest.mark.parametrize("changed,code", [
    ({"secret": "wrong"}, "4015400"),
    ({"token": "wrong"}, "4015401"),
    ({"headers": {"Authorization": None}}, "4015403"),
    ({"headers": {"Authorization": "Basic x"}}, "4015403"),
    ({"headers": {"X-SIGNATURE": None}}, "4005402"),
    ({"headers": {"X-SIGNATURE": "x"}}, "4015400"),
    ({"headers": {"X-TIMESTAMP": None}}, "4005402"),
    ({"headers": {"X-TIMESTAMP": "yesterday"}}, "4005401"),
    ({"stamp": "2020-01-01T10:00:00+07:00"}, "4015400"),
    ({"headers": {"X-PARTNER-ID": None}}, "4005402"),
    ({"headers": {"X-PARTNER-ID": "stranger"}}, "4015400"),
    ({"headers": {"X-EXTERNAL-ID": None}}, "4005402"),
    ({"headers": {"X-EXTERNAL-ID": "x" * 37}}, "4005401"),
    ({"headers": {"CHANNEL-ID": None}}, "4005402"),
    ({"headers": {"CHANNEL-ID": "123456"}}, "4005401"),
    ({"headers": {"CHANNEL-ID": "12"}}, "4005401"),
    ({"headers": {"Content-Type": None}}, "4005400"),
])
def test_snap_call_refusals(box, changed, code):
    status, answer, _ = box.pay(phone_new(), "never-p", **changed)
    assert answer["responseCode"] == code
    assert status == int(code[:3])
    assert box.operations("never-p") == []


@pytest.mark.parametrize("body,code", [
    ("nonsense", "4005400"),
    ("[]", "4005400"),
    ({}, "4005402"),
    ({"partnerReferenceNo": "q"}, "4005402"),
    ({**pay_body("081234567800", ""), }, "4005402"),
    ({**pay_body("081234567800", "x" * 65), }, "4005401"),
    ({**pay_body("081234567800", "q"), "partnerReferenceNo": 5}, "4005401"),
    ({**pay_body("081234567800", "q"), "amount": "1"}, "4005401"),
    ({**pay_body("081234567800", "q", "10000")}, "4005401"),
    ({**pay_body("081234567800", "q", "10000.0")}, "4005401"),
    ({**pay_body("081234567800", "q", "-10000.00")}, "4005401"),
    ({**pay_body("081234567800", "q", "0.00")}, "4005401"),
    ({**pay_body("081234567800", "q", 10000)}, "4005401"),
    ({**pay_body("081234567800", "q"),
        "amount": {"value": "1.00", "currency": "USD"}}, "4005401"),
    ({**pay_body("081234567800", "q"), "additionalInfo": {}}, "4005402"),
    ({**pay_body("123", "q")}, "4005401"),
])
def test_snap_pay_body_refusals(box, body, code):
    status, answer, _ = box.snap(PAY, body)
    assert answer["responseCode"] == code
    assert status == int(code[:3])
    assert box.operations("q") == []


def test_a_signature_over_another_body_is_refused(box):
    stamp, token = wire.jakarta_text(), box.snap_token()[1]["accessToken"]
    signed = snap.symmetric("gopay-snap-secret", "POST", PAY, token,
        json.dumps(pay_body(phone_new(), "forged", "1.00")).encode(), stamp)
    answer = box.pay(phone_new(), "forged", token=token, stamp=stamp,
        headers={"X-SIGNATURE": signed})[1]
    assert answer["responseCode"] == "4015400"


@pytest.mark.parametrize("method,path,code", [
    ("GET", PAY, "4055400"), ("GET", "/v1.0/debit/status", "4055500"),
    ("POST", "/v1.0/debit/none", "4040001"), ("POST", "/", "4040001"),
])
def test_snap_edge_refusals(box, method, path, code):
    status, answer, _ = box.call(method, "/gopay-snap" + path,
        "{}" if method == "POST" else None)
    assert answer["responseCode"] == code


def test_an_external_id_is_good_once_a_day(box):
    phone = phone_new()
    headers = {"X-EXTERNAL-ID": "same-" + phone}
    assert box.pay(phone, "ext1", headers=headers)[1]["responseCode"] \
        == "2025400"
    assert box.pay(phone, "ext2", headers=headers)[1]["responseCode"] \
        == "4095400"
    assert box.operations("ext2") == []


def test_tokens_expire_and_can_be_revoked(keys):
    sandbox = Sandbox(keys)
    try:
        assert sandbox.call("POST", "/sandbox/settings",
            {"snap_token_seconds": 1, "gopay_token_seconds": 1})[0] == 200
        token = sandbox.snap_token()[1]["accessToken"]
        gopay = sandbox.gopay_token()
        assert sandbox.gopay_topup(phone_new(), 10_000, "t1", gopay)[0] == 200
        time.sleep(1.1)
        assert sandbox.gopay_topup(phone_new(), 10_000, "t2", gopay)[0] == 401
        assert sandbox.pay(phone_new(), "t3", token=token)[1][
            "responseCode"] == "4015401"
        sandbox.ok("POST", "/sandbox/settings", {"gopay_token_seconds": 60})
        gopay = sandbox.gopay_token()
        assert sandbox.ok("POST", "/sandbox/tokens/revoke", {})["revoked"]
        assert sandbox.gopay_topup(phone_new(), 10_000, "t4", gopay)[0] == 401
    finally:
        sandbox.close()


# -- SNAP: money ----------------------------------------------------------------

@pytest.mark.parametrize("provider", SNAP)
def test_snap_pay_is_in_progress_then_notified(box, partner, keys, provider):
    phone, reference = phone_new(), "pay-" + provider
    status, answer, _ = box.pay(phone, reference, provider=provider)
    assert (status, answer["responseCode"]) == (202, "2025400")
    until(lambda: partner.of(reference))
    path, headers, body = next(found for found in partner.received
        if found[2]["originalPartnerReferenceNo"] == reference)
    assert path == "/in/" + provider
    assert body["latestTransactionStatus"] == "00"
    assert body["amount"] == {"value": "25000.00", "currency": "IDR"}
    assert body["originalReferenceNo"] == answer["referenceNo"]
    digest = hashlib.sha256(headers["raw"].encode()).hexdigest()
    keys.provider[provider].public_key().verify(
        base64.b64decode(headers["X-SIGNATURE"]),
        f"POST:{path}:{digest}:{headers['X-TIMESTAMP']}".encode(),
        padding.PKCS1v15(), hashes.SHA256())
    assert box.balance(provider, phone) == 9_975_000
    known = box.status(reference, provider=provider)
    assert known["responseCode"] == "2005500"
    assert known["latestTransactionStatus"] == "00"
    again = box.pay(phone, reference, provider=provider)[1]
    assert again["responseCode"] == "2005400"
    assert again["referenceNo"] == answer["referenceNo"]
    assert box.operations(reference)[0]["acted"] == 1


def test_a_notification_is_repeated_until_acknowledged(box, partner):
    reference = "stubborn"
    partner.refusals[reference] = 3
    box.pay(phone_new(), reference)
    until(lambda: box.operations(reference)[0]["acknowledged"] == 1)
    assert len(partner.of(reference)) == 4
    assert box.operations(reference)[0]["notification_log"][-1] \
        == "200 2005600"


def test_snap_same_reference_other_body(box):
    phone = phone_new()
    box.pay(phone, "inconsistent")
    status, answer, _ = box.pay(phone, "inconsistent", "25000.01")
    assert (status, answer["responseCode"]) == (404, "4045418")
    assert box.operations("inconsistent")[0]["acted"] == 1


def test_snap_same_reference_in_parallel_acts_once(box):
    phone, codes = phone_new(), []
    threads = [threading.Thread(target=lambda: codes.append(
        box.pay(phone, "parallel")[1]["responseCode"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(codes) <= {"2025400", "2005400"} and len(codes) == 8
    box.ended("parallel")
    assert box.operations("parallel")[0]["acted"] == 1
    assert box.balance("gopay", phone) == 9_975_000


def test_snap_more_than_the_wallet_holds(box):
    phone = phone_new()
    box.ok("POST", "/sandbox/wallets/gopay/" + phone, {"balance": 24_999.99})
    for _ in range(2):
        status, answer, _ = box.pay(phone, "poor")
        assert (status, answer["responseCode"]) == (403, "4035414")
    assert box.balance("gopay", phone) == 24_999.99
    assert box.status("poor")["latestTransactionStatus"] == "06"
    assert box.operations("poor")[0]["acted"] == 0


@pytest.mark.parametrize("body,code", [
    ({"originalPartnerReferenceNo": "nobody", "serviceCode": "54"},
        "4045501"),
    ({"serviceCode": "54"}, "4005502"),
    ({"originalPartnerReferenceNo": "nobody"}, "4005502"),
    ({"originalPartnerReferenceNo": "nobody", "serviceCode": "47"},
        "4005501"),
    ({"originalPartnerReferenceNo": 5, "serviceCode": "54"}, "4005501"),
    ("{", "4005500"),
])
def test_snap_status_refusals(box, body, code):
    assert box.snap("/v1.0/debit/status", body)[1]["responseCode"] == code


def cancel(box, reference):
    return box.snap("/v1.0/debit/cancel", {
        "originalPartnerReferenceNo": reference})[1]["responseCode"]


def refund(box, reference, number, value):
    return box.snap("/v1.0/debit/refund", {
        "originalPartnerReferenceNo": reference, "partnerRefundNo": number,
        "refundAmount": {"value": value, "currency": "IDR"}})[1][
        "responseCode"]


def test_snap_cancel_gives_back_once(box):
    phone = phone_new()
    box.pay(phone, "cancelled")
    assert cancel(box, "cancelled") == "2005700"
    assert cancel(box, "cancelled") == "2005700"
    assert cancel(box, "nobody") == "4045701"
    assert box.balance("gopay", phone) == 10_000_000
    assert box.status("cancelled")["latestTransactionStatus"] == "05"
    assert box.pay(phone, "cancelled")[1]["responseCode"] == "4045400"
    assert refund(box, "cancelled", "rc", "1.00") == "4045800"


def test_snap_refund_in_parts_never_more_than_paid(box):
    phone = phone_new()
    box.pay(phone, "refunded")
    box.ended("refunded")
    assert refund(box, "refunded", "r1", "10000.00") == "2005800"
    assert refund(box, "refunded", "r1", "10000.00") == "2005800"
    assert refund(box, "refunded", "r1", "10000.01") == "4045818"
    assert refund(box, "refunded", "r2", "15000.01") == "4045813"
    assert refund(box, "nobody", "r3", "1.00") == "4045801"
    assert cancel(box, "refunded") == "4045700"
    assert refund(box, "refunded", "r2", "15000.00") == "2005800"
    assert refund(box, "refunded", "r4", "0.01") == "4045813"
    assert box.balance("gopay", phone) == 10_000_000
    assert box.status("refunded")["latestTransactionStatus"] == "04"


def test_wallets_always_equal_their_movements(box):
    state = box.ok("GET", "/sandbox/state")
    acted = {}
    for provider, wallets in state["wallets"].items():
        for wallet in wallets.values():
            balance = 10_000_000
            for moved in wallet["movements"]:
                balance = moved["balance"] if moved["kind"] == "set" \
                    else balance + moved["delta"]
                assert round(balance, 2) == moved["balance"]
                key = (provider, moved["kind"], moved["reference"])
                acted[key] = acted.get(key, 0) + 1
            assert wallet["movements"][-1]["balance"] == wallet["balance"]
    for operation in state["operations"]:
        key = (operation["provider"], operation["kind"],
            operation["reference"])
        assert acted.get(key, 0) == operation["acted"]


# -- faults ----------------------------------------------------------------------

def test_fault_delay(box):
    started = time.monotonic()
    assert box.gopay_topup(phone_new(), 10_000, "slow",
        headers={"X-Sandbox-Fault": "delay=0.4"})[0] == 200
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("suffix,broken", [
    ("9002", (TimeoutError, socket.timeout)),
    ("9010", (http.client.RemoteDisconnected, ConnectionResetError)),
])
def test_faults_that_act_and_give_no_answer(box, suffix, broken):
    phone, reference = phone_new(suffix), "lost" + suffix
    token = box.gopay_token()
    with pytest.raises(broken):
        box.gopay_topup(phone, 10_000, reference, token, timeout=0.5)
    assert box.balance("gopay", phone) == 10_010_000
    assert box.gopay_topup(phone, 10_000, reference, token)[0] == 200
    assert box.balance("gopay", phone) == 10_010_000


@pytest.mark.parametrize("suffix,status,error", [
    ("9003", 500, "internal_error"), ("9009", 200, "internal_error"),
    ("9014", 429, "too_many_requests"), ("9015", 401, "invalid_token"),
    ("9021", 503, "service_unavailable"),
])
def test_faults_that_refuse_once_and_do_nothing(box, suffix, status, error):
    phone, reference = phone_new(suffix), "refuse" + suffix
    token = box.gopay_token()
    got, answer, headers = box.gopay_topup(phone, 10_000, reference, token)
    assert (got, answer["error"]) == (status, error)
    assert (headers["Retry-After"] is not None) == (status in (429, 503))
    assert box.operations(reference) == []
    if suffix == "9015":
        assert box.gopay_topup(phone, 10_000, reference, token)[0] == 401
        token = box.gopay_token()
    assert box.gopay_topup(phone, 10_000, reference, token)[0] == 200
    assert box.operations(reference)[0]["acted"] == 1


def test_fault_close_before_acting(box):
    phone = phone_new("9020")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        box.gopay_topup(phone, 10_000, "closed")
    assert box.operations("closed") == []


def test_fault_error_after_acting(box):
    phone = phone_new("9022")
    got, answer, _ = box.pay(phone, "gateway")
    assert (got, answer["responseCode"]) == (504, "5045400")
    assert box.ended("gateway")["acted"] == 1


def test_fault_bad_json_and_html_act(box):
    phone = phone_new("9004")
    status, raw, _ = box.gopay_topup(phone, 10_000, "badjson")
    assert status == 200 and isinstance(raw, bytes) and raw[:1] == b"{"
    status, raw, headers = box.gopay_topup(phone_new("9008"), 10_000, "html")
    assert status == 200 and raw.startswith(b"<!doctype html>")
    assert headers["Content-Type"].startswith("text/html")
    assert box.gopay_topup(phone_new(), 10_000, "html502",
        headers={"X-Sandbox-Fault": "html=502"})[0] == 502
    for reference in ("badjson", "html", "html502"):
        assert box.operations(reference)[0]["acted"] == 1


def test_fault_big_body(box):
    status, answer, headers = box.gopay_topup(phone_new("9011"), 10_000,
        "big")
    assert status == 200 and answer["status"] == "success"
    assert int(headers["Content-Length"]) > 10 * 1024 * 1024


def test_fault_slow_drip(box):
    connection = http.client.HTTPConnection("127.0.0.1", box.port,
        timeout=0.05)
    connection.request("GET", "/gopay/wallet/balance?wallet_id=898"
        + phone_new("9012"), headers=bearer(box.gopay_token()))
    with pytest.raises((TimeoutError, socket.timeout)):
        connection.getresponse()
    connection.close()
    status, _, _ = box.gopay_topup(phone_new(), 10_000, "drip",
        headers={"X-Sandbox-Fault": "slow_drip=0.001"})
    assert status == 200


def test_fault_insufficient_funds(box):
    assert box.pay(phone_new("9013"), "nofunds")[1]["responseCode"] \
        == "4035414"
    assert box.gopay_topup(phone_new("9013"), 10_000, "nofunds2")[1][
        "error"] == "insufficient_balance"


def test_fault_snap_error_in_200(box):
    status, answer, _ = box.pay(phone_new("9009"), "in200")
    assert (status, answer["responseCode"]) == (200, "5005400")
    assert box.operations("in200") == []


def test_fault_duplicate_notification(box, partner):
    box.pay(phone_new("9005"), "twice")
    until(lambda: box.operations("twice")[0]["acknowledged"] == 2)
    assert len(partner.of("twice")) == 2


def test_fault_late_notification(box, partner):
    box.pay(phone_new(), "late",
        headers={"X-Sandbox-Fault": "late_notification=0.6"})
    box.ended("late")
    time.sleep(0.2)
    assert partner.of("late") == []
    until(lambda: partner.of("late"))


def test_fault_notification_before_the_first_answer(box, partner):
    answer = box.pay(phone_new("9007"), "early")[1]
    assert answer["responseCode"] == "2025400"
    assert len(partner.of("early")) == 1
    assert box.operations("early")[0]["acknowledged"] == 1


def test_fault_no_notification_until_status_is_asked(box, partner):
    phone = phone_new("9016")
    box.pay(phone, "silent")
    time.sleep(0.4)
    assert partner.of("silent") == []
    assert box.operations("silent")[0]["status"] == "02"
    assert box.status("silent")["latestTransactionStatus"] == "00"
    assert box.balance("gopay", phone) == 9_975_000


def test_fault_payment_fails_in_the_notification(box, partner):
    phone = phone_new("9017")
    assert box.pay(phone, "fails")[1]["responseCode"] == "2025400"
    until(lambda: partner.of("fails"))
    assert partner.of("fails")[0]["latestTransactionStatus"] == "06"
    assert box.pay(phone, "fails")[1]["responseCode"] == "4035405"
    assert box.balance("gopay", phone) == 10_000_000


def test_fault_stays_pending(box, partner):
    phone = phone_new("9018")
    box.pay(phone, "pending")
    time.sleep(0.3)
    assert box.status("pending")["latestTransactionStatus"] == "03"
    assert partner.of("pending") == []
    assert box.balance("gopay", phone) == 10_000_000
    assert cancel(box, "pending") == "2005700"
    assert box.balance("gopay", phone) == 10_000_000


@pytest.mark.parametrize("name", ["nonsense", "", "delay=x", "delay=-1",
    "delay=nan"])
def test_an_unknown_fault_is_refused(box, name):
    status, answer, _ = box.gopay_topup(phone_new(), 10_000, "nofault",
        headers={"X-Sandbox-Fault": name})
    assert (status, answer["error"]) == (400, "invalid_request")


def test_standing_faults_by_rule_and_count(keys):
    sandbox = Sandbox(keys)
    try:
        phone = phone_new()
        sandbox.ok("POST", "/sandbox/faults", {"fault": "error_500",
            "provider": "gopay", "call": "topup", "phone": phone, "count": 2})
        sandbox.ok("POST", "/sandbox/faults", {"fault": "error_503",
            "provider": "shopeepay", "call": "token"})
        token = sandbox.gopay_token()
        codes = [sandbox.gopay_topup(phone, 10_000, "rule", token)[0]
            for _ in range(4)]
        assert codes == [500, 500, 200, 200]
        assert sandbox.gopay_topup(phone_new(), 10_000, "else")[0] == 200
        assert sandbox.shopee_login(sandbox.shopee_form())[0] == 503
        struck = [rule["struck"] for rule in
            sandbox.ok("GET", "/sandbox/faults")["rules"]]
        assert struck == [2, 1]
        sandbox.ok("DELETE", "/sandbox/faults")
        assert sandbox.shopee_login(sandbox.shopee_form())[0] == 200
        for wrong in ({}, {"fault": "nope"}, {"fault": "delay", "count": 0},
                {"fault": "delay", "provider": "ovo"},
                {"fault": "delay", "call": "fly"}, {"fault": "delay", "x": 1}):
            assert sandbox.call("POST", "/sandbox/faults", wrong)[0] == 400
    finally:
        sandbox.close()


# -- killed in the middle ----------------------------------------------------------

def test_state_survives_kill_9(keys, partner, tmp_path):
    log = tmp_path / "state.log"
    first = Sandbox(keys, partner.url, log)
    phone = phone_new()
    try:
        first.gopay_topup(phone, 40_000, "kept")
        first.pay(phone, "kept-pay",
            headers={"X-Sandbox-Fault": "no_notification"})
        token = first.gopay_token()
        before = first.ok("GET", "/sandbox/state")
    finally:
        first.close(signal.SIGKILL)
    with open(log, "ab") as torn:
        torn.write(b'["wallet","gopay","081')
    second = Sandbox(keys, partner.url, log)
    try:
        assert second.ok("GET", "/sandbox/state") == before
        assert second.gopay_topup(phone, 40_000, "kept", token)[0] == 200
        assert second.gopay_topup(phone, 50_000, "kept", token)[0] == 409
        assert second.balance("gopay", phone) == 10_015_000
        assert second.status("kept-pay")["latestTransactionStatus"] == "00"
    finally:
        second.close(signal.SIGKILL)
    third = Sandbox(keys, partner.url, log)
    try:
        assert third.balance("gopay", phone) == 10_015_000
    finally:
        third.close()


def test_what_was_to_be_told_is_told_after_a_restart(keys, partner, tmp_path):
    log = tmp_path / "state.log"
    first = Sandbox(keys, "http://127.0.0.1:1/in", log)
    try:
        first.pay(phone_new(), "told-settled")
        first.ended("told-settled")
        first.ok("POST", "/sandbox/settings", {"settle_ms": 600_000})
        first.pay(phone_new(), "told-paying")
    finally:
        first.close(signal.SIGKILL)
    assert partner.of("told-settled") == []
    second = Sandbox(keys, partner.url, log)
    try:
        for reference in ("told-settled", "told-paying"):
            until(lambda: partner.of(reference))
            until(lambda: second.operations(reference)[0]["acknowledged"])
            assert second.operations(reference)[0]["acted"] == 1
    finally:
        second.close()


def test_reset_forgets_everything(keys, tmp_path):
    sandbox = Sandbox(keys, state=tmp_path / "log")
    try:
        token = sandbox.gopay_token()
        sandbox.gopay_topup(phone_new(), 10_000, "gone", token)
        sandbox.ok("POST", "/sandbox/reset", {})
        assert sandbox.operations("gone") == []
        assert sandbox.gopay_topup(phone_new(), 10_000, "x", token)[0] == 401
    finally:
        sandbox.close()


# -- the wire ---------------------------------------------------------------------

def raw(box, data, seconds=0.5):
    """Send bytes, give all that comes back until close or silence."""
    with socket.create_connection(("127.0.0.1", box.port)) as connection:
        connection.settimeout(seconds)
        connection.sendall(data)
        got = b""
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    break
                got += more
        except socket.timeout:
            pass
        return got


HEALTH = b"GET /sandbox/health HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("data,status", [
    (b"GET /sandbox/health HTTP/1.1\r\n\r\n", 400),
    (HEALTH + b"Host: y\r\n\r\n", 400),
    (HEALTH + b"X : y\r\n\r\n", 400),
    (HEALTH + b"X: a\rY: b\r\n\r\n", 400),
    (HEALTH + b"X: a\nY: b\r\n\r\n", 400),
    (HEALTH + b"X: a\0\r\n\r\n", 400),
    (HEALTH + b" folded\r\n\r\n", 400),
    (HEALTH + b"Content-Length: 3\r\n\r\nabc", 400),
    (HEALTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    (b"POST /sandbox/reset HTTP/1.1\r\nHost: x\r\n\r\n", 411),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx", 400),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        b"Content-Length: 1\r\n\r\nx", 400),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n", 413),
    (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    (HEALTH + b"X: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    (HEALTH + b"X: a\r\n" * 70 + b"\r\n", 431),
])
def test_bytes_that_are_refused(box, data, status):
    answer = raw(box, data)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"Connection: close" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_pipelined_requests_are_answered_in_order(box):
    answer = raw(box, HEALTH + b"\r\n" + HEALTH.replace(b"health", b"faults")
        + b"\r\n" + HEALTH + b"\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.index(b'"rules"') > answer.index(b'"uptime_seconds"')


def test_a_client_that_gave_up_is_let_go(box):
    phone = phone_new("9002")
    token = box.gopay_token()
    with pytest.raises((TimeoutError, socket.timeout)):
        box.gopay_topup(phone, 10_000, "gaveup", token, timeout=0.3)

    def client_sockets():
        return box.ok("GET", "/sandbox/health")["connections"]
    # Only the one that asks is left.
    until(lambda: client_sockets() == 1)


def test_a_certificate_that_does_not_match(keys, tmp_path):
    pem, key = tmp_path / "cert.pem", tmp_path / "cert.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048",
        "-nodes", "-subj", "/CN=somebody.else", "-days", "2",
        "-addext", "subjectAltName=DNS:somebody.else",
        "-out", str(pem), "-keyout", str(key)], check=True,
        capture_output=True)
    sandbox = Sandbox(keys, arguments=["--tls-certificate", str(pem),
        "--tls-key", str(key)])
    try:
        for name, trusted in (("127.0.0.1", False), ("somebody.else", True)):
            context = ssl.create_default_context(cafile=str(pem))
            plain = socket.create_connection(("127.0.0.1", sandbox.port))
            with plain:
                try:
                    with context.wrap_socket(plain,
                            server_hostname=name) as secure:
                        secure.sendall(HEALTH + b"\r\n")
                        assert secure.recv(100).startswith(b"HTTP/1.1 200")
                    assert trusted
                except ssl.SSLCertVerificationError:
                    assert not trusted
    finally:
        sandbox.close()


def test_health(box):
    health = box.ok("GET", "/sandbox/health")
    assert health["status"] == "up" and health["pid"] == box.process.pid
