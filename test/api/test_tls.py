"""Does a TLS listener serve what the plain one serves, and nothing older?

Kore's own TLS does not work with OpenSSL 3; tls_connect is ours. An auth
process of the test's own, with a certificate made for it.
"""
import datetime
import http.client
import json
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from onegate import Client, Raw, expect, unique, until
from own import OwnModule

LIVE = "GET /health/live HTTP/1.1\r\nHost: x\r\n"
JSON = "Content-Type: application/json\r\n"


class RawTls(Raw):
    """Raw bytes inside TLS; `limits` are attributes of the context."""

    def __init__(self, port, certificate, **limits):
        super().__init__(f"http://127.0.0.1:{port}")
        context = ssl.create_default_context(cafile=certificate)
        for name, value in limits.items():
            setattr(context, name, value)
        self.socket = context.wrap_socket(self.socket,
            server_hostname="localhost")


class TlsModule(OwnModule):
    BOUND_WITH = "tls_connect"

    def __init__(self, stack, folder):
        self.certificate = make_certificate(folder)
        super().__init__(stack, folder, "auth",
            TLS_CERTIFICATE=folder / "chain.pem", TLS_KEY=folder / "key.pem")

    def raw(self, **limits):
        return RawTls(self.port, self.certificate, **limits)

    def is_ready(self):
        assert self.process.poll() is None, "it did not start"
        try:
            with self.raw() as raw:
                raw.send("GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n")
                return raw.answer().status == 200
        except OSError:
            return False


def make_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.utcnow()
    certificate = (x509.CertificateBuilder().subject_name(name)
        .issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(
            [x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256()))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    (folder / "chain.pem").write_bytes(certificate.public_bytes(
        serialization.Encoding.PEM))
    return folder / "chain.pem"


@pytest.fixture(scope="module")
def served(stack, tmp_path_factory):
    module = TlsModule(stack, tmp_path_factory.mktemp("tls"))
    yield module
    module.end()


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_many_requests_on_one_connection(served, version):
    wanted = ssl.TLSVersion[version]
    with served.raw(minimum_version=wanted, maximum_version=wanted) as raw:
        assert raw.socket.version() == version.replace("_", ".")
        for _ in range(20):
            mine = unique("r")
            raw.send(LIVE + f"X-Request-Id: {mine}\r\n\r\n")
            answer = expect(raw.answer(), 200)
            assert answer.headers["X-Request-Id"] == mine


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_older_version_is_refused(served):
    with pytest.raises((ssl.SSLError, OSError)):
        served.raw(minimum_version=ssl.TLSVersion.TLSv1,
            maximum_version=ssl.TLSVersion.TLSv1_1)


def test_plain_http_on_the_tls_port_gets_nothing(served):
    with pytest.raises((http.client.HTTPException, OSError)):
        Client(f"http://127.0.0.1:{served.port}").get("/health/live")
    with served.raw() as raw:
        raw.send(LIVE + "\r\n")
        expect(raw.answer(), 200)


def test_a_slow_handler_answers(served):
    body = json.dumps({"username": unique(), "password": "x" * 8})
    with served.raw() as raw:
        for _ in range(3):
            raw.send("POST /api/auth/login HTTP/1.1\r\nHost: x\r\n" + JSON
                + f"Content-Length: {len(body)}\r\n\r\n", body)
            expect(raw.answer(), 401)


@pytest.mark.parametrize("data,status", [
    (LIVE + "Host: y\r\n\r\n", 400), ("\0" * 20, 400),
    ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
    (LIVE + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    ((LIVE + "\r\n") * 2, 400),
    (LIVE + "X: " + "a" * 20_000 + "\r\n\r\n", 431),
    ("GET /" + "a" * 20_000 + " HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ("POST /api/auth/login HTTP/1.1\r\nHost: x\r\n" + JSON
        + "Content-Length: 200000\r\n\r\n" + "x" * 200_000, 413),
    ("POST /api/auth/login HTTP/1.1\r\nHost: x\r\n" + JSON + "\r\n{}", 411),
])
def test_the_guard_stands_here_too(served, data, status):
    with served.raw() as raw:
        raw.send(data)
        expect(raw.answer(), status)
        assert raw.closed()


def test_who_leaves_in_the_handshake_harms_nobody(served):
    for piece in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"):
        for _ in range(5):
            left = socket.create_connection(("127.0.0.1", served.port))
            left.sendall(piece)
            left.close()
    until(served.is_ready)
