"""Do sessions live, rotate and end exactly as they should?"""
import concurrent.futures
import time

import pytest

from onegate import PASSWORD, Raw, expect, fields, unique, until

def refresh(stack, token):
    return stack.auth.put("/api/auth/refresh", {"refresh_token": token})


@pytest.fixture(scope="module")
def bob(stack):
    """Somebody signed in whom no test signs out or changes."""
    return stack.user()


def alive(user):
    return user.auth.get("/api/auth/me").status == 200


def family(stack, user):
    with stack.pg() as database:
        return database.execute("select count(*) filter (where ended_at is"
            " null), count(*) filter (where end_reason = 'reuse') from"
            " auth.sessions s join auth.users u on u.id = s.user_id"
            " where u.username = %s", (user.username,)).fetchone()


# -- refresh -------------------------------------------------------------------

def test_refresh_gives_a_new_pair_and_cookies(stack):
    user = stack.user()
    answer = expect(refresh(stack, user.refresh_token), 200)
    assert answer.data["refresh_token"] != user.refresh_token
    assert answer.data["access_token"] != user.access_token
    cookies = answer.cookies()
    assert cookies["refresh-token"][0] == answer.data["refresh_token"]
    assert cookies["auth-token"][0] == answer.data["access_token"]
    me = stack.auth.get("/api/auth/me", headers={
        "Authorization": "Bearer " + answer.data["access_token"]})
    assert expect(me, 200).data["username"] == user.username


def test_refresh_reads_the_cookie_with_an_empty_object(stack):
    user = stack.user()
    answer = stack.auth.put("/api/auth/refresh", {},
        headers={"Cookie": "refresh-token=" + user.refresh_token})
    expect(answer, 200)


@pytest.mark.parametrize("token", [None, "x", "a" * 43, "a" * 4096,
    "A" * 42 + "!", "../../etc/passwd", "null"])
def test_an_unknown_refresh_token_is_401(stack, token):
    body = {} if token is None else {"refresh_token": token}
    answer = expect(stack.auth.put("/api/auth/refresh", body), 401)
    assert not answer.cookies()


@pytest.mark.parametrize("token", [7, True, [], {}, ""])
def test_a_refresh_token_of_a_wrong_type_is_400(stack, token):
    answer = expect(refresh(stack, token), 400)
    assert fields(answer) == {"refresh_token"}


def test_an_access_token_is_no_refresh_token(stack):
    expect(refresh(stack, stack.user().access_token), 401)


def test_a_second_use_ends_the_whole_family(stack):
    user = stack.user()
    second = expect(refresh(stack, user.refresh_token), 200).data
    third = expect(refresh(stack, second["refresh_token"]), 200).data
    expect(refresh(stack, user.refresh_token), 401)
    expect(refresh(stack, third["refresh_token"]), 401)
    for token in (user.access_token, third["access_token"]):
        expect(stack.auth.get("/api/auth/me",
            headers={"Authorization": "Bearer " + token}), 401)
    assert family(stack, user) == (0, 1)


def test_a_second_use_at_once_after_the_answer_ends_it_too(stack):
    user = stack.user()
    second = expect(refresh(stack, user.refresh_token), 200).data
    expect(refresh(stack, user.refresh_token), 401)
    expect(refresh(stack, second["refresh_token"]), 401)


@pytest.mark.parametrize("clients", [2, 8])
def test_parallel_refreshes_have_one_winner_and_the_family_lives(
        stack, clients):
    for _ in range(5):
        user = stack.user()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            # Connections first, so that the requests really overlap.
            list(pool.map(lambda _: stack.auth.get("/health/live"),
                range(clients)))
            answers = list(pool.map(
                lambda _: refresh(stack, user.refresh_token), range(clients)))
        statuses = sorted(answer.status for answer in answers)
        assert statuses == [200] + [401] * (clients - 1)
        winner = [a for a in answers if a.status == 200][0].data
        expect(refresh(stack, winner["refresh_token"]), 200)


