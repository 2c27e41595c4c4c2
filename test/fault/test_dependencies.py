"""When PostgreSQL, Redis or a worker dies: does the rest go on, does
everybody get an answer, and does everything come back by itself?

Servers are killed as a machine would kill them and started again by
./onegate up, which starts only what does not run. Kafka: test_relay.py.
"""
import concurrent.futures
import signal
import threading
import time

import pytest

from onegate import MODULES, PASSWORD, expect, unique, until
from servers import Server, ready, worker_kill

ANSWER_SECONDS = 10
RECOVER_SECONDS = 30


@pytest.fixture
def server(stack, request):
    found = Server(stack, request.param)
    yield found
    try:
        found.send(signal.SIGCONT)
    except ProcessLookupError:
        pass
    found.start()
    for module in MODULES:
        until(lambda: ready(stack, module), RECOVER_SECONDS)


def quick(client, method, path, body=None):
    """An answer within the deadline, whatever it is."""
    started = time.monotonic()
    answer = client.request(method, path, body, timeout=ANSWER_SECONDS)
    assert time.monotonic() - started < ANSWER_SECONDS
    return answer


# -- Redis: may vanish at any moment ----------------------------------------------

@pytest.mark.parametrize("server", ["redis"], indirect=True)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP],
    ids=["dead", "hung"])
def test_without_redis_everybody_is_served(stack, server, how):
    user, other = stack.user(balance=50_000), stack.user()
    ended = stack.user()
    expect(ended.auth.delete("/api/auth/logout",
        {"refresh_token": ended.refresh_token}), 200)
    client = stack.regulator(stack.service(minute=20))
    if how == signal.SIGKILL:
        server.kill()
    else:
        server.send(how)
    for module in MODULES:
        assert quick(stack.client(module), "GET", "/health/live").status == 200
    expect(quick(stack.auth, "POST", "/api/auth/login",
        {"username": user.username, "password": PASSWORD}), 200)
    expect(quick(user.auth, "GET", "/api/auth/me"), 200)
    expect(quick(user.payment, "POST", "/api/payment/transfer",
        {"to": other.username, "amount": 1_000}), 201)
    # Whoever signed out is out within a second, and nobody reads without limit.
    until(lambda: quick(ended.payment, "GET",
        "/api/payment/account").status == 401, 1)
    statuses = [quick(client, "GET",
        "/api/transaction/histories?size=1").status for _ in range(40)]
    assert set(statuses) == {200, 429}, statuses
    assert statuses.count(200) <= 20
    assert other.balance() == 1_000


@pytest.mark.parametrize("server", ["redis"], indirect=True)
def test_an_emptied_redis_revives_and_ends_nobody(stack, server):
    here, gone = stack.user(), stack.user()
    refresh = gone.refresh_token
    expect(gone.auth.delete("/api/auth/logout", {"refresh_token": refresh}),
        200)
    stack.redis().flushall()
    expect(here.auth.get("/api/auth/me"), 200)
    expect(here.payment.get("/api/payment/account"), 200)
    for client, path in ((gone.auth, "/api/auth/me"),
            (gone.payment, "/api/payment/account")):
        until(lambda: client.get(path).status == 401, 2)
    expect(stack.auth.put("/api/auth/refresh", {"refresh_token": refresh}),
        401)


# -- PostgreSQL: nothing is promised without it ---------------------------------------

