"""Does every route of the contract refuse what it must, in the envelope?

The table below is the contract's list of routes. Each is tried with wrong
methods, media types, sizes and JSON, and without and with broken credentials.
"""
import json

import pytest

from onegate import MODULES, Client, expect, unique

ID = "0190a000-0000-7000-8000-000000000000"
BODY = "reads a body"
# module, path, {method: whether it reads a body}, who may call
ROUTES = [
    ("auth", "/api/auth/register", {"POST": BODY}, "public"),
    ("auth", "/api/auth/login", {"POST": BODY}, "public"),
    ("auth", "/api/auth/refresh", {"PUT": BODY}, "public"),
    ("auth", "/api/auth/logout", {"DELETE": BODY}, "public"),
    ("auth", "/api/auth/me", {"GET": None}, "user"),
    ("auth", "/api/auth/sessions", {"GET": None}, "user"),
    ("auth", f"/api/auth/sessions/{ID}", {"DELETE": None}, "user"),
    ("auth", "/api/auth/password", {"PUT": BODY}, "user"),
    ("auth", "/api/auth/pin", {"PUT": BODY}, "user"),
    ("auth", "/.well-known/jwks.json", {"GET": None}, "public"),
    ("payment", "/api/payment/account", {"GET": None}, "user"),
    ("payment", "/api/payment/balance", {"GET": None}, "user"),
    ("payment", "/api/payment/wallet", {"GET": None}, "user"),
    ("payment", "/api/payment/wallet/topup", {"POST": BODY}, "user"),
    ("payment", "/api/payment/topup", {"POST": BODY}, "user"),
    ("payment", "/api/payment/transfer", {"POST": BODY}, "user"),
    ("payment", "/api/payment/merchants", {"GET": None}, "user"),
    ("payment", f"/api/payment/merchants/{ID}", {"GET": None}, "user"),
    ("payment", "/api/payment/payments", {"GET": None, "POST": BODY}, "user"),
    ("payment", f"/api/payment/payments/{ID}", {"GET": None}, "user"),
    ("payment", f"/api/payment/payments/{ID}/process", {"POST": None}, "user"),
    ("payment", f"/api/payment/payments/{ID}/cancel", {"POST": None}, "user"),
    ("payment", f"/api/payment/payments/{ID}/refund", {"POST": BODY}, "user"),
    ("payment", "/api/payment/transactions", {"GET": None}, "user"),
    ("payment", f"/api/payment/transactions/{ID}", {"GET": None}, "user"),
    ("transaction", "/api/transaction/histories", {"GET": None}, "key"),
    ("transaction", f"/api/transaction/histories/{ID}", {"GET": None}, "key"),
    ("transaction", "/api/transactions", {"GET": None}, "key"),
    ("transaction", f"/api/transactions/{ID}", {"GET": None}, "key"),
    *[(module, path, {"GET": None}, "public") for module in MODULES
        for path in ("/health", "/health/live", "/health/ready")],
]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
READING = [(module, path, method, who) for module, path, methods, who in ROUTES
    for method, reads in methods.items() if reads]
OBJECT_MAX_BYTES = 2 * 1024 * 1024


def named(route):
    return f"{route[0]}:{route[1].replace(ID, '{id}')}"


@pytest.fixture(scope="module")
def callers(stack):
    """Clients that may call: by module and kind of access."""
    user = stack.user()
    regulator = stack.regulator()
    return {("auth", "public"): stack.auth, ("auth", "user"): user.auth,
        ("payment", "public"): stack.payment,
        ("payment", "user"): user.payment,
        ("transaction", "public"): stack.transaction,
        ("transaction", "key"): regulator}


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_wrong_method_is_405_with_allow(callers, route):
    module, path, methods, who = route
    client = callers[module, who]
    wanted = set(methods) | ({"HEAD"} if "GET" in methods else set())
    for method in METHODS:
        if method in methods:
            continue
        body = None if method in ("GET", "DELETE") else {}
        answer = expect(client.request(method, path, body), 405)
        allowed = {name.strip() for name in
            answer.headers["Allow"].split(",")} - {"OPTIONS"}
        assert allowed == wanted, (method, answer.headers["Allow"])


