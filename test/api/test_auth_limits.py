"""Are tries limited, do keys change and queues fill as they should?

These need an auth process with other settings: each test starts one of its
own beside the stack's, on the same PostgreSQL and Redis.
"""
import concurrent.futures
import json
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from onegate import PASSWORD, Raw, expect, unique, until
from own import OwnModule


@pytest.fixture
def auth_with(stack, tmp_path):
    started = []

    def start(**settings):
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(OwnModule(stack, folder, "auth", **settings))
        return started[-1]
    # A limit counts for every worker, so earlier tests are forgotten first.
    redis = stack.redis()
    for key in redis.scan_iter("*auth:*"):
        redis.delete(key)
    yield start
    for one in started:
        one.end()
    for key in redis.scan_iter("*auth:*"):
        redis.delete(key)


def login(client, name, password=PASSWORD):
    return client.post("/api/auth/login",
        {"username": name, "password": password})


def test_tries_at_one_account_are_limited_and_others_are_not(
        stack, auth_with):
    client = auth_with(LIMIT_LOGIN_ACCOUNT=4).client
    user, other = stack.register(), stack.register()
    for _ in range(4):
        expect(login(client, user.username, "wrong password"), 401)
    answer = expect(login(client, user.username), 429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    # In another spelling it is the same account.
    expect(login(client, user.username.upper()), 429)
    expect(login(client, other.username), 200)


def test_an_unknown_name_is_limited_like_a_known_one(auth_with):
    client, name = auth_with(LIMIT_LOGIN_ACCOUNT=3).client, unique()
    statuses = [login(client, name).status for _ in range(5)]
    assert statuses == [401] * 3 + [429] * 2


def test_tries_of_one_address_are_limited(auth_with):
    client = auth_with(LIMIT_LOGIN_ADDRESS=5).client
    statuses = [login(client, unique()).status for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2


def test_a_flood_leaves_one_row_a_minute(stack, auth_with):
    client, mine = auth_with(LIMIT_LOGIN_ADDRESS=2).client, unique("flood")
    answers = [client.post("/api/auth/login", {"username": unique(),
        "password": PASSWORD}, headers={"X-Request-Id": mine})
        for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 2 + [429] * 4
    with stack.pg() as database:
        assert database.execute("select outcome, count(*) from"
            " auth.audit_events where request_id = %s group by 1 order by 1",
            (mine,)).fetchall() == [("refused", 2), ("throttled", 1)]


def test_registrations_and_refreshes_of_one_address_are_limited(auth_with):
    client = auth_with(LIMIT_REGISTER_ADDRESS=2,
        LIMIT_REFRESH_ADDRESS=3).client
    statuses = []
    for _ in range(4):
        name = unique()
        statuses.append(client.post("/api/auth/register", {"username": name,
            "email": name + "@example.com", "password": PASSWORD,
            "phone": "08" + str(time.time_ns())[-11:]}).status)
    assert statuses == [201, 201, 429, 429]
    statuses = [client.put("/api/auth/refresh",
        {"refresh_token": "A" * 43}).status for _ in range(5)]
    assert statuses == [401] * 3 + [429] * 2


def test_failures_are_answered_later_and_later_but_never_locked(
        stack, auth_with):
    client = auth_with(LIMIT_DELAY_MS=100, LIMIT_DELAY_MOST_MS=400).client
    user, took = stack.register(), []
    for _ in range(6):
        began = time.monotonic()
        expect(login(client, user.username, "wrong password"), 401)
        took.append(time.monotonic() - began)
    # Two for free, then 100, 200, 400 ms, and never more.
    for number, least in enumerate((0, 0, 0.1, 0.2, 0.4, 0.4)):
        assert took[number] >= least, took
    began = time.monotonic()
    expect(login(client, user.username), 200)
    assert time.monotonic() - began < 0.4


def test_an_answer_may_take_longer_than_a_connection_may_idle(auth_with):
    """15 s in conf/process.conf; a silent head ends then, a request does
    not."""
    own, name = auth_with(LIMIT_DELAY_MS=16_000,
        LIMIT_DELAY_MOST_MS=16_000), unique()
    for _ in range(2):
        expect(login(own.client, name, "wrong password"), 401)
    body = json.dumps({"username": name, "password": "wrong password"})
    with Raw(f"http://127.0.0.1:{own.port}", timeout=30) as raw:
        began = time.monotonic()
        raw.send("POST /api/auth/login HTTP/1.1\r\nHost: x\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")
        expect(raw.answer(), 401)
        assert time.monotonic() - began >= 16


def test_a_full_queue_is_503_with_retry_after(stack, auth_with):
    client = auth_with(ARGON2_THREADS=1, ARGON2_QUEUE=1).client
    user = stack.register()
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(
            lambda _: login(client, user.username), range(12)))
    for answer in answers:
        expect(answer, answer.status)
        assert answer.status in (200, 503), answer
    assert {answer.status for answer in answers} == {200, 503}
    expect(login(client, user.username), 200)


def test_a_new_cost_is_paid_at_the_next_sign_in(stack, auth_with):
    user = stack.register()
    client = auth_with(ARGON2_PASSES=3).client

    def stored():
        with stack.pg() as database:
            return database.execute("select password from auth.users"
                " where username = %s", (user.username,)).fetchone()[0]
    assert ",t=2," in stored()
    expect(login(client, user.username), 200)
    assert ",t=3," in stored()
    # A worker of the old settings still knows it, and lowers nothing.
    user.login()
    assert ",t=3," in stored()


def test_keys_change_without_a_restart(stack, auth_with, tmp_path):
    keys = tmp_path / "keys"
    shutil.copytree(pathlib.Path(stack.status["data"]) / "secrets" / "jwt",
        keys)
    auth = auth_with(JWT_KEYS=keys)
    user = stack.register()

    def kids():
        return {key["kid"] for key in
            auth.client.get("/.well-known/jwks.json").json["keys"]}

    def fresh_token():
        return expect(login(auth.client, user.username),
            200).data["access_token"]

    def status_of(token):
        return auth.client.get("/api/auth/me",
            headers={"Authorization": "Bearer " + token}).status

    def kid_of(token):
        import base64
        import json
        head = token.split(".")[0]
        return json.loads(base64.urlsafe_b64decode(head + "==="))["kid"]

    old_kid = (keys / "signing").read_text().strip()
    old_token = fresh_token()
    # Make and announce.
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-out", keys / "next-1.pem"], check=True,
        capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", keys / "next-1.pem", "-pubout",
        "-out", keys / "next-1.pub.pem"], check=True, capture_output=True)
    auth.process.send_signal(signal.SIGHUP)
    until(lambda: "next-1" in kids())
    assert kid_of(fresh_token()) == old_kid
    # Sign.
    (keys / "signing.new").write_text("next-1\n")
    (keys / "signing.new").replace(keys / "signing")
    auth.process.send_signal(signal.SIGHUP)
    until(lambda: kid_of(fresh_token()) == "next-1")
    new_token = fresh_token()
    assert status_of(old_token) == status_of(new_token) == 200
    # A broken folder changes nothing.
    (keys / "broken.pub.pem").write_text("no key\n")
    auth.process.send_signal(signal.SIGHUP)
    expect(login(auth.client, user.username), 200)
    (keys / "broken.pub.pem").unlink()
    # Retire.
    (keys / f"{old_kid}.pem").unlink()
    (keys / f"{old_kid}.pub.pem").unlink()
    auth.process.send_signal(signal.SIGHUP)
    until(lambda: old_kid not in kids())
    assert status_of(old_token) == 401
    assert status_of(new_token) == 200
    assert auth.process.poll() is None
