"""Who takes messages in tests: a mail server and a webhook, on free ports of this machine."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    """Have a server serve; gives its port."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])  # type: ignore[index]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MailServer(socketserver.ThreadingTCPServer):
    """Takes one mail after the other, as little of SMTP as that needs.

    Attributes:
        mails: those it took, whole.
        greets: it says nothing to anybody until this is set, which it is at first.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, recipients: str = "250 ok") -> None:
        """
        Args:
            recipients: what it answers to the name of a recipient.
        """
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.mails: list[str] = []
        self.recipients = recipients
        self.greets = threading.Event()
        self.greets.set()


class _MailHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, MailServer)
        server.greets.wait()
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().decode():
            verb = line.split()[0].upper() if line.strip() else ""
            if verb == "DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (text := self.rfile.readline().decode()) != ".\r\n":
                    lines.append(text)
                server.mails.append("".join(lines))
                self.wfile.write(b"250 taken\r\n")
            elif verb == "RCPT":
                self.wfile.write(server.recipients.encode() + b"\r\n")
            elif verb == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Hook(HTTPServer):
    """A webhook.

    Attributes:
        bodies: what was posted to it.
    """

    def __init__(self, *statuses: int) -> None:
        """
        Args:
            statuses: of its answers, in order; the last one stays.
        """
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.statuses = list(statuses)
        self.bodies: list[dict[str, object]] = []


class _HookHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = self.server
        assert isinstance(hook, Hook)
        hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        last = len(hook.statuses) == 1
        self.send_response(hook.statuses[0] if last else hook.statuses.pop(0))
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        return
