"""The event socket: what changes arrives, nothing is lost by a drop, the daemon may go and come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from bottega.testing.daemon import TestDaemon
from bottega_jupyter.routes.events import WAITING_MESSAGES, EventsSocket

Fetch = Callable[..., Any]


async def receive(socket: Any) -> Any:
    text = await asyncio.wait_for(socket.read_message(), 60)
    assert text is not None, "the socket was closed"
    return json.loads(text)


async def until(socket: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    """All messages up to the first that is wanted."""
    seen = []
    while True:
        seen.append(await receive(socket))
        if wanted(seen[-1]):
            return seen


def names(messages: list[Any]) -> list[str]:
    return [event.get("Name", "") for message in messages for event in message.get("events", ())]


async def make_model(jp_fetch: Fetch, name: str) -> None:
    request = {
        "ModelName": name,
        "ExecutionRoleArn": "arn:aws:iam::000000000000:role/BottegaExecutionRole",
        "PrimaryContainer": {"Image": "xgboost", "ModelDataUrl": "s3://events-route/m.tar.gz"},
    }
    await jp_fetch(
        *("bottega", "operations", "sagemaker", "CreateModel"),
        method="POST",
        body=json.dumps(request),
    )


async def test_a_change_reaches_every_socket(jp_ws_fetch: Fetch, jp_fetch: Fetch) -> None:
    first = await jp_ws_fetch("bottega", "events")
    greeting = await receive(first)
    assert (greeting["events"], greeting["reset"]) == ([], False)
    assert greeting["cursor"]
    second = await jp_ws_fetch("bottega", "events")
    assert (await receive(second))["reset"] is False
    await make_model(jp_fetch, "events-one")
    for socket in (first, second):
        seen = await until(socket, lambda message: "events-one" in names([message]))
        event = seen[-1]["events"][-1]
        assert (event["Type"], event["Kind"]) == ("ResourceChanged", "Model")
        assert seen[-1]["cursor"] != greeting["cursor"]
        socket.close()


async def test_a_socket_that_was_dropped_misses_nothing(
    jp_ws_fetch: Fetch, jp_fetch: Fetch
) -> None:
    stays = await jp_ws_fetch("bottega", "events")
    dropped = await jp_ws_fetch("bottega", "events")
    await receive(stays)
    cursor = (await receive(dropped))["cursor"]
    dropped.close()
    await make_model(jp_fetch, "events-two")
    await until(stays, lambda message: "events-two" in names([message]))
    again = await jp_ws_fetch("bottega", "events", params={"cursor": cursor})
    greeting = await receive(again)
    assert greeting == {"events": [], "cursor": cursor, "reset": False}
    missed = await receive(again)
    assert names([missed]) == ["events-two"]
    assert missed["reset"] is False
    stays.close()
    again.close()


async def test_also_while_nobody_listened(jp_ws_fetch: Fetch, jp_fetch: Fetch) -> None:
    only = await jp_ws_fetch("bottega", "events")
    cursor = (await receive(only))["cursor"]
    only.close()
    await make_model(jp_fetch, "events-three")
    again = await jp_ws_fetch("bottega", "events", params={"cursor": cursor})
    seen = await until(again, lambda message: "events-three" in names([message]))
    assert not any(message.get("reset") for message in seen)
    again.close()


@pytest.mark.parametrize("cursor", ["nonsense", "x" * 3000])
async def test_a_cursor_that_nobody_gave_means_to_read_anew(
    jp_ws_fetch: Fetch, cursor: str
) -> None:
    socket = await jp_ws_fetch("bottega", "events", params={"cursor": cursor})
    greeting = (await until(socket, lambda message: "cursor" in message))[-1]
    assert greeting["reset"] is True
    assert greeting["cursor"] != cursor
    socket.close()


async def test_who_speaks_is_shown_out(jp_ws_fetch: Fetch) -> None:
    socket = await jp_ws_fetch("bottega", "events")
    await receive(socket)
    await socket.write_message("hello")
    assert await asyncio.wait_for(socket.read_message(), 60) is None
    assert socket.close_code == 1003
    socket.close()


async def test_a_socket_that_takes_nothing_is_dropped(
    jp_ws_fetch: Fetch, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = asyncio.Event()

    async def stuck(_socket: EventsSocket) -> None:
        await never.wait()

    monkeypatch.setattr(EventsSocket, "_write", stuck)
    socket = await jp_ws_fetch("bottega", "events")
    hub = jp_serverapp.web_app.settings["bottega"].hub
    while not hub._listeners:
        await asyncio.sleep(0)
    for _ in range(WAITING_MESSAGES):
        hub._tell({"events": []})
    assert await asyncio.wait_for(socket.read_message(), 60) is None
    assert socket.close_code == 1013
    assert not hub._listeners
    socket.close()


class TestTheDaemonGoes:
    @pytest.fixture
    def bottega_home(self, fresh: TestDaemon) -> Any:
        return fresh.home

    async def test_sockets_stay_and_say_so(
        self, jp_ws_fetch: Fetch, jp_fetch: Fetch, fresh: TestDaemon
    ) -> None:
        fresh.start()
        socket = await jp_ws_fetch("bottega", "events")
        await receive(socket)
        fresh.kill()
        seen = await until(socket, lambda message: message.get("reset") is True)
        assert [message["status"] for message in seen if "status" in message] == [
            "reconnecting",
            "connected",
        ]
        await make_model(jp_fetch, "events-after")
        await until(socket, lambda message: "events-after" in names([message]))
        socket.close()

    async def test_it_is_started_for_the_first_socket(
        self, jp_ws_fetch: Fetch, fresh: TestDaemon
    ) -> None:
        socket = await jp_ws_fetch("bottega", "events")
        assert (await receive(socket))["reset"] is False
        socket.close()
