"""InvokeEndpointWithResponseStream with an unmodified boto3, against models that stream."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
import uvicorn
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.clock import SystemClock
from bottega.daemon.listener import build_app, server_settings
from bottega.features.hosting import invocations
from bottega.registry import Registry
from bottega.testing.model_servers import route_to
from bottega.wire.core import Wire
from bottega.wire.event_stream import frame

LARGE = 20 * 1024 * 1024


class Model:
    """A model server that streams, and what it saw of it."""

    def __init__(self) -> None:
        self.written = 0
        self.cut_off = threading.Event()
        self.go_on = threading.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split()[0])
                await self._answer(writer, await reader.readexactly(length))
        except asyncio.IncompleteReadError:
            pass
        except ConnectionError:
            self.cut_off.set()
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        status = b"400 Bad" if body == b"refuse" else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-type: text/plain\r\n")
        writer.write(b"x-amzn-sagemaker-custom-attributes: a=b\r\n")
        if body == b"whole":
            writer.write(b"content-length: 5\r\n\r\nwhole")
            return
        writer.write(b"transfer-encoding: chunked\r\n\r\n")
        await self._chunk(writer, b"first ")
        if body == b"die":
            raise ConnectionResetError
        if body == b"wait":
            while not self.go_on.is_set():
                await asyncio.sleep(0.01)
        if body == b"large":
            for _ in range(LARGE // 65536):
                await self._chunk(writer, b"x" * 65536)
        await self._chunk(writer, b"last")
        writer.write(b"0\r\n\r\n")

    async def _chunk(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await writer.drain()
        self.written += len(data)


class Bench:
    def __init__(self, model: Model, ports: Any, client: Any, port: int) -> None:
        self.model, self.ports, self.client, self.port = model, ports, client, port
        self.bodies: list[Any] = []

    def invoke(self, body: bytes, **more: str) -> Any:
        answer = self.client.invoke_endpoint_with_response_stream(
            EndpointName="e", Body=body, **more
        )
        self.bodies.append(answer["Body"])
        return answer

    def idle(self) -> bool:
        load = self.ports.routes.load
        return not load.outstanding("i-0") and not load.concurrent("e", "v")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, bench_maker: Any) -> Iterator[Bench]:
    made = bench_maker(tmp_path_factory.mktemp("stream"), SystemClock())
    wire = Wire(Registry.from_modules([invocations]), made.ports, made.objects)
    listener = build_app(wire, mounts={}, config=made.ports.config)
    server = uvicorn.Server(uvicorn.Config(listener, **server_settings(made.ports.config)))
    path = Path(tmp_path_factory.getbasetemp()) / "s"
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    model = Model()

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
    route_to(path, table=made.ports.routes)
    port = server.servers[0].sockets[0].getsockname()[1]
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "sagemaker-runtime",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        config=Config(retries={"total_max_attempts": 1}),
        **made.keys,
    )
    found = Bench(model, made.ports, client, port)
    yield found
    for body in found.bodies:
        body.close()
    client.close()
    server.should_exit = True
    threads[1].join(30)
    loops[0].call_soon_threadsafe(stop.set)
    threads[0].join(10)
    made.ports.store.close()


def parts(answer: Any) -> list[bytes]:
    return [event["PayloadPart"]["Bytes"] for event in answer["Body"]]


@pytest.mark.parametrize(("body", "whole"), [(b"x", b"first last"), (b"whole", b"whole")])
def test_an_answer_comes_in_parts(bench: Bench, body: bytes, whole: bytes) -> None:
    answer = bench.invoke(body, Accept="text/plain", ContentType="text/csv")
    assert answer["ContentType"] == "text/plain"
    assert answer["InvokedProductionVariant"] == "v"
    assert answer["CustomAttributes"] == "a=b"
    assert b"".join(parts(answer)) == whole
    assert bench.idle()


def test_a_part_comes_before_the_next_is_made(bench: Bench) -> None:
    bench.model.go_on.clear()
    events = iter(bench.invoke(b"wait")["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"first "
    assert not bench.idle()
    bench.model.go_on.set()
    assert [event["PayloadPart"]["Bytes"] for event in events] == [b"last"]


def test_a_model_that_refuses_is_a_model_error(bench: Bench) -> None:
    with pytest.raises(bench.client.exceptions.ModelError) as caught:
        bench.invoke(b"refuse")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert caught.value.response["OriginalMessage"] == "first last"


def test_an_unknown_endpoint_is_refused_before_the_stream(bench: Bench) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="not found"):
        bench.client.invoke_endpoint_with_response_stream(EndpointName="other", Body=b"1")


def test_a_model_that_breaks_off_is_told_in_the_stream(bench: Bench) -> None:
    events = iter(bench.invoke(b"die")["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"first "
    with pytest.raises(botocore.exceptions.EventStreamError, match="broke off") as caught:
        next(events)
    assert caught.value.response["Error"]["Code"] == "ModelStreamError"
    assert bench.idle()


def test_a_reader_that_is_slow_makes_the_model_wait(bench: Bench) -> None:
    bench.model.written = 0
    answer = bench.invoke(b"large")
    events = iter(answer["Body"])
    next(events)
    before = -1
    while bench.model.written != before:
        before = bench.model.written
        time.sleep(0.3)
    assert before < LARGE - 65536  # it waits for the reader
    rest = sum(len(event["PayloadPart"]["Bytes"]) for event in events)
    assert rest == LARGE + len(b"last")


def test_a_reader_that_goes_away_ends_the_request(bench: Bench) -> None:
    bench.model.cut_off.clear()
    answer = bench.invoke(b"large")
    next(iter(answer["Body"]))
    answer["Body"].close()
    assert bench.model.cut_off.wait(20)
    deadline = time.monotonic() + 20
    while not bench.idle():
        assert time.monotonic() < deadline
        time.sleep(0.01)


NAMES = st.text(min_size=1, max_size=20)


@settings(max_examples=50, deadline=None)
@given(headers=st.dictionaries(NAMES, st.text(max_size=50), max_size=4), payload=st.binary())
def test_botocore_reads_every_frame(headers: dict[str, str], payload: bytes) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(frame(headers, payload) * 2)
    for message in buffer:
        assert message.headers == headers
        assert message.payload == payload
