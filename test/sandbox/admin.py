"""The tests' own doors into the sandbox; no provider has these.

  GET    /sandbox/health
  GET    /sandbox/state                    ?provider= phone= reference=
  POST   /sandbox/wallets/{provider}/{phone}   {"balance": rupiah}
  GET|POST|DELETE /sandbox/faults          standing faults: list, add, clear
  POST   /sandbox/settings                 token and settle times
  POST   /sandbox/tokens/revoke            every token ends now
  POST   /sandbox/reset                    forget everything
"""
import os
import time
import urllib.parse

import faults
import wire
from http_server import Answer
from notify import key_of

PROVIDERS = ("gopay", "shopeepay")
SETTINGS = {
    "gopay_token_seconds": (0, 86_400), "shopeepay_token_seconds": (0, 86_400),
    "snap_token_seconds": (0, 86_400), "settle_ms": (0, 600_000),
}


class Admin:
    """Looks into and changes the state, the rules and the settings."""

    def __init__(self, config, state, faults_asked, notifier):
        self.connections = lambda: 0
        self.config = config
        self.state = state
        self.faults = faults_asked
        self.notifier = notifier
        self.started = time.monotonic()
        self.routes = {
            ("GET", "/sandbox/health"): self.health,
            ("GET", "/sandbox/state"): self.show,
            ("GET", "/sandbox/faults"): self.faults_list,
            ("POST", "/sandbox/faults"): self.faults_add,
            ("DELETE", "/sandbox/faults"): self.faults_clear,
            ("POST", "/sandbox/settings"): self.settings,
            ("POST", "/sandbox/tokens/revoke"): self.tokens_revoke,
            ("POST", "/sandbox/reset"): self.reset,
        }

    def handle(self, request):
        """Answer any path under /sandbox/."""
        call = self.routes.get((request.method, request.path))
        if call is None and request.method == "POST" \
                and request.path.startswith("/sandbox/wallets/"):
            call = self.wallet
        if call is None:
            return Answer(404, b'{"error":"no such door"}')
        try:
            return Answer(200, wire.dump(call(request)).encode())
        except (ValueError, TypeError) as bad:
            return Answer(400, wire.dump({"error": str(bad)}).encode())

    def health(self, _request):
        return {"status": "up", "pid": os.getpid(),
            "uptime_seconds": int(time.monotonic() - self.started),
            "connections": self.connections(),
            "notifications_open": len(self.notifier.tasks)}

    def show(self, request):
        """Everything, or what belongs to a provider, phone or reference."""
        query = dict(urllib.parse.parse_qsl(request.query))
        if not set(query) <= {"provider", "phone", "reference"}:
            raise ValueError("filters: provider, phone, reference")
        provider, reference = query.get("provider"), query.get("reference")
        phone = query.get("phone")
        wallets = {name: {} for name in PROVIDERS}
        for (name, number), balance in self.state.wallets.items():
            if provider in (None, name) and phone in (None, number):
                wallets[name][number] = {
                    "balance": wire.Number(wire.sen_text(balance)),
                    "movements": [{"kind": kind, "reference": about,
                        "delta": wire.Number(rupiah(delta)),
                        "balance": wire.Number(wire.sen_text(after))}
                        for kind, about, delta, after
                        in self.state.movements[name, number]]}
        operations = [self.operation(found)
            for found in self.state.operations.values()
            if provider in (None, found["provider"])
            and phone in (None, found["phone"])
            and reference in (None, found["reference"])]
        return {"wallets": wallets, "operations": operations}

    def operation(self, found):
        """One operation: `acted` counts how often it moved money."""
        shown = {name: found[name] for name in ("provider", "kind",
            "reference", "id", "phone", "status", "attempts", "acted")}
        shown["amount"] = wire.Number(wire.sen_text(found["amount"]))
        shown["created_at"] = wire.utc_text(found["created"])
        for name in ("original", "acknowledged", "notices", "plan"):
            if name in found:
                shown[name] = found[name]
        shown["notification_log"] = self.notifier.log.get(key_of(found), [])
        return shown

    def wallet(self, request):
        parts = request.path.split("/")[3:]
        if len(parts) != 2 or parts[0] not in PROVIDERS:
            raise ValueError("the path is /sandbox/wallets/{provider}/{phone}")
        phone = wire.phone_national(parts[1])
        sen = wire.number_sen(wire.parse(request.body).get("balance"))
        if phone is None or sen is None or sen < 0:
            raise ValueError("a phone, and a balance of rupiah, are needed")
        self.state.record("wallet", parts[0], phone, sen)
        return {"provider": parts[0], "phone": phone,
            "balance": wire.Number(wire.sen_text(sen))}

    def faults_list(self, _request):
        return {"rules": [rule.show() for rule in self.faults.rules]}

    def faults_add(self, request):
        return faults.rule_add(self.faults, request.body).show()

    def faults_clear(self, _request):
        self.faults.rules.clear()
        return {"rules": []}

    def settings(self, request):
        asked = wire.parse(request.body)
        for name, value in asked.items():
            low, high = SETTINGS.get(name, (0, -1))
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"settings: {', '.join(SETTINGS)}")
        self.config.update(asked)
        return {name: self.config[name] for name in SETTINGS}

    def tokens_revoke(self, _request):
        return {"revoked": self.state.tokens_revoke()}

    def reset(self, _request):
        self.notifier.forget()
        self.faults.rules.clear()
        self.state.record("reset")
        return {"status": "empty"}


def rupiah(sen):
    """Signed sen -> text."""
    return ("-" if sen < 0 else "") + wire.sen_text(abs(sen))
