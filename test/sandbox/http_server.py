"""A small strict HTTP/1.1 keep-alive server on asyncio.

It reads one request at a time per connection, hands it to one handler and
writes one answer. A handler returns an Answer, or an awaitable of one when it
has to wait. It must never guess: what is not plain HTTP/1.1 with a
Content-Length is refused and the connection closed (RFC 9112).
It knows nothing of wallets. (The name is not http.py: a folder on the import
path with that name would hide Python's own package.)
"""
import asyncio
import re
import time
from typing import NamedTuple

HEAD_MAX = 16 * 1024
BODY_MAX = 1024 * 1024
HEADERS_MAX = 64
HEAD_SECONDS = 15
IDLE_SECONDS = 75

REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request",
    401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    409: "Conflict", 411: "Length Required", 413: "Content Too Large",
    415: "Unsupported Media Type", 422: "Unprocessable Content",
    429: "Too Many Requests", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
TARGET = re.compile(rb"/[!-~]*")
DIGITS = re.compile(rb"[0-9]{1,10}")
ONCE = (b"host", b"content-length", b"content-type", b"authorization")


class Request(NamedTuple):
    """One complete request; header names are lower case."""
    method: str
    path: str
    query: str
    headers: dict
    body: bytes


class Answer:
    """What goes back. `wire` says how, when not plainly: see faults.py."""
    __slots__ = ("status", "body", "headers", "wire")

    def __init__(self, status, body, headers=(), wire=None):
        self.status = status
        self.body = body
        self.headers = headers
        self.wire = wire

    def encode(self, close=False, head_only=False):
        """The answer as bytes of HTTP/1.1."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Other')}"]
        names = {name.lower() for name, _ in self.headers}
        if "content-type" not in names:
            lines.append("Content-Type: application/json")
        lines.append(f"Content-Length: {len(self.body)}")
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        if close:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("ascii") + b"\r\n\r\n"
        return head if head_only else head + self.body


class Malformed(Exception):
    """The bytes are not a request we read: answered with `status`, closed."""

    def __init__(self, status, why):
        super().__init__(why)
        self.status = status
        self.why = why


def read_head(head):
    """Bytes before the empty line -> (method, target, headers, keep_alive)."""
    if b"\0" in head or head.count(b"\r") != head.count(b"\r\n") \
            or head.count(b"\n") != head.count(b"\r\n"):
        raise Malformed(400, "stray control character in the header")
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) != 3 or not NAME.fullmatch(parts[0]):
        raise Malformed(400, "the request line is not one")
    if parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Malformed(505, "only version 1.1 is spoken here")
    if not TARGET.fullmatch(parts[1]):
        raise Malformed(400, "the target is not a path")
    if len(lines) - 1 > HEADERS_MAX:
        raise Malformed(431, "too many header lines")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not NAME.fullmatch(name):
            raise Malformed(400, "a header line is not one")
        name = name.lower()
        if name in ONCE and name in headers:
            raise Malformed(400, "a header that may stand once stands twice")
        value = value.strip(b" \t")
        headers[name] = headers[name] + b", " + value \
            if name in headers else value
    if b"host" not in headers and parts[2] == b"HTTP/1.1":
        raise Malformed(400, "no Host")
    if b"transfer-encoding" in headers:
        raise Malformed(501, "no transfer codings here")
    tokens = headers.get(b"connection", b"").lower()
    keep = parts[2] == b"HTTP/1.1" and b"close" not in tokens
    return parts[0], parts[1], headers, keep


def read_length(method, headers):
    """The body's length in bytes, 0 when there is none."""
    text = headers.get(b"content-length")
    if text is None:
        if method in (b"POST", b"PUT", b"PATCH"):
            raise Malformed(411, "Content-Length is missing")
        return 0
    if not DIGITS.fullmatch(text):
        raise Malformed(400, "Content-Length is not a number")
    length = int(text)
    if length > BODY_MAX:
        raise Malformed(413, "the body is too large")
    if length and method in (b"GET", b"HEAD"):
        raise Malformed(400, "this method has no body")
    return length


