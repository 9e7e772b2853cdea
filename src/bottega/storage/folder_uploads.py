"""Multipart uploads in the index of a folder object store, within the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bottega.storage import folder_index as index
from bottega.storage.objects import InvalidPart, ObjectInfo, Part, UploadMissing

_columns = index.parts.c


def begin(
    connection: Connection,
    upload: str,
    place: tuple[str, str],
    description: tuple[str, str],
    now: float,
) -> None:
    """Note an upload for ``place`` (bucket, key) with ``description`` (content type, metadata).

    Raises: BucketMissing.
    """
    bucket, key = place
    index.bucket_of(connection, bucket)
    connection.execute(
        index.uploads.insert(),
        {
            "id": upload,
            "bucket": bucket,
            "key": key.encode(),
            "content_type": description[0],
            "metadata": description[1],
            "begun": now,
        },
    )


def find(connection: Connection, upload: str) -> Any:
    """The row of an upload. Raises: UploadMissing."""
    chosen = sa.select(*index.uploads.c).where(index.uploads.c.id == upload)
    row = connection.execute(chosen).one_or_none()
    if row is None:
        raise UploadMissing(upload)
    return row


def parts(connection: Connection, upload: str) -> dict[int, Any]:
    """The rows of the parts by number, in order."""
    chosen = sa.select(*_columns).where(_columns.upload == upload).order_by(_columns.number)
    return {row.number: row for row in connection.execute(chosen)}


def put_part(connection: Connection, upload: str, part: Part, content: int) -> set[str]:
    """Note a part in the place of an earlier one; returns the files that one leaves.

    Raises: UploadMissing.
    """
    find(connection, upload)
    here = (_columns.upload == upload) & (_columns.number == part.number)
    replaced = connection.execute(sa.select(_columns.content).where(here)).scalars().all()
    connection.execute(index.parts.delete().where(here))
    connection.execute(
        index.parts.insert(),
        {
            "upload": upload,
            "number": part.number,
            "size": part.size,
            "etag": part.etag,
            "modified": part.modified,
            "content": content,
        },
    )
    return index.release(connection, replaced)


def join(
    connection: Connection, upload: str, wanted: Sequence[tuple[int, str]], now: float
) -> tuple[ObjectInfo, int]:
    """The object that the wanted parts (number, ETag) make, and its new content.

    Raises: UploadMissing, InvalidPart.
    """
    begun = find(connection, upload)
    there = parts(connection, upload)
    numbers = [number for number, _ in wanted]
    if not numbers:
        raise InvalidPart("no part is named")
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise InvalidPart("the parts are not in ascending order")
    for number, etag in wanted:
        if number not in there:
            raise InvalidPart(f"part {number} was not uploaded")
        if there[number].etag != etag:
            raise InvalidPart(f"part {number} has the ETag {there[number].etag}, not {etag}")
    chosen = [there[number] for number in numbers]
    digests = b"".join(bytes.fromhex(row.etag) for row in chosen)
    info = ObjectInfo(
        bucket=begun.bucket,
        key=begun.key.decode(),
        size=sum(row.size for row in chosen),
        etag=f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(chosen)}",
        modified=now,
        content_type=begun.content_type,
        metadata=index.from_json(begun.metadata),
    )
    # The object gets the very files of its parts, so joining takes no time.
    files = _files(connection, upload)
    joined = [piece for row in chosen for piece in files.get(row.content, ())]
    return info, index.add_content(connection, joined)


def _files(connection: Connection, upload: str) -> dict[int, list[tuple[str, int]]]:
    """The files (name, size) of each part's content, in order."""
    pieces = index.pieces.c
    rows = connection.execute(
        sa.select(pieces.content, pieces.file, pieces.size)
        .join(index.parts, _columns.content == pieces.content)
        .where(_columns.upload == upload)
        .order_by(pieces.content, pieces.ordinal)
    )
    found: dict[int, list[tuple[str, int]]] = {}
    for content, file, size in rows:
        found.setdefault(content, []).append((file, size))
    return found
