"""What the simulated providers remember: wallets, operations, tokens.

Every change is one event. With a log file the event is written before it is
applied, and thus before any answer leaves: a killed sandbox that starts again
on the same file knows everything it ever said. It decides nothing: whether a
call is allowed is the business of the provider files.
"""
import json
import os
import secrets
import time

WALLET_OPENING = 10_000_000 * 100


class State:
    """The memory of all providers. `path` None: in memory only."""

    def __init__(self, path=None):
        self.clear()
        self.file = -1
        if path is not None:
            self.replay(path)
            self.file = os.open(path,
                os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def clear(self):
        """Forget everything."""
        self.wallets = {}
        self.movements = {}
        self.operations = {}
        self.refunds = {}
        self.tokens = {}
        self.externals = {}
        self.struck = set()

    # -- the log ----------------------------------------------------------

    def replay(self, path):
        """Read the log back; a torn last line, never answered, is cut off."""
        if not os.path.exists(path):
            return
        with open(path, "rb") as log:
            raw = log.read()
        whole = raw.rfind(b"\n") + 1
        for line in raw[:whole].splitlines():
            self.apply(json.loads(line))
        if whole != len(raw):
            os.truncate(path, whole)

    def record(self, *event):
        """Write one event, then apply it."""
        if self.file >= 0:
            line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
            if os.write(self.file, line) != len(line):
                raise OSError("the state log could not be written")
        self.apply(event)

    def apply(self, event):
        """The only place that changes the memory."""
        getattr(self, "apply_" + event[0])(*event[1:])

    def apply_reset(self):
        self.clear()

    def apply_wallet(self, provider, phone, balance):
        self.wallets[provider, phone] = balance
        self.movements[provider, phone] = [["set", "", balance, balance]]

    def apply_operation(self, operation, delta):
        key = (operation["provider"], operation["kind"],
            operation["reference"])
        self.operations[key] = operation
        if delta:
            wallet = (operation["provider"], operation["phone"])
            self.wallets[wallet] += delta
            operation["acted"] += 1
            if operation["kind"] == "refund":
                paid = (operation["provider"], operation["original"])
                self.refunds[paid] = self.refunds.get(paid, 0) + delta
            self.movements[wallet].append([operation["kind"],
                operation["reference"], delta, self.wallets[wallet]])

    def apply_token(self, scheme, token, expires):
        self.tokens[token] = [scheme, expires]

    def apply_revoke(self, token):
        self.tokens.pop(token, None)

    def apply_external(self, provider, day, external):
        known = self.externals.get(provider)
        if known is None or known[0] != day:
            known = self.externals[provider] = (day, set())
        known[1].add(external)

    def apply_struck(self, key):
        self.struck.add(tuple(key))

    # -- wallets and operations -------------------------------------------

    def balance(self, provider, phone):
        """Sen in a wallet; an unknown phone gets one with 10,000,000 IDR."""
        if (provider, phone) not in self.wallets:
            self.record("wallet", provider, phone, WALLET_OPENING)
        return self.wallets[provider, phone]

    def operation(self, provider, kind, reference):
        """The operation with this reference, or None."""
        return self.operations.get((provider, kind, reference))

    def operation_new(self, provider, kind, reference, fingerprint, phone,
            amount, **more):
        """A new operation that has not acted yet and is not yet recorded."""
        return {
            "provider": provider, "kind": kind, "reference": reference,
            "fingerprint": fingerprint, "phone": phone, "amount": amount,
            "acted": 0, "attempts": 1, "id": secrets.token_hex(12),
            "created": int(time.time()), **more,
        }

    def operation_keep(self, operation, delta=0, **changes):
        """Record the operation with `changes`, moving `delta` sen with it."""
        if delta:
            self.balance(operation["provider"], operation["phone"])
        changed = {**operation, **changes}
        self.record("operation", changed, delta)
        return changed

    # -- tokens and one-time values ---------------------------------------

    def token_new(self, scheme, lifetime_seconds):
        """A fresh access token for one provider interface."""
        token = secrets.token_urlsafe(32)
        self.record("token", scheme, token, time.time() + lifetime_seconds)
        return token

    def token_valid(self, scheme, token):
        """Whether the token is known, of this interface and not expired."""
        known = self.tokens.get(token)
        if known is None:
            return False
        if known[1] <= time.time():
            self.record("revoke", token)
            return False
        return known[0] == scheme

    def tokens_revoke(self, scheme=None):
        """End every token, or those of one interface; gives how many."""
        ended = [token for token, known in self.tokens.items()
            if scheme in (None, known[0])]
        for token in ended:
            self.record("revoke", token)
        return len(ended)

    def external_taken(self, provider, day, external):
        """Note X-EXTERNAL-ID of that day; True when it was there already."""
        known = self.externals.get(provider)
        if known is not None and known[0] == day and external in known[1]:
            return True
        self.record("external", provider, day, external)
        return False

    def strike_first(self, *key):
        """True the first time this key is asked about, False for ever on."""
        if key in self.struck:
            return False
        self.record("struck", list(key))
        return True
