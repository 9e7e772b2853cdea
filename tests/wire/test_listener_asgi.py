"""The listener driven by hand: stopping, starting, and what no client of a real socket shows."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bottega.context import Context
from bottega.daemon.listener import Listener, build_app, server_settings
from bottega.errors import BottegaError
from bottega.registry import Registry
from bottega.wire.core import Wire
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.sigv4 import VerifiedSignature


@pytest.fixture
def listener(bench: Any) -> Iterator[Listener]:
    made = build_app(bench.wire, mounts={}, config=bench.ports.config)
    yield made
    made.close()


def scope_of(request: WireRequest) -> dict[str, Any]:
    return {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in request.headers.items()],
        "client": ("127.0.0.1", 1),
    }


def talk(app: Any, scope: Mapping[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Give an application these messages; returns what it sends."""

    async def run() -> list[dict[str, Any]]:
        left = list(messages)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not left:
                await asyncio.sleep(3600)
            return left.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await app(dict(scope), receive, send)
        return sent

    return asyncio.run(run())


def body(request: WireRequest) -> dict[str, Any]:
    return {"type": "http.request", "body": request.read_body()}


CREATE = b'{"ModelName":"m","PrimaryContainer":{"Image":"i"}}'


def test_new_work_is_refused_while_stopping(bench: Any, listener: Listener) -> None:
    request = bench.signed("SageMaker.CreateModel", CREATE)
    listener.refuse_new_work()
    start, content = talk(listener, scope_of(request), body(request))
    assert start["status"] == 503
    assert json.loads(content["body"])["__type"] == "ServiceUnavailable"
    assert bench.snapshot() == ([], {})
    health = replace(request, method="GET", path="/-/health")
    _, content = talk(listener, scope_of(health))
    assert json.loads(content["body"])["status"] == "stopping"


def test_lifespan(bench: Any, listener: Listener) -> None:
    sent = talk(
        listener,
        {"type": "lifespan"},
        {"type": "lifespan.startup"},
        {"type": "lifespan.shutdown"},
    )
    assert [m["type"] for m in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    request = bench.signed("SageMaker.CreateModel", CREATE)
    assert talk(listener, scope_of(request), body(request))[0]["status"] == 503


def test_websockets_are_closed_where_nothing_is_mounted(bench: Any, listener: Listener) -> None:
    scope = scope_of(bench.signed()) | {"type": "websocket"}
    assert talk(listener, scope) == [{"type": "websocket.close", "code": 1008}]


class Stored(io.BytesIO):
    """A stored object that remembers whether it was closed."""


class OneObject:
    """An object face that answers everything with one prepared response."""

    def __init__(self, response: WireResponse) -> None:
        self.response = response

    def handle(
        self, request: WireRequest, signature: VerifiedSignature, context: Context
    ) -> WireResponse:
        return self.response

    def refuse(self, error: BottegaError, request_id: str, *, head: bool) -> WireResponse:
        raise error


def serving(bench: Any, response: WireResponse) -> Listener:
    wire = Wire(Registry([]), bench.ports, OneObject(response))
    return build_app(wire, mounts={}, config=bench.ports.config)


@pytest.mark.parametrize(
    ("method", "status", "length", "sent", "ended"),
    [
        ("GET", 200, 600_000, 600_000, True),
        ("GET", 206, 10, 10, True),
        ("GET", 200, None, 600_000, True),
        ("HEAD", 200, 600_000, 0, True),
        ("GET", 304, 600_000, 0, True),
        ("GET", 200, 600_001, 600_000, False),  # short, which the client has to notice
    ],
)
def test_streams(
    bench: Any,
    method: str,
    status: int,
    length: int | None,
    sent: int,
    ended: bool,
) -> None:
    stored = Stored(b"x" * 600_000)
    response = WireResponse(status, [("ETag", '"e"')], stored, length)
    listener = serving(bench, response)
    request = bench.signed("", b"", service="s3", method=method, path="/b/k")
    messages = talk(listener, scope_of(request), body(request))
    headers = dict(messages[0]["headers"])
    assert messages[0]["status"] == status
    has_length = length is not None and status != 304
    assert headers.get(b"content-length") == (str(length).encode() if has_length else None)
    assert sum(len(m["body"]) for m in messages[1:]) == sent
    assert all(len(m["body"]) <= 256 * 1024 for m in messages[1:])
    assert (not messages[-1].get("more_body", False)) == ended
    assert stored.closed


def test_a_stream_ends_when_its_client_is_gone(bench: Any) -> None:
    stored = Stored(b"x" * 10_000_000)
    listener = serving(bench, WireResponse(200, [], stored, 10_000_000))
    request = bench.signed("", b"", service="s3", method="GET", path="/b/k")
    messages = talk(listener, scope_of(request), body(request), {"type": "http.disconnect"})
    assert sum(len(m["body"]) for m in messages[1:]) < 10_000_000
    assert stored.closed


def test_uvicorn_is_set_up_as_the_listener_expects(bench: Any) -> None:
    settings = server_settings(bench.ports.config)
    assert settings["host"] == "127.0.0.1"
    assert issubclass(settings["http"], HttpToolsProtocol)  # which keeps the raw path
    assert settings["server_header"] is False
    assert settings["access_log"] is False
