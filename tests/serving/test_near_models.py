"""The router answers small requests itself with what a model server left beside its socket."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from bottega.algorithms.kernel_cache import KernelCache
from bottega.serving.invocation import Invocation, Invoked
from bottega.serving.near_models import NotYet, load
from bottega.serving.router import Router
from bottega.serving.routing import EndpointRoute, FleetRoute, InstanceRoute, RoutingTable
from bottega.serving.sockets import near_path
from bottega.testing.daemon import eventually
from bottega.testing.model_servers import ServerProcess, route_to, with_router


@pytest.fixture(autouse=True)
def _kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of compiled kernels that counts as complete: what it lacks is compiled on the way."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)  # is put back
    folder = KernelCache().folder
    folder.mkdir(parents=True)
    (folder / "complete").touch()


@pytest.fixture
def server(
    servers: Callable[..., ServerProcess], xgboost_root: tuple[Path, Any, np.ndarray]
) -> ServerProcess:
    """One whose model is compiled."""
    started = servers("xgboost", xgboost_root[0]).wait_ready()
    eventually(near_path(started.socket).exists, "the model is compiled")
    return started


def table_of(server: ServerProcess) -> RoutingTable:
    """A route as a built-in algorithm's is."""
    table = route_to(server.socket)
    route = table.get("e")
    assert route is not None
    fleet = route.fleets[0]
    variant = replace(fleet.variants[0], pipelined=True)
    table.put(EndpointRoute("e", (FleetRoute("c", 1.0, (variant,)),)))
    return table


async def submit(router: Router, invocation: Invocation) -> Invoked:
    done: asyncio.Future[Any] = router.loop.create_future()
    assert router.submit("e", invocation, time.perf_counter(), done.set_result)
    found = await done
    assert isinstance(found, Invoked), found
    return found


async def without_the_server(server: ServerProcess, router: Router, body: bytes) -> Invoked:
    """Ask until the router answers alone: the server is stopped, so that nobody else can."""
    first = await submit(router, Invocation(body, "text/csv"))  # it begins to look
    await until(lambda: router.near.knows(first.instance), "something is found")
    server.process.send_signal(signal.SIGSTOP)
    try:
        return await submit(router, Invocation(body, "text/csv", custom_attributes="trace=1"))
    finally:
        server.process.send_signal(signal.SIGCONT)


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"not yet: {what}"
        await asyncio.sleep(0.02)


def test_the_answer_is_the_servers(
    server: ServerProcess, xgboost_root: tuple[Path, Any, np.ndarray]
):
    _, booster, rows = xgboost_root
    body = ",".join(map(repr, map(float, rows[0]))).encode()
    table = table_of(server)

    async def use(router: Router) -> tuple[Invoked, Invoked]:
        first = await submit(router, Invocation(body, "text/csv"))
        return first, await without_the_server(server, router, body)

    by_server, by_router = with_router(table, use)
    assert by_router.answer.body == by_server.answer.body
    assert float(by_router.answer.body) == booster.inplace_predict(rows[:1])[0]
    assert by_router.answer.content_type == by_server.answer.content_type
    assert by_router.answer.custom_attributes == "trace=1"
    assert by_router.instance == by_server.instance
    assert table.load.outstanding("i-0") == table.load.concurrent("e", "v") == 0
    tally = table.traffic.last("e", 60)["v"]
    assert tally.requests == sum(tally.latencies.values()) == 3


def test_what_it_cannot_answer_the_server_does(server: ServerProcess):
    many = b"1,2,3,4,5,6\n" * 900

    async def use(router: Router) -> list[Invoked]:
        await without_the_server(server, router, b"1,2,3,4,5,6")
        wrong = await submit(router, Invocation(b"1,2", "text/csv"))
        return [wrong, await submit(router, Invocation(many, "text/csv"))]

    wrong, all_of_them = with_router(table_of(server), use)
    assert wrong.answer.status == 400
    assert len(all_of_them.answer.body.split()) == 900


