"""Is the HTTP edge of each module strict about bytes?

What two parsers could read differently is refused, in the envelope, and the
connection is closed; what is allowed keeps the connection in step. Bytes go
over a bare socket, because no HTTP client would send most of them.
"""
import concurrent.futures
import json
import socket
import struct
import time
from random import Random

import pytest

from onegate import MODULES, Raw, expect, unique

LIVE = "/health/live"
GET = f"GET {LIVE} HTTP/1.1\r\nHost: x\r\n"
# A path that reads a body, and what an empty object gets there.
BODY_PATHS = {
    "auth": ("/api/auth/login", (400,)),
    "payment": ("/api/payment/transfer", (401,)),
    "transaction": ("/api/transaction/histories", (401, 405)),
}
# The slowest part of a request may take this long before it is given up.
SLOW_SECONDS = 75
QUIET_SECONDS = 0.3


@pytest.fixture(params=MODULES)
def module(request):
    return request.param


@pytest.fixture
def base(stack, module):
    return stack.status[module]["base_url"]


@pytest.fixture(scope="module", autouse=True)
def no_worker_ended(stack):
    """Whatever the bytes were: the same workers run afterwards."""
    before = {name: worker(stack, name) for name in MODULES}
    yield
    assert {name: worker(stack, name) for name in MODULES} == before


def worker(stack, name):
    return expect(stack.client(name).get("/health"), 200).data["pid"]


def post(module, *lines, body="{}", length=None):
    """A POST with these header lines after Host and Content-Type."""
    size = len(body) if length is None else length
    lines = "".join(line + "\r\n" for line in lines)
    return (f"POST {BODY_PATHS[module][0]} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: application/json\r\nContent-Length: {size}\r\n"
        f"{lines}\r\n{body}")


def post_headed(module, *lines, body=""):
    """A POST whose Content-Length, or its lack, is in `lines`."""
    lines = "".join(line + "\r\n" for line in lines)
    return (f"POST {BODY_PATHS[module][0]} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: application/json\r\n{lines}\r\n{body}")


def refused(base, data, *statuses):
    """One answer in the envelope with one of these, then the end."""
    no_body = data.startswith("HEAD ")
    with Raw(base) as raw:
        raw.send(data)
        answer = raw.answer(head_only=no_body)
        assert answer is not None, "closed without an answer"
        assert answer.status in statuses, answer
        if not no_body:
            expect(answer, answer.status)
        assert answer.headers["Connection"].lower() == "close"
        assert raw.closed(), "something came after the refusal"


def served(raw, status=200):
    """The connection is in step: a plain request gets its own answer."""
    mine = unique("r")
    raw.send(GET + f"X-Request-Id: {mine}\r\n\r\n")
    answer = raw.answer()
    assert answer is not None, "closed"
    expect(answer, status)
    assert answer.headers["X-Request-Id"] == mine
    return answer


# -- refused ------------------------------------------------------------------------

@pytest.mark.parametrize("line", [
    "Host: y", "Space : before colon", "no colon at all", ": no name",
    " folded line", "\tfolded line", "Bad(name): x", "X: bare\rCR: x",
    "X: bare\nLF: x", "X: nul\0", "X: bell\x07", "X: delete\x7f",
    "X\0: nul", "Content-Length: 5", "Content-Length: x",
])
def test_a_bad_header_line_is_400(base, line):
    refused(base, GET + line + "\r\n\r\n", 400)


@pytest.mark.parametrize("first", [
    f"GET  {LIVE} HTTP/1.1", f"GET {LIVE}  HTTP/1.1", f" GET {LIVE} HTTP/1.1",
    f"GET\t{LIVE}\tHTTP/1.1", f"GET {LIVE} HTTP/1.1 ", f"GET {LIVE}",
    f"GET {LIVE} HTTP/x.y", f"GET {LIVE} HTTP/1.10", f"GET {LIVE} http/1.1",
    f"GET {LIVE}#fragment HTTP/1.1", f"GET http://x{LIVE} HTTP/1.1",
    f"GET {LIVE[1:]} HTTP/1.1", "GET * HTTP/1.1",
    f"GET {LIVE}\0 HTTP/1.1", f"GET {LIVE}\x07 HTTP/1.1",
    f"GET {LIVE}?\xe9 HTTP/1.1", f"\r\nGET {LIVE} HTTP/1.1",
    f"G(T {LIVE} HTTP/1.1", "",
])
def test_a_bad_request_line_is_400(base, first):
    refused(base, first + "\r\nHost: x\r\n\r\n", 400)


