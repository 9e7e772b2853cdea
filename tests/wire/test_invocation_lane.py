"""The lane for invocations and the ordinary way say the same, byte for byte, of every request."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
import uvicorn

from bottega.clock import SystemClock
from bottega.daemon.listener import Listener, build_app, server_settings
from bottega.features.hosting import invocations
from bottega.registry import Registry
from bottega.serving.routing import (
    EndpointRoute,
    FleetRoute,
    InstanceRoute,
    RoutingTable,
    VariantRoute,
    component_route,
)
from bottega.wire.core import Wire

GONE = "the-model-server-closes-the-connection"


async def model(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A model server that answers with what it got, or as badly as the body wants it."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(
                int(head.lower().split(b"content-length: ")[1].split()[0])
            )
            if body == GONE.encode():
                break
            if body == b"slow":
                await asyncio.sleep(0.2)
            status, kind = b"200 OK", b"content-type: text/csv\r\n"
            if body.startswith(b"status "):
                status = body.removeprefix(b"status ")
            if body == b"untyped":
                kind = b""
            if body == b"custom":
                kind += b"X-Amzn-SageMaker-Custom-Attributes: from=model\r\n"
            if body == b"chunked":
                writer.write(
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                )
                continue
            answer = head.split(b"\r\n\r\n")[0] + b"\n" + body if body == b"echo" else body
            length = b"content-length: %d\r\n\r\n" % len(answer)
            writer.write(b"HTTP/1.1 " + status + b"\r\n" + kind + length + answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


@dataclass
class Bench:
    """The listener on a socket, with a model behind it."""

    port: int
    listener: Listener
    keys: Any
    routes: RoutingTable
    by_lane: list[bool] = field(default_factory=list)
    """What the lane said to each request that it was given."""

    def signed(
        self,
        body: bytes = b"1,2",
        *,
        path: str = "/endpoints/e/invocations",
        headers: Mapping[str, str] | None = None,
        secret: str = "",
        service: str = "sagemaker",
        region: str = "us-east-1",
    ) -> bytes:
        """The bytes of a request that botocore signed."""
        host = f"127.0.0.1:{self.port}"
        plain = {"Host": host, "Content-Type": "text/csv", **(headers or {})}
        request = botocore.awsrequest.AWSRequest(
            "POST", f"http://{host}{path}", headers=plain, data=body
        )
        keys = botocore.credentials.Credentials(
            self.keys.access_key, secret or self.keys.secret_key
        )
        botocore.auth.SigV4Auth(keys, service, region).add_auth(request)
        lines = [f"POST {path} HTTP/1.1", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, *pieces: bytes, answers: int = 1) -> list[bytes]:
        """Send pieces of bytes; the answers, without what differs from time to time."""
        with closing(self.connect()) as connection:
            for piece in pieces:
                connection.sendall(piece)
                if len(pieces) > 1:
                    time.sleep(0.02)
            return read_answers(connection, answers)

    def both(self, *pieces: bytes, answers: int = 1) -> tuple[list[bytes], list[bytes]]:
        """The same by the lane and by the ordinary way."""
        by_lane = self.ask(*pieces, answers=answers)
        self.listener.lane.open = False
        try:
            return by_lane, self.ask(*pieces, answers=answers)
        finally:
            self.listener.lane.open = True


_CHANGING = re.compile(rb"(?m)^(date|x-amzn-requestid): .*\r\n")


def read_answers(connection: socket.socket, count: int) -> list[bytes]:
    said, found = b"", []
    while len(found) < count:
        end = said.find(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", said[:end]) if end >= 0 else None
        whole = end + 4 + int(length[1]) if length else end + 4
        if end < 0 or len(said) < whole:
            chunk = connection.recv(65536)
            if not chunk:
                return [*found, _CHANGING.sub(b"", said)]
            said += chunk
            continue
        found.append(_CHANGING.sub(b"", said[:whole]))
        said = said[whole:]
    return found


def route(name: str, *sockets: Path, **more: Any) -> EndpointRoute:
    instances = tuple(InstanceRoute(f"i-{index}", path) for index, path in enumerate(sockets))
    more = {"patience_seconds": 0.1, **more}
    endpoint = {"asynchronous": more.pop("asynchronous", False)}
    variant = VariantRoute("v", 1.0, instances, "/aws/sagemaker/Endpoints/e", "v/i-0", **more)
    return EndpointRoute(name, (FleetRoute("c", 1.0, (variant,)),), **endpoint)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, bench_maker: Any) -> Iterator[Bench]:
    made = bench_maker(tmp_path_factory.mktemp("lane"), SystemClock())
    table: RoutingTable = made.ports.routes
    wire = Wire(Registry.from_modules([invocations]), made.ports, made.objects)
    listener = build_app(wire, mounts={}, config=made.ports.config)
    server = uvicorn.Server(uvicorn.Config(listener, **server_settings(made.ports.config)))
    path = Path(tmp_path_factory.getbasetemp()) / "m"
    ready = threading.Event()
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve_model() -> None:
        loops.append(asyncio.get_running_loop())
        async with await asyncio.start_unix_server(model, str(path)):
            ready.set()
            await stop.wait()

    threads = [
        threading.Thread(target=asyncio.run, args=(serve_model(),), daemon=True),
        threading.Thread(target=server.run, daemon=True),
    ]
    for thread in threads:
        thread.start()
    assert ready.wait(20)
    while not server.started:
        time.sleep(0.01)
    table.put(route("e", path))
    table.put(route("down"))
    table.put(route("cold", on_demand=True))
    table.put(route("async", path, asynchronous=True))
    table.put(route("full", path, concurrency=0))
    table.put(route("hurried", path, timeout_seconds=0.05))
    table.put(route("many", path, multi_model=True))
    table.put(route("direct", path, containers=("a", "b")))
    table.put(EndpointRoute("host", (), hosts=("v",)))
    for name, asleep in (("c", False), ("sleeper", True)):
        component = route(component_route(name), path)
        table.put(replace(component, endpoint="host", asleep=asleep))
    port = server.servers[0].sockets[0].getsockname()[1]
    found = Bench(port, listener, made.ports.credentials, table)
    submit = listener.lane.submit

    def noted(*arguments: Any) -> bool:
        found.by_lane.append(submit(*arguments))
        return found.by_lane[-1]

    listener.lane.submit = noted  # type: ignore[method-assign]
    yield found
    server.should_exit = True
    threads[1].join(30)
    loops[0].call_soon_threadsafe(stop.set)
    threads[0].join(10)
    made.ports.store.close()


def changed(old: bytes, new: bytes) -> Callable[[Bench], bytes]:
    """A signed request with something else in place of something."""
    return lambda bench: bench.signed().replace(old, new, 1)


def to(endpoint: str, body: bytes = b"1", **headers: str) -> Callable[[Bench], bytes]:
    """A good request to an endpoint."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda bench: bench.signed(
        body, path=f"/endpoints/{endpoint}/invocations", headers=names
    )


