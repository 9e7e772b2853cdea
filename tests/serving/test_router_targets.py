"""Fleets, targets, limits, shadows and captures: where requests go, and what is said of them."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.errors import ValidationError
from bottega.serving import choice, shadows
from bottega.serving.answers import plain_answer
from bottega.serving.choice import choose_variant
from bottega.serving.router import (
    Invocation,
    NoServer,
    Overloaded,
    Router,
    TargetUnfit,
    TooMany,
    VariantUnknown,
)
from bottega.serving.routing import (
    CaptureSettings,
    EndpointRoute,
    FleetRoute,
    InstanceRoute,
    RoutingTable,
    ShadowRoute,
    VariantRoute,
)

Use = Callable[[Router], Awaitable[Any]]


class Servers:
    """Model servers at one socket each, and the bodies that they were sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.met: dict[str, list[bytes]] = {}
        self.heads: list[bytes] = []
        self.go_on = asyncio.Event()
        self.missing: set[str] = set()

    def instance(self, name: str) -> InstanceRoute:
        self.met.setdefault(name, [])
        return InstanceRoute(name, self.folder / name)

    async def meet(
        self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split()[0])
                body = await reader.readexactly(size)
                self.heads.append(head)
                self.met[name].append(body)
                if body == b"slow":
                    await self.go_on.wait()
                status = b"200 OK"
                if name in self.missing:
                    status = b"404 Not Found\r\nx-bottega-model-missing: 1"
                elif body == b"unknown":
                    status = b"404 Not Found"
                writer.write(b"HTTP/1.1 %b\r\ncontent-length: 1\r\n\r\nx" % status)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def run(self, table: RoutingTable, use: Use) -> Any:
        """Run ``use`` with a router before these servers."""

        async def run() -> Any:
            self.go_on = asyncio.Event()
            listening = [
                await asyncio.start_unix_server(
                    lambda r, w, name=name: self.meet(name, r, w), str(self.folder / name)
                )
                for name in self.met
            ]
            router = Router(table, asyncio.get_running_loop())
            try:
                return await use(router)
            finally:
                self.go_on.set()
                await asyncio.sleep(0.02)
                router.close()
                for server in listening:
                    server.close()
                await asyncio.sleep(0.02)  # for the transports to be closed

        return asyncio.run(run())


@pytest.fixture
def servers() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        yield Servers(Path(folder))


def variant(name: str, *instances: InstanceRoute, weight: float = 1.0, **more: Any) -> VariantRoute:
    more = {"patience_seconds": 0.1, **more}
    return VariantRoute(name, weight, instances, "g", "s", **more)


def table_of(*fleets: FleetRoute, **more: Any) -> RoutingTable:
    table = RoutingTable()
    table.put(EndpointRoute("e", fleets, **more))
    return table


def one(*variants: VariantRoute, **more: Any) -> RoutingTable:
    return table_of(FleetRoute("c", 1.0, variants), **more)


def fleets(*shares: float) -> EndpointRoute:
    made = [
        FleetRoute(f"c{index}", share, (variant("a"), variant("b", weight=0.0)))
        for index, share in enumerate(shares)
    ]
    return EndpointRoute("e", tuple(made))


def test_fleets_get_their_shares_and_a_weight_of_nothing_gets_nothing() -> None:
    route = fleets(0.9, 0.1)
    chosen = Counter(
        (fleet.config_name, found.name)
        for fleet, found in (choose_variant(route, "", None) for _ in range(4000))
    )
    assert 3480 < chosen["c0", "a"] < 3720  # 3600 within six standard deviations
    assert chosen["c1", "a"] == 4000 - chosen["c0", "a"]


def test_a_fleet_that_is_down_is_passed_over(servers: Servers) -> None:
    up = servers.instance("up")
    table = table_of(
        FleetRoute("old", 0.5, (variant("v", up, patience_seconds=30.0),)),
        FleetRoute("new", 0.5, (variant("v", patience_seconds=30.0),)),
    )

    async def use(router: Router) -> list[str]:
        invoked = [await router.invoke("e", Invocation(b"x")) for _ in range(40)]
        return [one.instance.id for one in invoked]

    assert servers.run(table, use) == ["up"] * 40


