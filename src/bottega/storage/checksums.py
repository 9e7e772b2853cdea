"""The digests S3 speaks of, over bytes as they stream by."""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.util
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from bottega.storage.objects import ChecksumMismatch


class _Sum(Protocol):
    def update(self, chunk: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Cyclic:
    """A cyclic redundancy check with the interface of :mod:`hashlib`."""

    def __init__(self, step: Callable[[bytes, int], int], width: int) -> None:
        self._step = step
        self._width = width
        self._value = 0

    def update(self, chunk: bytes, /) -> None:
        self._value = self._step(chunk, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


def _makers() -> Mapping[str, Callable[[], _Sum]]:
    makers: dict[str, Callable[[], _Sum]] = {
        "md5": lambda: hashlib.md5(usedforsecurity=False),
        "sha1": lambda: hashlib.sha1(usedforsecurity=False),
        "sha256": hashlib.sha256,
        "sha512": hashlib.sha512,
        "crc32": lambda: _Cyclic(zlib.crc32, 4),
    }
    # Python alone is far too slow for the other two; AWS's own library computes them.
    if importlib.util.find_spec("awscrt") is not None:
        crc = importlib.import_module("awscrt.checksums")
        makers["crc32c"] = lambda: _Cyclic(crc.crc32c, 4)
        makers["crc64nvme"] = lambda: _Cyclic(crc.crc64nvme, 8)
    return makers


_MAKERS = _makers()

COMPUTABLE = frozenset(_MAKERS)
"""The algorithms this machine can check; the others are passed over."""


class Digests:
    """MD5 and the expected checksums, computed in one pass."""

    def __init__(self, expected: Mapping[str, str] | None) -> None:
        self._expected = {a: s for a, s in (expected or {}).items() if a in COMPUTABLE}
        self._sums = {name: _MAKERS[name]() for name in {"md5", *self._expected}}
        self.size = 0

    def update(self, chunk: bytes) -> None:
        self.size += len(chunk)
        for each in self._sums.values():
            each.update(chunk)

    def over(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        """The same chunks, each counted before it is handed on."""
        for chunk in chunks:
            self.update(chunk)
            yield chunk

    @property
    def etag(self) -> str:
        """The MD5 in hexadecimal."""
        return self._sums["md5"].digest().hex()

    def check(self) -> Mapping[str, str]:
        """The checksums that were asked for besides the MD5, in base64.

        Raises:
            ChecksumMismatch: the bytes have another one than was expected; the text names both.
        """
        for algorithm, wanted in self._expected.items():
            found = base64.b64encode(self._sums[algorithm].digest()).decode()
            if found != wanted:
                raise ChecksumMismatch(
                    f"the {algorithm} of the {self.size} bytes is {found}, not {wanted}"
                )
        return {a: s for a, s in self._expected.items() if a != "md5"}