ANSWERED: Mapping[str, tuple[int, Callable[[Bench], bytes]]] = {
    "good": (200, to("e")),
    "all the headers": (200, to("e", b"echo", Accept="a/b; c=1", Content_Type="x/y")),
    "empty body": (200, to("e", b"")),
    "custom attributes": (200, to("e", b"custom", X_Amzn_SageMaker_Custom_Attributes="a=b c")),
    "no type in the answer": (200, to("e", b"untyped")),
    "chunked answer": (200, to("e", b"chunked")),
    "own variant": (200, to("e", X_Amzn_SageMaker_Target_Variant="v")),
    "inference id": (200, to("e", X_Amzn_SageMaker_Inference_Id="id-1")),
    "one of many models": (200, to("many", b"echo", X_Amzn_SageMaker_Target_Model="m.tar.gz")),
    "one container": (200, to("direct", b"echo", X_Amzn_SageMaker_Target_Container_Hostname="b")),
    "an inference component": (200, to("host", b"echo", X_Amzn_SageMaker_Inference_Component="c")),
    "the model refuses": (424, to("e", b"status 400 Bad Request")),
    "the model fails": (424, to("e", b"status 500 Oh")),
    "the model goes away": (424, to("e", GONE.encode())),
    "the model is too slow": (424, to("hurried", b"slow")),
    "as many as it may have": (429, to("full")),
}
"""Requests that the lane answers itself."""

