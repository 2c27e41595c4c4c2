"""Is every forged, stale or malformed access token refused, and why?"""
import base64
import hashlib
import hmac
import json
import pathlib
import time
import uuid

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from onegate import expect


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def dump(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Mint:
    """Signs what it is told to, with the stack's own keys."""

    def __init__(self, stack, user):
        folder = pathlib.Path(stack.status["data"]) / "secrets" / "jwt"
        self.keys = {path.name[:-4]: serialization.load_pem_private_key(
            path.read_bytes(), None) for path in folder.glob("*.pem")
            if not path.name.endswith(".pub.pem")}
        self.public = {path.name[:-8]: path.read_bytes()
            for path in folder.glob("*.pub.pem")}
        self.signing = (folder / "signing").read_text().strip()
        head, claims, _ = user.access_token.split(".")
        self.head, self.claims = (json.loads(unb64(part))
            for part in (head, claims))
        self.rsa = [kid for kid, key in self.keys.items()
            if isinstance(key, rsa.RSAPrivateKey)][0]
        self.ec = [kid for kid, key in self.keys.items()
            if isinstance(key, ec.EllipticCurvePrivateKey)][0]

    def sign(self, signed, key):
        if isinstance(key, ec.EllipticCurvePrivateKey):
            r, s = utils.decode_dss_signature(
                key.sign(signed, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())

    def token(self, head=(), claims=(), without=(), raw_head=None,
            raw_claims=None, key=None, kid=None, jti=True, sign=None):
        kid = kid or self.signing
        key = key or self.keys[kid]
        alg = "ES256" if isinstance(
            self.keys[kid], ec.EllipticCurvePrivateKey) else "RS256"
        head = {**self.head, "alg": alg, "kid": kid, **dict(head)}
        claims = {**self.claims, **dict(claims)}
        if jti:
            claims.setdefault("jti", str(uuid.uuid4()))
        for name in without:
            head.pop(name, None)
            claims.pop(name, None)
        signed = (b64(raw_head or dump(head)) + "."
            + b64(raw_claims or dump(claims))).encode()
        return signed.decode() + "." + b64((sign or self.sign)(signed, key))


@pytest.fixture(scope="module")
def user(stack):
    return stack.user()


@pytest.fixture(scope="module")
def mint(stack, user):
    return Mint(stack, user)


def ask(stack, token):
    return stack.auth.get("/api/auth/me",
        headers={"Authorization": "Bearer " + token})


def test_the_claims_are_the_contracts(user, mint):
    head, claims = mint.head, mint.claims
    assert head["alg"] in ("RS256", "ES256") and head["kid"] == mint.signing
    assert claims["iss"] == "https://onegate.id"
    assert claims["username"] == user.username
    uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"])
    assert claims["exp"] - claims["iat"] == 900
    assert claims["nbf"] <= claims["iat"] and claims["jti"]
    assert claims["aud"] in ("onegate", ["onegate"])


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_good_token_of_either_algorithm_is_taken(stack, mint, kind):
    """Else the refusals below would prove nothing."""
    expect(ask(stack, mint.token(kid=getattr(mint, kind))), 200)


def now():
    return int(time.time())


HOSTILE = {
    "alg none, no signature": lambda m: ".".join(
        [b64(dump({**m.head, "alg": "none"})), b64(dump(m.claims)), ""]),
    "alg None in capitals": lambda m: m.token(head={"alg": "NONE"}),
    "alg missing": lambda m: m.token(without=["alg"]),
    "alg of another key": lambda m: m.token(head={"alg": "ES256"},
        kid=m.rsa),
    "alg RS512 for an RS256 key": lambda m: m.token(head={"alg": "RS512"},
        kid=m.rsa),
    "HS256 keyed with the public key": lambda m: hs256(m, m.public[m.rsa]),
    "HS256 keyed with nothing": lambda m: hs256(m, b""),
    "unknown kid": lambda m: m.token(head={"kid": "nobody"}),
    "kid that is a path": lambda m: m.token(
        head={"kid": "../jwt/" + m.signing}),
    "kid of the wrong key": lambda m: m.token(head={"kid": m.ec}, kid=m.rsa),
    "kid missing": lambda m: m.token(without=["kid"]),
    "kid is a number": lambda m: m.token(head={"kid": 1}),
    "signed by a stranger": lambda m: m.token(kid=m.rsa,
        key=rsa.generate_private_key(65537, 2048)),
    "the key comes along": lambda m: m.token(kid=m.rsa, head={"jwk": {}},
        key=rsa.generate_private_key(65537, 2048)),
    "a critical extension": lambda m: m.token(
        head={"crit": ["exp"], "exp": 1}),
    "wrong iss": lambda m: m.token(claims={"iss": "https://evil.example"}),
    "iss missing": lambda m: m.token(without=["iss"]),
    "iss is a list": lambda m: m.token(claims={"iss": [m.claims["iss"]]}),
    "wrong aud": lambda m: m.token(claims={"aud": "other"}),
    "aud missing": lambda m: m.token(without=["aud"]),
    "exp past": lambda m: m.token(claims={"exp": now() - 60}),
    "exp missing": lambda m: m.token(without=["exp"]),
    "exp is text": lambda m: m.token(claims={"exp": str(now() + 900)}),
    "exp is a fraction": lambda m: m.token(claims={"exp": now() + 900.5}),
    "exp is huge": lambda m: m.token(raw_claims=dump(m.claims).replace(
        b'"exp":%d' % m.claims["exp"], b'"exp":99999999999999999999')),
    "nbf ahead": lambda m: m.token(claims={"nbf": now() + 90}),
    "iat ahead": lambda m: m.token(claims={"iat": now() + 600}),
    "sub missing": lambda m: m.token(without=["sub"]),
    "sub is no uuid": lambda m: m.token(claims={"sub": "1"}),
    "sid missing": lambda m: m.token(without=["sid"]),
    "sid is no uuid": lambda m: m.token(claims={"sid": "x"}),
    "a claim twice": lambda m: m.token(raw_claims=dump(m.claims)[:-1]
        + b',"sub":"' + m.claims["sub"].encode() + b'"}'),
    "a header twice": lambda m: m.token(raw_head=dump({**m.head,
        "alg": "RS256"})[:-1] + b',"alg":"none"}'),
    "claims that are a list": lambda m: m.token(raw_claims=b"[]"),
    "claims that are no JSON": lambda m: m.token(raw_claims=b"{x}"),
    "an altered claim": lambda m: altered(m.token()),
    "a flipped signature bit": lambda m: flipped(m.token()),
    "a cut signature": lambda m: m.token()[:-4],
    "no signature": lambda m: m.token().rpartition(".")[0] + ".",
    "two parts": lambda m: m.token().rpartition(".")[0],
    "four parts": lambda m: m.token() + ".x",
    "padded base64url": lambda m: m.token() + "=",
    "plain base64": lambda m: m.token().replace("-", "+").replace("_", "/")
        + ("" if set("-_") & set(m.token()) else "+"),
    "spare bits set": lambda m: spare_bits(m.token()),
    "over 4 KiB": lambda m: m.token(claims={"more": "x" * 4096}),
    "ES256 as DER": lambda m: der(m),
    "ES256 of zeros": lambda m: m.token(kid=m.ec).rpartition(".")[0] + "."
        + b64(bytes(64)),
    "a refresh token": lambda m: "A" * 43,
    "alg in small letters": lambda m: m.token(kid=m.rsa,
        head={"alg": "rs256"}),
    "alg with a blank": lambda m: m.token(kid=m.rsa, head={"alg": "RS256 "}),
    "alg is a list": lambda m: m.token(kid=m.rsa, head={"alg": ["RS256"]}),
    "alg PS256, signed so": lambda m: m.token(kid=m.rsa,
        head={"alg": "PS256"}, sign=pss),
    "alg RS256, signed as PS256": lambda m: m.token(kid=m.rsa, sign=pss),
    "RS256 over SHA-1": lambda m: m.token(kid=m.rsa, sign=sha1),
    "ES256 with r and s swapped": lambda m: swapped(m.token(kid=m.ec)),
    "ES256 of the order": lambda m: m.token(kid=m.ec).rpartition(".")[0]
        + "." + b64(P256_ORDER * 2),
    "a signature with a zero before it": lambda m: resigned(
        m.token(kid=m.rsa), lambda raw: b"\0" + raw),
    "a signature with a zero behind it": lambda m: resigned(
        m.token(kid=m.rsa), lambda raw: raw + b"\0"),
    "typ of another kind": lambda m: m.token(head={"typ": "dpop+jwt"}),
    "typ is a number": lambda m: m.token(head={"typ": 1}),
    "kid is empty": lambda m: m.token(head={"kid": ""}),
    "kid is long": lambda m: m.token(head={"kid": "k" * 500}),
    "kid with a NUL": lambda m: m.token(head={"kid": m.signing + "\0"}),
    "kid as SQL": lambda m: m.token(head={"kid": "' or '1'='1"}),
    "a key set to fetch": lambda m: m.token(kid=m.rsa,
        head={"jku": "http://127.0.0.1/"},
        key=rsa.generate_private_key(65537, 2048)),
    "an unencoded payload": lambda m: m.token(
        head={"b64": False, "crit": ["b64"]}),
    "a header that is no JSON": lambda m: m.token(raw_head=b"x"),
    "a header with a tail": lambda m: m.token(
        raw_head=dump({**m.head, "alg": "RS256"}) + b"{}", kid=m.rsa),
    "aud is an empty list": lambda m: m.token(claims={"aud": []}),
    "aud is a list without us": lambda m: m.token(claims={"aud": ["a", "b"]}),
    "aud is an object": lambda m: m.token(claims={"aud": {"onegate": 1}}),
    "aud in capitals": lambda m: m.token(claims={"aud": "ONEGATE"}),
    "iss with a slash more": lambda m: m.token(
        claims={"iss": m.claims["iss"] + "/"}),
    "exp is 0": lambda m: m.token(claims={"exp": 0}),
    "exp is negative": lambda m: m.token(claims={"exp": -1}),
    "exp is null": lambda m: m.token(claims={"exp": None}),
    "exp is true": lambda m: m.token(claims={"exp": True}),
    "exp in milliseconds": lambda m: m.token(
        claims={"exp": (now() + 900) * 1000 ** 2}),
    "exp as 1e11": lambda m: m.token(raw_claims=dump(m.claims).replace(
        b'"exp":%d' % m.claims["exp"], b'"exp":1e11')),
    "exp twice": lambda m: m.token(raw_claims=dump(m.claims)[:-1]
        + b',"exp":99999999999}'),
    "nbf missing": lambda m: m.token(without=["nbf"]),
    "iat missing": lambda m: m.token(without=["iat"]),
    "jti missing": lambda m: m.token(without=["jti"], jti=False),
    "username missing": lambda m: m.token(without=["username"]),
    "username is a number": lambda m: m.token(claims={"username": 1}),
    "username is empty": lambda m: m.token(claims={"username": ""}),
    "sub is a number": lambda m: m.token(claims={"sub": 1}),
    "sub is a list": lambda m: m.token(claims={"sub": [m.claims["sub"]]}),
    "claims that are null": lambda m: m.token(raw_claims=b"null"),
    "claims with a tail": lambda m: m.token(
        raw_claims=dump(m.claims) + b"x"),
    "claims in UTF-16": lambda m: m.token(
        raw_claims=dump(m.claims).decode().encode("utf-16")),
    "claims nested deep": lambda m: m.token(raw_claims=dump(m.claims)[:-1]
        + b',"x":' + b"[" * 200 + b"]" * 200 + b"}"),
    "empty parts": lambda m: "..",
    "dots only": lambda m: "." * 50,
    "a blank in it": lambda m: m.token().replace(".", ". ", 1),
    "two tokens": lambda m: m.token() + "," + m.token(),
    "in quotes": lambda m: '"' + m.token() + '"',
    "in capitals": lambda m: m.token().upper(),
}
P256_ORDER = bytes.fromhex("ffffffff00000000ffffffffffffffff"
    "bce6faada7179e84f3b9cac2fc632551")


def pss(signed, key):
    return key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32),
        hashes.SHA256())