@pytest.mark.parametrize("data", [
    f"GET {LIVE} HTTP/1.1\r\n\r\n", f"GET {LIVE} HTTP/1.1\r\nX: y\r\n\r\n",
    f"GET {LIVE} HTTP/1.1\nHost: x\n\n",
    f"GET {LIVE} HTTP/1.1\r\nHost: x\n\n",
])
def test_no_host_and_bare_line_feeds_are_400(base, data):
    refused(base, data, 400)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW", "PROPFIND",
    "get", "Get", "X" * 300])
def test_an_unknown_method_is_501(base, method):
    refused(base, f"{method} {LIVE} HTTP/1.1\r\nHost: x\r\n\r\n", 501)


@pytest.mark.parametrize("version", ["2.0", "1.2", "0.9", "3.0"])
def test_an_unknown_version_is_505(base, version):
    refused(base, f"GET {LIVE} HTTP/{version}\r\nHost: x\r\n\r\n", 505)


@pytest.mark.parametrize("lines", [
    ["Content-Length: 2", "Content-Length: 2"],
    ["Content-Length: 2", "Content-Length: 3"],
    ["Content-Length: 2, 2"], ["Content-Length: +2"], ["Content-Length: -2"],
    ["Content-Length: 0x2"], ["Content-Length: 2.0"], ["Content-Length:"],
    ["Content-Length: 2 2"], ["Content-Length: two"], ["Content-Length: 1e1"],
    ["Content-Length: \xb2"], ["content-length: 2", "Content-Length: 2"],
])
def test_a_doubtful_length_is_400(base, module, lines):
    refused(base, post_headed(module, *lines, body="{}"), 400)


