"""The signature of the most frequent request there is, checked with as little work as it takes.

:class:`~bottega.wire.sigv4.SignatureVerifier` is the law for every request. This accepts some of
what that accepts, namely plain requests of one shape that are signed in the header, and says
nothing of all others: they are for the general verifier, which also finds the words of a refusal.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache

from bottega.clock import Clock
from bottega.config import Config
from bottega.context import Identity
from bottega.credentials import Credentials
from bottega.errors import ClientFault
from bottega.wire.auth_refusals import OTHERS
from bottega.wire.callers import Callers
from bottega.wire.sigv4 import CLOCK_SKEW_SECONDS, signing_key
from bottega.wire.sigv4_claim import ALGORITHM, header_names, seconds_of

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=([^/,\s]+)/(([0-9]{{8}})/([a-z0-9-]+)/sagemaker/aws4_request), ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_AMZ_DATE = re.compile("[0-9]{8}T[0-9]{6}Z")
_MUST_BE_SIGNED = ("x-amz-date", "x-amz-security-token", "x-amz-content-sha256")
"""Those of the headers known here that must be signed where they are there, besides Host."""
_MOST_KEYS = 1024


class InvocationSignatures:
    """Checks signatures of ``POST /endpoints/NAME/invocations``. Belongs to one thread."""

    def __init__(self, credentials: Credentials, config: Config, clock: Clock) -> None:
        self._callers = Callers(credentials, config)
        self._region = config.region
        self._clock = clock
        self._keys: dict[tuple[str, str, str], tuple[bytes, Identity]] = {}

    def caller(self, path: str, headers: Mapping[str, str], body: bytes) -> Identity | None:
        """Who signed a request, if it is certain.

        Args:
            path: of unreserved characters and slashes only, without empty or dot segments, and
                there must be no query.
            headers: all of them, names in lower case, each once, values of visible ASCII and
                spaces. Of the names that begin with ``x-amz-`` there may be the date, the token and
                the content's hash.

        Returns:
            The identity that the general verifier would find; None when it has to be asked.
        """
        found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        amz_date = headers.get("x-amz-date", "")
        if found is None or not _AMZ_DATE.fullmatch(amz_date):
            return None
        access_key, scope, date, region, signed_headers, given = found.groups()
        if region != self._region or date != amz_date[:8] or not self._is_current(amz_date):
            return None
        signed = _names(signed_headers)
        if "host" not in signed:
            return None
        for name in _MUST_BE_SIGNED:
            if name in headers and name not in signed:
                return None
        lines = ["POST", path, ""]
        for name in signed:
            value = headers.get(name)
            if value is None:
                return None
            lines.append(f"{name}:{' '.join(value.split()) if '  ' in value else value.strip()}")
        digest = hashlib.sha256(body).hexdigest()
        if headers.get("x-amz-content-sha256", digest) != digest:
            return None
        lines += ("", signed_headers, digest)
        known = self._known(access_key, headers.get("x-amz-security-token", ""), scope)
        if known is None:
            return None
        key, identity = known
        canonical = hashlib.sha256("\n".join(lines).encode("latin-1")).hexdigest()
        text = f"{ALGORITHM}\n{amz_date}\n{scope}\n{canonical}"
        expected = hmac.digest(key, text.encode(), "sha256").hex()
        return identity if hmac.compare_digest(expected, given) else None

    def _is_current(self, amz_date: str) -> bool:
        try:
            signed = seconds_of(amz_date, OTHERS)
        except ClientFault:  # there is no such date
            return False
        return abs(self._clock.now() - signed) <= CLOCK_SKEW_SECONDS

    def _known(self, access_key: str, token: str, scope: str) -> tuple[bytes, Identity] | None:
        """The signing key and whose it is; remembered, as it is the same for a day."""
        place = (access_key, token, scope)
        if (known := self._keys.get(place)) is not None:
            return known
        try:
            caller = self._callers.find(access_key, token, OTHERS)
        except ClientFault:  # the general verifier says why
            return None
        if len(self._keys) >= _MOST_KEYS:
            self._keys.clear()
        self._keys[place] = known = signing_key(caller.secret_key, scope), caller.identity
        return known


@lru_cache(maxsize=1024)
def _names(signed_headers: str) -> tuple[str, ...]:
    """The names in their order; none at all where one is no header name."""
    return tuple(signed_headers.split(";")) if header_names(signed_headers) else ()
