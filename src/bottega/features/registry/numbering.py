"""The numbers of versions: each is used once, and a request that is sent again gets its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bottega.errors import ConflictException
from bottega.storage.metadata import MetadataStore, Resource, ResourceMissing

_REMEMBERED = 100
"""So many requests of a group are known again by their ClientToken."""


def digest_of(request: Mapping[str, Any]) -> str:
    """Tells requests apart, whatever their tokens."""
    asked = {key: value for key, value in request.items() if key != "ClientToken"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def take_number(store: MetadataStore, group: str, request: Mapping[str, Any]) -> int | None:
    """The number of the version that a request creates.

    It is written down with the request's ClientToken before the version is there, so that the
    request can be sent again after a kill at any line.

    Returns:
        The number, from 1; None where the group is gone.

    Raises:
        ConflictException: the token came with another request.
    """
    token, digest = request.get("ClientToken", ""), digest_of(request)
    taken = 0

    def numbered(present: Resource) -> Resource:
        nonlocal taken
        tokens: list[list[Any]] = list(present.private.get("tokens", ()))
        for known, number, its_digest in tokens:
            if token and known == token:
                if its_digest != digest:
                    raise ConflictException(
                        f"The ClientToken {token} came with another request, which created version "
                        f"{number}. Send this one with a token of its own."
                    )
                taken = number
                return present
        taken = present.private.get("last", 0) + 1
        if token:
            tokens = [*tokens, [token, taken, digest]][-_REMEMBERED:]
        return replace(present, private={"last": taken, "tokens": tokens})

    try:
        store.modify("ModelPackageGroup", group, numbered)
    except ResourceMissing:
        return None
    return taken
