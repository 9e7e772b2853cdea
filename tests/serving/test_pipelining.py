"""Requests that share a connection to a model server: order, losses, and what they do not share."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bottega.serving.answers import ServerAnswer
from bottega.serving.model_client import AnswerLate, AnswerLost, Failure, ModelClient, Unreachable
from bottega.serving.router import Invocation, Router
from bottega.serving.routing import (
    EndpointRoute,
    FleetRoute,
    InstanceRoute,
    RoutingTable,
    VariantRoute,
)
from bottega.testing.model_servers import ServerProcess

Meet = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Outcomes = dict[str, ServerAnswer | Failure]


def request(body: str) -> bytes:
    head = f"POST /invocations HTTP/1.1\r\nhost: model\r\ncontent-length: {len(body)}\r\n\r\n"
    return f"{head}{body}".encode()


def answer(body: str, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{more}content-length: {len(body)}\r\n\r\n{body}".encode()


async def next_body(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length: ")[1].split()[0])
    return (await reader.readexactly(size)).decode()


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        yield Path(folder) / "s"


def together(socket: Path, meet: Meet | None, bodies: list[str], timeout: float = 30.0) -> Outcomes:
    """What comes of requests that are sent in one turn of the loop."""

    async def run() -> Outcomes:
        server = await asyncio.start_unix_server(meet, str(socket)) if meet else None
        client = ModelClient(asyncio.get_running_loop())
        found: Outcomes = {}
        over = asyncio.Event()

        def settle(body: str, outcome: ServerAnswer | Failure) -> None:
            assert body not in found
            found[body] = outcome
            if len(found) == len(bodies):
                over.set()

        for body in bodies:
            client.ask_together(socket, request(body), timeout, partial(settle, body))
        await over.wait()
        await asyncio.sleep(0.01)  # nothing may come twice
        client.close()
        if server is not None:
            server.close()
        await asyncio.sleep(0.01)
        return found

    return asyncio.run(run())


def bodies_of(found: Outcomes) -> dict[str, str]:
    return {body: one.body.decode() for body, one in found.items() if isinstance(one, ServerAnswer)}


def test_each_gets_its_own_answer_however_it_comes(socket: Path) -> None:
    connections = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        asked = [await next_body(reader) for _ in range(5)]
        whole = b"".join(
            answer(f"to {body}", "x-other: 1\r\n" if number % 2 else "")
            for number, body in enumerate(asked)
        )
        for start in range(0, len(whole), 37):
            writer.write(whole[start : start + 37])
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    found = together(socket, meet, list("abcde"))

    assert bodies_of(found) == {body: f"to {body}" for body in "abcde"}
    assert len(connections) == 1


def test_a_lost_connection_is_a_loss_for_all_that_follow(socket: Path) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await next_body(reader)
        writer.write(answer("first") + answer("second")[:-1])
        await writer.drain()
        writer.close()

    found = together(socket, meet, ["1", "2", "3"])

    assert bodies_of(found) == {"1": "first"}
    assert isinstance(found["2"], AnswerLost)
    assert isinstance(found["3"], AnswerLost)
    assert found["2"].begun
    assert not found["3"].begun  # its server may be asked again elsewhere


def test_a_connection_that_is_to_be_closed_takes_no_more(socket: Path) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await next_body(reader)
        writer.write(answer("last", "connection: close\r\n"))
        await writer.drain()
        writer.close()

    found = together(socket, meet, ["1", "2"])

    assert bodies_of(found) == {"1": "last"}
    assert isinstance(found["2"], AnswerLost)


def test_the_time_is_that_of_all(socket: Path) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await next_body(reader)
        writer.write(answer("first"))
        await reader.read()  # until the client gives up
        writer.close()

    found = together(socket, meet, ["1", "2", "3"], timeout=0.2)

    assert bodies_of(found) == {"1": "first"}
    assert isinstance(found["2"], AnswerLate)
    assert isinstance(found["3"], AnswerLate)


def test_nobody_listens(socket: Path) -> None:
    found = together(socket, None, ["1", "2"])

    assert all(isinstance(one, Unreachable) for one in found.values())


def test_many_are_spread_over_some_connections(socket: Path) -> None:
    connections = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        try:
            while True:
                writer.write(answer(await next_body(reader)))
        except asyncio.IncompleteReadError:
            writer.close()

    bodies = [str(number) for number in range(100)]

    assert bodies_of(together(socket, meet, bodies)) == {body: body for body in bodies}
    assert len(connections) == 4


def test_a_model_server_answers_what_came_together(tmp_path: Path) -> None:
    """Through the router, with a real server: 40 requests at once, of which some are refused."""
    (tmp_path / "ml" / "model" / "code").mkdir(parents=True)
    (tmp_path / "ml" / "model" / "code" / "inference.py").write_text(
        "def model_fn(model_dir): return None\n"
        "def input_fn(body, content_type):\n"
        "    return body if isinstance(body, str) else body.decode()\n"
        "def predict_fn(data, model):\n"
        "    if data.endswith('7'): raise ValueError(data)\n"
        "    return 'seen ' + data\n"
        "def output_fn(prediction, accept): return prediction\n"
    )
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        server = ServerProcess(Path(folder), "python", tmp_path / "ml")
        try:
            server.wait_ready()
            table = RoutingTable()
            instance = InstanceRoute("i", server.socket)
            variant = VariantRoute("v", 1.0, (instance,), "g", "s", pipelined=True)
            table.put(EndpointRoute("e", (FleetRoute("c", 1.0, (variant,)),)))

            async def run() -> dict[int, Any]:
                router = Router(table, asyncio.get_running_loop())
                found: dict[int, Any] = {}
                over = asyncio.Event()

                def settle(number: int, outcome: Any) -> None:
                    found[number] = outcome
                    if len(found) == 40:
                        over.set()

                for number in range(40):
                    taken = router.submit(
                        "e",
                        Invocation(str(number).encode(), "text/plain"),
                        0.0,
                        partial(settle, number),
                    )
                    assert taken
                await over.wait()
                router.close()
                await asyncio.sleep(0.01)
                return found

            found = asyncio.run(run())
        finally:
            server.close()
    for number, invoked in found.items():
        good = number % 10 != 7
        assert invoked.answer.status == (200 if good else 500), invoked
        assert not good or invoked.answer.body == f"seen {number}".encode()
    assert not table.load.outstanding("i")