def sha1(signed, key):
    return key.sign(signed, padding.PKCS1v15(), hashes.SHA1())


def resigned(token, change):
    rest, _, signature = token.rpartition(".")
    return rest + "." + b64(change(unb64(signature)))


def swapped(token):
    return resigned(token, lambda raw: raw[32:] + raw[:32])


def hs256(mint, key):
    signed = (b64(dump({**mint.head, "alg": "HS256", "kid": mint.rsa})) + "."
        + b64(dump(mint.claims))).encode()
    return signed.decode() + "." + b64(
        hmac.new(key, signed, hashlib.sha256).digest())


def altered(token):
    head, claims, signature = token.split(".")
    changed = json.loads(unb64(claims))
    changed["sub"] = str(uuid.uuid4())
    return ".".join([head, b64(dump(changed)), signature])


def flipped(token):
    rest, _, signature = token.rpartition(".")
    raw = bytearray(unb64(signature))
    raw[10] ^= 1
    return rest + "." + b64(bytes(raw))


def spare_bits(token):
    """The same bytes in another spelling: what a denied list would miss."""
    alphabet = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        "0123456789-_")
    for number, part in enumerate(token.split(".")):
        if len(part) % 4 == 0:
            continue
        other = part[:-1] + alphabet[alphabet.index(part[-1]) | 1]
        if other != part and unb64(other) == unb64(part):
            parts = token.split(".")
            parts[number] = other
            return ".".join(parts)
    raise AssertionError("no part has spare bits")


