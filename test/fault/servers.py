"""What dies on purpose here: the servers of the stack, and its workers.

Only processes that ./onegate status or a health answer names are killed.
"""
import json
import os
import signal

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
