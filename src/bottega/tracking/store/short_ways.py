"""Short ways for what mlflow clients ask most.

MLflow's own way takes milliseconds to tens of them for each request: a second web framework,
protobuf from JSON and to it, sessions of its database. Here a plain request is answered from its
JSON. Whatever is not plain, or would be refused, goes MLflow's way with its bytes untouched.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from fnmatch import fnmatch
from typing import Any

from starlette.concurrency import run_in_threadpool

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

Way = Callable[[Any], bytes | None]
"""Answers a request in JSON; None leaves it to MLflow, and has changed nothing."""

LARGEST_BODY = 1_000_000
"""Bytes that are read before it is known whose request it is."""
_HEADERS = {b"origin", b"content-encoding", b"transfer-encoding", b"x-mlflow-workspace"}
"""A request that has one of these comes from a page, is not what it says at once, or means more."""
_ANSWER_HEADERS = [
    (b"content-type", b"application/json"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"vary", b"Origin"),
]
"""As MLflow has them."""


def short_ways(
    app: Application, prefix: str, hosts: Collection[str], ways: Mapping[str, Way]
) -> Application:
    """The application with short ways before it.

    Args:
        app: MLflow's.
        prefix: what MLflow's paths begin with.
        hosts: the Host headers that MLflow answers to, as patterns of a shell.
        ways: by the end of the path, ``runs/search`` and its like.
    """
    by_path = {
        f"{prefix}/{api}/2.0/mlflow/{name}": way
        for api in ("api", "ajax-api")
        for name, way in ways.items()
    }

    async def chosen(scope: Message, receive: Receive, send: Send) -> None:
        way = by_path.get(scope["path"]) if scope["type"] == "http" else None
        if way is None or scope["method"] != "POST" or not _plain(scope["headers"], hosts):
            return await app(scope, receive, send)
        body, rest = await _body(receive)
        answer = None if body is None else await run_in_threadpool(_answer, way, body)
        if answer is None:
            return await app(scope, _again(rest, receive), send)
        start = {"type": "http.response.start", "status": 200}
        length = (b"content-length", str(len(answer)).encode())
        await send({**start, "headers": [*_ANSWER_HEADERS, length]})
        await send({"type": "http.response.body", "body": answer})

    return chosen


def _answer(way: Way, body: bytes) -> bytes | None:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return way(asked)


def _plain(headers: Sequence[tuple[bytes, bytes]], hosts: Collection[str]) -> bool:
    fields = dict(headers)
    host = fields.get(b"host", b"").decode("latin-1")
    return (
        fields.keys().isdisjoint(_HEADERS)
        and fields.get(b"content-type", b"") == b"application/json"
        and int(fields.get(b"content-length", b"") or LARGEST_BODY + 1) <= LARGEST_BODY
        and any(fnmatch(host, pattern) for pattern in hosts)
    )


async def _body(receive: Receive) -> tuple[bytes | None, list[Message]]:
    """(the body, the messages it came in); no body where the client went away."""
    messages: list[Message] = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return None, messages
        if not message.get("more_body", False):
            return b"".join(each.get("body", b"") for each in messages), messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    """What is received: first the messages that were taken already."""

    async def replayed() -> Message:
        return messages.pop(0) if messages else await receive()

    return replayed