def der(mint):
    rest = mint.token(kid=mint.ec).rpartition(".")[0]
    return rest + "." + b64(mint.keys[mint.ec].sign(rest.encode(),
        ec.ECDSA(hashes.SHA256())))


@pytest.mark.parametrize("reason", HOSTILE)
@pytest.mark.parametrize("module", ["auth", "payment"])
def test_a_hostile_token_is_refused(stack, mint, module, reason):
    path = {"auth": "/api/auth/me", "payment": "/api/payment/balance"}[module]
    answer = stack.client(module).get(path, headers={
        "Authorization": "Bearer " + HOSTILE[reason](mint)})
    expect(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_clocks_may_differ_by_thirty_seconds(stack, mint):
    expect(ask(stack, mint.token(claims={"nbf": now() + 20})), 200)


def test_a_cookie_is_checked_like_a_bearer_token(stack, mint):
    for reason in ("alg none, no signature", "exp past",
            "a flipped signature bit"):
        expect(stack.auth.get("/api/auth/me", headers={"Cookie":
            "auth-token=" + HOSTILE[reason](mint)}), 401)


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Digest username=x"])
def test_another_scheme_leaves_it_to_the_cookie(stack, user, header):
    cookie = {"Cookie": "auth-token=" + user.access_token,
        "Authorization": header}
    expect(stack.auth.get("/api/auth/me", headers=cookie), 200)
    expect(stack.auth.get("/api/auth/me",
        headers={"Authorization": header}), 401)
    expect(stack.auth.put("/api/auth/pin", {}, headers={**cookie,
        "Origin": "https://evil.example"}), 403, "foreign_origin")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x",
    "bearer null", "Bearer a.b.c", "Bearer \t"])
