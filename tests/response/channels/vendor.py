"""Small real servers on loopback that play a vendor's HTTP service and a mail server."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl

Way = Literal["answer", "hang", "drop", "moved", "endless", "drip", "heads"]


@dataclass
class Request:
    """What somebody asked of the vendor."""

    path: str
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.text, keep_blank_values=True))


@dataclass
class Vendor:
    """An HTTP service: answers ``status`` and ``body``, or takes a request and never answers (``hang``), or breaks the
    connection (``drop``)."""

    port: int = 0
    way: Way = "answer"
    status: int = 200
    body: str = "{}"
    asked: list[Request] = field(default_factory=list)
    given: int = 0
    """Bytes of an answer without end that were taken."""
    gone: threading.Event = field(default_factory=threading.Event)
    """Nobody reads such an answer any more."""
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        return [request.text for request in self.asked]


@contextmanager
def vendor(**settings: Any) -> Iterator[Vendor]:
    """A vendor that runs."""
    it = Vendor(**settings)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            it.asked.append(Request(self.path, dict(self.headers), self.rfile.read(length).decode()))
            if it.way == "hang":
                it.ended.wait(20)
            elif it.way == "drop":
                self.connection.shutdown(socket.SHUT_RDWR)
            elif it.way in ("endless", "drip", "heads"):
                self._go_on()
            else:
                self.send_response(307 if it.way == "moved" else it.status)
                if it.way == "moved":
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(it.body.encode())))
                self.end_headers()
                self.wfile.write(it.body.encode())
            self.close_connection = True

        def _go_on(self) -> None:
            """Answer without end: as fast as it goes, a byte or a header now and then; until nobody reads."""
            self.send_response(200)
            if it.way != "heads":
                self.end_headers()
            self.flush_headers()
            pause_s, piece = {"endless": (0, b" " * 65536), "drip": (0.2, b" "), "heads": (0.2, b"X-A: b\r\n")}[it.way]
            with suppress(OSError):
                while not it.ended.wait(pause_s):
                    it.given += self.connection.send(piece)
            it.gone.set()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    it.port = server.server_address[1]
    with _running(server):
        try:
            yield it
        finally:
            it.ended.set()


@dataclass
class Mailbox:
    """A mail server. ``refuse``: its answer to RCPT TO; ``way``: what it does at the end of a mail."""

    port: int = 0
    refuse: str = ""
    way: Way = "answer"
    mails: list[tuple[str, str, str]] = field(default_factory=list)
    """(to, subject, text) of each mail that was handed over."""


@contextmanager
def mailbox(**settings: Any) -> Iterator[Mailbox]:
    """A mail server that runs: as much SMTP as a client needs."""
    it = Mailbox(**settings)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            to = ""
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb == "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                    self._say(it.refuse or "250 ok")
                elif verb == "DATA":
                    self._say("354 go on")
                    _take(it, to, self._mail())
                    if it.way == "drop":
                        return
                    self._say("250 taken")
                elif verb == "QUIT":
                    return self._say("221 bye")
                else:
                    self._say("250 ok")
            return None

        def _mail(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            return b"".join(lines)

        def _say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    it.port = server.server_address[1]
    with _running(server):
        yield it


def _take(it: Mailbox, to: str, raw: bytes) -> None:
    mail = message_from_bytes(raw, policy=policy.default)
    body = mail.get_body(("plain", "html"))
    it.mails.append((to, str(mail["Subject"]), body.get_content() if body is not None else ""))


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
    return port
