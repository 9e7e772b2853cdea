"""``s3://bucket/key`` taken apart."""

from __future__ import annotations

import re

from bottega.errors import ValidationException

_URI = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)


def split(uri: str) -> tuple[str, str]:
    """The (bucket, key or prefix) of an S3 URI.

    Raises:
        ValidationException: it is none.
    """
    if not (match := _URI.fullmatch(uri)):
        raise ValidationException(f"{uri!r} is not an S3 URI; expected s3://bucket/key")
    return match.group(1), match.group(2)
