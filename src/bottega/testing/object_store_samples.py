"""Bytes, sources and names that the cases for object stores use."""

from __future__ import annotations

import hashlib
import io
import random
import uuid

from bottega.storage.objects import ObjectStore

SIZES = (0, 1, 65_535, 65_536, 65_537, 1_048_577)
"""Around the limits at which a store may change how it keeps bytes."""


def bytes_of(size: int, seed: int = 0) -> bytes:
    return random.Random(f"{seed} {size}").randbytes(size)


def read(store: ObjectStore, bucket: str, key: str) -> bytes:
    with store.open(bucket, key) as stream:
        return stream.read()


def md5_of(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class BrokenStream(io.RawIOBase):
    """Gives some bytes and then fails, as a connection does that is cut."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._left <= 0:
            raise ConnectionResetError("cut")
        count = min(self._left, size if size >= 0 else self._left)
        self._left -= count
        return b"x" * count


class DribblingStream(io.RawIOBase):
    """Gives less than it is asked for, as sockets do."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 7_001) if size >= 0 else 7_001)


def fresh_bucket(store: ObjectStore) -> str:
    """A bucket that no other example has used."""
    name = f"bucket-{uuid.uuid4().hex}"
    store.create_bucket(name)
    return name
