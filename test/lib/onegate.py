"""The running stack as every black-box test sees it.

It finds the stack, speaks HTTP to it and knows the few things each suite
needs: people, money, API keys, the database, the sandbox. It asserts nothing
but the envelope, which is the same everywhere.
"""
import http.client
import itertools
import json
import os
import pathlib
import re
import secrets
import select
import socket
import subprocess
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ("auth", "payment", "transaction")
PASSWORD = "correct horse battery"
ANSWER_SECONDS = 15
WAIT_SECONDS = 20
COMMAND_SECONDS = 60
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def until(condition, seconds=WAIT_SECONDS, pause=0.02):
    """Ask again until the condition gives something true; gives that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {seconds} s")
        time.sleep(pause)


# -- names nobody used before ------------------------------------------------

_run = secrets.token_hex(4)
_numbers = itertools.count(secrets.randbelow(90_000_000))
_lock = threading.Lock()


def unique(prefix="u"):
    """A short word, different at each call and in each run."""
    with _lock:
        return f"{prefix}{_run}{next(_numbers)}"


def phone_new(suffix=None):
    """A phone 08 + 11 digits that nobody used.

    With a `suffix` ("9003") the sandbox misbehaves for it as its README says;
    without one it never does.
    """
    with _lock:
        number = next(_numbers)
    if suffix is not None:
        return f"08{number % 100_000:05d}99{suffix}"
    return f"08{number % 10_000_000:07d}{secrets.randbelow(9_000):04d}"


# -- HTTP ----------------------------------------------------------------------

class Answer:
    """One HTTP answer: status, headers, raw bytes and, lazily, its JSON."""

    def __init__(self, status, headers, raw):
        self.status = status
        self.headers = headers
        self.raw = raw

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def meta(self):
        return self.json["meta"]

    @property
    def data(self):
        return self.json["data"]

    @property
    def reason(self):
        return self.meta.get("reason")

    def cookies(self):
        """name -> (value, attributes), as set by this answer."""
        found = {}
        for line in self.headers.get_all("Set-Cookie") or []:
            pair, _, attributes = line.partition(";")
            name, _, value = pair.partition("=")
            found[name.strip()] = (value.strip(), [part.strip()
                for part in attributes.split(";") if part.strip()])
        return found

    def __repr__(self):
        return f"<{self.status} {self.raw[:400]!r}>"


class Client:
    """HTTP to one base URL, one kept connection per thread.

    It never sends a request twice: a kept connection that the server has
    closed is seen before sending, so what fails is left to the test.
    """

    def __init__(self, base_url, headers=()):
        parts = urllib.parse.urlsplit(base_url)
        self.host, self.port = parts.hostname, parts.port
        self.headers = dict(headers)
        self.kept = threading.local()

    def with_headers(self, **more):
        """The same place with more headers on each request."""
        return Client(f"http://{self.host}:{self.port}", {**self.headers,
            **{name.replace("_", "-"): value for name, value in more.items()}})

    def connection(self, timeout):
        kept = getattr(self.kept, "connection", None)
        if kept is not None and kept.sock is not None:
            kept.sock.settimeout(timeout)
            if not select.select([kept.sock], [], [], 0)[0]:
                return kept
            kept.close()
        self.kept.connection = http.client.HTTPConnection(
            self.host, self.port, timeout=timeout)
        self.kept.connection.connect()
        self.kept.connection.sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.kept.connection

    def request(self, method, path, body=None, headers=(),
            timeout=ANSWER_SECONDS):
        """`body`: dict or list is sent as JSON, bytes and str as they are."""
        every = {**self.headers, **dict(headers)}
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            every.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        every = {name: value for name, value in every.items()
            if value is not None}
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body, every)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except BaseException:
            connection.close()
            raise

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, {} if body is None else body,
            **more)

    def put(self, path, body=None, **more):
        return self.request("PUT", path, {} if body is None else body, **more)

    def delete(self, path, body=None, **more):
        return self.request("DELETE", path, body, **more)


def expect(answer, status, reason=None):
    """Assert the status, the envelope of the contract and the reason."""
    assert answer.status == status, answer
    kind = answer.headers.get("Content-Type", "")
    assert kind.partition(";")[0] == "application/json", kind
    body = answer.json
    assert set(body) == {"meta", "data"}, answer
    meta = body["meta"]
    assert meta["code"] == str(status), answer
    assert isinstance(meta["message"], str) and meta["message"], answer
    request_id = answer.headers.get("X-Request-Id", "")
    assert REQUEST_ID.fullmatch(request_id), answer.headers.items()
    assert meta["request_id"] == request_id, answer
    if reason is not None:
        assert meta["reason"] == reason, answer
    if status >= 400:
        assert meta["reason"], answer
        assert body["data"] is None or status == 400, answer
    if status in (429, 502, 503):
        assert int(answer.headers["Retry-After"]) >= 0
    for field in body["data"] or [] if status == 400 else []:
        assert field["field"] and field["message"], answer
    return answer


def fields(answer):
    """The names of the fields a 400 complains about."""
    return {found["field"] for found in answer.data or []}


# -- the stack --------------------------------------------------------------------

class Stack:
    """What `./onegate status --json` says, and clients for its parts.

    ONEGATE_STATUS_JSON, the JSON itself or a file's name, comes first.
    """

    def __init__(self):
        self.status = self.find()
        for module in MODULES:
            setattr(self, module, Client(self.status[module]["base_url"]))
        self.sandbox = Sandbox(self.status["sandbox"]["base_url"])

    @staticmethod
    def find():
        given = os.environ.get("ONEGATE_STATUS_JSON", "")
        if given and not given.lstrip().startswith("{"):
            given = pathlib.Path(given).read_text(encoding="utf-8")
        if not given:
            given = command("status", "--json", check=False)
        try:
            return json.loads(given)
        except ValueError:
            return {"state": "down"}

    @staticmethod
    def is_up():
        return Stack.find().get("state") == "up"

    def client(self, module):
        return getattr(self, module)

    def internal(self, module):
        """The listener that serves /metrics."""
        return Client(self.status[module]["internal_url"])

    def pg(self, autocommit=True):
        """A connection to PostgreSQL as the owner of all schemas."""
        import psycopg
        return psycopg.connect(self.status["postgres"]["dsn"],
            autocommit=autocommit, connect_timeout=5)

    def redis(self):
        import redis
        there = self.status["redis"]
        return redis.Redis(there["host"], there["port"], socket_timeout=5)

    def register(self, **changed):
        """A new person, not signed in yet: User."""
        name = unique()
        body = {"email": name + "@example.com", "username": name,
            "phone": phone_new(), "password": PASSWORD, **changed}
        expect(self.auth.post("/api/auth/register", body), 201)
        return User(self, body)

    def user(self, balance=0, **changed):
        """A new person, signed in, with `balance` rupiah in the account."""
        user = self.register(**changed).login()
        if balance:
            user.fund(balance)
        return user

    def service(self, minute=1_000_000, hour=1_000_000, day=1_000_000):
        """A new consumer of the transaction module, by its code: its limits
        are its own, so that suites do not use up the regulators'."""
        code = "t" + unique("")[-15:]
        with self.pg() as pg:
            pg.execute("""insert into transaction.external_services
                (id, company, code, limit_minute, limit_hour, limit_day)
                values (gen_random_uuid(), %s, %s, %s, %s, %s)""",
                ("Test consumer " + code, code, minute, hour, day))
        return code

    def api_key(self, service=None, *options):
        """The text of a new API key, made by ./onegate key issue."""
        printed = command("key", "issue", service or self.service(), *options)
        found = re.search(r"ogk_[A-Za-z0-9]+_[A-Za-z0-9_-]+", printed)
        assert found, "./onegate key issue printed no key"
        return found.group(0)

    def regulator(self, service=None, *options):
        """A client of the transaction module with a fresh API key."""
        return self.transaction.with_headers(
            X_API_Key=self.api_key(service, *options))


