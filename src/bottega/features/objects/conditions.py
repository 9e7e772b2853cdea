"""Conditional requests and byte ranges, as RFC 9110 and S3 have them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bottega.errors import InvalidArgument
from bottega.features.objects.errors import (
    NotModified,
    PreconditionFailed,
    invalid_range,
)
from bottega.features.objects.members import quoted
from bottega.registry import Request
from bottega.storage.objects import ObjectInfo

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


@dataclass(frozen=True)
class ByteRange:
    start: int
    length: int

    def content_range(self, size: int) -> str:
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def range_of(request: Request, size: int, member: str = "Range") -> ByteRange | None:
    """The part of an object of ``size`` bytes that is asked for; None for all of it.

    What is no single range of bytes is passed over, as HTTP has it.

    Raises:
        InvalidRange: the range begins behind the end.
    """
    text = request.get(member, "")
    match = _RANGE.fullmatch(text.strip())
    if not match or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
        if int(last) == 0 or size == 0:
            raise invalid_range(text, size)
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return None
    if start >= size:
        raise invalid_range(text, size)
    return ByteRange(start, end - start)


def copied_range(request: Request, size: int) -> ByteRange:
    """The part that UploadPartCopy is to copy; unlike a Range header it must be exact.

    Raises:
        InvalidArgument: it is no range, or goes beyond the source.
    """
    text = request.get("CopySourceRange")
    if text is None:
        return ByteRange(0, size)
    match = re.fullmatch(r"bytes=(\d{1,19})-(\d{1,19})", text)
    if not match or not int(match.group(1)) <= int(match.group(2)) < size:
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first "
            "and last are the zero-based offsets of the first and last bytes to copy; the source "
            f"has {size} bytes.",
            members={"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": text},
        )
    first, last = int(match.group(1)), int(match.group(2))
    return ByteRange(first, last - first + 1)


def check_conditions(request: Request, info: ObjectInfo) -> None:
    """Check If-Match and its kin for a read.

    Raises:
        PreconditionFailed: 412. NotModified: 304.
    """
    if_match, if_none_match = request.get("IfMatch"), request.get("IfNoneMatch")
    modified = int(info.modified)  # HTTP dates have whole seconds.
    if if_match is not None:
        if not _matches(if_match, info.etag):
            raise _failed("If-Match")
    elif (since := request.get("IfUnmodifiedSince")) is not None and modified > since:
        raise _failed("If-Unmodified-Since")
    if if_none_match is not None:
        if _matches(if_none_match, info.etag):
            raise _unchanged(info)
    elif (since := request.get("IfModifiedSince")) is not None and modified <= since:
        raise _unchanged(info)


def check_copy_conditions(request: Request, info: ObjectInfo) -> None:
    """Check the conditions on the source of a copy, all of which answer 412."""
    kin = {
        "IfMatch": request.get("CopySourceIfMatch"),
        "IfNoneMatch": request.get("CopySourceIfNoneMatch"),
        "IfModifiedSince": request.get("CopySourceIfModifiedSince"),
        "IfUnmodifiedSince": request.get("CopySourceIfUnmodifiedSince"),
    }
    try:
        check_conditions({name: value for name, value in kin.items() if value is not None}, info)
    except NotModified as error:
        raise _failed("x-amz-copy-source-If-None-Match") from error


def only_new(request: Request) -> bool:
    """Whether a write is for a key that is not taken. Raises: InvalidArgument."""
    value = request.get("IfNoneMatch")
    if value not in (None, "*"):
        raise InvalidArgument(
            f"If-None-Match is {value!r}; for a write only * can be asked for.",
            members={"ArgumentName": "If-None-Match", "ArgumentValue": value},
        )
    return value == "*"


def _matches(condition: str, etag: str) -> bool:
    given = {each.strip().removeprefix("W/").strip('"') for each in condition.split(",")}
    return "*" in given or etag in given


def _failed(condition: str) -> PreconditionFailed:
    return PreconditionFailed(
        "At least one of the pre-conditions you specified did not hold",
        members={"Condition": condition},
    )


def _unchanged(info: ObjectInfo) -> NotModified:
    return NotModified("Not Modified", members={"ETag": quoted(info.etag)})