def test_what_is_answered_here_says_nothing_of_the_server(server: ServerProcess):
    """How fast it answers tells how many may wait for it."""
    table = table_of(server)

    async def use(router: Router) -> None:
        await without_the_server(server, router, b"1,2,3,4,5,6")
        await asyncio.sleep(2)
        for _ in range(50):
            await submit(router, Invocation(b"1,2,3,4,5,6", "text/csv"))
        await asyncio.sleep(1)
        assert table.load.rate("i-0") == 0

    with_router(table, use)


def test_what_left_the_routes_is_forgotten(server: ServerProcess):
    table = table_of(server)

    async def use(router: Router) -> None:
        await without_the_server(server, router, b"1,2,3,4,5,6")
        instance = InstanceRoute("i-0", server.socket)
        assert router.near.knows(instance)
        table.remove("e")
        for number in range(200):
            router.near.answer(InstanceRoute(f"x-{number}", server.socket), Invocation(b""))
        assert not router.near.knows(instance)

    with_router(table, use)


def test_no_thread_to_look_fails_no_request(server: ServerProcess):
    table = table_of(server)

    async def use(router: Router) -> Invoked:
        await router.loop.shutdown_default_executor()
        return await submit(router, Invocation(b"1,2,3,4,5,6", "text/csv"))

    assert with_router(table, use).answer.status == 200
    assert table.load.outstanding("i-0") == table.load.concurrent("e", "v") == 0


def test_a_server_that_starts_anew_leaves_nothing_of_the_one_before(
    servers: Callable[..., ServerProcess], xgboost_root: tuple[Path, Any, np.ndarray]
):
    server = servers("xgboost", xgboost_root[0])
    near_path(server.socket).write_bytes(b"stale")
    server.wait_ready()
    near = near_path(server.socket)
    eventually(lambda: near.exists() and near.stat().st_size > 5, "it is replaced")
    assert near.read_bytes().startswith(b"xgboost\n")


def test_nothing_is_there_yet(tmp_path: Path):
    with pytest.raises(NotYet):
        load(tmp_path / "near")


def test_kernels_that_are_not_compiled_are_waited_for(server: ServerProcess):
    (KernelCache().folder / "complete").unlink()
    with pytest.raises(NotYet):
        load(near_path(server.socket))


def test_a_server_can_say_that_there_is_nothing(
    servers: Callable[..., ServerProcess], xgboost_root: tuple[Path, Any, np.ndarray]
):
    started = servers("xgboost", xgboost_root[0], SAGEMAKER_MAX_PAYLOAD_IN_MB="0.001")
    near = near_path(started.wait_ready().socket)
    eventually(near.exists, "it says so")
    assert load(near) is None


def test_a_file_without_end_is_refused(tmp_path: Path):
    with (tmp_path / "near").open("wb") as file:
        file.truncate(1 << 40)  # it takes no room
    with pytest.raises(ValueError, match="has more than"):
        load(tmp_path / "near")


@pytest.mark.parametrize("content", [b"\n", b"xgboost\n", b"pickle\n123", b"\xff\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes):
    (tmp_path / "near").write_bytes(content)
    with pytest.raises(ValueError):  # noqa: PT011
        load(tmp_path / "near")


def test_links_and_pipes_are_refused(tmp_path: Path):
    (tmp_path / "secret").write_bytes(b"xgboost\n")
    (tmp_path / "near").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic"):
        load(tmp_path / "near")
    (tmp_path / "near").unlink()
    os.mkfifo(tmp_path / "near")
    with pytest.raises(ValueError, match="is no file"):
        load(tmp_path / "near")


def test_a_damaged_file_leaves_all_to_the_server(
    server: ServerProcess, caplog: pytest.LogCaptureFixture
):
    near_path(server.socket).write_bytes(b"xgboost\ndamaged")

    async def use(router: Router) -> Invoked:
        await submit(router, Invocation(b"1,2,3,4,5,6", "text/csv"))
        await until(lambda: "left nothing to predict with" in caplog.text, "it was looked at")
        return await submit(router, Invocation(b"1,2,3,4,5,6", "text/csv"))

    assert with_router(table_of(server), use).answer.status == 200