LEFT: Mapping[str, tuple[int, Callable[[Bench], bytes]]] = {
    "wrong secret": (403, lambda bench: bench.signed(secret="x" * 40)),
    "wrong region": (403, lambda bench: bench.signed(region="eu-west-1")),
    "wrong service": (404, lambda bench: bench.signed(service="sagemakr")),
    "changed body": (403, changed(b"\r\n\r\n1,2", b"\r\n\r\n1,3")),
    "changed header": (403, changed(b"X-Amz-Date: 2", b"X-Amz-Date: 3")),
    "changed path": (403, changed(b"/e/", b"/e2/")),
    "unsigned": (403, lambda bench: b"POST /endpoints/e/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 b"Content-Length: 1\r\n\r\n1"),
    "another host": (421, changed(b"Host: 127.0.0.1", b"Host: example.org")),
    "no host": (400, changed(b"Host: ", b"Hosts: ")),
    "unknown endpoint": (400, to("nowhere")),
    "not a name": (400, to("-e-")),
    "unknown variant": (400, to("e", X_Amzn_SageMaker_Target_Variant="w")),
    "not a variant's name": (400, to("e", X_Amzn_SageMaker_Target_Variant="-w-")),
    "attributes too long": (400, to("e", X_Amzn_SageMaker_Custom_Attributes="a" * 1025)),
    "a model where there is one": (400, to("e", X_Amzn_SageMaker_Target_Model="m")),
    "no model where there are many": (400, to("many")),
    "a container of one": (400, to("e", X_Amzn_SageMaker_Target_Container_Hostname="b")),
    "no container where there are two": (400, to("direct")),
    "another container": (400, to("direct", X_Amzn_SageMaker_Target_Container_Hostname="c")),
    "no inference component": (400, to("host")),
    "another's inference component": (400, to("e", X_Amzn_SageMaker_Inference_Component="c")),
    "a component without copies": (400, to("host", X_Amzn_SageMaker_Inference_Component="sleeper")),
    "not a component's name": (400, to("host", X_Amzn_SageMaker_Inference_Component="-c-")),
    "a session": (400, to("e", X_Amzn_SageMaker_Session_Id="NEW_SESSION")),
    "asynchronous": (400, to("async")),
    "nobody there": (503, to("down")),
    "nobody there yet": (429, to("cold")),
    "header twice": (400, changed(b"Content-Type: ", b"Content-Length: 3\r\nContent-Type: ")),
    "header that nobody knows": (200, to("e", X_Special="1")),
    "header outside ASCII": (200, lambda bench: bench.signed().replace(
        b"\r\n\r\n", b"\r\nX-Odd: \xe9\r\n\r\n", 1)),
    "folded header": (400, changed(b"Content-Type: text/csv", b"Content-Type: text\r\n /csv")),
    "bare line feed": (400, changed(b"\r\nContent-Type", b"\nContent-Type")),
    "query": (200, lambda bench: bench.signed(path="/endpoints/e/invocations?a=b")),
    "close": (200, lambda bench: bench.signed().replace(
        b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)),
    "too large": (413, lambda bench: bench.signed(b"x" * 6_291_457)),
    "large": (200, to("e", b"x" * 300_000)),
    "another operation": (404, to("e/other")),
}  # fmt: skip
"""Requests that it leaves to the ordinary way."""


@pytest.mark.parametrize("what", ANSWERED)
def test_the_lane_answers_as_the_ordinary_way(bench: Bench, what: str) -> None:
    status, request = ANSWERED[what]
    bench.ask(request(bench))  # of many models, the first request has to wait for its own
    bench.by_lane.clear()
    by_lane, ordinary = bench.both(request(bench))
    assert bench.by_lane == [True]
    assert by_lane == ordinary
    assert by_lane[0].startswith(b"HTTP/1.1 %d " % status)


def test_what_is_refused_for_want_of_copies_is_counted_once(bench: Bench) -> None:
    routes = bench.routes
    before = routes.traffic.last(component_route("sleeper"), 600)["v"].requests
    bench.ask(to("host", X_Amzn_SageMaker_Inference_Component="sleeper")(bench))
    assert routes.traffic.last(component_route("sleeper"), 600)["v"].requests == before + 1


@pytest.mark.parametrize("what", LEFT)
def test_the_lane_leaves_what_it_must_not_answer(bench: Bench, what: str) -> None:
    status, request = LEFT[what]
    bench.by_lane.clear()
    by_lane, ordinary = bench.both(request(bench))
    assert True not in bench.by_lane
    assert by_lane == ordinary
    if status != 404:
        assert by_lane[0].startswith(b"HTTP/1.1 %d " % status), by_lane[0][:300]


def test_too_many_at_once_are_told_when_to_try_again(bench: Bench) -> None:
    (answer,) = bench.ask(to("full")(bench))
    assert b"\r\nretry-after: 1\r\n" in answer
    assert b"ThrottlingException" in answer


@pytest.mark.parametrize("cut", [1, 20, -4, -1])
def test_a_request_in_pieces_is_the_same_request(bench: Bench, cut: int) -> None:
    request = bench.signed(b"abcdefgh")
    by_lane, ordinary = bench.both(request[:cut], request[cut:])
    assert by_lane == ordinary
    assert by_lane[0].endswith(b"\r\n\r\nabcdefgh")


def test_pipelined_requests_are_answered_in_their_order(bench: Bench) -> None:
    health = b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    bodies = [b"slow", b"a", b"status 500 Oh", b"b"]
    requests = b"".join(bench.signed(body) for body in bodies)
    by_lane, ordinary = bench.both(health + requests + health + bench.signed(b"c"), answers=7)
    assert by_lane == ordinary
    by_lane, ordinary = bench.both(requests + health + bench.signed(b"c"), answers=6)
    assert by_lane == ordinary
    assert [answer[:12] for answer in by_lane] == [
        b"HTTP/1.1 200", b"HTTP/1.1 200", b"HTTP/1.1 424", b"HTTP/1.1 200", b"HTTP/1.1 200",
        b"HTTP/1.1 200",
    ]  # fmt: skip
    assert by_lane[-1].endswith(b"\r\n\r\nc")


def test_many_pipelined_requests_of_a_client_that_reads_late(bench: Bench) -> None:
    request = bench.signed(b"x" * 20_000)
    with closing(bench.connect()) as connection:
        sender = threading.Thread(target=connection.sendall, args=(request * 300,))
        sender.start()
        time.sleep(0.2)
        answers = read_answers(connection, 300)
        sender.join(20)
    assert len(answers) == 300
    assert {answer.rpartition(b"\r\n\r\n")[2] for answer in answers} == {b"x" * 20_000}


def test_a_body_that_does_not_come_goes_the_ordinary_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bottega.daemon.lane_protocol._PATIENCE_SECONDS", 0.05)
    request = bench.signed(b"abcdefgh")
    bench.by_lane.clear()
    with closing(bench.connect()) as connection:
        connection.sendall(request[:-4])
        time.sleep(0.2)
        connection.sendall(request[-4:] + bench.signed(b"next"))
        first, second = read_answers(connection, 2)
    assert first.endswith(b"abcdefgh")
    assert second.endswith(b"next")
    assert bench.by_lane in ([], [True])


def test_a_client_that_goes_away_leaves_the_others_alone(bench: Bench) -> None:
    with closing(bench.connect()) as connection:
        connection.sendall(bench.signed(b"slow"))
    with closing(bench.connect()) as connection:
        connection.sendall(bench.signed(b"slow")[:-2])
    (answer,) = bench.ask(bench.signed(b"slow"))  # the others' are done by then
    assert answer.endswith(b"slow")
