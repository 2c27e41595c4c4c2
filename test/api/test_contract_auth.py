"""Does auth keep the contract: who may register, sign in, stay and leave?

Rows that must be refused outnumber those that must pass. Every person is new.
"""
import base64
import concurrent.futures
import hmac
import json
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from onegate import PASSWORD, expect, fields, phone_new, unique, until

REVOKED_SECONDS = 1.5


def registration(**changed):
    name = unique()
    return {"email": name + "@example.com", "username": name,
        "phone": phone_new(), "password": PASSWORD, **changed}


def register(stack, **changed):
    return stack.auth.post("/api/auth/register", registration(**changed))


def login(stack, name, password=PASSWORD):
    return stack.auth.post("/api/auth/login",
        {"username": name, "password": password})


# -- register -------------------------------------------------------------------------

def test_registering_gives_201_and_the_email(stack):
    body = registration()
    answer = expect(stack.auth.post("/api/auth/register", body), 201)
    assert answer.data == body["email"]
    assert PASSWORD.encode() not in answer.raw


BAD_FIELDS = [
    *[("email", value) for value in ("", " ", "x", "a@", "@b.co", "a b@c.co",
        "a@b c.co", "a@@b.co", "a@b@c.co", "a\n@b.co",
        "x" * 250 + "@example.com", 5, True, None, [], {}, ["a@b.co"])],
    *[("username", value) for value in ("", "x" * 256, "a\nb",
        "\u202eabc", 5, False, None, [], {})],
    *[("phone", value) for value in ("", "0", "08", "081234567",
        "08123456789012", "0912345678", "+14155550123", "08123x5678",
        "08 12345678", "O8123456789", "08123456789\n", "\uff10\uff1812345678",
        8123456789, None, [], {})],
    *[("password", value) for value in ("", "short77", "x" * 256, 12345678,
        None, True, [], {})],
]


@pytest.mark.parametrize("field,value", BAD_FIELDS,
    ids=lambda value: repr(value)[:24])
def test_a_bad_field_is_named(stack, field, value):
    answer = expect(register(stack, **{field: value}), 400)
    assert fields(answer) == {field}, answer


@pytest.mark.parametrize("missing", ["email", "username", "phone",
    "password"])
def test_a_missing_field_is_named(stack, missing):
    body = registration()
    del body[missing]
    answer = expect(stack.auth.post("/api/auth/register", body), 400)
    assert fields(answer) == {missing}


def test_all_bad_fields_are_named_at_once(stack):
    answer = expect(register(stack, email="x", username="", phone="1",
        password="x"), 400)
    assert fields(answer) == {"email", "username", "phone", "password"}


@pytest.mark.parametrize("changed", [
    {"password": "x" * 247 + "!Aa1 \u00e9z"}, {"password": "kq7vRz2m"},
    {"password": "     \u00fc\u00df   "}, {"password": "'; drop table--"},
], ids=lambda changed: repr(changed)[:24])
def test_passwords_at_the_edge_work(stack, changed):
    body = registration(**changed)
    expect(stack.auth.post("/api/auth/register", body), 201)
    expect(login(stack, body["username"], body["password"]), 200)


def test_names_at_the_edge_work(stack):
    tail = unique("-")
    for changed in ({"username": "n" * (255 - len(tail)) + tail},
            {"username": "B\u00e9la " + unique()},
            {"username": unique("o'brien-")},
            {"email": "a+b.c" + unique() + "@mail.example.co.id"},
            {"phone": phone_new()[:10]}):
        body = registration(**changed)
        answer = stack.auth.post("/api/auth/register", body)
        assert answer.status in (201, 409), (changed, answer)
        if answer.status == 201:
            expect(login(stack, body["username"]), 200)


