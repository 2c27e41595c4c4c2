"""The running stack as a benchmark sees it: addresses, CPU time, tokens."""
import base64
import json
import os
import pathlib
import subprocess
import time
import uuid

import psycopg
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")


def status():
    """What ./onegate status --json says; ends with one line when it is down."""
    out = subprocess.run([ROOT / "onegate", "status", "--json"], stdout=subprocess.PIPE, check=False)
    found = json.loads(out.stdout or b"{}")
    if found.get("state") != "up":
        raise SystemExit("bench: the stack is not up: run ./onegate up first")
    return found


def connect(stack):
    return psycopg.connect(stack["postgres"]["dsn"], autocommit=True)


def connect_admin(stack, database="postgres"):
    """The superuser of the development cluster, for a second database and
    for other people's connections."""
    password = (pathlib.Path(stack["data"]) / "secrets" / "pg_postgres").read_text().strip()
    where = stack["postgres"]
    return psycopg.connect(host=where["host"], port=where["port"], user="postgres", password=password,
                           dbname=database, autocommit=True)


def port(stack, module):
    return int(stack[module]["base_url"].rsplit(":", 1)[1])


def _ticks(path):
    try:
        fields = pathlib.Path(path).read_text().rsplit(") ", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    return int(fields[1]), sum(int(x) for x in fields[11:15])


def cpu_seconds(pid):
    """CPU time of PID and all that it started, running or ended."""
    total = 0
    family = {pid}
    listing = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            listing[int(entry.name)] = _ticks(entry / "stat")
    grown = True
    while grown:
        grown = False
        for child, (parent, _) in listing.items():
            if parent in family and child not in family:
                family.add(child)
                grown = True
    for member in family:
        total += listing.get(member, (0, 0))[1]
    return total / TICK


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenMint:
    """Access tokens for users of the benchmark, signed with the development
    stack's own key: a benchmark of transfers is none of sign-in."""

    def __init__(self, stack):
        keys = pathlib.Path(stack["data"]) / "secrets" / "jwt"
        self.kid = (keys / "signing").read_text().strip()
        self.key = serialization.load_pem_private_key((keys / (self.kid + ".pem")).read_bytes(), None)

    def token(self, user_id, username):
        now = int(time.time())
        elliptic = isinstance(self.key, ec.EllipticCurvePrivateKey)
        head = {"alg": "ES256" if elliptic else "RS256", "typ": "JWT", "kid": self.kid}
        claims = {"iss": "https://onegate.id", "aud": "onegate", "sub": str(user_id), "username": username,
                  "sid": str(uuid.uuid4()), "jti": str(uuid.uuid4()), "iat": now, "nbf": now, "exp": now + 900}
        signed = ".".join(_b64(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims)).encode()
        if elliptic:
            r, s = utils.decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        else:
            signature = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return signed.decode() + "." + _b64(signature)
