"""Does sign-in let the right ones in, and tell the wrong ones nothing?"""
import json
import re
import statistics
import time

import pytest

from onegate import PASSWORD, command, expect, fields, unique, until


def login(stack, name, password=PASSWORD, **more):
    return stack.auth.post("/api/auth/login",
        {"username": name, "password": password}, **more)


@pytest.fixture(scope="module")
def user(stack):
    return stack.register()


@pytest.mark.parametrize("spelling", [
    lambda user: user.username,
    lambda user: user.username.upper(),
    lambda user: user.email,
    lambda user: user.email.upper(),
    lambda user: user.phone,
    lambda user: "+62" + user.phone[1:],
    lambda user: "62" + user.phone[1:],
], ids=["name", "NAME", "email", "EMAIL", "08", "+62", "62"])
def test_any_name_of_a_person_signs_in(stack, user, spelling):
    answer = expect(login(stack, spelling(user)), 200)
    assert set(answer.data) == {"access_token", "refresh_token"}


def test_every_wrong_combination_gets_one_answer(stack, user):
    seen = set()
    for name, password in [(user.username, "wrong password"),
            (user.email, "wrong password"), (user.phone, "wrong password"),
            (user.username, PASSWORD.upper()), (user.username, PASSWORD + " "),
            (user.username, "x"), (unique(), PASSWORD),
            (unique() + "@example.com", PASSWORD), ("081200000000", PASSWORD),
            ("' or 1=1 --", PASSWORD), ("a\tb", PASSWORD), ("%", PASSWORD)]:
        answer = expect(login(stack, name, password), 401, "bad_credentials")
        assert not answer.cookies()
        body = answer.json
        del body["meta"]["request_id"]
        seen.add(json.dumps(body, sort_keys=True))
    assert len(seen) == 1


def test_missing_fields_are_named(stack):
    answer = expect(stack.auth.post("/api/auth/login", {}), 400)
    assert fields(answer) == {"username", "password"}
    answer = expect(login(stack, 7, None), 400)
    assert fields(answer) == {"username", "password"}


def test_both_cookies_have_the_contracts_attributes(stack, user):
    answer = expect(login(stack, user.username), 200)
    cookies = answer.cookies()
    for name, token, seconds in (
            ("auth-token", "access_token", 900),
            ("refresh-token", "refresh_token", 604800)):
        value, attributes = cookies[name]
        assert value == answer.data[token]
        assert sorted(attributes) == sorted(["HttpOnly", "Secure",
            "SameSite=None", "Path=/", f"Max-Age={seconds}"])
    assert "," not in "".join(answer.headers.get_all("Set-Cookie"))
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_unknown_name_takes_as_long_as_a_wrong_password(stack, user):
    def median_of(name):
        took = []
        for _ in range(15):
            began = time.perf_counter()
            expect(login(stack, name, "wrong password"), 401)
            took.append(time.perf_counter() - began)
        return statistics.median(took)

    known, unknown = median_of(user.username), median_of(unique())
    assert 0.5 < unknown / known < 2.0, (known, unknown)
    assert min(known, unknown) > 0.005


def test_what_happens_at_the_door_is_counted(stack):
    def counted(event):
        text = stack.internal("auth").get("/metrics").raw.decode()
        found = re.search(r'onegate_auth_events_total\{event="%s"\} (\d+)'
            % event, text)
        return int(found.group(1))

    before = {event: counted(event) for event in ("login", "login_failed",
        "registered", "register_taken", "refresh", "refresh_refused",
        "logout")}
    user = stack.user()
    expect(login(stack, user.username, "wrong password"), 401)
    expect(stack.auth.post("/api/auth/register", {"email": user.email,
        "username": user.username, "phone": user.phone,
        "password": PASSWORD}), 409)
    expect(stack.auth.put("/api/auth/refresh",
        {"refresh_token": "A" * 43}), 401)
    token = expect(stack.auth.put("/api/auth/refresh",
        {"refresh_token": user.refresh_token}), 200).data["refresh_token"]
    expect(stack.auth.delete("/api/auth/logout",
        {"refresh_token": token}), 200)
    for event, count in before.items():
        assert counted(event) > count, event


def test_a_username_like_anothers_email_takes_nothing_over(stack, user):
    shadow = stack.auth.post("/api/auth/register", {
        "username": user.email, "email": unique() + "@example.com",
        "phone": "0899" + unique("")[-8:].translate(
            str.maketrans("abcdef", "012345")),
        "password": "another password"})
    assert shadow.status in (201, 400, 409)
    expect(login(stack, user.email), 200)


def test_a_suspended_user_is_told_only_after_the_right_password(stack):
    user = stack.user()
    command("user", "suspend", user.username, "--reason", "a test")
    until(lambda: user.auth.get("/api/auth/me").status == 401, 1)
    until(lambda: user.payment.get("/api/payment/balance").status == 401, 1)
    expect(login(stack, user.username, "wrong password"), 401,
        "bad_credentials")
    expect(login(stack, user.username), 403, "user_suspended")
    expect(stack.auth.put("/api/auth/refresh",
        {"refresh_token": user.refresh_token}), 401)
    command("user", "activate", user.phone)
    user.login()
    seen = expect(user.auth.get("/api/auth/audit"), 200)
    assert ("status", "suspended") in [(one["event"], one["outcome"])
        for one in seen.data]
    assert "a test" not in seen.raw.decode()


def test_a_deleted_user_is_nobody_and_the_money_history_stays(stack):
    user = stack.user(balance=1_000)
    account = user.account()["id"]
    command("user", "delete", user.email)
    expect(login(stack, user.username), 401, "bad_credentials")
    expect(stack.auth.put("/api/auth/refresh",
        {"refresh_token": user.refresh_token}), 401)
    with stack.pg() as database:
        rows = database.execute("select count(*) from payment.transfers"
            " where credit_account = %s", (account,)).fetchone()[0]
    assert rows > 0


def test_a_raised_cost_is_paid_at_the_next_sign_in(stack):
    # A hash of the password at the lowest cost, as an old release made it.
    cheap = ("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
        "{hash}")
    from_library = _argon2id(PASSWORD, b"somesaltsomesalt", 64, 1)
    user = stack.register()
    with stack.pg() as database:
        database.execute("update auth.users set password = %s"
            " where username = %s",
            (cheap.format(hash=from_library), user.username))
    user.login()
    with stack.pg() as database:
        stored = database.execute(
            "select password from auth.users where username = %s",
            (user.username,)).fetchone()[0]
    assert not stored.startswith("$argon2id$v=19$m=64,")
    user.login()


def _argon2id(password, salt, memory_kib, passes):
    """The hash part, by the C library through ctypes."""
    import base64
    import ctypes
    library = ctypes.CDLL("libargon2.so.1")
    out = ctypes.create_string_buffer(32)
    text, size = password.encode(), ctypes.c_size_t
    assert library.argon2id_hash_raw(passes, memory_kib, 1, text,
        size(len(text)), salt, size(len(salt)), out, size(32)) == 0
    return base64.b64encode(out.raw).rstrip(b"=").decode()
