"""What rules have to say, sent by a mail server or a webhook."""

from __future__ import annotations

import socketserver
from dataclasses import replace
from pathlib import Path

import pytest

from bottega.config import Config
from bottega.features.debugger.messages import Message, MessageNotSent, send
from bottega.testing.message_servers import Hook, MailServer, serving

MESSAGE = Message(
    "Email", "a@b.co", "job", "Overfit", "it fired", ("the loss went up",), "job-overfit.0"
)


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
    assert "Message-ID: <job-overfit.0@" in mail


def test_it_is_posted(tmp_path: Path) -> None:
    hook = Hook(204)
    with serving(hook) as port:
        where = config(tmp_path, notification_webhook=f"http://127.0.0.1:{port}/x")
        assert send(where, MESSAGE) == "posted to the webhook for a@b.co"
    (body,) = hook.bodies
    assert (body["channel"], body["rule"], body["job"]) == ("Email", "Overfit", "job")
    assert body["identity"] == "job-overfit.0"
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


@pytest.mark.parametrize(
    ("status", "lasting"), [(400, True), (404, True), (408, False), (429, False), (503, False)]
)
def test_a_webhook_says_whether_to_try_again(tmp_path: Path, status: int, lasting: bool) -> None:
    with serving(Hook(status)) as port, pytest.raises(MessageNotSent) as refused:
        send(config(tmp_path, notification_webhook=f"http://127.0.0.1:{port}"), MESSAGE)
    assert refused.value.lasting is lasting


@pytest.mark.parametrize(("answer", "lasting"), [("550 who is that", True), ("450 later", False)])
def test_a_mail_server_says_whether_to_try_again(
    tmp_path: Path, answer: str, lasting: bool
) -> None:
    server = MailServer(recipients=answer)
    with serving(server) as port, pytest.raises(MessageNotSent) as refused:
        send(config(tmp_path, smtp_url=f"smtp://127.0.0.1:{port}"), MESSAGE)
    assert refused.value.lasting is lasting
    with pytest.raises(MessageNotSent) as refused:
        send(config(tmp_path, smtp_url="smtp://127.0.0.1:1"), MESSAGE)
    assert not refused.value.lasting
