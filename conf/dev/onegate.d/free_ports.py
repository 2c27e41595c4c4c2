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


def main():
    wanted = [item.split(":") for item in sys.argv[1:]]
    used = {int(port) for _, port, how in wanted if how != "free"}
    for name, text, how in wanted:
        if not text.isdigit() or not 1 <= int(text) <= 65535:
            sys.exit(f"onegate: {name}={text} is not a port: give 1 to 65535")
        port = int(text)
        if how == "fixed" and not is_free(port):
            sys.exit(f"onegate: port {port} is taken: end its owner or "
                     f"set {name} to another one")
        if how == "free":
            for _ in range(TRIES):
                if port not in used and is_free(port):
                    break
                port = random.randint(FIRST, LAST)
            else:
                sys.exit("onegate: no free port found: set " + name)
        used.add(port)
        print(f"{name}={port}")


main()
