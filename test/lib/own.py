"""A module's process of a test's own, beside the stack's.

Same PostgreSQL, Redis, Kafka and secrets, other settings and ports: for tests
of limits, costs and keys that the running stack must not change for.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

from onegate import Client, until

END_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class OwnModule:
    """One process; `settings` are names without ONEGATE_. What its public
    listener is bound with, a class of its own may change."""

    BOUND_WITH = "guard_connect"

    def __init__(self, stack, folder, module, **settings):
        data = pathlib.Path(stack.status["data"])
        self.port, internal = free_port(), free_port()
        shutil.copytree(data / "conf" / module, folder / "conf")
        for path in (folder / "conf").rglob("*.conf"):
            text = path.read_text()
            text = re.sub(r"(?m)^(\s*bind\s+\S+\s+"
                + stack.status[module]["base_url"].rsplit(":", 1)[1]
                + r"\s+)\w+", rf"\g<1>{self.BOUND_WITH}", text)
            for url, port in ((stack.status[module]["base_url"], self.port),
                    (stack.status[module]["internal_url"], internal)):
                text = re.sub(r"(?m)^(\s*bind\s+\S+\s+)"
                    + url.rsplit(":", 1)[1] + r"\b", rf"\g<1>{port}", text)
            text = re.sub(r"(?m)^pidfile .*$",
                f"pidfile {folder}/kore.pid", text)
            path.write_text(text)
        environment = dict(line.split("=", 1) for line in
            (data / "env" / f"{module}.env").read_text().splitlines())
        environment.update({"ONEGATE_" + name: str(value)
            for name, value in settings.items()}, PATH=os.environ["PATH"],
            HOME=str(folder))
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(["kore", "-c", f"{module}.conf", "-f",
            "-n", "-r"], cwd=folder / "conf", env=environment,
            stdout=self.log, stderr=self.log)
        self.client = Client(f"http://127.0.0.1:{self.port}")
        until(self.is_ready)

    def is_ready(self):
        assert self.process.poll() is None, "it did not start"
        with contextlib.suppress(OSError):
            return Client(f"http://127.0.0.1:{self.port}").get(
                "/health/ready", timeout=2).status == 200
        return False

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.log.close()
