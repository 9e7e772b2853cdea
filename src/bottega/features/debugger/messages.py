"""Messages to people: by a mail server or a webhook, where the studio's settings name one."""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from bottega.config import Config

_SECONDS = 10.0


_LATER = frozenset({408, 425, 429})
"""Statuses below 500 by which a webhook asks for another try."""


class MessageNotSent(Exception):
    """The message could not be sent. Says why.

    Attributes:
        lasting: whether another try would end the same way.
    """

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.lasting = lasting


@dataclass(frozen=True)
class Message:
    """That a rule has fired.

    Attributes:
        channel: ``Email`` or ``SMS``.
        address: who is to be told: a mail address or a telephone number.
        job: the training job.
        rule: the RuleConfigurationName.
        details: its StatusDetails.
        findings: what it found, a sentence each.
        identity: the same for every time that this message is sent, and for no other one.
    """

    channel: str
    address: str
    job: str
    rule: str
    details: str
    findings: tuple[str, ...] = ()
    identity: str = ""

    @property
    def subject(self) -> str:
        """One line that says it all."""
        return f"Debugger rule {self.rule} has fired for the training job {self.job}"

    @property
    def text(self) -> str:
        """The whole of it."""
        return "\n".join([f"{self.subject}.", "", self.details, *self.findings])


def send(config: Config, message: Message) -> str:
    """Send it; returns what was done, in words. Without a server for it, it is shown in the Studio
    alone.

    Raises:
        MessageNotSent: a server is named, and does not take it.
    """
    if message.channel == "Email" and config.smtp_url:
        _mail(config, message)
        return f"mailed to {message.address}"
    if config.notification_webhook:
        _post(config.notification_webhook, message)
        return f"posted to the webhook for {message.address}"
    setting = "smtp_url or " if message.channel == "Email" else ""
    return f"shown in the Studio; to send it, set {setting}notification_webhook"


def _mail(config: Config, message: Message) -> None:
    server = urlsplit(config.smtp_url)
    mail = EmailMessage()
    try:
        mail["Subject"] = message.subject
        mail["To"] = message.address
        mail["From"] = config.smtp_from or f"bottega@{server.hostname}"
        if message.identity:
            mail["Message-ID"] = f"<{message.identity}@{config.account}.bottega>"
        mail.set_content(message.text)
        with _connection(server.scheme, server.hostname or "", server.port) as connection:
            if server.scheme == "smtp" and connection.has_extn("starttls"):
                connection.starttls(context=ssl.create_default_context())
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(mail)
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        raise MessageNotSent(
            f"the mail server {server.hostname} did not take the message: {problem}",
            lasting=_is_lasting(problem),
        ) from problem


def _is_lasting(problem: Exception) -> bool:
    """Whether a server, or Python, says of a message or an address that it will never do."""
    match problem:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            return all(code >= 500 for code, _ in refused.values())
        case smtplib.SMTPResponseException(smtp_code=code):
            return int(code) >= 500
        case urllib.error.HTTPError(code=code):
            return int(code) < 500 and code not in _LATER
    return isinstance(problem, ValueError)


def _connection(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port or 465, timeout=_SECONDS, context=context)
    connection = smtplib.SMTP(host, port or 25, timeout=_SECONDS)
    connection.ehlo_or_helo_if_needed()
    return connection


def _post(address: str, message: Message) -> None:
    if not address.startswith(("http://", "https://")):
        raise MessageNotSent(
            f"the setting notification_webhook is no http address: {address!r}", lasting=True
        )
    body = {**asdict(message), "subject": message.subject, "text": message.text}
    request = urllib.request.Request(
        address,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):
            return
    except (OSError, http.client.HTTPException, ValueError) as problem:
        if isinstance(problem, urllib.error.HTTPError):
            problem.close()  # it is the answer, too
        raise MessageNotSent(
            f"the webhook did not take the message: {problem}", lasting=_is_lasting(problem)
        ) from problem