def test_fleets_of_one_name_are_waited_for(servers: Servers) -> None:
    up = servers.instance("up")
    table = table_of(
        FleetRoute("c", 0.5, (variant("v"),)), FleetRoute("c", 0.5, (variant("v", up),))
    )

    async def use(router: Router) -> None:
        for _ in range(20):
            with contextlib.suppress(NoServer):
                await router.invoke("e", Invocation(b"x"))

    servers.run(table, use)


def test_weights_of_nothing_everywhere_are_all_alike() -> None:
    route = EndpointRoute(
        "e", (FleetRoute("c", 1.0, (variant("a", weight=0.0), variant("b", weight=0.0))),)
    )
    names = Counter(choose_variant(route, "", None)[1].name for _ in range(1000))
    assert 400 < names["a"] < 600


def test_a_target_variant_is_found_in_every_fleet_by_its_share() -> None:
    route = fleets(0.5, 0.5)
    chosen = [choose_variant(route, "b", None) for _ in range(1000)]
    assert {found.name for _, found in chosen} == {"b"}
    assert 400 < sum(fleet.config_name == "c0" for fleet, _ in chosen) < 600
    with pytest.raises(VariantUnknown):
        choose_variant(route, "z", None)


@given(shares=st.lists(st.floats(0, 1), min_size=1, max_size=3), target=st.sampled_from(["", "b"]))
@settings(max_examples=50)
def test_a_choice_is_kept_while_it_is_there(shares: list[float], target: str) -> None:
    route = fleets(*shares)
    fleet, found = choose_variant(route, target, None)
    chosen = (fleet.config_name, found.name)
    for _ in range(5):
        assert choose_variant(route, target, chosen) == (fleet, found)
    assert choose_variant(fleets(1.0), target, ("gone", "v"))[0].config_name == "c0"


def test_a_server_has_no_more_than_it_may_have(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "MOST_OUTSTANDING", 3)
    table = one(variant("v", servers.instance("a")))

    async def use(router: Router) -> None:
        tasks = [asyncio.ensure_future(router.invoke("e", Invocation(b"slow"))) for _ in range(3)]
        while len(servers.met["a"]) < 3:
            await asyncio.sleep(0.005)
        with pytest.raises(Overloaded):
            await router.invoke("e", Invocation(b"1"))
        outcomes: list[object] = []
        assert router.submit("e", Invocation(b"1"), 0.0, outcomes.append)
        assert not outcomes  # never from within the call
        await asyncio.sleep(0)
        assert isinstance(outcomes[0], Overloaded)
        servers.go_on.set()
        await asyncio.gather(*tasks)
        assert (await router.invoke("e", Invocation(b"1"))).answer.status == 200
        assert not table.load.outstanding("a")
        assert not table.load.concurrent("e", "v")

    servers.run(table, use)
    (tally,) = table.traffic.last("e", 60).values()
    assert (tally.requests, tally.errors_5xx) == (6, 2)