class Connection(asyncio.Protocol):
    """One client. States: reading a head, a body, or answering (busy)."""

    def __init__(self, server):
        self.server = server
        self.transport = None
        self.buffer = bytearray()
        self.head = None
        self.need = 0
        self.busy = False
        self.task = None
        self.since = time.monotonic()
        self.gone = asyncio.Event()

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections.add(self)

    def connection_lost(self, exc):
        self.gone.set()
        self.server.connections.discard(self)

    def data_received(self, data):
        self.buffer += data
        if self.busy:
            if len(self.buffer) > HEAD_MAX + BODY_MAX:
                self.transport.pause_reading()
            return
        self.advance()

    def eof_received(self):
        # A half-closed client still gets its answer; then we close too. It
        # may also have given up: who waits for that (a fault) is told.
        self.gone.set()
        return self.busy and not self.server.tls

    def advance(self):
        """Answer every complete request that is in the buffer, in order."""
        try:
            while not self.busy and not self.transport.is_closing():
                if not self.read_one():
                    return
        except Malformed as bad:
            body = (b'{"error":"bad_request","error_description":"%s",'
                    b'"status_code":%d}' % (bad.why.encode(), bad.status))
            self.transport.write(Answer(bad.status, body).encode(True))
            self.transport.close()

    def read_one(self):
        """Start on one request; False when more bytes are needed."""
        if self.head is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end > HEAD_MAX or (end < 0 and len(self.buffer) > HEAD_MAX):
                raise Malformed(431, "the header is too large")
            if end < 0:
                return False
            self.head = read_head(bytes(self.buffer[:end]))
            self.need = read_length(self.head[0], self.head[2])
            del self.buffer[:end + 4]
            if self.need and self.head[2].get(b"expect") == b"100-continue":
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self.buffer) < self.need:
            return False
        body = bytes(self.buffer[:self.need])
        del self.buffer[:self.need]
        method, target, headers, keep = self.head
        self.head = None
        path, _, query = target.decode("ascii").partition("?")
        request = Request(method.decode("ascii"), path, query,
            {name.decode("ascii"): value.decode("latin-1")
             for name, value in headers.items()}, body)
        self.answer(request, keep)
        return True

    def answer(self, request, keep):
        """Run the handler; write at once when it needs no waiting."""
        result = self.server.handler(request)
        if isinstance(result, Answer) and result.wire is None:
            self.write(request, result, keep)
            return
        self.busy = True
        self.task = asyncio.ensure_future(
            self.answer_later(request, result, keep))

    async def answer_later(self, request, result, keep):
        """The slow way: the handler waits, or the wire misbehaves."""
        try:
            answer = result if isinstance(result, Answer) else await result
            if answer.wire is None:
                self.write(request, answer, keep)
            elif not await answer.wire(self, answer):
                self.transport.close()
        except Exception:
            self.transport.abort()
            raise
        finally:
            self.busy = False
            self.since = time.monotonic()
        if not self.transport.is_closing():
            self.transport.resume_reading()
            self.advance()
        if self.gone.is_set() and not self.busy:
            self.transport.close()

    def write(self, request, answer, keep):
        """Send a whole answer."""
        self.transport.write(
            answer.encode(not keep, request.method == "HEAD"))
        self.since = time.monotonic()
        if not keep:
            self.transport.close()

    def expire(self, now):
        """Close what has been idle, or is slow with its request, too long."""
        started = self.head is not None or len(self.buffer) > 0
        limit = HEAD_SECONDS if started else IDLE_SECONDS
        if not self.busy and now - self.since > limit:
            self.transport.close()


class Server:
    """`handler(Request)` -> Answer or awaitable of Answer, for all paths."""

    def __init__(self, handler):
        self.handler = handler
        self.connections = set()
        self.tls = False
        self.listener = None
        self.sweeper = None

    async def start(self, host, port, tls=None):
        """Listen; gives the port, chosen by the system when 0 was asked."""
        loop = asyncio.get_running_loop()
        self.tls = tls is not None
        self.listener = await loop.create_server(
            lambda: Connection(self), host, port, backlog=512, ssl=tls)
        self.sweeper = asyncio.ensure_future(self.sweep())
        return self.listener.sockets[0].getsockname()[1]

    async def sweep(self):
        """Once a second, look for clients that have stopped talking."""
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            for connection in list(self.connections):
                connection.expire(now)

    async def stop(self):
        """Stop listening and close every connection."""
        self.sweeper.cancel()
        self.listener.close()
        for connection in list(self.connections):
            connection.transport.abort()
