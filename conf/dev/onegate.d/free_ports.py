"""Choose a TCP port of 127.0.0.1 for each NAME:PORT:HOW given, print NAME=PORT.

HOW: "keep" the port (its server runs), "fixed" (the person chose it, so a
taken port is an error) or "free" (a taken port is replaced by a free one).
"""
import random
import socket
import sys

FIRST, LAST, TRIES = 20000, 31999, 500


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose(name, port, how, used):
    """The port for NAME; ends the program when there is none."""
    if how == "keep" or (is_free(port) and port not in used):
        return port
    if how == "fixed":
        sys.exit(f"onegate: port {port} is taken: end its owner or set {name} "
                 "to another one")
    for _ in range(TRIES):
        port = random.randint(FIRST, LAST)
        if port not in used and is_free(port):
            return port
    sys.exit(f"onegate: no free port found: set {name}")


def main():
    chosen = {}
    for item in sys.argv[1:]:
        name, text, how = item.split(":")
        if not text.isdigit() or not 1 <= int(text) <= 65535:
            sys.exit(f"onegate: {name}={text} is not a port: give 1 to 65535")
        chosen[name] = int(text), how
    # Those that must be as they are come first, so that no other takes them.
    used, ports = set(), {}
    for name, (port, how) in sorted(chosen.items(),
                                    key=lambda item: item[1][1] == "free"):
        ports[name] = choose(name, port, how, used)
        used.add(ports[name])
    for name in chosen:
        print(f"{name}={ports[name]}")


main()