@pytest.mark.parametrize("route", ROUTES, ids=named)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer a.b.c",
    "X-API-Key": "ogk_x", "Cookie": "auth-token=x", "Content-Type":
    "text/plain"}], ids=["nobody", "broken credentials"])
def test_a_wrong_method_is_405_before_anything_else(stack, route, headers):
    module, path, methods, _ = route
    for method in METHODS + ("OPTIONS",):
        if method in methods:
            continue
        body = "x" if method in ("POST", "PUT", "PATCH") else None
        answer = expect(stack.client(module).request(method, path, body,
            headers), 405)
        assert set(methods) <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("route", [route for route in ROUTES
    if route[3] != "public"], ids=named)
def test_without_credentials_it_is_401(stack, route):
    module, path, methods, who = route
    client = stack.client(module)
    for method, reads in methods.items():
        body = {} if method in ("POST", "PUT") or reads else None
        expect(client.request(method, path, body), 401)
    method, reads = next(iter(methods.items()))
    body = {} if method in ("POST", "PUT") or reads else None
    broken = BROKEN_KEYS if who == "key" else BROKEN_TOKENS
    for headers in broken:
        answer = client.request(method, path, body, headers)
        expect(answer, 401)


BROKEN_TOKENS = [{"Authorization": value} for value in (
    "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic eDp5",
    "Bearer " + "a" * 4_000, "bearer null",
    # {"alg":"none"}.{"sub":"1"}.
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
)] + [{"Cookie": "auth-token="}, {"Cookie": "auth-token=x"}]
BROKEN_KEYS = [{"X-API-Key": value} for value in (
    "", "x", "ogk_", "ogk_bi_", "ogk_bi_" + "A" * 43, "' or 1=1 --",
    "a" * 4_000)] + [{"Authorization": "Bearer x"}]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("path", ["/", "/api", "/nothing", "/api/auth/x",
    "/api/payment/x", "/api/transaction/x", "/metrics", "/api/auth/login/",
    "/health/x", "/api/payment/payments/x/y/z"])
def test_an_unknown_path_is_404(stack, module, path):
    for method in ("GET", "POST", "DELETE"):
        body = {} if method == "POST" else None
        answer = stack.client(module).request(method, path, body)
        expect(answer, 404)


@pytest.mark.parametrize("route", READING, ids=named)
@pytest.mark.parametrize("kind", ["text/plain", "text/json",
    "application/x-www-form-urlencoded", "application/jsonp",
    "application/xml", "multipart/form-data; boundary=x", "json",
    "application/json; charset=utf-16", "application/json, text/plain"])
def test_a_wrong_media_type_is_415(callers, route, kind):
    module, path, method, who = route
    answer = callers[module, who].request(method, path,
        '{"x":1}', {"Content-Type": kind})
    expect(answer, 415)


@pytest.mark.parametrize("route", READING, ids=named)
@pytest.mark.parametrize("kind", ["application/json; charset=utf-8",
    "Application/JSON", "application/json;charset=UTF-8",
    'application/json; charset="utf-8"', "application/json; charset=utf8",
    "application/json; v=1"])
def test_json_in_its_usual_spellings_is_read(callers, route, kind):
    module, path, method, who = route
    answer = callers[module, who].request(method, path, "{",
        {"Content-Type": kind})
    expect(answer, 400)


