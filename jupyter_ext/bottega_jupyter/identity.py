"""Who a Jupyter user is for the daemon.

Whoever may use the routes of this server acts for the owner of its home, and the audit trail says
who it was: the keys of a user are a session of the home's execution role, named after the user.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from jupyter_server.auth.identity import (
    IdentityProvider,
    LegacyIdentityProvider,
    PasswordIdentityProvider,
    User,
)

from bottega.config import Config

if TYPE_CHECKING:
    from bottega.credentials import Credentials, SessionKeys

OWNER = "owner"
ONE_PERSON = (IdentityProvider, PasswordIdentityProvider)
"""Providers that know one token or password and no people; their users have a random name."""
_NAME = re.compile(r"[A-Za-z0-9_+,.@-]{1,64}")
"""What AWS takes for the name of a session; ``=`` is in the names of jobs' sessions alone."""


def session_name(user: User | None, provider: IdentityProvider) -> str:
    """The name under which a user's calls are in the audit trail.

    Args:
        user: None where nobody asks, as for a kernel that another extension starts.
        provider: who says who it is.
    """
    if user is None or type(provider) in ONE_PERSON:
        return OWNER
    name = user.username
    if isinstance(provider, LegacyIdentityProvider) and name == "anonymous":
        return OWNER
    if _NAME.fullmatch(name) and name != OWNER:
        return name
    # Other names are told apart by what they are, and recognised by what can be kept of them.
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return re.sub(r"[^A-Za-z0-9_.@-]+", "-", name)[:50] + "-" + digest


def session_keys(credentials: Credentials, config: Config, name: str) -> SessionKeys:
    """The keys of the user with this name."""
    arn = f"arn:aws:sts::{config.account}:assumed-role/BottegaExecutionRole/{name}"
    return credentials.session(arn)
