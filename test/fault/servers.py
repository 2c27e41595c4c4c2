"""What dies on purpose here: the servers of the stack, and its workers.

Only processes that ./onegate status or a health answer names are killed.
"""
import json
import os
import pathlib
import signal
import subprocess

from onegate import command, until

UP_SECONDS = 300


class Server:
    """PostgreSQL, Redis or Kafka of this stack, by its place in the status."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name
        self.look()

    def look(self):
        """Its process now; only what ./onegate says is safe to kill."""
        status = json.loads(command("status", "--json", check=False))
        self.pid = status[self.name]["pid"]

    def send(self, number):
        os.kill(self.pid, number)

    def freeze(self):
        """Hangs it and its children; the parent first, so that no more come."""
        self.send(signal.SIGSTOP)
        children = subprocess.run(["pgrep", "-P", str(self.pid)], check=True,
            stdout=subprocess.PIPE, text=True).stdout.split()
        self.frozen = [self.pid, *map(int, children)]
        for pid in self.frozen[1:]:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.frozen:
            os.kill(pid, signal.SIGCONT)

    def kill(self, number=signal.SIGKILL):
        self.send(number)
        until(lambda: not os.path.exists(f"/proc/{self.pid}")
            or self.stopped())

    def stopped(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(") ", 1)[1][0] == "Z"

    def start(self):
        command("up", seconds=UP_SECONDS)
        self.look()


def ready(stack, module):
    try:
        return stack.client(module).get("/health/ready").status == 200
    except OSError:
        return False


def worker_kill(stack, module):
    """kill -9 of the process that serves; Kore starts another one."""
    health = stack.client(module).get("/health")
    os.kill(health.data["pid"], signal.SIGKILL)


class ProviderSandbox:
    """The running sandbox; killed and started again as it was."""

    def __init__(self, stack):
        self.stack = stack
        self.pid = stack.sandbox.ask("GET", "/sandbox/health")["pid"]
        with open(f"/proc/{self.pid}/cmdline", "rb") as file:
            self.arguments = [part.decode()
                for part in file.read().split(b"\0")[:-1]]
        with open(f"/proc/{self.pid}/environ", "rb") as file:
            self.environment = dict(part.decode().split("=", 1)
                for part in file.read().split(b"\0") if part)
        self.folder = os.readlink(f"/proc/{self.pid}/cwd")

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def start(self):
        started = subprocess.Popen(self.arguments, cwd=self.folder,
            env=self.environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)

        def healthy():
            try:
                return self.stack.sandbox.ask("GET", "/sandbox/health")
            except OSError:
                return None
        self.pid = until(healthy)["pid"]
        assert self.pid == started.pid
        self.adopt()

    def adopt(self):
        """Tell ./onegate which process the sandbox is now."""
        noted = pathlib.Path(self.stack.status["data"], "run", "sandbox.pid")
        if not noted.exists():
            return
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        since = stat.rsplit(") ", 1)[1].split()[19]
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()
        noted.write_text(f"{self.pid} {since} {boot}", encoding="ascii")
