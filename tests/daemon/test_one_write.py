"""Answers leave in one piece, in order, and whole when the connection is closed."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bottega.daemon.one_write import OneWriteTransport


class Recorder(asyncio.Transport):
    """The far end: what arrives, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def test_head_and_body_are_one_write():
    async def run() -> list[bytes]:
        far = Recorder()
        transport = OneWriteTransport(far, asyncio.get_running_loop())
        transport.write(b"head")
        transport.write(b"body")
        await asyncio.sleep(0)
        transport.write(b"next")
        await asyncio.sleep(0)
        return far.writes

    assert asyncio.run(run()) == [b"headbody", b"next"]


def test_closing_sends_what_waits():
    async def run() -> Recorder:
        far = Recorder()
        transport = OneWriteTransport(far, asyncio.get_running_loop())
        transport.write(b"last words")
        transport.close()
        await asyncio.sleep(0)
        assert transport.is_closing()
        return far

    far = asyncio.run(run())
    assert (far.writes, far.closed) == ([b"last words"], True)


@given(pieces=st.lists(st.tuples(st.integers(1, 40_000), st.booleans()), max_size=12))
def test_nothing_is_lost_or_swapped(pieces: list[tuple[int, bool]]):
    async def run() -> bytes:
        far = Recorder()
        transport = OneWriteTransport(far, asyncio.get_running_loop())
        for number, (size, pause) in enumerate(pieces):
            transport.write(bytes([number]) * size)
            if pause:
                await asyncio.sleep(0)
        transport.close()
        return b"".join(far.writes)

    expected = b"".join(bytes([n]) * size for n, (size, _) in enumerate(pieces))
    assert asyncio.run(run()) == expected
