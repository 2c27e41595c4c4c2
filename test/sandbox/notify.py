"""Settles payments and tells the partner: SNAP direct debit service 56.

Each notification is signed with the provider's own private key and repeated,
with growing pauses, until the partner acknowledges it with 2005600. What is
still to be told survives a restart, because it is read from the state.
"""
import asyncio
import base64
import hashlib
import itertools
import json
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

import wire
from snap import PLANS, STATUS_TEXT, money

ANSWER_SECONDS = 10
ANSWER_MAX = 64 * 1024
PAUSE_FIRST_SECONDS = 0.25
PAUSE_MAX_SECONDS = 30
TRIES_MAX = 500
AT_ONCE = 16


def asymmetric(key, method, path, body, timestamp):
    """X-SIGNATURE of a notification: base64 SHA256withRSA over raw bytes."""
    digest = hashlib.sha256(body).hexdigest()
    text = f"{method}:{path}:{digest}:{timestamp}"
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(),
        hashes.SHA256())).decode()


class Notifier:
    """Both providers' senders; `config` has the target and the keys."""

    def __init__(self, config, state):
        self.config = config
        self.state = state
        self.gate = asyncio.Semaphore(AT_ONCE)
        self.idle = []
        self.tasks = set()
        self.external = itertools.count(time.time_ns() // 1000)
        self.log = {}
        target = config["notify_url"]
        self.target = urllib.parse.urlsplit(target) if target else None

    # -- when -------------------------------------------------------------

    def resume(self):
        """After a start: go on with whatever was not finished."""
        for operation in list(self.state.operations.values()):
            if operation["kind"] != "pay":
                continue
            if operation["status"] == "02" \
                    and PLANS[operation["plan"]].settles:
                self.settle_soon(operation)
            elif operation["finished"]:
                self.tell(operation, 0)

    def start(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def forget(self):
        """Drop everything that is still to be done."""
        for task in self.tasks:
            task.cancel()
        self.log.clear()

    def settle_soon(self, operation):
        """Finish a payment after the settle time, then tell."""
        asyncio.get_running_loop().call_later(
            self.config["settle_ms"] / 1000, self.settle, key_of(operation))

    def settle(self, key):
        """Move a paying operation to its end; notifications follow."""
        operation = self.state.operations.get(key)
        if operation is None or operation["status"] != "02":
            return None
        operation = self.state.operation_keep(operation,
            status=PLANS[operation["plan"]].status, finished=int(time.time()))
        late = operation["wait"] \
            if operation["plan"] == "late_notification" else 0
        if operation["plan"] != "early_notification":
            self.tell(operation, late)
        return operation

    async def settle_first(self, operation, answer):
        """Finish and notify before the first answer leaves."""
        operation = self.settle(key_of(operation))
        if operation is None or self.target is None:
            return answer
        if await self.send(operation):
            self.acknowledge(operation)
        self.tell(self.state.operations[key_of(operation)], 0)
        return answer

    # -- telling ----------------------------------------------------------

    def tell(self, operation, wait):
        """Send what notifications this operation still owes."""
        if self.target is None:
            return
        for _ in range(operation["notices"] - operation["acknowledged"]):
            self.start(self.deliver(key_of(operation), wait))

    async def deliver(self, key, wait):
        """One notification, repeated until it is acknowledged."""
        await asyncio.sleep(wait)
        pause = PAUSE_FIRST_SECONDS
        for _ in range(TRIES_MAX):
            operation = self.state.operations.get(key)
            if operation is None or not operation["notices"]:
                return
            if await self.send(operation):
                self.acknowledge(operation)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_SECONDS)

    def acknowledge(self, operation):
        now = self.state.operations.get(key_of(operation))
        if now is not None:
            self.state.operation_keep(now,
                acknowledged=now["acknowledged"] + 1)

    def message(self, operation):
        """The notification's body."""
        status = operation["status"]
        return wire.dump({
            "originalPartnerReferenceNo": operation["reference"],
            "originalReferenceNo": operation["id"],
            "originalExternalId": operation["external"],
            "amount": money(operation["amount"]),
            "latestTransactionStatus": status,
            "transactionStatusDesc": STATUS_TEXT[status],
            "createdTime": wire.jakarta_text(operation["created"]),
            "finishedTime": wire.jakarta_text(operation["finished"]),
        }).encode()

    async def send(self, operation):
        """One try; True when acknowledged."""
        provider = operation["provider"]
        body = self.message(operation)
        path = f"{self.target.path.rstrip('/')}/{provider}"
        stamp = wire.jakarta_text()
        head = "\r\n".join((
            f"POST {path} HTTP/1.1", f"Host: {self.target.netloc}",
            "Content-Type: application/json", f"Content-Length: {len(body)}",
            f"X-TIMESTAMP: {stamp}",
            "X-SIGNATURE: " + asymmetric(
                self.config[f"{provider}_private_key"], "POST", path, body,
                stamp),
            f"X-PARTNER-ID: {self.config[f'{provider}_snap_client_id']}",
            f"X-EXTERNAL-ID: {next(self.external)}", "CHANNEL-ID: 95221",
        )).encode() + b"\r\n\r\n"
        async with self.gate:
            try:
                status, answer = await asyncio.wait_for(
                    self.exchange(head + body), ANSWER_SECONDS)
                code = json.loads(answer).get("responseCode")
                told = f"{status} {code}"
            except (OSError, EOFError, ValueError, AttributeError,
                    asyncio.TimeoutError,
                    asyncio.LimitOverrunError) as bad:
                status, code, told = 0, None, type(bad).__name__
        log = self.log.setdefault(key_of(operation), [])
        log.append(told)
        del log[:-20]
        return status == 200 and code == "2005600"

    async def exchange(self, request):
        """Send bytes, read one answer; keeps the connection for the next."""
        if self.idle:
            reader, writer = self.idle.pop()
            try:
                return await self.converse(reader, writer, request)
            except (OSError, EOFError):
                writer.close()
        port = self.target.port or 80
        reader, writer = await asyncio.open_connection(
            self.target.hostname, port, limit=ANSWER_MAX)
        return await self.converse(reader, writer, request)

    async def converse(self, reader, writer, request):
        finished = False
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.split("\r\n")
            status = int(lines[0].split(" ")[1])
            headers = {name.strip().lower(): value.strip() for name, _, value
                in (line.partition(":") for line in lines[1:] if line)}
            length = int(headers.get("content-length", "0"))
            if length > ANSWER_MAX:
                raise ValueError("answer too large")
            body = await reader.readexactly(length)
            finished = True
        finally:
            if finished and headers.get("connection") != "close":
                self.idle.append((reader, writer))
            else:
                writer.close()
        return status, body


def key_of(operation):
    return operation["provider"], operation["kind"], operation["reference"]