class User:
    """One person: credentials, session, and clients that carry it."""

    def __init__(self, stack, body):
        self.stack = stack
        self.email, self.username = body["email"], body["username"]
        self.phone, self.password = body["phone"], body["password"]
        self.access_token = self.refresh_token = None
        self.auth, self.payment = stack.auth, stack.payment

    def login(self):
        answer = expect(self.stack.auth.post("/api/auth/login", {
            "username": self.username, "password": self.password}), 200)
        self.access_token = answer.data["access_token"]
        self.refresh_token = answer.data["refresh_token"]
        bearer = "Bearer " + self.access_token
        self.auth = self.stack.auth.with_headers(Authorization=bearer)
        self.payment = self.stack.payment.with_headers(Authorization=bearer)
        return self

    def account(self):
        return expect(self.payment.get("/api/payment/account"), 200).data

    def balance(self):
        """The balance as a Decimal, exact."""
        answer = expect(self.payment.get("/api/payment/balance"), 200)
        return exact(answer)["data"]["balance"]

    def topup(self, amount, method="GOPAY", phone=None, headers=()):
        """Ask for money from a wallet; gives the answer as it comes."""
        return self.payment.post("/api/payment/topup", {"amount": amount,
            "payment_method": method, "phone_number": phone or self.phone},
            headers=headers)

    def transaction(self, transaction):
        """The user's own view of one transaction, by id or TRX-..."""
        return expect(self.payment.get(
            "/api/payment/transactions/" + transaction), 200).data

    def settled(self, transaction, seconds=WAIT_SECONDS):
        """That transaction once it is no longer PENDING."""
        def look():
            found = self.transaction(transaction)
            return found["transaction_status"] != "PENDING" and found
        return until(look, seconds)

    def fund(self, amount, method="GOPAY"):
        """Bring money in and wait until it is there."""
        answer = expect(self.topup(amount, method), 201)
        done = self.settled(answer.data["id"])
        assert done["transaction_status"] == "SUCCESS", done
        return done

    def transfer(self, to, amount, headers=(), **more):
        """Send money; `to` is a User, username, phone or account id."""
        name = to.username if isinstance(to, User) else to
        return self.payment.post("/api/payment/transfer",
            {"to": name, "amount": amount, **more}, headers=headers)


