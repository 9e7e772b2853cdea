"""What the members of S3's requests and responses mean, where several operations share it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from email.utils import formatdate, parsedate_to_datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from bottega.context import Context
from bottega.errors import AccessDenied, InvalidArgument, InvalidRequest
from bottega.features.objects.errors import (
    InvalidDigest,
    KeyTooLong,
    MetadataTooLarge,
    not_implemented,
)
from bottega.registry import Request
from bottega.storage.objects import ObjectInfo

LONGEST_KEY = 1024
"""Bytes in UTF-8."""
_MOST_METADATA = 2048
"""Bytes of names and values together."""

CHECKSUMS: Mapping[str, tuple[str, int]] = {
    "ChecksumCRC32": ("crc32", 4),
    "ChecksumCRC32C": ("crc32c", 4),
    "ChecksumCRC64NVME": ("crc64nvme", 8),
    "ChecksumSHA1": ("sha1", 20),
    "ChecksumSHA256": ("sha256", 32),
    "ChecksumSHA512": ("sha512", 64),
}
"""Member to (the store's name of the algorithm, bytes of a digest)."""

SYSTEM_METADATA: Mapping[str, str] = {
    "CacheControl": ":cache-control",
    "ContentDisposition": ":content-disposition",
    "ContentEncoding": ":content-encoding",
    "ContentLanguage": ":content-language",
    "Expires": ":expires",
}
"""Member to the name under which the store keeps it."""

ADDRESS = frozenset({"Bucket", "Key", "ExpectedBucketOwner", "RequestPayer"})
CONTENT = frozenset({*CHECKSUMS, "Body", "ContentLength", "ContentMD5", "ChecksumAlgorithm"})
DESCRIPTION = frozenset(
    {*SYSTEM_METADATA, "ACL", "ContentType", "Metadata", "ServerSideEncryption", "StorageClass"}
)

ENCRYPTION_NOTE = (
    "ServerSideEncryption may be given without a key of one's own; objects are not encrypted, they "
    "are files that only their owner can read."
)
"""For the table of what each operation does."""

_MEANT_ANYWAY: Mapping[str, frozenset[str]] = {
    "ACL": frozenset({"private", "bucket-owner-full-control", "bucket-owner-read"}),
    # With no key of the caller's own this asks that the store keeps the object to itself, by its
    # own means; the SDKs ask so for every archive. No answer says that an object is encrypted.
    "ServerSideEncryption": frozenset({"AES256", "aws:kms"}),
    "StorageClass": frozenset({"STANDARD"}),
    "TaggingDirective": frozenset({"COPY"}),
    "ChecksumType": frozenset({"COMPOSITE"}),
}
"""Members that may be given as long as they ask for what happens in any case."""


def refuse_all_but(known: Collection[str], operation: str, request: Request) -> None:
    """Refuse members that would have no effect, so that nobody relies on them.

    Raises:
        NotImplementedHere: names the member.
    """
    for member, value in request.items():
        if member in known:
            if member in _MEANT_ANYWAY and value not in _MEANT_ANYWAY[member]:
                raise not_implemented(f"{member}={value} in {operation}")
        elif value not in (False, 0, ""):
            raise not_implemented(f"{member} in {operation}")


def check_owner(context: Context, request: Request, member: str = "ExpectedBucketOwner") -> None:
    """Refuse a request that counts on another account's bucket. Raises: AccessDenied."""
    expected = request.get(member)
    if expected is not None and expected != context.ports.config.account:
        raise AccessDenied(
            f"Access Denied: {member} is {expected}, and the buckets here belong to account "
            f"{context.ports.config.account}."
        )


def checked_key(key: str) -> str:
    """Raises: KeyTooLong."""
    size = len(key.encode())
    if size > LONGEST_KEY:
        raise KeyTooLong(
            f"Your key is too long: {size} bytes in UTF-8, and {LONGEST_KEY} are allowed.",
            members={"Size": str(size), "MaxSizeAllowed": str(LONGEST_KEY)},
        )
    return key


def owner_of(context: Context) -> dict[str, str]:
    """The owner of everything here: AWS's canonical user ids are 64 hexadecimal digits too."""
    account = context.ports.config.account
    return {"ID": hashlib.sha256(account.encode()).hexdigest(), "DisplayName": "bottega"}


def quoted(etag: str) -> str:
    return f'"{etag}"'


def expected_checksums(request: Request) -> dict[str, str]:
    """The checksums that came with some bytes, as the store wants them.

    Raises:
        InvalidDigest: Content-MD5 is no MD5.
        InvalidRequest: another checksum is none.
    """
    expected: dict[str, str] = {}
    for member, (algorithm, size) in {"ContentMD5": ("md5", 16), **CHECKSUMS}.items():
        value = request.get(member)
        if value is None:
            continue
        try:
            right = len(base64.b64decode(value, validate=True)) == size
        except (binascii.Error, ValueError):
            right = False
        if not right and member == "ContentMD5":
            raise InvalidDigest("The Content-MD5 you specified was invalid.")
        if not right:
            raise InvalidRequest(
                f"Value for x-amz-checksum-{algorithm} header is invalid: expected {size} bytes in "
                "base64."
            )
        expected[algorithm] = value
    return expected


def shown_checksums(info_checksums: Mapping[str, str]) -> dict[str, str]:
    """Checksums as response members."""
    shown = {
        member: info_checksums[algorithm]
        for member, (algorithm, _) in CHECKSUMS.items()
        if algorithm in info_checksums
    }
    return {**shown, "ChecksumType": "FULL_OBJECT"} if shown else {}


def metadata_of(request: Request) -> dict[str, str]:
    """User and system metadata as the store keeps it. Raises: MetadataTooLarge."""
    found = {name.lower(): value for name, value in request.get("Metadata", {}).items()}
    size = sum(len(name.encode()) + len(value.encode()) for name, value in found.items())
    if size > _MOST_METADATA:
        raise MetadataTooLarge(
            f"Your metadata headers exceed the maximum allowed metadata size: {size} bytes, and "
            f"{_MOST_METADATA} are allowed.",
            members={"Size": str(size), "MaxSizeAllowed": str(_MOST_METADATA)},
        )
    for member, name in SYSTEM_METADATA.items():
        if (value := request.get(member)) not in (None, ""):
            found[name] = formatdate(value, usegmt=True) if member == "Expires" else value
    return found


def described(info: ObjectInfo) -> dict[str, Any]:
    """Content type and metadata as response members."""
    response: dict[str, Any] = {
        "ContentType": info.content_type,
        "Metadata": {n: v for n, v in info.metadata.items() if not n.startswith(":")},
    }
    for member, name in SYSTEM_METADATA.items():
        if (value := info.metadata.get(name)) is not None:
            is_date = member == "Expires"
            response[member] = parsedate_to_datetime(value).timestamp() if is_date else value
    return response


def copy_source(text: str) -> tuple[str, str]:
    """The (bucket, key) of an ``x-amz-copy-source``.

    Raises:
        InvalidArgument: it is no ``bucket/key``, or names a version.
    """
    path, question, query = text.partition("?")
    if question and query not in ("versionId=", "versionId=null"):
        raise InvalidArgument(
            "Invalid version id specified: buckets here keep one version of each object.",
            members={"ArgumentName": "x-amz-copy-source", "ArgumentValue": text},
        )
    try:
        plain = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        plain = ""
    bucket, _, key = plain.removeprefix("/").partition("/")
    if not bucket or not key or bucket.startswith("arn:"):
        raise InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            members={"ArgumentName": "x-amz-copy-source", "ArgumentValue": text},
        )
    return bucket, key


def refuse_versions(request: Request) -> None:
    """Raises: InvalidArgument, when a version other than the only one is asked for."""
    if request.get("VersionId") not in (None, "", "null"):
        raise InvalidArgument(
            "Invalid version id specified: buckets here keep one version of each object.",
            members={"ArgumentName": "versionId", "ArgumentValue": request["VersionId"]},
        )
