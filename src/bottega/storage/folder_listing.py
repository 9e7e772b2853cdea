"""Listing an index by prefix and delimiter, in the time the answer takes rather than the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bottega.storage.folder_index import info_of, objects
from bottega.storage.objects import ObjectInfo, ObjectPage

_PATIENCE = 8
"""How many keys under a common prefix are walked over before the index jumps behind it."""

_FROM = (
    sa.select(*objects.c)
    .where(objects.c.bucket == sa.bindparam("b"), objects.c.key >= sa.bindparam("low"))
    .order_by(objects.c.key)
)
_BETWEEN = _FROM.where(objects.c.key < sa.bindparam("high"))


@dataclass(frozen=True)
class _Listing:
    connection: Connection
    bucket: str
    prefix: bytes
    delimiter: bytes

    def common_prefix(self, key: bytes) -> bytes | None:
        """What ``key`` is rolled up into, if anything."""
        if not self.delimiter:
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return key[: at + len(self.delimiter)] if at >= 0 else None

    def rows(self, low: bytes) -> Iterator[Any]:
        parameters: dict[str, Any] = {"b": self.bucket, "low": low}
        if high := after_all(self.prefix):
            parameters["high"] = high
        result = self.connection.execute(
            _BETWEEN if high else _FROM, parameters, execution_options={"yield_per": 2 * _PATIENCE}
        )
        try:
            yield from result
        finally:
            result.close()

    def entries(self, low: bytes) -> Iterator[ObjectInfo | bytes]:
        """Objects and common prefixes in order, beginning at ``low``."""
        start: bytes | None = low
        while start is not None:
            start = yield from self._entries_until_jump(start)

    def _entries_until_jump(self, low: bytes) -> Any:
        rolled: bytes | None = None
        walked = 0
        for row in self.rows(low):
            key = row[1]
            if rolled is not None and key.startswith(rolled):
                walked += 1
                if walked > _PATIENCE:
                    return after_all(rolled)
                continue
            rolled, walked = self.common_prefix(key), 0
            yield info_of(row) if rolled is None else rolled
        return None


def page(
    connection: Connection, bucket: str, prefix: str, delimiter: str, start_after: str, limit: int
) -> ObjectPage:
    """See :meth:`bottega.storage.objects.ObjectStore.page`; the bucket is known to exist."""
    listing = _Listing(connection, bucket, prefix.encode(), delimiter.encode())
    after = start_after.encode()
    low: bytes | None = max(after + b"\0", listing.prefix) if after else listing.prefix
    if after.startswith(listing.prefix) and listing.common_prefix(after) == after:
        low = after_all(after)
    found: list[ObjectInfo] = []
    prefixes: list[str] = []
    last = ""
    if low is None or limit <= 0:
        return ObjectPage(())
    for entry in listing.entries(low):
        if len(found) + len(prefixes) == limit:
            return ObjectPage(tuple(found), tuple(prefixes), last)
        if isinstance(entry, bytes):
            last = entry.decode()
            prefixes.append(last)
        else:
            last = entry.key
            found.append(entry)
    return ObjectPage(tuple(found), tuple(prefixes))


def after_all(prefix: bytes) -> bytes | None:
    """The least bytes after everything that begins with ``prefix``; None if nothing comes after."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None
