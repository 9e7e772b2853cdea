"""The hub between one daemon and many sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from bottega.errors import ServiceUnavailable
from bottega_jupyter import event_hub
from bottega_jupyter.event_hub import EventHub

LOG = logging.getLogger(__name__)


class Daemon:
    """Stands for the daemon: numbers events, and answers questions about them."""

    def __init__(self) -> None:
        self.events: list[int] = []
        self.questions: list[tuple[str | None, int]] = []
        self.more = asyncio.Event()
        self.gone = False
        self.revived = 0

    def happen(self, count: int = 1) -> None:
        self.events += range(len(self.events), len(self.events) + count)
        self.more.set()

    async def watch(self, cursor: str | None, wait: int) -> dict[str, Any]:
        self.questions.append((cursor, wait))
        if self.gone:
            raise ServiceUnavailable("gone")
        seen = len(self.events) if cursor is None else int(cursor)
        if wait and seen == len(self.events):
            self.more.clear()
            await self.more.wait()
            if self.gone:
                raise ServiceUnavailable("gone")
        return {"Events": self.events[seen:], "Cursor": str(len(self.events)), "Reset": False}

    async def revive(self) -> None:
        self.revived += 1
        self.gone = False


class Socket:
    """Stands for a socket: keeps what it is given."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    def deliver(self, message: Mapping[str, Any]) -> None:
        self.messages.put_nowait(message)

    async def next(self) -> Mapping[str, Any]:
        return await asyncio.wait_for(self.messages.get(), 30)


def greeting(cursor: str, *, reset: bool = False) -> dict[str, Any]:
    return {"events": [], "cursor": cursor, "reset": reset}


async def test_nothing_is_asked_while_nobody_listens() -> None:
    daemon = Daemon()
    hub = EventHub(daemon.watch, daemon.revive, LOG)
    await asyncio.sleep(0)
    assert daemon.questions == []
    socket = Socket()
    hub.join(socket, None)
    assert await socket.next() == greeting("0")
    hub.leave(socket)
    daemon.happen()
    asked = len(daemon.questions)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(daemon.questions) == asked
    again = Socket()
    hub.join(again, "0")
    assert await again.next() == greeting("0")
    assert await again.next() == {"events": [0], "cursor": "1", "reset": False}
    await hub.close()


async def test_one_question_serves_all() -> None:
    daemon = Daemon()
    hub = EventHub(daemon.watch, daemon.revive, LOG)
    sockets = [Socket() for _ in range(5)]
    for socket in sockets:
        hub.join(socket, None)
    for socket in sockets:
        await socket.next()
    daemon.happen(2)
    for socket in sockets:
        assert await socket.next() == {"events": [0, 1], "cursor": "2", "reset": False}
    assert daemon.questions[:2] == [(None, 0), ("0", event_hub.WAIT_SECONDS)]
    assert len(daemon.questions) <= 3
    await hub.close()


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_hub, "REMEMBERED_EVENTS", 3)
    daemon = Daemon()
    hub = EventHub(daemon.watch, daemon.revive, LOG)
    stays = Socket()
    hub.join(stays, None)
    await stays.next()
    for _ in range(5):
        daemon.happen()
        await stays.next()
    known, unknown = Socket(), Socket()
    hub.join(known, "2")
    assert await known.next() == greeting("2")
    assert await known.next() == {"events": [2, 3, 4], "cursor": "5", "reset": False}
    hub.join(unknown, "1")
    assert await unknown.next() == greeting("5", reset=True)
    await hub.close()


async def test_trouble_is_told_once_and_ended() -> None:
    daemon = Daemon()
    hub = EventHub(daemon.watch, daemon.revive, LOG)
    socket = Socket()
    hub.join(socket, None)
    await socket.next()
    daemon.gone = True
    daemon.more.set()
    assert await socket.next() == {"status": "reconnecting"}
    late = Socket()
    hub.join(late, None)
    assert await late.next() == {"status": "reconnecting"}
    for one in (socket, late):
        assert await one.next() == {"status": "connected"}
    assert await late.next() == greeting("0")
    assert daemon.revived == 1
    daemon.happen()
    assert (await socket.next())["events"] == [0]
    await hub.close()
