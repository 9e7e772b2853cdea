"""The keys of a home: made at first start, kept in one file that only its owner can read.

The owner has one long-lived key pair. Jobs get keys of their own that are never stored: the secret
and the session token follow from the access key by HMAC under a master key, so checking them needs
no table.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bottega.config import Config


@dataclass(frozen=True)
class SessionKeys:
    """Temporary keys, as STS would give them."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """The secrets of one home. Never logged: the representation shows the access key only."""

    access_key: str
    secret_key: str = field(repr=False)
    master_key: str = field(repr=False)

    @classmethod
    def load(cls, config: Config) -> Credentials:
        """Read the home's keys, making them when there are none yet.

        The file is made with mode 0600 and put in place in one step, so that two processes that
        start at once end up with the same keys.
        """
        file = config.home / "credentials.json"
        config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not file.exists():
            fresh = {
                "access_key": "AKIA" + _base32(10),
                "secret_key": secrets.token_urlsafe(30),
                "master_key": secrets.token_hex(32),
            }
            draft = config.home / f".credentials-{os.getpid()}-{secrets.token_hex(4)}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                json.dump(fresh, stream)
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.link(draft, file)  # unlike rename, link never replaces keys another process made
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return cls(**json.loads(file.read_text()))

    def session(self, subject: str) -> SessionKeys:
        """Keys for ``subject`` (an ARN, say of a job): always the same for the same subject."""
        encoded = base64.urlsafe_b64encode(subject.encode()).decode()
        access_key = "ASIA" + base64.b32encode(self._mac("id", subject)[:10]).decode()
        return SessionKeys(
            access_key=access_key,
            secret_key=self._mac("secret", subject).hex(),
            token=f"{encoded}.{self._mac('token', subject).hex()}",
        )

    def session_of(self, token: str) -> tuple[str, SessionKeys] | None:
        """The (subject, keys) a session token was made for; None when it was not made here."""
        encoded, _, _ = token.partition(".")
        try:
            subject = base64.urlsafe_b64decode(encoded).decode()
        except ValueError:
            return None
        keys = self.session(subject)
        same = hmac.compare_digest(keys.token.encode(), token.encode("utf-8", "replace"))
        return (subject, keys) if same else None

    def acting(self, environment: Mapping[str, str]) -> Credentials | SessionKeys:
        """The session that an environment was given by this home; the owner where there is none."""
        found = self.session_of(environment.get("AWS_SESSION_TOKEN", ""))
        return found[1] if found is not None else self

    @property
    def token(self) -> str:
        """The owner's keys have no session token."""
        return ""

    @property
    def tracking_token(self) -> str:
        """What an MLflow client shows as its bearer token or password."""
        return self._mac("tracking", self.access_key).hex()

    def page_key(self) -> bytes:
        """The key under which page tokens are signed."""
        return self._mac("pages", self.access_key)

    def _mac(self, purpose: str, text: str) -> bytes:
        message = f"{purpose}\0{text}".encode()
        return hmac.new(self.master_key.encode(), message, hashlib.sha256).digest()


def _base32(length: int) -> str:
    return base64.b32encode(secrets.token_bytes(length)).decode().rstrip("=")


def file_of(config: Config) -> Path:
    """Where the keys of this home are."""
    return config.home / "credentials.json"