def test_more_at_once_than_connections_are_kept_are_all_answered(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bottega.serving.model_client._MAX_IDLE", 2)
    table = one(variant("v", servers.instance("a")))

    async def use(router: Router) -> None:
        for _ in range(3):
            answers = [router.invoke("e", Invocation(b"1")) for _ in range(10)]
            async with asyncio.timeout(20):
                found = await asyncio.gather(*answers)
            assert [x.answer.status for x in found] == [200] * 10
        outcomes: list[Any] = []
        for _ in range(10):
            assert router.submit("e", Invocation(b"1"), 0.0, outcomes.append)
        async with asyncio.timeout(20):
            while len(outcomes) < 10:
                await asyncio.sleep(0.005)

    servers.run(table, use)


def test_a_serverless_variant_has_no_more_than_its_concurrency(servers: Servers) -> None:
    table = one(variant("v", servers.instance("a"), concurrency=1))

    async def use(router: Router) -> None:
        task = asyncio.ensure_future(router.invoke("e", Invocation(b"slow")))
        while not servers.met["a"]:
            await asyncio.sleep(0.005)
        with pytest.raises(TooMany):
            await router.invoke("e", Invocation(b"1"))
        servers.go_on.set()
        await task
        await router.invoke("e", Invocation(b"1"))

    servers.run(table, use)


def test_a_request_asks_for_a_server_on_demand_and_waits_for_it(servers: Servers) -> None:
    table = one(variant("v", on_demand=True, patience_seconds=10.0))
    asked: list[str] = []
    served = variant("v", servers.instance("a"), on_demand=True)
    table.on_demand(asked.append)

    async def use(router: Router) -> None:
        tasks = [asyncio.ensure_future(router.invoke("e", Invocation(b"1"))) for _ in range(3)]
        while len(asked) < 3:
            await asyncio.sleep(0.005)
        assert table.load.waiting("e", "v") == 3
        assert table.load.concurrent("e", "v") == 3
        table.put(EndpointRoute("e", (FleetRoute("c", 1.0, (served,)),)))
        await asyncio.gather(*tasks)

    servers.run(table, use)
    assert asked == ["e"] * 3
    assert not table.load.waiting("e", "v")


def test_too_many_do_not_wait(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bottega.serving.router._MOST_WAITING", 1)
    table = one(variant("v", patience_seconds=0.2))

    async def use(router: Router) -> None:
        task = asyncio.ensure_future(router.invoke("e", Invocation(b"1")))
        while not table.load.waiting("e", "v"):
            await asyncio.sleep(0.005)
        with pytest.raises(Overloaded):
            await router.invoke("e", Invocation(b"1"))
        with pytest.raises(NoServer):
            await task

    servers.run(table, use)


@pytest.mark.parametrize(
    ("target", "more"),
    [
        ({"target_model": "m"}, {}),
        ({}, {"multi_model": True}),
        ({"target_container": "a"}, {}),
        ({"target_container": "b"}, {"containers": ("a",)}),
        ({}, {"containers": ("a",)}),
    ],
)
def test_targets_must_fit(servers: Servers, target: dict[str, str], more: dict[str, Any]) -> None:
    table = one(variant("v", servers.instance("a"), **more))

    async def use(router: Router) -> None:
        with pytest.raises(TargetUnfit):
            await router.invoke("e", Invocation(b"1", **target))

    servers.run(table, use)
    assert servers.met == {"a": []}


def test_a_model_is_brought_before_its_first_request_and_when_it_is_missing(
    servers: Servers,
) -> None:
    table = one(variant("v", servers.instance("a"), multi_model=True))
    brought: list[tuple[str, ...]] = []

    async def fetch(*which: str) -> None:
        if which[3] == "absent":
            raise ValidationError("there is no such model")
        brought.append(which)
        servers.missing.clear()

    table.fetch_model = fetch

    async def use(router: Router) -> None:
        for _ in range(3):
            await router.invoke("e", Invocation(b"1", target_model="m.tar.gz"))
        assert brought == [("e", "v", "a", "m.tar.gz")]
        assert b"x-amzn-sagemaker-target-model: m.tar.gz\r\n" in servers.heads[0]
        servers.missing.add("a")
        answer = await router.invoke("e", Invocation(b"1", target_model="m.tar.gz"))
        assert answer.answer.status == 200
        assert len(brought) == 2
        servers.missing.add("a")
        streamed = await router.stream("e", Invocation(b"1", target_model="m.tar.gz"))
        assert (streamed.head.status, await streamed.body.rest(9)) == (200, b"x")
        assert b"x-bottega-stream: 1\r\n" in servers.heads[-1]
        assert len(brought) == 3
        answer = await router.invoke("e", Invocation(b"unknown", target_model="m.tar.gz"))
        assert answer.answer.status == 404  # the model's own word
        assert len(brought) == 3
        with pytest.raises(ValidationError):
            await router.invoke("e", Invocation(b"1", target_model="absent"))
        assert not table.load.outstanding("a")
        assert not table.load.concurrent("e", "v")

    servers.run(table, use)


def test_a_shadow_gets_copies_and_is_counted_by_itself(servers: Servers) -> None:
    shadow = ShadowRoute(variant("s", servers.instance("shadow")), 1.0)
    table = one(variant("v", servers.instance("a")), shadow=shadow)

    async def use(router: Router) -> None:
        for number in range(5):
            await router.invoke("e", Invocation(b"%d" % number))
        while len(servers.met["shadow"]) < 5 or table.load.outstanding("shadow"):
            await asyncio.sleep(0.005)

    servers.run(table, use)
    assert sorted(servers.met["shadow"]) == sorted(servers.met["a"])
    counted = table.traffic.last("e", 60)
    assert {name: tally.requests for name, tally in counted.items()} == {"v": 5, "s": 5}


def test_a_shadow_that_hangs_or_is_down_costs_nobody_anything(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadows, "MOST_COPIES", 2)
    down = InstanceRoute("down", servers.folder / "nobody")
    shadow = ShadowRoute(variant("s", down), 1.0)
    table = one(variant("v", servers.instance("a")), shadow=shadow)

    async def use(router: Router) -> None:
        for _ in range(10):
            assert (await router.invoke("e", Invocation(b"1"))).answer.status == 200
        while table.load.outstanding("down"):
            await asyncio.sleep(0.005)

    servers.run(table, use)
    assert table.traffic.last("e", 60)["v"].errors_5xx == 0
    assert table.traffic.last("e", 60)["s"].errors_5xx > 0


class Captures:
    """What the router hands over to be kept."""

    def __init__(self) -> None:
        self.kept: list[tuple[Any, ...]] = []

    def record(self, *what: Any) -> None:
        self.kept.append(what)


@pytest.mark.parametrize(("share", "count"), [(1.0, 4), (0.0, 0)])
def test_the_sample_is_captured_for_production_and_shadow(
    servers: Servers, share: float, count: int
) -> None:
    shadow = ShadowRoute(variant("s", servers.instance("shadow")), 1.0)
    modes = frozenset({"Input", "Output"})
    settings = CaptureSettings("s3://b/p", share, modes, frozenset(), frozenset())
    table = one(variant("v", servers.instance("a")), shadow=shadow, capture=settings)
    table.capture = captures = Captures()  # type: ignore[assignment]

    async def use(router: Router) -> None:
        for _ in range(2):
            await router.invoke("e", Invocation(b"1", inference_id="id"))
        while len(servers.met["shadow"]) < 2 or table.load.outstanding("shadow"):
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.01)

    servers.run(table, use)
    assert len(captures.kept) == count
    if count:
        assert Counter(kept[1] for kept in captures.kept) == {"v": 2, "s": 2}
        endpoint, _, found, invocation, status, kind, body, inference_id = captures.kept[0]
        assert (endpoint, found, invocation.body) == ("e", settings, b"1")
        assert (status, kind, body, inference_id) == (200, "", b"x", "id")


@given(
    body=st.binary(max_size=20),
    status=st.integers(100, 599),
    kind=st.sampled_from([b"", b"text/csv", b" padded", b"a: b"]),
    cut=st.integers(-3, 3),
    extra=st.sampled_from([b"", b"connection: close\r\n", b"transfer-encoding: chunked\r\n"]),
)
@settings(max_examples=100)
def test_only_a_plain_answer_is_read_without_a_parser(
    body: bytes, status: int, kind: bytes, cut: int, extra: bytes
) -> None:
    head = b"HTTP/1.1 %d Any\r\n" % status + (b"content-type: %b\r\n" % kind if kind else b"")
    data = head + extra + b"content-length: %d\r\n\r\n" % len(body) + body
    data = data[:cut] if cut < 0 else data + b"x" * cut
    plain = plain_answer(data)
    found = plain[0] if plain is not None and plain[1] == len(data) else None
    plain = status >= 200 and status not in (204, 304) and kind != b" padded"
    assert (found is not None) == (plain and not cut and not extra)
    if found is not None:
        assert (found.status, found.body, found.content_type) == (status, body, kind.decode())