def test_a_client_that_left_before_its_answer_may_try_again(stack):
    user = stack.user()
    body = b'{"refresh_token":"%s"}' % user.refresh_token.encode()
    with stack.pg() as database, \
            Raw(stack.status["auth"]["base_url"]) as raw:
        def tokens():
            """How many there are, and whether the first is used."""
            return database.execute("select count(*), bool_or(used_at is not"
                " null) from auth.authentications a join auth.users u"
                " on u.id = a.user_id where u.username = %s",
                (user.username,)).fetchone()

        assert tokens() == (1, False)
        raw.send(b"PUT /api/auth/refresh HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % len(body) + body)
        until(lambda: tokens() == (2, True), pause=0.001)
        # Here the answer is still held back: nobody will have received it.
        raw.socket.close()
        until(lambda: tokens() == (1, False))
    expect(refresh(stack, user.refresh_token), 200)


def test_an_expired_refresh_token_is_401_and_ends_nothing(stack):
    user = stack.user()
    with stack.pg() as database:
        database.execute("update auth.authentications set expires_at = now()"
            " where user_id = (select id from auth.users"
            " where username = %s)", (user.username,))
    expect(refresh(stack, user.refresh_token), 401)
    assert alive(user)


def test_no_token_is_stored(stack):
    user = stack.user()
    with stack.pg() as database:
        stored = [row[0] for row in database.execute(
            "select token from auth.authentications a join auth.users u"
            " on u.id = a.user_id where u.username = %s", (user.username,))]
    assert len(stored) == 1 and len(stored[0]) == 64
    assert user.refresh_token not in stored


def test_a_flushed_redis_signs_nobody_out_and_nobody_in(stack):
    here, gone = stack.user(), stack.user()
    expect(stack.auth.delete("/api/auth/logout",
        {"refresh_token": gone.refresh_token}), 200)
    stack.redis().flushall()
    assert alive(here)
    assert not alive(gone)
    expect(refresh(stack, gone.refresh_token), 401)
    expect(refresh(stack, here.refresh_token), 200)


# -- logout --------------------------------------------------------------------

@pytest.mark.parametrize("where", ["body", "query", "cookie"])
def test_logout_ends_the_session_and_works_twice(stack, where):
    user = stack.user()
    path, body, headers = "/api/auth/logout", {}, {}
    if where == "body":
        body = {"refresh_token": user.refresh_token}
    elif where == "query":
        path, body = path + "?refresh_token=" + user.refresh_token, None
    else:
        headers = {"Cookie": "refresh-token=" + user.refresh_token}
    for _ in range(2):
        answer = expect(stack.auth.delete(path, body, headers=headers), 200)
        for name in ("auth-token", "refresh-token"):
            value, attributes = answer.cookies()[name]
            assert value == "" and "Max-Age=0" in attributes
    assert not alive(user)
    expect(refresh(stack, user.refresh_token), 401)


@pytest.mark.parametrize("path,body", [
    ("/api/auth/logout", {"refresh_token": ""}),
    ("/api/auth/logout", {"refresh_token": None}),
    ("/api/auth/logout?refresh_token=", {}),
    ("/api/auth/logout?refresh_token", None)])
def test_an_empty_refresh_token_leaves_it_to_the_cookie(stack, path, body):
    user = stack.user()
    expect(stack.auth.delete(path, body, headers={
        "Cookie": "refresh-token=" + user.refresh_token}), 200)
    assert not alive(user)


@pytest.mark.parametrize("carried", [
    lambda user: {"Authorization": "Bearer " + user.access_token},
    lambda user: {"Cookie": "auth-token=" + user.access_token}],
    ids=["bearer", "cookie"])
def test_logout_ends_the_access_tokens_session_without_a_refresh_token(
        stack, carried):
    user = stack.user()
    for _ in range(2):
        expect(stack.auth.delete("/api/auth/logout", {},
            headers=carried(user)), 200)
        assert not alive(user)
    expect(refresh(stack, user.refresh_token), 401)


@pytest.mark.parametrize("body", [{}, None, {"refresh_token": "unknown"},
    {"refresh_token": None}])
def test_logout_without_a_session_is_200(stack, body):
    expect(stack.auth.delete("/api/auth/logout", body), 200)


def test_a_signed_out_token_is_refused_in_payment_within_a_second(stack):
    user = stack.user()
    expect(user.payment.get("/api/payment/balance"), 200)
    expect(stack.auth.delete("/api/auth/logout",
        {"refresh_token": user.refresh_token}), 200)
    ended = time.monotonic()
    until(lambda: user.payment.get("/api/payment/balance").status == 401)
    assert time.monotonic() - ended < 1.0


# -- sessions ------------------------------------------------------------------

def second_device(stack, user, agent="Second/1.0"):
    answer = expect(stack.auth.post("/api/auth/login",
        {"username": user.username, "password": PASSWORD},
        headers={"User-Agent": agent}), 200)
    return stack.auth.with_headers(
        Authorization="Bearer " + answer.data["access_token"]), answer.data


def test_devices_are_listed_with_what_they_are(stack):
    user = stack.user()
    second_device(stack, user, "Phone/2.0")
    answer = expect(user.auth.get("/api/auth/sessions"), 200)
    assert answer.meta["size"] == 2 and answer.meta["next_cursor"] is None
    assert sorted(one["current"] for one in answer.data) == [False, True]
    other = [one for one in answer.data if not one["current"]][0]
    assert other["device"] == "Phone/2.0"
    assert other["ip_address"] == "127.0.0.1"
    assert {"id", "created_at", "last_used_at"} <= set(other)


def test_a_device_is_signed_out_from_another(stack):
    user = stack.user()
    other, tokens = second_device(stack, user)
    found = expect(user.auth.get("/api/auth/sessions"), 200).data
    there = [one["id"] for one in found if not one["current"]][0]
    expect(user.auth.delete("/api/auth/sessions/" + there), 200)
    expect(other.get("/api/auth/me"), 401)
    expect(refresh(stack, tokens["refresh_token"]), 401)
    assert alive(user)
    expect(user.auth.delete("/api/auth/sessions/" + there), 404)


def test_all_devices_are_signed_out(stack):
    user = stack.user()
    other, _ = second_device(stack, user)
    answer = expect(user.auth.delete("/api/auth/sessions/all"), 200)
    assert answer.cookies()["auth-token"][0] == ""
    expect(other.get("/api/auth/me"), 401)
    assert not alive(user)


@pytest.mark.parametrize("name", ["x", "0190a000-0000-7000-8000-000000000000",
    "%2e%2e", "0190a000-0000-7000-8000-00000000000g"])
def test_an_unknown_session_is_404(stack, bob, name):
    expect(bob.auth.delete("/api/auth/sessions/" + name), 404)


def test_a_strangers_session_is_404_and_lives(stack, bob):
    stranger = stack.user()
    there = expect(stranger.auth.get("/api/auth/sessions"), 200).data[0]["id"]
    expect(bob.auth.delete("/api/auth/sessions/" + there), 404)
    assert alive(stranger)


# -- the profile and the trail ---------------------------------------------------

def test_the_profile_is_the_persons(stack):
    user = stack.user()
    me = expect(user.auth.get("/api/auth/me"), 200).data
    assert (me["username"], me["email"], me["phone"]) == (
        user.username, user.email, user.phone)
    assert me["pin_set"] is False and me["status"] == "ACTIVE"
    assert "password" not in me
    assert me["created_at"].endswith("Z")


def test_the_profile_comes_by_cookie_too(stack):
    user = stack.user()
    expect(stack.auth.get("/api/auth/me",
        headers={"Cookie": "a=b; auth-token=" + user.access_token}), 200)


def test_a_user_reads_the_own_trail_and_only_that(stack, bob):
    user = stack.user()
    expect(stack.auth.post("/api/auth/login", {"username": user.username,
        "password": "wrong password"}), 401)
    expect(refresh(stack, user.refresh_token), 200)
    answer = expect(user.auth.get("/api/auth/audit"), 200)
    seen = [(one["event"], one["outcome"]) for one in answer.data]
    assert seen == [("refresh", "ok"), ("login", "refused"), ("login", "ok"),
        ("register", "ok")]
    text = answer.raw.decode()
    assert user.refresh_token not in text and user.password not in text
    page = expect(user.auth.get("/api/auth/audit?limit=3"), 200)
    rest = expect(user.auth.get("/api/auth/audit?limit=3&cursor="
        + page.meta["next_cursor"]), 200)
    assert page.data + rest.data == answer.data
    assert rest.meta["next_cursor"] is None
    for query in ("limit=0", "limit=101", "limit=x", "cursor=-1"):
        expect(user.auth.get("/api/auth/audit?" + query), 400)


def trail(stack, request_id):
    with stack.pg() as database:
        return database.execute("select event, outcome, user_id is not null,"
            " ip is not null from auth.audit_events where request_id = %s",
            (request_id,)).fetchall()


@pytest.mark.parametrize("body", [{}, {"refresh_token": "x"},
    {"refresh_token": "A" * 43}])
def test_a_refused_refresh_leaves_a_row(stack, body):
    mine = unique("audit")
    expect(stack.auth.put("/api/auth/refresh", body,
        headers={"X-Request-Id": mine}), 401)
    assert trail(stack, mine) == [("refresh", "refused", False, True)]


def test_a_wrong_pin_leaves_a_row(stack):
    user = stack.user()
    expect(pin(user, pin="271828", password=PASSWORD), 200)
    for status, outcome in [(403, "wrong_pin")] * 5 + [(429, "blocked")]:
        mine = unique("audit")
        expect(user.auth.put("/api/auth/pin", {"pin": "739154",
            "password": PASSWORD, "old_pin": "271829"},
            headers={"X-Request-Id": mine}), status)
        assert trail(stack, mine) == [("pin_change", outcome, True, True)]


def test_the_trail_cannot_be_changed(stack):
    import psycopg
    stack.user()
    for change in ("update auth.audit_events set outcome = 'x'",
            "delete from auth.audit_events", "truncate auth.audit_events"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            with stack.pg() as database:
                database.execute(change)


# -- password and PIN --------------------------------------------------------------

def test_a_new_password_ends_the_other_devices(stack):
    user = stack.user()
    other, tokens = second_device(stack, user)
    expect(user.auth.put("/api/auth/password", {"old_password": PASSWORD,
        "new_password": "a better password"}), 200)
    assert alive(user)
    expect(other.get("/api/auth/me"), 401)
    expect(refresh(stack, tokens["refresh_token"]), 401)
    expect(refresh(stack, user.refresh_token), 200)
    expect(stack.auth.post("/api/auth/login", {"username": user.username,
        "password": PASSWORD}), 401)
    user.password = "a better password"
    user.login()


@pytest.mark.parametrize("body,status,named", [
    ({}, 400, {"old_password", "new_password"}),
    ({"old_password": PASSWORD}, 400, {"new_password"}),
    ({"old_password": PASSWORD, "new_password": "short"}, 400,
        {"new_password"}),
    ({"old_password": PASSWORD, "new_password": "x" * 256}, 400,
        {"new_password"}),
    ({"old_password": PASSWORD, "new_password": "password1"}, 400,
        {"new_password"}),
    ({"old_password": PASSWORD, "new_password": PASSWORD}, 400,
        {"new_password"}),
    ({"old_password": "not this one", "new_password": "a better password"},
        401, set()),
])
def test_a_refused_password_change_changes_nothing(stack, bob, body, status,
        named):
    answer = expect(bob.auth.put("/api/auth/password", body), status)
    assert fields(answer) == named
    assert alive(bob)


@pytest.mark.parametrize("name", [
    lambda user: user.username, lambda user: user.username.upper(),
    lambda user: user.email, lambda user: user.email.upper(),
    lambda user: user.email.partition("@")[0], lambda user: user.phone,
    lambda user: "+62" + user.phone[1:]])
def test_a_new_password_is_none_of_the_persons_names(stack, bob, name):
    answer = expect(bob.auth.put("/api/auth/password", {
        "old_password": PASSWORD, "new_password": name(bob)}), 400)
    assert fields(answer) == {"new_password"}
    assert alive(bob)


def pin(user, **body):
    return user.auth.put("/api/auth/pin", body)


def test_a_pin_is_set_with_the_password_and_changed_with_the_old_one(stack):
    user = stack.user()
    expect(pin(user, pin="271828", password="wrong password"), 401)
    expect(pin(user, pin="271828", password=PASSWORD), 200)
    assert expect(user.auth.get("/api/auth/me"), 200).data["pin_set"] is True
    answer = expect(pin(user, pin="314159", password=PASSWORD), 400)
    assert fields(answer) == {"old_pin"}
    expect(pin(user, pin="314159", password=PASSWORD, old_pin="161803"), 403,
        "pin_wrong")
    expect(pin(user, pin="314159", password=PASSWORD, old_pin="271828"), 200)
    with stack.pg() as database:
        stored = database.execute("select pin from auth.pins where user_id ="
            " (select id from auth.users where username = %s)",
            (user.username,)).fetchone()[0]
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize("value", ["", "12345", "1234567", "12345a", 123456,
    None, "\u0661\u0662\u0663\u0664\u0665\u0666", "123456", "654321",
    "111111", "000000", "121212", "171145", "450817"])
def test_a_weak_or_malformed_pin_is_named(stack, bob, value):
    answer = expect(pin(bob, pin=value, password=PASSWORD), 400)
    assert fields(answer) == {"pin"}


def test_five_wrong_pins_block_but_not_signing_in(stack):
    user = stack.user()
    expect(pin(user, pin="271828", password=PASSWORD), 200)
    for _ in range(5):
        expect(pin(user, pin="314159", password=PASSWORD, old_pin="161803"),
            403, "pin_wrong")
    answer = expect(pin(user, pin="314159", password=PASSWORD,
        old_pin="271828"), 429, "pin_blocked")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    user.login()
    with stack.pg() as database:
        database.execute("update auth.pins set blocked_until = now()"
            " where user_id = (select id from auth.users"
            " where username = %s)", (user.username,))
    expect(pin(user, pin="314159", password=PASSWORD, old_pin="271828"), 200)


def test_guessing_pins_at_once_gains_nothing(stack):
    user = stack.user()
    expect(pin(user, pin="271828", password=PASSWORD), 200)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        reasons = list(pool.map(lambda n: pin(user, pin="314159",
            password=PASSWORD, old_pin=f"55{n:04d}").reason, range(12)))
    assert reasons.count("pin_wrong") <= 5
    assert set(reasons) <= {"pin_wrong", "pin_blocked"}


# -- browsers ----------------------------------------------------------------------

@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"},
    {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_foreign_origin_changes_nothing_by_cookie(stack, headers):
    user = stack.user()
    cookies = {"Cookie": "auth-token=" + user.access_token
        + "; refresh-token=" + user.refresh_token, **headers}
    for method, path, body in (
            ("PUT", "/api/auth/refresh", {}),
            ("DELETE", "/api/auth/logout", {}),
            ("PUT", "/api/auth/password", {}),
            ("DELETE", "/api/auth/sessions/all", None)):
        expect(stack.auth.request(method, path, body, headers=cookies), 403,
            "foreign_origin")
    expect(stack.auth.get("/api/auth/me", headers=cookies), 200)
    assert alive(user)


def test_a_foreign_origin_with_a_bearer_token_passes(stack):
    user = stack.user()
    expect(user.auth.delete("/api/auth/sessions/" + unique(),
        headers={"Origin": "https://evil.example"}), 404)
