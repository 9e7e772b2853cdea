"""Pages of a list: tokens that nobody can make up, and what AWS does when a member is left out."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from bottega.errors import ValidationException
from bottega.specs.models import operation_model

_SIGNATURE_BYTES = 16
_LONGEST_TOKEN = 8192
"""Characters; the bound that AWS's models set for a token."""

_REFUSAL = (
    "NextToken is not valid for this request. Send the token of the previous page unchanged, with "
    "the same filters and order, or leave it out to start over."
)


def encode(position: Mapping[str, Any], *, key: bytes, scope: str) -> str:
    """A token for the page that starts at a position.

    Args:
        position: where the next page starts, as JSON can hold it.
        key: the studio's secret.
        scope: what the token is good for: the operation with its filters and order. It is not in
            the token, but :func:`decode` must be given the same.

    Raises:
        ValueError: the position is too large for a token.
    """
    payload = json.dumps(position, separators=(",", ":"), allow_nan=False).encode()
    token = base64.urlsafe_b64encode(_signature(payload, key, scope) + payload).decode()
    if len(token) > _LONGEST_TOKEN:
        raise ValueError(f"A position of {len(payload)} bytes does not fit into a page token.")
    return token


def decode(token: str, *, key: bytes, scope: str) -> dict[str, Any]:
    """The position that :func:`encode` was given.

    Raises:
        ValidationException: the token is not one that this studio made for this scope.
    """
    try:
        signed = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValidationException(_REFUSAL) from None
    signature, payload = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(payload, key, scope)):
        raise ValidationException(_REFUSAL)
    return cast("dict[str, Any]", json.loads(payload))


def _signature(payload: bytes, key: bytes, scope: str) -> bytes:
    # The scope's digest has a fixed length, so no part of one can pass for a part of the other.
    scoped = hashlib.sha256(scope.encode("utf-8", "surrogatepass")).digest() + payload
    return hmac.new(key, scoped, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


@dataclass(frozen=True)
class ListDefaults:
    """What a list operation does with a request that leaves its paging members out."""

    sort_by: str
    """A value of the operation's SortBy, ``CreationTime`` for one that has none."""
    sort_order: str
    """``Ascending`` or ``Descending``."""
    max_results: int
    """The size of a page."""
    highest_max_results: int
    """The largest page that may be asked for."""


_USUAL_SORT = "CreationTime"
_USUAL_PAGES = {"s3": 1000}
_USUAL_PAGE = 10
_LARGEST_PAGE = 100
_SIZE_MEMBERS = (
    "MaxResults", "limit", "MaxKeys", "MaxParts", "MaxUploads", "MaxBuckets", "MaxItems",
)  # fmt: skip


@cache
def list_defaults(operation: str, service: str = "sagemaker") -> ListDefaults:
    """The defaults of a list operation.

    They stand in the documentation of the model's members; where it says nothing, a page has ten
    entries (a thousand in S3) and the newest come first, as in most of SageMaker.

    Raises:
        UnknownOperation, UnknownService: there is no such operation.
    """
    shape = operation_model(service, operation).input_shape
    members: Mapping[str, Any] = shape.members if shape is not None else {}
    size = next((members[name] for name in _SIZE_MEMBERS if name in members), None)
    usual = _USUAL_PAGES.get(service, _USUAL_PAGE)
    page = _page_size(size, usual)
    return ListDefaults(
        sort_by=_sort_by(members.get("SortBy")),
        sort_order=_sort_order(members.get("SortOrder")),
        max_results=page,
        highest_max_results=max(page, _bound(size, "max", _LARGEST_PAGE)),
    )


def _prose(member: Any) -> str:
    """A member's documentation without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", member.documentation or "").split())


def _sort_order(member: Any) -> str:
    if member is not None:
        said = re.search(r"(?i)\bdefault\b.*?\b(ascending|descending)\b", _prose(member))
        if said:
            return said[1].capitalize()
    return "Descending"


def _sort_by(member: Any) -> str:
    if member is None:
        return _USUAL_SORT
    said = re.search(r"(?i)\bdefault(?: value)? is (\w+)", _prose(member))
    choices = list(member.enum)
    if said and (said[1] in choices or not choices):
        return said[1]
    # Some texts name a member that is not among the choices, or none at all.
    for usual in (_USUAL_SORT, "CREATION_TIME"):
        if usual in choices:
            return usual
    return choices[0] if choices else _USUAL_SORT


def _page_size(member: Any, usual: int) -> int:
    if member is None:
        return usual
    said = re.search(
        r"(?i)\bdefaults? (?:value )?(?:for \w+ )?(?:is|to) (?:up to )?([\d,]+)"
        r"|\(([\d,]+) by default\)|by default,[^.]* up to ([\d,]+)|\(up to ([\d,]+)",
        _prose(member),
    )
    if said:
        return int(next(group for group in said.groups() if group).replace(",", ""))
    return max(usual, _bound(member, "min", 0))


def _bound(member: Any, trait: str, otherwise: int) -> int:
    return otherwise if member is None else int(member.metadata.get(trait, otherwise))
