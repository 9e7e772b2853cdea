"""Taking in bodies, with an ASGI ``receive`` that does what it is told."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bottega.daemon.request_body import (
    IN_MEMORY_BYTES,
    BodyTooLarge,
    BodyTooSlow,
    ClientGone,
    ReceivedBody,
    receive_body,
)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def take(
    messages: Sequence[dict[str, Any]], folder: Path, threads: ThreadPoolExecutor, limit: int
) -> ReceivedBody:
    left = list(messages)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(3600)
        return left.pop(0)

    return asyncio.run(
        receive_body(receive, limit=limit, folder=folder, threads=threads, patience=0.05)
    )


def chunks(*sizes: int) -> list[dict[str, Any]]:
    bodies = [bytes([65 + n]) * size for n, size in enumerate(sizes)]
    return [
        {"type": "http.request", "body": body, "more_body": n + 1 < len(bodies)}
        for n, body in enumerate(bodies)
    ]


@pytest.mark.parametrize(
    "sizes",
    [
        (0,),
        (5,),
        (5, 0, 6),
        (70_000, 70_000),
        (IN_MEMORY_BYTES,),
        (IN_MEMORY_BYTES, 1),
        (IN_MEMORY_BYTES + 1, IN_MEMORY_BYTES + 1, 3),
    ],
)
def test_what_comes_is_what_is_there(
    tmp_path: Path, threads: ThreadPoolExecutor, sizes: tuple[int, ...]
) -> None:
    messages = chunks(*sizes)
    whole = b"".join(message["body"] for message in messages)
    body = take(messages, tmp_path / "spool", threads, limit=len(whole))
    with body.stream:
        assert body.stream.read() == whole
    assert body.size == len(whole)
    assert body.sha256 == hashlib.sha256(whole).hexdigest()
    spooled = (tmp_path / "spool").exists()
    assert spooled == (len(whole) > IN_MEMORY_BYTES)
    assert not spooled or list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(
    ("messages", "limit", "expected"),
    [
        (chunks(5, 6), 10, BodyTooLarge),
        (chunks(IN_MEMORY_BYTES + 1, 1), IN_MEMORY_BYTES + 1, BodyTooLarge),
        ([*chunks(5, 5)[:1], {"type": "http.disconnect"}], 100, ClientGone),
        ([*chunks(IN_MEMORY_BYTES * 2, 5)[:1], {"type": "http.disconnect"}], 1 << 30, ClientGone),
        (chunks(5, 5)[:1], 100, BodyTooSlow),
    ],
)
def test_what_goes_wrong(
    tmp_path: Path,
    threads: ThreadPoolExecutor,
    messages: list[dict[str, Any]],
    limit: int,
    expected: type[Exception],
) -> None:
    with pytest.raises(expected):
        take(messages, tmp_path, threads, limit)
    assert list(tmp_path.iterdir()) == []