@pytest.mark.parametrize("clash", [
    lambda body: {"email": body["email"]},
    lambda body: {"email": body["email"].upper()},
    lambda body: {"username": body["username"]},
    lambda body: {"username": body["username"].upper()},
    lambda body: {"phone": body["phone"]},
], ids=["email", "EMAIL", "username", "USERNAME", "phone"])
def test_a_taken_name_is_409(stack, clash):
    body = registration()
    expect(stack.auth.post("/api/auth/register", body), 201)
    expect(register(stack, **clash(body)), 409)


def test_one_phone_in_two_spellings_is_one_person(stack):
    body = registration()
    expect(stack.auth.post("/api/auth/register", body), 201)
    other = register(stack, phone="+62" + body["phone"][1:])
    assert other.status in (400, 409), other


@pytest.mark.parametrize("field", ["email", "username", "phone"])
def test_a_race_for_one_name_has_one_winner(stack, field):
    value = registration()[field]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda _: register(stack, **{field: value}).status, range(8)))
    assert sorted(answers) == [201] + [409] * 7


def test_unknown_fields_do_no_harm(stack):
    expect(register(stack, role="admin", id=1, balance=10 ** 9), 201)


# -- login -----------------------------------------------------------------------------

def test_signing_in_by_each_name(stack):
    body = registration(username=unique("Mixed"))
    expect(stack.auth.post("/api/auth/register", body), 201)
    for name in (body["username"], body["username"].lower(), body["email"],
            body["email"].upper(), body["phone"],
            "+62" + body["phone"][1:], "62" + body["phone"][1:]):
        answer = expect(login(stack, name), 200)
        assert set(answer.data) >= {"access_token", "refresh_token"}


def test_every_wrong_combination_gets_one_answer(stack):
    user = stack.register()
    seen = set()
    for name, password in ((user.username, "wrong password"),
            (user.username, user.password + " "),
            (user.username, user.password.upper()),
            (user.email, "wrong password"), (user.phone, "wrong password"),
            (unique("nobody"), PASSWORD), ("nobody@example.com", PASSWORD),
            ("081111111111", "x" * 8), ("'or 1=1--", "x" * 8)):
        answer = expect(login(stack, name, password), 401)
        seen.add((answer.meta["message"], answer.reason))
        assert not answer.cookies()
    assert len(seen) == 1


@pytest.mark.parametrize("body", [{}, {"username": "x"},
    {"password": "x" * 8}, {"username": "", "password": ""},
    {"username": None, "password": None}, {"username": 1, "password": 2},
    {"username": ["x"], "password": {"x": 1}}])
def test_a_login_without_its_fields_is_400(stack, body):
    answer = expect(stack.auth.post("/api/auth/login", body), 400)
    assert fields(answer)


def test_the_cookies_are_as_the_front_end_needs_them(stack):
    user = stack.register()
    answer = expect(login(stack, user.username), 200)
    cookies = answer.cookies()
    assert set(cookies) == {"auth-token", "refresh-token"}
    for name, token, age in (
            ("auth-token", answer.data["access_token"], 900),
            ("refresh-token", answer.data["refresh_token"], 604_800)):
        value, attributes = cookies[name]
        assert value == token
        assert set(attributes) == {"HttpOnly", "Secure", "SameSite=None",
            "Path=/", f"Max-Age={age}"}
        assert "," not in value


# -- the access token -----------------------------------------------------------------------

def unpadded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def padded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def public_keys(stack):
    """kid -> (verify, alg)."""
    found = {}
    for key in stack.auth.get("/.well-known/jwks.json").json["keys"]:
        number = {name: int.from_bytes(unpadded(key[name]), "big")
            for name in ("n", "e", "x", "y") if name in key}
        if key["kty"] == "RSA":
            public = rsa.RSAPublicNumbers(number["e"],
                number["n"]).public_key()
            found[key["kid"]] = (lambda signed, data, public=public:
                public.verify(signed, data, padding.PKCS1v15(),
                    hashes.SHA256()), "RS256", public)
        else:
            public = ec.EllipticCurvePublicNumbers(number["x"], number["y"],
                ec.SECP256R1()).public_key()

            def verify(signed, data, public=public):
                whole = utils.encode_dss_signature(
                    int.from_bytes(signed[:32], "big"),
                    int.from_bytes(signed[32:], "big"))
                public.verify(whole, data, ec.ECDSA(hashes.SHA256()))
            found[key["kid"]] = (verify, "ES256", public)
    return found


