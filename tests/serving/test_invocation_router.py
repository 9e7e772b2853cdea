"""The router against real model servers, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bottega.serving.router import (
    EndpointUnknown,
    Invocation,
    InvocationTimedOut,
    NoServer,
    Router,
    ServerGone,
    VariantUnknown,
    router_of,
)
from bottega.serving.routing import (
    EndpointRoute,
    FleetRoute,
    InstanceRoute,
    RoutingTable,
    VariantRoute,
)
from bottega.testing.model_servers import ServerProcess, ask, route_to, with_router

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def answers_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(OK)


async def closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.close()


async def closes_half_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(OK[:-1])
    writer.close()


async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await asyncio.Event().wait()


async def talks_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"hello\r\n\r\n")


def among(
    folder: Path,
    servers: dict[str, Answer],
    use: Callable[[Router, dict[str, int]], Awaitable[Any]],
    timeout: float = 60.0,
) -> Any:
    """Run ``use`` with a router before servers by name; it is also given how often each was met."""
    met: Counter[str] = Counter()

    async def run() -> Any:
        listening = []
        for name, answer in servers.items():

            async def meet(
                reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter,
                name: str = name,
                answer: Answer = answer,
            ) -> None:
                met[name] += 1
                try:
                    await answer(reader, writer)
                except (asyncio.IncompleteReadError, ConnectionError):
                    pass
                finally:
                    writer.close()

            listening.append(await asyncio.start_unix_server(meet, str(folder / name)))
        table = route_to(*(folder / name for name in servers), timeout=timeout)
        router = Router(table, asyncio.get_running_loop())
        try:
            return await use(router, met)
        finally:
            router.close()
            for server in listening:
                server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0.01)  # for the transports to be closed

    return asyncio.run(run())


def invoke(router: Router, **more: str) -> Awaitable[Any]:
    return router.invoke("e", Invocation(b"1", "text/csv", **more))


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="b-") as short:
        yield Path(short)


def test_connections_are_kept_open_and_used_again(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> int:
        for _ in range(20):
            assert (await invoke(router)).answer.body == b"ok"
        return met["a"]

    assert among(folder, {"a": answers_ok}, use) == 1


def test_an_unknown_endpoint_and_an_unknown_variant_are_told_apart(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> None:
        with pytest.raises(EndpointUnknown):
            await router.invoke("other", Invocation(b"1"))
        with pytest.raises(VariantUnknown):
            await invoke(router, target_variant="other")
        assert (await invoke(router, target_variant="v")).variant.name == "v"

    among(folder, {"a": answers_ok}, use)


def test_a_server_that_nobody_can_reach_is_passed_over(folder: Path) -> None:
    table = route_to(folder / "absent", folder / "a")

    async def use(router: Router, met: dict[str, int]) -> None:
        other = Router(table, router.loop)
        for _ in range(20):
            assert (await invoke(other)).instance.id == "i-1"
        other.close()

    among(folder, {"a": answers_ok}, use)


def test_a_request_whose_server_went_away_is_tried_once_more_elsewhere(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> None:
        for _ in range(20):
            assert (await invoke(router)).answer.body == b"ok"

    among(folder, {"a": closes_at_once, "b": answers_ok}, use)


def test_a_request_that_ends_every_server_gets_no_third_try(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> int:
        with pytest.raises(ServerGone):
            await invoke(router)
        return sum(met.values())

    servers = dict.fromkeys("abcd", closes_at_once)
    assert among(folder, servers, use) == 2


def test_a_half_answer_is_never_tried_again(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> int:
        with pytest.raises(ServerGone):
            await invoke(router)
        return sum(met.values())

    assert among(folder, {"a": closes_half_way, "b": closes_half_way}, use) == 1


def test_an_answer_that_is_not_http_fails_the_request(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> None:
        with pytest.raises(ServerGone):
            await invoke(router)

    among(folder, {"a": talks_nonsense}, use)


def test_no_answer_in_time_is_told_with_its_variant_and_instance(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> InvocationTimedOut:
        with pytest.raises(InvocationTimedOut) as caught:
            await invoke(router)
        return caught.value

    error = among(folder, {"a": never_answers}, use, timeout=0.1)
    assert (error.variant.name, error.instance.id) == ("v", "i-0")


def test_the_answer_to_a_cancelled_request_is_not_given_to_the_next(folder: Path) -> None:
    async def slow_then_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            body = (await read_request(reader)).rpartition(b"\r\n\r\n")[2]
            await asyncio.sleep(0.1 if body == b"slow" else 0)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async def use(router: Router, met: dict[str, int]) -> bytes:
        task = asyncio.ensure_future(router.invoke("e", Invocation(b"slow")))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        answers = [await router.invoke("e", Invocation(b"%d" % n)) for n in range(5)]
        await asyncio.sleep(0.15)
        answers.append(await router.invoke("e", Invocation(b"5")))
        return b"".join(x.answer.body for x in answers)

    assert among(folder, {"a": slow_then_echo}, use) == b"012345"


def test_the_least_busy_instance_is_chosen(folder: Path) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            await asyncio.sleep(0.2)
            writer.write(OK)

    async def use(router: Router, met: dict[str, int]) -> Counter[str]:
        answers = await asyncio.gather(*(invoke(router) for _ in range(12)))
        return Counter(x.instance.id for x in answers)

    assert among(folder, {"a": slow, "b": slow, "c": slow}, use) == {
        "i-0": 4,
        "i-1": 4,
        "i-2": 4,
    }


def test_variants_get_their_share_of_the_traffic(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> Counter[str]:
        table = RoutingTable()
        variants = tuple(
            VariantRoute(name, weight, (InstanceRoute(name, folder / "a"),), "g", "s")
            for name, weight in (("large", 3.0), ("small", 1.0), ("none", 0.0))
        )
        table.put(EndpointRoute("e", (FleetRoute("c", 1.0, variants),)))
        weighted = Router(table, router.loop)
        chosen = Counter([(await invoke(weighted)).variant.name for _ in range(2000)])
        weighted.close()
        return chosen

    chosen = among(folder, {"a": answers_ok}, use)
    assert 1380 < chosen["large"] < 1620  # 1500 within six standard deviations
    assert chosen["none"] == 0


def test_a_request_waits_for_a_server_that_is_being_restarted(folder: Path) -> None:
    async def use(router: Router, met: dict[str, int]) -> bytes:
        table = route_to()
        waiting = Router(table, router.loop)
        task = asyncio.ensure_future(invoke(waiting))
        await asyncio.sleep(0.1)
        assert not task.done()
        route_to(folder / "a", table=table)
        answer = (await task).answer.body
        waiting.close()
        return answer

    assert among(folder, {"a": answers_ok}, use) == b"ok"


def test_a_request_does_not_wait_for_ever() -> None:
    table = RoutingTable()
    variant = VariantRoute("v", 1.0, (), "g", "s", patience_seconds=0.1)
    table.put(EndpointRoute("e", (FleetRoute("c", 1.0, (variant,)),)))
    with pytest.raises(NoServer):
        ask(table, b"1")


def test_a_table_has_one_router_a_loop() -> None:
    table = route_to()

    async def routers() -> tuple[Router, Router]:
        return router_of(table), router_of(table)

    first, again = asyncio.run(routers())
    other, _ = asyncio.run(routers())
    assert first is again
    assert other is not first


def test_a_killed_server_costs_no_request_when_there_is_another(
    servers: Callable[..., ServerProcess], xgboost_root: tuple[Path, Any, Any]
) -> None:
    root, booster, rows = xgboost_root
    both = [servers("xgboost", root), servers("xgboost", root)]
    table = route_to(*(server.wait_ready().socket for server in both))
    body = ",".join(repr(float(x)) for x in rows[0]).encode()

    async def use(router: Router) -> list[bytes]:
        async def client() -> list[bytes]:
            answers = [await router.invoke("e", Invocation(body, "text/csv")) for _ in range(60)]
            return [x.answer.body for x in answers]

        clients = [asyncio.ensure_future(client()) for _ in range(8)]
        await asyncio.sleep(0.05)
        both[0].process.send_signal(signal.SIGKILL)
        return [body for bodies in await asyncio.gather(*clients) for body in bodies]

    bodies = with_router(table, use)
    assert len(bodies) == 480
    assert len(set(bodies)) == 1
    assert float(bodies[0]) == pytest.approx(float(booster.inplace_predict(rows[:1])[0]), rel=1e-6)


def test_a_draining_server_loses_no_request_when_the_route_moved_on(
    servers: Callable[..., ServerProcess], xgboost_root: tuple[Path, Any, Any]
) -> None:
    root, _, rows = xgboost_root
    old, new = (servers("xgboost", root).wait_ready() for _ in range(2))
    table = route_to(old.socket)
    body = ",".join(repr(float(x)) for x in rows[0]).encode()
    statuses: list[int] = []

    async def use(router: Router) -> list[int]:
        async def client() -> list[int]:
            return [
                (await router.invoke("e", Invocation(body, "text/csv"))).answer.status
                for _ in range(60)
            ]

        clients = [asyncio.ensure_future(client()) for _ in range(8)]
        await asyncio.sleep(0.05)
        route_to(new.socket, table=table)
        old.process.send_signal(signal.SIGTERM)
        return [status for found in await asyncio.gather(*clients) for status in found]

    worker = threading.Thread(target=lambda: statuses.extend(with_router(table, use)))
    started = time.monotonic()
    worker.start()
    worker.join(60)
    assert time.monotonic() - started < 60
    assert statuses == [200] * 480
    assert old.process.wait(30) == 0
