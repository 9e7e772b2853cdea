"""Taking in the body of a request: hashed while it comes, small ones in memory, large ones in a
file."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

IN_MEMORY_BYTES = 1024 * 1024
"""Beyond this a body goes to a file; it is also how much is written to the file at once."""
HASHED_INLINE_BYTES = 64 * 1024
"""Hashing this much takes the event loop less time than handing it to a thread would."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class BodyTooLarge(Exception):
    """More bytes came than this request may have."""


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class BodyTooSlow(Exception):
    """Nothing came for a long time."""


@dataclass(frozen=True)
class ReceivedBody:
    """A body that is there whole."""

    stream: BinaryIO
    """At its start. Closing it is all there is to clean up: the file has no name."""
    size: int
    sha256: str


async def receive_body(
    receive: Receive, *, limit: int, folder: Path, threads: Executor, patience: float
) -> ReceivedBody:
    """Take in a body.

    Args:
        receive: ASGI's.
        limit: bytes.
        folder: where large bodies go; made when it is needed.
        threads: does the hashing and writing of large bodies, off the event loop.
        patience: seconds without a byte after which the client is given up.

    Raises:
        BodyTooLarge: it is larger than ``limit``.
        ClientGone: the client went away.
        BodyTooSlow: nothing came for ``patience`` seconds.
    """
    loop = asyncio.get_running_loop()
    chunks: list[bytes] = []
    held = size = 0
    spool: _Spool | None = None
    try:
        more = True
        while more:
            try:
                async with asyncio.timeout(patience):
                    message = await receive()
            except TimeoutError as error:
                raise BodyTooSlow from error
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = cast(bytes, message.get("body", b""))
            more = bool(message.get("more_body", False))
            size += len(chunk)
            if size > limit:
                raise BodyTooLarge
            chunks.append(chunk)
            held += len(chunk)
            if held > IN_MEMORY_BYTES:
                if spool is None:
                    spool = await loop.run_in_executor(threads, _Spool, folder)
                await loop.run_in_executor(threads, spool.write, chunks)
                chunks, held = [], 0
        if spool is not None:
            await loop.run_in_executor(threads, spool.write, chunks)
            return ReceivedBody(spool.rewound(), size, spool.digest.hexdigest())
    except BaseException:
        if spool is not None:
            spool.file.close()
        raise
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if size > HASHED_INLINE_BYTES:
        digest = await loop.run_in_executor(threads, hashlib.sha256, body)
    else:
        digest = hashlib.sha256(body)
    return ReceivedBody(io.BytesIO(body), size, digest.hexdigest())


class _Spool:
    """A nameless file that is hashed as it is written: a kill leaves nothing behind."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Closed by whoever has the body last.
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self.digest = hashlib.sha256()

    def write(self, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self.digest.update(chunk)
            self.file.write(chunk)

    def rewound(self) -> BinaryIO:
        self.file.seek(0)
        return cast(BinaryIO, self.file)