@pytest.mark.parametrize("lines", [
    ["Transfer-Encoding: chunked"], ["Transfer-Encoding: identity"],
    ["transfer-encoding:\tchunked"], ["Transfer-Encoding:"],
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ["Transfer-Encoding: gzip, chunked"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
])
def test_a_transfer_coding_is_501(base, module, lines):
    refused(base, post_headed(module, *lines, body="0\r\n\r\n"), 501)


def test_a_transfer_coding_on_get_is_501(base):
    refused(base, GET + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501)


@pytest.mark.parametrize("host", ["a b", "a/b", "u@a", "\xe9", "a\tb"])
def test_a_host_that_is_none_is_400(base, host):
    refused(base, f"GET {LIVE} HTTP/1.1\r\nHost: {host}\r\n\r\n", 400)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("path,status", [(LIVE, 405), ("/nothing", 404)])
def test_path_and_method_come_before_a_missing_length(base, method, path,
        status):
    refused(base, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n", status)


@pytest.mark.parametrize("path,method", [("/api/auth/login", "POST"),
    ("/api/auth/register", "POST"), ("/api/auth/refresh", "PUT")])
@pytest.mark.parametrize("body", ["", "{}"])
def test_a_missing_length_is_411(stack, path, method, body):
    refused(stack.status["auth"]["base_url"], f"{method} {path} HTTP/1.1\r\n"
        f"Host: x\r\nContent-Type: application/json\r\n\r\n{body}", 411)


def test_a_request_that_needs_no_body_needs_no_length(stack, alice):
    """As curl -X POST sends it."""
    with Raw(stack.status["payment"]["base_url"]) as raw:
        raw.send("POST /api/payment/payments/"
            "0190a000-0000-7000-8000-000000000000/cancel HTTP/1.1\r\n"
            f"Host: x\r\nAuthorization: Bearer {alice.access_token}\r\n\r\n")
        expect(raw.answer(), 404, "payment_not_found")
        assert raw.closed()


def test_bytes_behind_no_length_are_no_request(base, module):
    """They come in a segment of their own, and look like one."""
    with Raw(base) as raw:
        raw.send(f"POST {LIVE} HTTP/1.1\r\nHost: x\r\n\r\n")
        expect(raw.answer(), 405)
        try:
            raw.send(GET + "\r\n")
        except (BrokenPipeError, ConnectionResetError):
            return
        assert raw.closed()


@pytest.mark.parametrize("length", [99_999_999, 999_999_999_999, 10 ** 30])
def test_a_body_that_would_be_too_large_is_413(base, module, length):
    refused(base, post_headed(module, f"Content-Length: {length}",
        body="{"), 413)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_method_without_body_that_has_one_is_400(base, method):
    inner = GET + "\r\n"
    head = (f"{method} {LIVE} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {len(inner)}\r\n\r\n")
    refused(base, head + inner, 400)
    with Raw(base) as raw:
        raw.send(head, inner)
        first = raw.answer(head_only=method == "HEAD")
        assert first is None or first.status == 400
        assert raw.closed(), "the body was read as a request"


@pytest.mark.parametrize("count", [40, 200])
def test_too_many_header_lines_are_431(base, count):
    lines = "".join(f"X-{number}: y\r\n" for number in range(count))
    refused(base, GET + lines + "\r\n", 431)


def test_a_huge_header_is_431(base):
    refused(base, GET + "X: " + "a" * 60_000 + "\r\n\r\n", 431)


def test_a_huge_header_without_end_is_431(base):
    refused(base, GET + "X: " + "a" * 60_000, 431)


@pytest.mark.parametrize("size", [7_000, 60_000])
@pytest.mark.parametrize("mark", ["?", "/"])
def test_a_huge_target_is_414(base, size, mark):
    refused(base, f"GET {LIVE}{mark}{'a' * size} HTTP/1.1\r\n"
        "Host: x\r\n\r\n", 414)


def test_http_1_0_may_do_without_a_host(base):
    """As the health checks of older balancers."""
    refused(base, f"GET {LIVE} HTTP/1.0\r\n\r\n", 200)


@pytest.mark.parametrize("value", ["200-ok", "100-continue, x", "x"])
def test_an_unknown_expectation_is_417(base, module, value):
    refused(base, post(module, "Expect: " + value), 417)


@pytest.mark.parametrize("extra", ["x", "{}", GET + "\r\n", "\0" * 4_000])
def test_a_body_longer_than_its_length_is_400(base, module, extra):
    refused(base, post(module) + extra, 400)


def test_pipelined_requests_are_refused_or_answered_in_order(base):
    with Raw(base) as raw:
        raw.send((GET + "X-Request-Id: a\r\n\r\n")
            + (GET + "X-Request-Id: b\r\n\r\n"))
        first = raw.answer()
        if first.status == 400:
            assert raw.closed()
            return
        assert first.headers["X-Request-Id"] == "a"
        assert raw.answer().headers["X-Request-Id"] == "b"
        served(raw)


def test_more_bytes_than_a_body_never_cost_memory_or_time(base, module):
    """The framework alone would buffer without limit here."""
    with Raw(base) as raw:
        started = time.monotonic()
        try:
            raw.send(post(module) + "x" * 1_000_000)
            for _ in range(8):
                raw.send("x" * 1_000_000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = raw.answer()
            assert answer is None or answer.status == 400
        except ConnectionResetError:
            pass
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("data", [
    GET + "Transfer-Encoding: chunked\r\nX-Request-Id: mine-1\r\n\r\n",
    GET + "X-Request-Id: mine-1\r\nHost: y\r\n\r\n",
    f"BREW {LIVE} HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-1\r\n\r\n",
    GET + "X-Request-Id: mine-1\r\nX: " + "a" * 20_000 + "\r\n\r\n",
    GET + "X-Request-Id: mine-1\r\n" + "X: y\r\n" * 50 + "\r\n",
    GET + "X-Request-Id: mine-1\r\n" + "X: y\r\n" * 2_000 + "\r\n",
    GET + "X-Request-Id: mine-1\r\nX: a\nb\r\n\r\n",
    post("auth", "X-Request-Id: mine-1", body="x" * 100_000),
    f"POST {LIVE} HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine-1\r\n\r\n{{}}",
])
def test_a_refusal_takes_over_the_request_id(base, data):
    with Raw(base) as raw:
        raw.send(data)
        assert raw.answer().headers["X-Request-Id"] == "mine-1"


# -- request ids --------------------------------------------------------------------

@pytest.mark.parametrize("mine", ["a", "A-z_0.9", "0" * 128, "..", "-"])
def test_a_good_request_id_is_taken_over(base, mine):
    with Raw(base) as raw:
        raw.send(GET + f"X-Request-Id: {mine}\r\n\r\n")
        answer = expect(raw.answer(), 200)
        assert answer.headers["X-Request-Id"] == mine


@pytest.mark.parametrize("mine", ["", "0" * 129, "a b", "a/b", "a\"b", "a,b",
    "\xe9", "<x>", "a\tb", "a:b"])
def test_a_bad_request_id_is_replaced(base, mine):
    with Raw(base) as raw:
        raw.send(GET + f"X-Request-Id: {mine}\r\n\r\n")
        answer = expect(raw.answer(), 200)
        assert answer.headers["X-Request-Id"] not in (mine, "")
        assert len(answer.headers.get_all("X-Request-Id")) == 1


def test_made_request_ids_differ(base):
    with Raw(base) as raw:
        seen = set()
        for _ in range(50):
            raw.send(GET + "\r\n")
            seen.add(raw.answer().headers["X-Request-Id"])
        assert len(seen) == 50


# -- allowed ------------------------------------------------------------------------

@pytest.mark.parametrize("line", [
    "Hostile: evil", "X-Empty:", "X-Blank:  \t ", "X-Tab: a\tb",
    "X-Utf8: \xc3\xa9", "X-Twice: a\r\nX-Twice: b", "Cookie: a=b",
    "Content-Length: 0", "X-Long: " + "a" * 1_000, "Expect: 100-continue",
    "TE: trailers", "Upgrade: h2c",
])
def test_an_odd_but_valid_header_line_is_served(base, line):
    with Raw(base) as raw:
        raw.send(f"GET {LIVE} HTTP/1.1\r\n{line}\r\nHost: x\r\n\r\n")
        answer = raw.answer()
        if answer.status == 100:
            answer = raw.answer()
        expect(answer, 200)
        served(raw)


def test_a_browser_s_thirty_header_lines_are_served(base):
    lines = "".join(f"X-{number}: y\r\n" for number in range(30))
    with Raw(base) as raw:
        raw.send(GET + lines + "X-Request-Id: last\r\n\r\n")
        answer = expect(raw.answer(), 200)
        assert answer.headers["X-Request-Id"] == "last", "a line was dropped"


def test_one_connection_serves_many(base):
    with Raw(base) as raw:
        for _ in range(100):
            served(raw)


@pytest.mark.parametrize("pieces", [1, 2])
def test_who_shuts_the_sending_side_is_answered(base, module, pieces):
    """As nc and many a script do: all is said, the answer is awaited."""
    for request, statuses in ((GET + "\r\n", (200,)),
            (post(module), BODY_PATHS[module][1]),
            (post(module, "Host: y"), (400,)),
            (f"BREW {LIVE} HTTP/1.1\r\nHost: x\r\n\r\n", (501,))):
        half = len(request) // 2 if pieces == 2 else len(request)
        with Raw(base) as raw:
            raw.send(request[:half], request[half:])
            raw.half_close()
            answer = raw.answer()
            assert answer.status in statuses, answer
            assert raw.closed()


def test_a_slow_answer_reaches_who_shut_the_sending_side(stack):
    body = json.dumps({"username": unique(), "password": "x" * 8})
    with Raw(stack.status["auth"]["base_url"]) as raw:
        raw.send(post("auth", body=body))
        raw.half_close()
        expect(raw.answer(), 401)
        assert raw.closed()


@pytest.mark.parametrize("data", ["", "GET", GET, post("auth", body="{",
    length=9)])
def test_who_shuts_the_sending_side_too_early_gets_nothing(base, data):
    with Raw(base) as raw:
        raw.send(data)
        raw.half_close()
        assert raw.closed()


def test_a_request_sent_byte_by_byte(base):
    with Raw(base) as raw:
        for byte in GET + "X-Request-Id: dripped\r\n\r\n":
            raw.send(byte)
        assert expect(raw.answer(), 200).headers["X-Request-Id"] == "dripped"
        served(raw)


def test_a_length_with_blanks_around_it(base, module):
    with Raw(base) as raw:
        raw.send(post_headed(module, "Content-Length: \t2 \t", body="{}"))
        assert raw.answer().status in BODY_PATHS[module][1]
        served(raw)


@pytest.mark.parametrize("pieces", [("{", "}"), ("", "{}"), ("{}", "")])
def test_a_split_body(base, module, pieces):
    with Raw(base) as raw:
        raw.send(post(module, body="", length=2), *[
            piece for piece in pieces if piece])
        answer = raw.answer()
        assert answer.status in BODY_PATHS[module][1], answer
        expect(answer, answer.status)
        served(raw)


def test_an_empty_body(base, module):
    with Raw(base) as raw:
        raw.send(post(module, body=""))
        answer = raw.answer()
        assert answer.status in (400, 401, 405, 415), answer
        expect(answer, answer.status)
        served(raw)


def test_the_next_request_waits_its_turn(base, module):
    """Sent while the first is still being read: answers keep their order."""
    with Raw(base) as raw:
        raw.send(post(module, "X-Request-Id: first", body="", length=2),
            "{", "}")
        raw.send(GET + "X-Request-Id: second\r\n\r\n", pause=0)
        answers = [raw.answer(), raw.answer()]
        seen = [answer.headers["X-Request-Id"] for answer in answers
            if answer is not None]
        assert seen in (["first", "second"], ["first"])


def test_a_delete_with_a_body_stays_in_step(stack):
    """The front end signs out with the body {}."""
    inner = GET + "\r\n"
    head = ("DELETE /api/auth/logout HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n")
    with Raw(stack.status["auth"]["base_url"]) as raw:
        raw.send(head % 2, "{}")
        expect(raw.answer(), 200)
        served(raw)
        raw.send(head % len(inner), inner)
        answer = raw.answer()
        assert answer.status == 400, "the body was read as a request"
        expect(answer, 400)
        raw.send("DELETE /api/auth/logout HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = raw.answer()
        assert answer is None or answer.status in (200, 400, 415), answer


def test_expect_100_continue(base, module):
    with Raw(base) as raw:
        raw.send(post(module, "Expect: 100-continue", body="", length=2))
        assert raw.answer().status == 100
        raw.send("{}")
        assert raw.answer().status in BODY_PATHS[module][1]
        served(raw)


def test_head_says_what_get_would(base):
    with Raw(base) as raw:
        raw.send(f"HEAD {LIVE} HTTP/1.1\r\nHost: x\r\n\r\n")
        head = raw.answer(head_only=True)
        assert head.status == 200
        assert int(head.headers["Content-Length"]) > 0
        assert head.headers["Content-Type"].startswith("application/json")
        served(raw)


def test_options_says_what_is_allowed(base):
    with Raw(base) as raw:
        raw.send(f"OPTIONS {LIVE} HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = raw.answer()
        assert answer.status in (200, 204, 405)
        assert "GET" in answer.headers["Allow"]
        served(raw)


@pytest.mark.parametrize("line", ["Connection: close",
    "Connection: keep-alive, close", "connection: Close"])
def test_a_client_that_wants_to_close(base, line):
    with Raw(base) as raw:
        raw.send(GET + line + "\r\n\r\n")
        expect(raw.answer(), 200)
        assert raw.closed()


def test_http_1_0_is_answered_and_closed(base):
    with Raw(base) as raw:
        raw.send(f"GET {LIVE} HTTP/1.0\r\nHost: x\r\n\r\n")
        expect(raw.answer(), 200)
        assert raw.closed()


@pytest.mark.parametrize("path", ["/", "//health/live", "/health//live",
    "/health/./live", "/x/../health/live", "/%68ealth/live", "/health/live/",
    "/Health/Live", "/health/live;x=1", "/health/live%00", "/health/live+",
    "/api", "/api/auth", "/favicon.ico", "/.env", "/" + "a" * 1_000])
def test_only_the_exact_path_is_known(base, path):
    with Raw(base) as raw:
        raw.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
        expect(raw.answer(), 404)
        served(raw)


# -- clients that go away --------------------------------------------------------------

def test_a_half_closed_client_harms_nobody(base, module):
    for data in (GET + "\r\n", post(module), post(module, body="", length=2),
            GET, ""):
        with Raw(base, timeout=5) as raw:
            raw.send(data)
            raw.half_close()
            try:
                raw.closed()
            except ConnectionResetError:
                pass
    with Raw(base) as raw:
        served(raw)


def test_clients_that_reset_harm_nobody(base, module):
    for data in (GET, post(module, body="{", length=20), post(module),
            GET + "\r\n"):
        for _ in range(10):
            with Raw(base) as raw:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
                raw.send(data)
    with Raw(base) as raw:
        served(raw)


def slow_end(base, data):
    """How a request that stops in the middle ends: its status or None."""
    with Raw(base, timeout=SLOW_SECONDS) as raw:
        raw.send(data)
        try:
            answer = raw.answer()
        except ConnectionResetError:
            return None
        if answer is not None:
            expect(answer, answer.status)
        return answer.status if answer is not None else None


def test_slow_requests_end_and_others_are_served_meanwhile(stack):
    """A head without end and a body without end: 408."""
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        slow = []
        for name in MODULES:
            base = stack.status[name]["base_url"]
            for data in (GET, "G", post(name, body="{", length=9)):
                slow.append(pool.submit(slow_end, base, data))
        time.sleep(QUIET_SECONDS)
        for name in MODULES:
            with Raw(stack.status[name]["base_url"]) as raw:
                served(raw)
        for ended in slow:
            assert ended.result(SLOW_SECONDS) == 408


def test_an_idle_connection_is_closed_without_a_word(stack):
    """An unasked 408 would be taken for the answer to the next request."""
    def idle(name):
        with Raw(stack.status[name]["base_url"], SLOW_SECONDS) as raw:
            served(raw)
            return raw.closed()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert all(pool.map(idle, MODULES))


def test_many_connections_at_once(base):
    connections = [Raw(base) for _ in range(200)]
    try:
        for raw in connections:
            raw.send(GET + "\r\n")
        for raw in connections:
            expect(raw.answer(), 200)
    finally:
        for raw in connections:
            raw.socket.close()


# -- anything at all -------------------------------------------------------------------

MUTATIONS = 800
MORE_SECONDS = 0.03
SPLICES = (b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\t", b"\xff", b"%00",
    b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Host: y\r\n", b"Expect: 100-continue\r\n", b"\r\n\r\n", b"a" * 9_000,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1", b"0\r\n\r\n", b"{", b"}")


def mutated(random, data):
    """The bytes with one to four random wounds."""
    data = bytearray(data)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(data) + 1)
        kind = random.randrange(4)
        if kind == 0:
            data[place:place] = random.choice(SPLICES)
        elif kind == 1:
            del data[place:place + random.randint(1, 20)]
        elif kind == 2 and place < len(data):
            data[place] = random.randrange(256)
        else:
            data[place:place] = data[place:place + random.randint(1, 40)]
    return bytes(data)


def test_no_bytes_at_all_can_end_a_worker(base, module):
    """Each gets whole answers in the envelope, or is waited for, or closed."""
    seed = int(time.time())
    random = Random(seed)
    seeds = [(GET + "\r\n").encode(), post(module).encode(),
        post(module, "Expect: 100-continue").encode(),
        (f"DELETE {LIVE} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
            ).encode()]
    for number in range(MUTATIONS):
        data = mutated(random, random.choice(seeds))
        with Raw(base, timeout=MORE_SECONDS) as raw:
            try:
                raw.send(data)
                while True:
                    answer = raw.answer(
                        head_only=data.startswith(b"HEAD "))
                    if answer is None:
                        break
                    if answer.status >= 200 and answer.raw:
                        expect(answer, answer.status)
            except (ConnectionResetError, BrokenPipeError, socket.timeout):
                continue
            except Exception as bad:
                raise AssertionError(
                    f"seed {seed} number {number}: {data!r}") from bad