def test_the_access_token_is_signed_by_a_published_key(stack):
    user = stack.user()
    head, claims, signed = user.access_token.split(".")
    header, body = json.loads(unpadded(head)), json.loads(unpadded(claims))
    verify, algorithm, _ = public_keys(stack)[header["kid"]]
    assert header["alg"] == algorithm
    verify(unpadded(signed), f"{head}.{claims}".encode())
    with pytest.raises(InvalidSignature):
        verify(unpadded(signed), f"{head}.{claims}x".encode())
    assert body["iss"] == "https://onegate.id"
    assert body["username"] == user.username
    assert body["sub"] == expect(user.auth.get("/api/auth/me"), 200).data["id"]
    assert isinstance(body["sub"], str)
    assert body["exp"] - body["iat"] == 900
    assert body["nbf"] <= body["iat"] <= time.time() + 1
    assert body["sid"] and body["jti"] and body["aud"]


def hostile_tokens(stack, token):
    """name -> a token that looks right and must not pass."""
    head, claims, signed = token.split(".")
    header, body = json.loads(unpadded(head)), json.loads(unpadded(claims))
    public = public_keys(stack)[header["kid"]][2]
    pem = public.public_bytes(serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    stranger = rsa.generate_private_key(65537, 2048)
    curve = ec.generate_private_key(ec.SECP256R1())

    def part(value):
        return padded(json.dumps(value).encode())

    def mac(first, second):
        text = f"{first}.{second}"
        return text + "." + padded(hmac.digest(pem, text.encode(), "sha256"))

    def forged(first, second):
        text = f"{first}.{second}".encode()
        return text.decode() + "." + padded(stranger.sign(text,
            padding.PKCS1v15(), hashes.SHA256()))

    def curved(first, second):
        text = f"{first}.{second}".encode()
        r, s = utils.decode_dss_signature(
            curve.sign(text, ec.ECDSA(hashes.SHA256())))
        return text.decode() + "." + padded(
            r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    other = part({**body, "sub": "0190a000-0000-7000-8000-000000000000"})
    return {
        "alg none": part({**header, "alg": "none"}) + f".{claims}.",
        "alg None with signature": part({**header, "alg": "None"})
            + f".{claims}.{signed}",
        "HS256 with the public key": mac(part({**header, "alg": "HS256"}),
            claims),
        "signed by a stranger": forged(part({**header, "alg": "RS256"}),
            claims),
        "signed by a stranger's curve": curved(
            part({**header, "alg": "ES256"}), claims),
        "unknown kid": forged(part({**header, "alg": "RS256",
            "kid": "other"}), claims),
        "kid as a path": forged(part({**header, "alg": "RS256",
            "kid": "../../../../dev/null"}), claims),
        "own key in the header": forged(part({**header, "alg": "RS256",
            "jwk": {"kty": "RSA"}}), claims),
        "other subject": f"{head}.{other}.{signed}",
        "no signature": f"{head}.{claims}.",
        "two parts": f"{head}.{claims}",
        "four parts": f"{token}.x",
        "signature cut": token[:-4],
        "signature padded": token + "==",
        "signature of blanks": f"{head}.{claims}." + "A" * len(signed),
        "a space inside": f"{head}. {claims}.{signed}",
        "header twice": f"{head}{head}.{claims}.{signed}",
        "no kid": forged(part({"alg": "RS256", "typ": "JWT"}), claims),
        "standard base64": token.replace("-", "+").replace("_", "/")
            if set("-_") & set(token) else "x",
        "very long": f"{head}.{claims}." + "A" * 5_000,
    }


def test_hostile_tokens_are_refused_everywhere(stack):
    user = stack.user()
    for name, token in hostile_tokens(stack, user.access_token).items():
        for client, path in ((stack.auth, "/api/auth/me"),
                (stack.payment, "/api/payment/account")):
            answer = client.get(path,
                headers={"Authorization": "Bearer " + token})
            assert answer.status in (400, 401), (name, answer)
            answer = client.get(path, headers={"Cookie": "auth-token=" + token})
            assert answer.status in (400, 401), (name, answer)


def test_bearer_and_cookie_both_sign_in(stack):
    user = stack.user()
    for client, path in ((stack.auth, "/api/auth/me"),
            (stack.payment, "/api/payment/account")):
        for headers in ({"Authorization": "Bearer " + user.access_token},
                {"Authorization": "bearer " + user.access_token},
                {"Cookie": "auth-token=" + user.access_token},
                {"Cookie": f"a=b; auth-token={user.access_token}; c=d"}):
            expect(client.get(path, headers=headers), 200)


# -- refresh --------------------------------------------------------------------------------

def refresh(stack, token):
    return stack.auth.put("/api/auth/refresh", {"refresh_token": token})


def test_refreshing_rotates_both_tokens(stack):
    user = stack.user()
    answer = expect(refresh(stack, user.refresh_token), 200)
    assert answer.data["access_token"] != user.access_token
    assert answer.data["refresh_token"] != user.refresh_token
    assert set(answer.cookies()) == {"auth-token", "refresh-token"}
    expect(refresh(stack, answer.data["refresh_token"]), 200)


def test_refreshing_by_cookie_with_an_empty_object(stack):
    user = stack.user()
    answer = expect(stack.auth.put("/api/auth/refresh", {}, headers={
        "Cookie": f"refresh-token={user.refresh_token}"}), 200)
    assert answer.cookies()["refresh-token"][0] == \
        answer.data["refresh_token"]


@pytest.mark.parametrize("token", ["x", "a" * 43, "a" * 512,
    "../../etc/passwd", "' or 1=1 --", "\u00e9" * 40])
def test_an_unknown_refresh_token_is_401(stack, token):
    expect(refresh(stack, token), 401)


@pytest.mark.parametrize("body", [{}, {"refresh_token": None},
    {"refresh_token": ""}, {"refresh_token": 5}, {"refresh_token": []}])
def test_no_refresh_token_is_refused(stack, body):
    answer = stack.auth.put("/api/auth/refresh", body)
    expect(answer, answer.status)
    assert answer.status in (400, 401)


def test_using_a_refresh_token_again_ends_the_whole_family(stack):
    user = stack.user()
    first = user.refresh_token
    second = expect(refresh(stack, first), 200).data
    third = expect(refresh(stack, second["refresh_token"]), 200).data
    expect(refresh(stack, first), 401)
    expect(refresh(stack, third["refresh_token"]), 401)
    refused_soon(stack, third["access_token"])


def test_an_access_token_is_no_refresh_token_and_the_other_way(stack):
    user = stack.user()
    expect(refresh(stack, user.access_token), 401)
    expect(stack.auth.get("/api/auth/me", headers={
        "Authorization": "Bearer " + user.refresh_token}), 401)


def refused_soon(stack, token):
    """That access token is refused everywhere within a second."""
    bearer = {"Authorization": "Bearer " + token}
    for client, path in ((stack.auth, "/api/auth/me"),
            (stack.payment, "/api/payment/account")):
        until(lambda: client.get(path, headers=bearer).status == 401,
            REVOKED_SECONDS)


# -- logout ----------------------------------------------------------------------------------

@pytest.mark.parametrize("way", ["body", "query", "cookie", "both cookies"])
def test_signing_out_works_twice_and_is_final(stack, way):
    user = stack.user()
    path, body, headers = "/api/auth/logout", {}, {}
    if way == "body":
        body = {"refresh_token": user.refresh_token}
    elif way == "query":
        path += "?refresh_token=" + user.refresh_token
    else:
        headers["Cookie"] = "refresh-token=" + user.refresh_token
        if way == "both cookies":
            headers["Cookie"] += "; auth-token=" + user.access_token
    for _ in range(2):
        answer = expect(stack.auth.delete(path, body, headers=headers), 200)
        cookies = answer.cookies()
        assert set(cookies) == {"auth-token", "refresh-token"}
        for value, attributes in cookies.values():
            assert value == "" and "Max-Age=0" in attributes
            assert {"HttpOnly", "Secure", "SameSite=None", "Path=/"} \
                <= set(attributes)
    expect(refresh(stack, user.refresh_token), 401)
    refused_soon(stack, user.access_token)


def test_signing_out_without_a_body_or_with_an_unknown_token(stack):
    for body in (None, {}, {"refresh_token": "unknown"}):
        expect(stack.auth.delete("/api/auth/logout", body), 200)


# -- me, sessions, password, pin ---------------------------------------------------------------

def test_me_is_the_person_without_secrets(stack):
    user = stack.user()
    answer = expect(user.auth.get("/api/auth/me"), 200)
    assert answer.data["username"] == user.username
    assert answer.data["email"] == user.email
    assert answer.data["phone"] == user.phone
    assert answer.data["id"] and answer.data["created_at"].endswith("Z")
    for secret in (b"argon2", b"password", b"hash"):
        assert secret not in answer.raw.lower()


def test_sessions_are_listed_and_ended_one_by_one(stack):
    user = stack.user()
    other = expect(login(stack, user.username), 200).data
    answer = expect(user.auth.get("/api/auth/sessions"), 200)
    assert len(answer.data) == 2
    assert answer.meta["size"] == 2
    claims = json.loads(unpadded(other["access_token"].split(".")[1]))
    assert claims["sid"] in {session["id"] for session in answer.data}
    expect(user.auth.delete("/api/auth/sessions/" + claims["sid"]), 200)
    expect(refresh(stack, other["refresh_token"]), 401)
    refused_soon(stack, other["access_token"])
    assert len(expect(user.auth.get("/api/auth/sessions"), 200).data) == 1
    expect(user.auth.delete("/api/auth/sessions/" + claims["sid"]), 404)


@pytest.mark.parametrize("session", ["x", "0", "-", "%00",
    "0190a000-0000-7000-8000-000000000000", "a" * 300])
def test_an_unknown_session_is_404(stack, session):
    answer = stack.user().auth.delete("/api/auth/sessions/" + session)
    assert answer.status in (400, 404), answer
    expect(answer, answer.status)


def test_nobody_ends_the_session_of_somebody_else(stack):
    mine, yours = stack.user(), stack.user()
    session = expect(yours.auth.get("/api/auth/sessions"), 200).data[0]["id"]
    expect(mine.auth.delete("/api/auth/sessions/" + session), 404)
    expect(yours.auth.get("/api/auth/me"), 200)


def test_a_new_password_ends_the_other_sessions_only(stack):
    user = stack.user()
    other = expect(login(stack, user.username), 200).data
    expect(user.auth.put("/api/auth/password", {"old_password": PASSWORD,
        "new_password": "another long one"}), 200)
    expect(login(stack, user.username), 401)
    expect(login(stack, user.username, "another long one"), 200)
    expect(refresh(stack, other["refresh_token"]), 401)
    refused_soon(stack, other["access_token"])
    expect(user.auth.get("/api/auth/me"), 200)
    expect(refresh(stack, user.refresh_token), 200)


@pytest.mark.parametrize("body,statuses", [
    ({"old_password": "wrong one", "new_password": "another long one"},
        (400, 401, 403)),
    ({"old_password": PASSWORD, "new_password": "short"}, (400,)),
    ({"old_password": PASSWORD, "new_password": "x" * 256}, (400,)),
    ({"old_password": PASSWORD, "new_password": None}, (400,)),
    ({"old_password": PASSWORD, "new_password": 12345678}, (400,)),
    ({"old_password": PASSWORD}, (400,)),
    ({"new_password": "another long one"}, (400,)),
])
def test_a_password_that_is_not_changed(stack, body, statuses):
    user = stack.user()
    answer = user.auth.put("/api/auth/password", body)
    assert answer.status in statuses, answer
    expect(login(stack, user.username), 200)


def test_a_pin_is_set_and_changed_with_the_old_one(stack):
    user = stack.user()
    pin = {"pin": "739152", "password": PASSWORD}
    expect(user.auth.put("/api/auth/pin", pin), 200)
    changed = {"pin": "528461", "password": PASSWORD}
    assert user.auth.put("/api/auth/pin", changed).status in (400, 403)
    assert user.auth.put("/api/auth/pin",
        {**changed, "old_pin": "111111"}).status in (400, 403)
    expect(user.auth.put("/api/auth/pin", {**changed, "old_pin": "739152"}),
        200)


@pytest.mark.parametrize("changed", [{"pin": value} for value in ("", "12345",
    "1234567", "12345a", "      ", "12 456", None, 739152, "\uff17" * 6)]
    + [{"password": "wrong one"}, {"password": None}, {"password": ""}],
    ids=lambda value: repr(value)[:30])
def test_a_pin_that_is_not_set(stack, changed):
    user = stack.user()
    answer = user.auth.put("/api/auth/pin",
        {"pin": "739152", "password": PASSWORD, **changed})
    assert answer.status in (400, 401, 403), answer
    expect(answer, answer.status)


# -- browsers ---------------------------------------------------------------------------------

FOREIGN = [{"Origin": "https://evil.example"}, {"Origin": "null"},
    {"Origin": "https://onegate.id.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}]


@pytest.mark.parametrize("foreign", FOREIGN, ids=repr)
def test_a_foreign_page_cannot_use_the_cookies(stack, foreign):
    user = stack.user()
    cookie = {"Cookie": f"auth-token={user.access_token}; "
        f"refresh-token={user.refresh_token}", **foreign}
    expect(stack.auth.put("/api/auth/refresh", {}, headers=cookie), 403)
    expect(stack.auth.delete("/api/auth/logout", {}, headers=cookie), 403)
    expect(stack.auth.put("/api/auth/password", {"old_password": PASSWORD,
        "new_password": "another long one"}, headers=cookie), 403)
    expect(stack.payment.post("/api/payment/transfer", {"to": "x",
        "amount": 1}, headers=cookie), 403)
    # Reading changes nothing, and the answer is kept from the page by CORS.
    expect(stack.auth.get("/api/auth/me", headers=cookie), 200)
    expect(refresh(stack, user.refresh_token), 200)


def test_a_server_sends_cookies_without_an_origin(stack):
    user = stack.user()
    cookie = {"Cookie": f"auth-token={user.access_token}; "
        f"refresh-token={user.refresh_token}"}
    answer = stack.payment.post("/api/payment/transfer",
        {"to": unique("nobody"), "amount": 1}, headers=cookie)
    assert answer.status in (404, 422, 400), answer
    expect(stack.auth.put("/api/auth/refresh", {}, headers=cookie), 200)


def test_guessing_never_locks_the_owner_out(stack):
    user = stack.user()
    for number in range(8):
        assert login(stack, user.username, f"guess {number}").status \
            in (401, 429)
    expect(user.auth.get("/api/auth/me"), 200)
    expect(refresh(stack, user.refresh_token), 200)
