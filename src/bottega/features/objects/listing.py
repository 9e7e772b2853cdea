"""Listings of a bucket: ListObjectsV2 and ListObjects."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from bottega.context import Context
from bottega.errors import InvalidArgument
from bottega.features.objects.errors import (
    translated,
)
from bottega.features.objects.members import (
    ADDRESS,
    CHECKSUMS,
    check_owner,
    owner_of,
    quoted,
    refuse_all_but,
)
from bottega.registry import Request, Response, operation
from bottega.storage.objects import ObjectInfo, ObjectPage

_MOST_KEYS = 1000
_SCOPE = ADDRESS | {"Delimiter", "EncodingType", "MaxKeys", "Prefix"}


@operation("ListObjectsV2", service="s3")
def list_objects_v2(context: Context, request: Request) -> Response:
    known = _SCOPE | {"ContinuationToken", "FetchOwner", "StartAfter"}
    refuse_all_but(known, "ListObjectsV2", request)
    token = request.get("ContinuationToken", "")
    start_after = _position(token) if token else request.get("StartAfter", "")
    page = _page(context, request, start_after)
    owner = owner_of(context) if request.get("FetchOwner") else None
    response = _shown(request, page, owner)
    response["KeyCount"] = len(page.objects) + len(page.prefixes)
    if token:
        response["ContinuationToken"] = token
    if page.next_start_after:
        response["NextContinuationToken"] = _token(page.next_start_after)
    if request.get("StartAfter"):
        response["StartAfter"] = _encoder(request)(request["StartAfter"])
    return response


@operation("ListObjects", service="s3")
def list_objects(context: Context, request: Request) -> Response:
    refuse_all_but(_SCOPE | {"Marker"}, "ListObjects", request)
    page = _page(context, request, request.get("Marker", ""))
    response = _shown(request, page, owner_of(context))
    response["Marker"] = _encoder(request)(request.get("Marker", ""))
    # Without a delimiter S3 leaves it out: the last key says the same.
    if page.next_start_after and request.get("Delimiter"):
        response["NextMarker"] = _encoder(request)(page.next_start_after)
    return response


def _page(context: Context, request: Request, start_after: str) -> ObjectPage:
    limit = request.get("MaxKeys", _MOST_KEYS)
    if limit < 0:
        raise InvalidArgument(
            "Argument maxKeys must be an integer between 0 and 2147483647",
            members={"ArgumentName": "maxKeys", "ArgumentValue": str(limit)},
        )
    check_owner(context, request)
    with translated(request):
        return context.ports.objects.page(
            request["Bucket"],
            prefix=request.get("Prefix", ""),
            delimiter=request.get("Delimiter", ""),
            start_after=start_after,
            limit=min(limit, _MOST_KEYS),
        )


def _shown(request: Request, page: ObjectPage, owner: dict[str, str] | None) -> dict[str, Any]:
    """The members that both listings have in common."""
    encode = _encoder(request)
    response: dict[str, Any] = {
        "Name": request["Bucket"],
        "Prefix": encode(request.get("Prefix", "")),
        "MaxKeys": min(request.get("MaxKeys", _MOST_KEYS), _MOST_KEYS),
        "IsTruncated": bool(page.next_start_after),
        "Contents": [_entry(info, encode, owner) for info in page.objects],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }
    if request.get("Delimiter"):
        response["Delimiter"] = encode(request["Delimiter"])
    if request.get("EncodingType"):
        response["EncodingType"] = request["EncodingType"]
    return response


def _entry(
    info: ObjectInfo, encode: Callable[[str], str], owner: dict[str, str] | None
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Key": encode(info.key),
        "LastModified": info.modified,
        "ETag": quoted(info.etag),
        "Size": info.size,
        "StorageClass": "STANDARD",
    }
    if info.checksums:
        entry["ChecksumAlgorithm"] = [
            member.removeprefix("Checksum")
            for member, (algorithm, _) in CHECKSUMS.items()
            if algorithm in info.checksums
        ]
        entry["ChecksumType"] = "FULL_OBJECT"
    if owner is not None:
        entry["Owner"] = owner
    return entry


def _encoder(request: Request) -> Callable[[str], str]:
    """What is done to keys: XML cannot hold all of them, so clients ask for percent-encoding."""
    if request.get("EncodingType") == "url":
        return lambda text: quote(text, safe="/-_.*")
    return lambda text: text


def _token(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode()


def _position(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidArgument(
            "The continuation token provided is incorrect",
            members={"ArgumentName": "continuation-token", "ArgumentValue": token},
        ) from error
