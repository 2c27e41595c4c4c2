"""A provider for http_client_test: http_provider.py PORT [CERTIFICATE KEY].

Every path is one kind of day; /count tells how many other requests came.
"""
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

count_lock = threading.Lock()
count = 0


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def reset(self):
        """Ends the connection as a crash does."""
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def serve(self):
        global count
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        kind, _, argument = self.path.lstrip("/").partition("/")
        if kind == "count":
            self.answer(200, str(count).encode())
            return
        with count_lock:
            count += 1
        if kind == "echo":
            lines = [self.command + " " + self.path]
            lines += ["%s: %s" % pair for pair in sorted(self.headers.items())]
            self.answer(200, "\n".join(lines).encode() + b"\n\n" + body)
        elif kind == "status":
            self.answer(int(argument), b"as told")
        elif kind == "slow":
            time.sleep(int(argument) / 1000)
            self.answer(200, b"slow")
        elif kind == "redirect":
            self.answer(302, b"elsewhere", [("Location", "/status/200")])
        elif kind == "size":
            self.answer(200, b"x" * int(argument))
        elif kind == "endless":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            for _ in range(int(argument)):
                self.wfile.write(b"x" * 1024)
        elif kind == "short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"only this")
            self.close_connection = True
        elif kind == "garbage":
            self.wfile.write(b"\x00\x01 nothing like HTTP\r\n\r\n")
            self.close_connection = True
        elif kind == "reset":
            self.reset()
        else:
            self.answer(404, b"")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


server = Server(("127.0.0.1", int(sys.argv[1])), Provider)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
