"""Whose keys a request shows: the owner's, or a session's: of a person, a job or an endpoint."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from functools import lru_cache

from bottega.config import Config
from bottega.context import Identity
from bottega.credentials import Credentials
from bottega.wire.auth_refusals import Spelling

_LONGEST_TOKEN = 4096
"""Characters. Our own tokens are far shorter; anything longer is not worth an HMAC."""


@dataclass(frozen=True)
class Caller:
    """An identity and the secret it signs with."""

    identity: Identity
    secret_key: str = field(repr=False)


class Callers:
    """Finds the caller for an access key and a session token.

    Work that runs under a session acts with the owner's execution role, as a job on AWS acts with
    the role it was given; so until there are policies a session may do what the owner may do.
    """

    def __init__(self, credentials: Credentials, config: Config) -> None:
        self._account = config.account
        role = hashlib.sha256(f"{config.account}:{config.role_arn}".encode()).digest()
        self._role_id = "AROA" + base64.b32encode(role).decode()[:17]
        self._owner = Caller(
            self._identity(credentials.access_key, "owner"), credentials.secret_key
        )
        # A pure function of the token, so remembering it is safe; a job signs many requests with
        # one.
        self._session_of = lru_cache(maxsize=1024)(credentials.session_of)

    def find(self, access_key: str, token: str, spelling: Spelling) -> Caller:
        """The caller these belong to.

        Raises:
            ClientFault: the key is not known here, or the token does not belong to it.
        """
        if hmac.compare_digest(access_key.encode(), self._owner.identity.access_key.encode()):
            if token:
                raise spelling.bad_token(
                    "The security token included in the request is invalid: the owner's keys have "
                    "no session token. Unset AWS_SESSION_TOKEN."
                )
            return self._owner
        if not token:
            raise spelling.unknown_key(
                "The security token included in the request is invalid: the access key is not "
                "known here. `bottega env` prints the keys of this home."
            )
        found = None
        if token.isascii() and len(token) <= _LONGEST_TOKEN:
            found = self._session_of(token)
        if found is None or not hmac.compare_digest(
            found[1].access_key.encode(), access_key.encode()
        ):
            raise spelling.bad_token(
                "The security token included in the request is invalid: it was not made here, or "
                "not for this access key. `bottega env` prints the keys of this home."
            )
        subject, keys = found
        return Caller(self._identity(keys.access_key, _session_name(subject)), keys.secret_key)

    def _identity(self, access_key: str, session: str) -> Identity:
        return Identity(
            access_key=access_key,
            arn=f"arn:aws:sts::{self._account}:assumed-role/BottegaExecutionRole/{session}",
            user_id=f"{self._role_id}:{session}",
            owner=True,
        )


def _session_name(subject: str) -> str:
    """A person's own name; ``training-job=NAME`` and its like for what runs.

    Anybody may call a job ``owner``, or after a person: it must not be taken for them.
    """
    *_, kind, name = re.split("[/:]", subject)
    return name if ":assumed-role/" in subject else f"{kind}={name}"