def test_a_bad_bearer_token_is_not_saved_by_a_cookie(stack, user, header):
    expect(stack.auth.get("/api/auth/me", headers={
        "Cookie": "auth-token=" + user.access_token,
        "Authorization": header}), 401)


def test_the_key_set_is_public_and_plain(stack, mint):
    answer = stack.auth.get("/.well-known/jwks.json")
    assert answer.status == 200
    assert set(answer.json) == {"keys"}
    assert "max-age=" in answer.headers["Cache-Control"]
    found = {key["kid"]: key for key in answer.json["keys"]}
    assert mint.signing in found
    for kid, key in found.items():
        assert key["use"] == "sig" and key["alg"] in ("RS256", "ES256")
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        public = serialization.load_pem_public_key(mint.public[kid])
        numbers = public.public_numbers()
        if key["kty"] == "RSA":
            assert int.from_bytes(unb64(key["n"]), "big") == numbers.n
            assert int.from_bytes(unb64(key["e"]), "big") == numbers.e
        else:
            assert key["kty"] == "EC" and key["crv"] == "P-256"
            assert len(unb64(key["x"])) == len(unb64(key["y"])) == 32
            assert int.from_bytes(unb64(key["x"]), "big") == numbers.x
            assert int.from_bytes(unb64(key["y"]), "big") == numbers.y