@pytest.mark.parametrize("route", READING, ids=named)
@pytest.mark.parametrize("text", [
    b"{", b"}", b"[]", b"null", b"1", b'"x"', b"{}{}", b"{} x", b"{'a':1}",
    b'{"a":1,}', b'{"a":01}', b'{"a":NaN}', b'{"a":1,"a":2}', b"\xef\xbb\xbf{",
    b'{"a":"\xff"}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b'{"a":"\n"}',
    b"{/* */}", b'{"a"}', b"{" + b'"a":{' * 200 + b"}" * 201,
    b"[" * 5_000,
], ids=lambda text: repr(text[:12]))
def test_broken_json_is_400(callers, route, text):
    module, path, method, who = route
    answer = callers[module, who].request(method, path, text,
        {"Content-Type": "application/json"})
    expect(answer, 400)


@pytest.mark.parametrize("route", READING, ids=named)
def test_a_body_too_large_is_413(callers, route):
    module, path, method, who = route
    body = json.dumps({"x": "y" * OBJECT_MAX_BYTES}).encode()
    # The refusal may come before the body was sent, with a reset behind it.
    try:
        answer = callers[module, who].request(method, path, body,
            {"Content-Type": "application/json"})
    except (BrokenPipeError, ConnectionResetError):
        return
    expect(answer, 413)


@pytest.mark.parametrize("route", [route for route in READING
    if route[1] not in ("/api/auth/refresh", "/api/auth/logout")], ids=named)
def test_an_empty_object_names_every_missing_field_at_once(callers, route):
    module, path, method, who = route
    answer = callers[module, who].request(method, path, {})
    if "/refund" in path and answer.status == 404:
        return
    expect(answer, 400, "validation_failed")
    assert answer.data
    named_fields = [found["field"] for found in answer.data]
    assert len(set(named_fields)) == len(named_fields)


@pytest.mark.parametrize("route", [route for route in ROUTES
    if "GET" in route[2] and ID not in route[1]
    and route[1] != "/api/payment/wallet"], ids=named)
def test_head_answers_as_get_without_a_body(callers, route):
    module, path, _, who = route
    client = callers[module, who]
    head = client.request("HEAD", path)
    assert head.status == client.get(path).status
    assert head.raw == b""
    assert head.headers["X-Request-Id"]


@pytest.mark.parametrize("module", MODULES)
def test_health_says_what_it_must(stack, module):
    data = expect(stack.client(module).get("/health"), 200).data
    assert data["pid"] > 0
    assert data["uptime_seconds"] >= 0
    assert data["version"]
    expect(stack.client(module).get("/health/live"), 200)
    expect(stack.client(module).get("/health/ready"), 200)


@pytest.mark.parametrize("module", MODULES)
def test_metrics_are_on_the_internal_listener_only(stack, module):
    answer = stack.internal(module).get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"# TYPE onegate_" in answer.raw
    expect(stack.client(module).get("/metrics"), 404)


@pytest.mark.parametrize("module", MODULES)
def test_answers_say_how_they_may_be_kept(stack, module):
    """Nobody may cache an answer about a person or guess its type."""
    answer = stack.client(module).get("/health")
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "kore" not in (answer.headers.get("Server") or "").lower()


def test_jwks_is_a_plain_key_set(stack):
    answer = stack.auth.get("/.well-known/jwks.json")
    assert answer.status == 200
    keys = answer.json["keys"]
    assert set(answer.json) == {"keys"} and keys
    for key in keys:
        assert key["kid"] and key["kty"] in ("RSA", "EC")
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


def test_a_query_may_be_long_and_strange(callers):
    client = callers["payment", "user"]
    for query in ("limit=x", "limit=0", "limit=101", "limit=-1", "cursor=%00",
            "cursor=" + "a" * 2_000, "type=NOPE", "from_date=yesterday",
            "status=%27+or+1=1", "limit=1&limit=2", "limit=%zz"):
        answer = client.get("/api/payment/transactions?" + query)
        assert answer.status == 400, (query, answer)
        expect(answer, 400)


def test_clients_may_name_the_host_as_they_like(stack):
    port = Client(stack.status["auth"]["base_url"]).port
    for host in ("localhost", "onegate.id", f"127.0.0.1:{port}", unique()):
        expect(stack.auth.get("/health/live", headers={"Host": host}), 200)
