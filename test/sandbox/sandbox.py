#!/usr/bin/python3
"""The provider sandbox: GoPay and ShopeePay on one local port.

  sandbox.py --port 8090 --env development [--state FILE] [--host 127.0.0.1]

With --tls-certificate FILE and --tls-key FILE (PEM) it speaks TLS instead of
plain HTTP, to see what a partner thinks of that certificate.
Configuration comes from the environment (README.md lists it). It refuses to
start anywhere but in a development setting.
"""
import argparse
import asyncio
import os
import signal
import ssl
import sys

from cryptography.hazmat.primitives import serialization

from admin import Admin
from faults import Faults
from gopay import GoPay
from http_server import Answer, Server
from notify import Notifier
from shopeepay import ShopeePay
from snap import Snap
from state import State

SECRETS = (
    "gopay_client_id", "gopay_client_secret",
    "shopeepay_merchant_id", "shopeepay_api_key",
    "gopay_snap_client_id", "gopay_snap_client_secret",
    "shopeepay_snap_client_id", "shopeepay_snap_client_secret",
)


class Misconfigured(Exception):
    """Said in one line at start; the program ends with status 2."""


def environment(name):
    """ONEGATE_<NAME>, or what the file named by ONEGATE_<NAME>_FILE holds."""
    variable = "ONEGATE_" + name.upper()
    value = os.environ.get(variable)
    path = os.environ.get(variable + "_FILE")
    if not value and path:
        try:
            with open(path, encoding="utf-8") as file:
                value = file.read().strip()
        except OSError as bad:
            raise Misconfigured(f"{variable}_FILE: {bad.strerror}") from bad
    if not value:
        raise Misconfigured(f"{variable} is not set")
    return value


def key(variable, load):
    """The PEM key in the file that the environment variable names."""
    path = os.environ.get(variable)
    if not path:
        raise Misconfigured(f"{variable} is not set")
    try:
        with open(path, "rb") as file:
            return load(file.read())
    except (OSError, ValueError) as bad:
        raise Misconfigured(f"{variable}: {path}: {bad}") from bad


def configure():
    """Read the whole environment once into a dict."""
    config = {name: environment(name) for name in SECRETS}
    for provider in ("gopay", "shopeepay"):
        config[provider + "_private_key"] = key(
            f"ONEGATE_SANDBOX_{provider.upper()}_PRIVATE_KEY_FILE",
            lambda pem: serialization.load_pem_private_key(pem, None))
        own = f"ONEGATE_SANDBOX_{provider.upper()}_PARTNER_PUBLIC_KEY_FILE"
        config[provider + "_partner_key"] = key(
            own if os.environ.get(own)
            else "ONEGATE_SANDBOX_PARTNER_PUBLIC_KEY_FILE",
            serialization.load_pem_public_key)
    config["notify_url"] = os.environ.get("ONEGATE_SANDBOX_NOTIFY_URL", "")
    config["gopay_token_seconds"] = 3600
    config["shopeepay_token_seconds"] = 3600
    config["snap_token_seconds"] = 900
    config["settle_ms"] = 100
    return config


def development(asked):
    """Whether this is a development setting, by option and environment."""
    here = os.environ.get("ONEGATE_ENV")
    return here in (None, "", "development") and asked in (None, "development") \
        and "development" in (here, asked)


def router(config, state, notifier, admin, asked):
    """The first part of the path decides who answers."""
    parties = {
        "sandbox": admin,
        "gopay": GoPay(config, state, asked),
        "shopeepay": ShopeePay(config, state, asked),
        "gopay-snap": Snap("gopay", config, state, asked, notifier),
        "shopeepay-snap": Snap("shopeepay", config, state, asked, notifier),
    }

    def handle(request):
        party = parties.get(request.path.split("/", 2)[1])
        if party is None:
            return Answer(404, b'{"error":"not_found","error_description":'
                b'"No such provider","status_code":404}')
        return party.handle(request)
    return handle


async def serve(options, config):
    """Run until SIGTERM or SIGINT."""
    state = State(options.state)
    notifier = Notifier(config, state)
    asked = Faults(state)
    admin = Admin(config, state, asked, notifier)
    server = Server(router(config, state, notifier, admin, asked))
    admin.connections = lambda: len(server.connections)
    tls = None
    if options.tls_certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.tls_certificate, options.tls_key)
    port = await server.start(options.host, options.port, tls)
    notifier.resume()
    scheme = "https" if tls else "http"
    print(f"sandbox: {scheme}://{options.host}:{port} pid {os.getpid()}",
        flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    notifier.forget()
    await server.stop()


def main():
    parser = argparse.ArgumentParser(description="GoPay and ShopeePay sandbox")
    parser.add_argument("--port", type=int, default=8090, help="0: any")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--env", help="must be development")
    parser.add_argument("--state", help="log file that survives a kill")
    parser.add_argument("--tls-certificate", help="PEM chain: speak TLS")
    parser.add_argument("--tls-key", help="PEM key of the certificate")
    options = parser.parse_args()
    try:
        if not development(options.env):
            raise Misconfigured("runs in development only: set ONEGATE_ENV="
                "development or give --env development")
        asyncio.run(serve(options, configure()))
    except (Misconfigured, OSError) as bad:
        print(f"sandbox: {bad}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
