"""What rules have to say, sent by a mail server or a webhook."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bottega.config import Config
from bottega.features.debugger.messages import Message, MessageNotSent, send

MESSAGE = Message("Email", "a@b.co", "job", "Overfit", "it fired", ("the loss went up",))


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])  # type: ignore[index]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class MailServer(socketserver.ThreadingTCPServer):
    """Takes one mail after the other, as little of SMTP as that needs."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.mails: list[str] = []


class _MailHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().decode():
            verb = line.split()[0].upper() if line.strip() else ""
            if verb == "DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (text := self.rfile.readline().decode()) != ".\r\n":
                    lines.append(text)
                server = self.server
                assert isinstance(server, MailServer)
                server.mails.append("".join(lines))
                self.wfile.write(b"250 taken\r\n")
            elif verb == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Hook(HTTPServer):
    """A webhook that answers with one status."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.status = status
        self.bodies: list[dict[str, object]] = []


class _HookHandler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = self.server
        assert isinstance(hook, Hook)
        hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(hook.status)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        return


def config(tmp_path: Path, **settings: str) -> Config:
    return Config.load(tmp_path, environment={}, **settings)


def test_without_a_server_it_is_shown(tmp_path: Path) -> None:
    assert "smtp_url" in send(config(tmp_path), MESSAGE)
    text = Message("SMS", "+491234", "job", "Overfit", "it fired")
    with serving(MailServer()) as port:
        said = send(config(tmp_path, smtp_url=f"smtp://127.0.0.1:{port}"), text)
    assert said == "shown in the Studio; to send it, set notification_webhook"


def test_it_is_mailed(tmp_path: Path) -> None:
    server = MailServer()
    with serving(server) as port:
        settings = {"smtp_url": f"smtp://127.0.0.1:{port}", "smtp_from": "studio@b.co"}
        assert send(config(tmp_path, **settings), MESSAGE) == "mailed to a@b.co"
    (mail,) = server.mails
    assert "To: a@b.co" in mail
    assert "From: studio@b.co" in mail
    assert "Debugger rule Overfit has fired for the training job job" in mail
    assert "the loss went up" in mail


def test_it_is_posted(tmp_path: Path) -> None:
    hook = Hook(204)
    with serving(hook) as port:
        where = config(tmp_path, notification_webhook=f"http://127.0.0.1:{port}/x")
        assert send(where, MESSAGE) == "posted to the webhook for a@b.co"
    (body,) = hook.bodies
    assert (body["channel"], body["rule"], body["job"]) == ("Email", "Overfit", "job")
    assert body["findings"] == ["the loss went up"]


def test_who_does_not_take_it_is_named(tmp_path: Path) -> None:
    with (
        serving(Hook(500)) as port,
        pytest.raises(MessageNotSent, match="webhook did not take"),
    ):
        send(config(tmp_path, notification_webhook=f"http://127.0.0.1:{port}"), MESSAGE)
    with pytest.raises(MessageNotSent, match="no http address"):
        send(config(tmp_path, notification_webhook="file:///etc/passwd"), MESSAGE)
    with pytest.raises(MessageNotSent, match=r"mail server 127\.0\.0\.1"):
        send(config(tmp_path, smtp_url="smtp://127.0.0.1:1"), MESSAGE)


class _Babbler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"what is this\r\n\r\n")


def test_what_cannot_be_sent_is_said(tmp_path: Path) -> None:
    with pytest.raises(MessageNotSent, match="no http address"):
        send(config(tmp_path, notification_webhook="hooks.b.co/x"), MESSAGE)
    babbler = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Babbler)
    with serving(babbler) as port, pytest.raises(MessageNotSent, match="webhook did not take"):
        send(config(tmp_path, notification_webhook=f"http://127.0.0.1:{port}"), MESSAGE)
    two = replace(MESSAGE, address="a@b.co\nBcc: c@b.co")
    with pytest.raises(MessageNotSent, match="mail server"):
        send(config(tmp_path, smtp_url="smtp://127.0.0.1:1"), two)