class Sandbox(Client):
    """The providers' simulator and the tests' own doors into it."""

    def ask(self, method, path, body=None):
        answer = self.request(method, path, body)
        assert answer.status == 200, answer
        return answer.json

    def state(self, **filters):
        return self.ask("GET", "/sandbox/state?"
            + urllib.parse.urlencode(filters))

    def operations(self, **filters):
        return self.state(**filters)["operations"]

    def wallet(self, provider, phone):
        """Rupiah in a wallet; 10,000,000 when nobody used it yet."""
        found = self.state(provider=provider, phone=phone)["wallets"]
        return found[provider].get(phone, {"balance": 10_000_000})["balance"]

    def wallet_set(self, provider, phone, balance):
        self.ask("POST", f"/sandbox/wallets/{provider}/{phone}",
            {"balance": balance})

    def fault(self, name, **where):
        """A standing fault: provider, call, phone, count."""
        return self.ask("POST", "/sandbox/faults", {"fault": name, **where})

    def faults_clear(self):
        self.ask("DELETE", "/sandbox/faults")


def exact(answer):
    """The answer's JSON with every decimal read as Decimal."""
    from decimal import Decimal
    return json.loads(answer.raw, parse_float=Decimal)


def command(*arguments, check=True, seconds=COMMAND_SECONDS):
    """Run ./onegate and give its stdout."""
    done = subprocess.run([str(ROOT / "onegate"), *arguments], text=True,
        capture_output=True, timeout=seconds, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"./onegate {' '.join(arguments)}: "
            f"{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


# -- raw bytes ---------------------------------------------------------------------

class Raw:
    """A bare TCP connection for what no HTTP client would send."""

    def __init__(self, base_url, timeout=ANSWER_SECONDS):
        parts = urllib.parse.urlsplit(base_url)
        self.socket = socket.create_connection(
            (parts.hostname, parts.port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.socket.close()

    def send(self, *pieces, pause=0.05):
        """Send each piece as a segment of its own."""
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            self.socket.sendall(
                piece.encode("latin-1") if isinstance(piece, str) else piece)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self):
        more = self.socket.recv(65536)
        self.buffer += more
        return more

    def answer(self, head_only=False):
        """The next answer (1xx too); None when the server closed instead."""
        while b"\r\n\r\n" not in self.buffer:
            if not self.receive():
                assert self.buffer == b"", self.buffer
                return None
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        version, status, *_ = first.split(b" ")
        assert version in (b"HTTP/1.1", b"HTTP/1.0"), first
        headers = http.client.HTTPMessage()
        for line in rest.split(b"\r\n") if rest else []:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name] = value.strip()
        if int(status) < 200:
            return Answer(int(status), headers, b"")
        length = 0 if head_only else int(headers["Content-Length"])
        while len(self.buffer) < length:
            assert self.receive(), "closed inside an answer"
        raw, self.buffer = self.buffer[:length], self.buffer[length:]
        return Answer(int(status), headers, raw)

    def closed(self):
        """True when the server closes without one more byte."""
        try:
            while self.receive():
                pass
        except ConnectionResetError:
            pass
        except socket.timeout:
            return False
        return self.buffer == b""