@pytest.mark.parametrize("server", ["postgres"], indirect=True)
def test_without_postgresql_it_is_503_and_comes_back(stack, server):
    user, other = stack.user(balance=50_000), stack.user()
    regulator = stack.regulator()
    # An immediate stop: as after a power cut, with crash recovery.
    server.kill(signal.SIGQUIT)
    for module in MODULES:
        client = stack.client(module)
        assert quick(client, "GET", "/health/live").status == 200
        answer = until(lambda: (found := quick(client, "GET",
            "/health/ready")).status == 503 and found)
        expect(answer, 503)
        assert b"postgres" in answer.raw.lower()
    for client, method, path, body in (
            (stack.auth, "POST", "/api/auth/login",
                {"username": user.username, "password": PASSWORD}),
            (user.payment, "GET", "/api/payment/balance", None),
            (user.payment, "POST", "/api/payment/transfer",
                {"to": other.username, "amount": 1_000}),
            (regulator, "GET", "/api/transaction/histories", None)):
        answer = quick(client, method, path, body)
        expect(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    server.start()
    for module in MODULES:
        until(lambda: ready(stack, module), RECOVER_SECONDS)
    assert (user.balance(), other.balance()) == (50_000, 0)
    expect(user.transfer(other, 1_000), 201)


@pytest.mark.parametrize("server", ["postgres"], indirect=True)
def test_a_hung_postgresql_is_noticed_though_nobody_asks(stack, server):
    server.freeze()
    try:
        for module in MODULES:
            # Whoever asks all the time may name another need before.
            until(lambda: (found := quick(stack.client(module), "GET",
                "/health/ready")).status == 503
                and b"postgres" in found.raw.lower())
            assert quick(stack.client(module), "GET",
                "/health/live").status == 200
    finally:
        server.thaw()
    for module in MODULES:
        until(lambda: ready(stack, module), RECOVER_SECONDS)


@pytest.mark.parametrize("server", ["postgres"], indirect=True)
def test_what_was_acknowledged_survives_a_power_cut(stack, server):
    giver, takers = stack.user(balance=1_000_000), \
        [stack.user() for _ in range(4)]
    done, unsure, ended = [], [], threading.Event()

    def pay(number):
        taker = takers[number % 4]
        while not ended.is_set():
            key = unique("cut")
            try:
                answer = giver.transfer(taker, 1,
                    headers={"Idempotency-Key": key})
            except OSError:
                unsure.append((taker, key))
                continue
            if answer.status == 201:
                done.append(answer.data["id"])
            else:
                assert answer.status == 503, answer
                unsure.append((taker, key))
                ended.wait(0.05)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        work = [pool.submit(pay, number) for number in range(8)]
        try:
            until(lambda: len(done) >= 200)
            server.kill(signal.SIGQUIT)
            time.sleep(0.5)
        finally:
            ended.set()
        for finished in work:
            finished.result()
    server.start()
    until(lambda: ready(stack, "payment"), RECOVER_SECONDS)
    # A 503 may have been committed all the same: the key tells.
    for taker, key in unsure[:200]:
        answer = until(lambda: (found := giver.transfer(taker, 1, headers={
            "Idempotency-Key": key})).status != 503 and found)
        expect(answer, 201)
        done.append(answer.data["id"])
    with stack.pg() as pg:
        stored = pg.execute("select count(distinct id) from "
            "payment.transfers where id = any(%s::uuid[])",
            (done,)).fetchone()[0]
    assert stored == len(set(done)) == len(done)
    if len(unsure) <= 200:
        assert sum(taker.balance() for taker in takers) == len(done)
        assert giver.balance() == 1_000_000 - len(done)


# -- a worker that is killed ------------------------------------------------------------------

@pytest.mark.parametrize("rounds", [3])
def test_a_killed_worker_loses_and_doubles_nothing(stack, rounds):
    givers = [stack.user(balance=100_000) for _ in range(4)]
    taker = stack.user()
    done, unsure, ended = [], [], threading.Event()

    def pay(number):
        giver = givers[number % 4]
        while not ended.is_set():
            key = unique("kill")
            try:
                answer = giver.transfer(taker, 1,
                    headers={"Idempotency-Key": key})
            except OSError:
                unsure.append((giver, key))
                ended.wait(0.02)
                continue
            if answer.status == 201:
                done.append(answer.data["id"])
            else:
                unsure.append((giver, key))
                ended.wait(0.02)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        work = [pool.submit(pay, number) for number in range(8)]
        try:
            for _ in range(rounds):
                before = len(done)
                until(lambda: len(done) > before + 100)
                worker_kill(stack, "payment")
                until(lambda: ready(stack, "payment"), RECOVER_SECONDS)
        finally:
            ended.set()
        for finished in work:
            finished.result()
    for giver, key in unsure:
        answer = giver.transfer(taker, 1, headers={"Idempotency-Key": key})
        expect(answer, 201)
        done.append(answer.data["id"])
    assert len(set(done)) == len(done)
    assert taker.balance() == len(done)
    assert sum(giver.balance() for giver in givers) == 400_000 - len(done)
