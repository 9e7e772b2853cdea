"""A short way for metrics that an mlflow client logs.

MLflow's own way takes milliseconds for each request: a second web framework, protobuf from JSON and
two sessions of its database. Here a plain request becomes one write that shares its commit with
others. Whatever is not plain, or would be refused, goes MLflow's way with its bytes untouched.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from fnmatch import fnmatch
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils import validation
from starlette.concurrency import run_in_threadpool

from bottega.tracking.store import metric_points
from bottega.tracking.store.metric_points import Point
from bottega.tracking.store.writes import Writes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1_000_000
"""Bytes that are read before it is known whose request it is."""

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""How protobuf's JSON writes what JSON cannot."""
_METRIC = frozenset(("key", "value", "timestamp", "step"))
_BATCH = frozenset(("run_id", "metrics", "params", "tags"))
_SINGLE = _METRIC | {"run_id", "run_uuid"}
_HEADERS = {b"origin", b"content-encoding", b"transfer-encoding"}
"""A request that has one of these comes from a page, or is not what it says at once."""
_MOST = 2**63
_ANSWER = b"{}"

Logged = tuple[str, list[Point]]


def log_lane(
    app: Application, prefix: str, hosts: Collection[str], writes: Callable[[], Writes]
) -> Application:
    """The application with the short way before it.

    Args:
        app: MLflow's.
        prefix: what MLflow's paths begin with.
        hosts: the Host headers that MLflow answers to, as patterns of a shell.
        writes: of the store that MLflow has opened.
    """
    readers: Mapping[str, Callable[[Any], Logged | None]] = {
        f"{prefix}/{api}/2.0/mlflow/runs/{name}": read
        for api in ("api", "ajax-api")
        for name, read in (("log-batch", batch_of), ("log-metric", single_of))
    }

    async def lane(scope: Message, receive: Receive, send: Send) -> None:
        read = readers.get(scope["path"]) if scope["type"] == "http" else None
        if read is None or scope["method"] != "POST" or not _plain(scope["headers"], hosts):
            return await app(scope, receive, send)
        body, rest = await _body(receive)
        if body is not None and await _log(writes(), read, body):
            start = {"type": "http.response.start", "status": 200}
            length = str(len(_ANSWER)).encode()
            kind = (b"content-type", b"application/json")
            await send({**start, "headers": [kind, (b"content-length", length)]})
            await send({"type": "http.response.body", "body": _ANSWER})
            return
        await app(scope, _again(rest, receive), send)

    return lane


def batch_of(asked: Any) -> Logged | None:
    """The points of a ``log-batch`` of nothing but metrics; None where it is anything else."""
    if not isinstance(asked, dict) or not asked.keys() <= _BATCH:
        return None
    metrics = asked.get("metrics")
    if asked.get("params") or asked.get("tags") or not isinstance(metrics, list) or not metrics:
        return None
    check: Any = validation
    if len(metrics) > check.MAX_METRICS_PER_BATCH:
        return None
    return _logged(asked.get("run_id"), metrics)


def single_of(asked: Any) -> Logged | None:
    """The point of a ``log-metric``; None where there is more to it."""
    if not isinstance(asked, dict) or not asked.keys() <= _SINGLE:
        return None
    run = asked.get("run_id")
    if asked.get("run_uuid", run) != run:
        return None
    return _logged(run, [{name: asked[name] for name in asked.keys() & _METRIC}])


def _logged(run_id: Any, metrics: Sequence[Any]) -> Logged | None:
    points: list[Point] = []
    check: Any = validation
    try:
        check._validate_run_id(run_id)
        for metric in metrics:
            if (point := _point(metric)) is None:
                return None
            check._validate_metric(metric["key"], 0.0, point.timestamp, point.step)
            points.append(point)
    except (MlflowException, TypeError):
        return None  # MLflow says what is wrong
    return run_id, points


def _point(metric: Any) -> Point | None:
    if not isinstance(metric, dict) or not metric.keys() <= _METRIC:
        return None
    key: Any = metric.get("key")
    value: Any = metric.get("value")
    timestamp, step = metric.get("timestamp"), metric.get("step", 0)
    if type(value) is str:
        value = _WORDS.get(value)
    elif type(value) is float and not math.isfinite(value):
        return None
    if (
        type(key) is not str
        or type(value) not in (int, float)
        or type(timestamp) is not int
        or type(step) is not int
        or not (0 <= timestamp < _MOST and -_MOST <= step < _MOST)
        or (type(value) is int and abs(value) >= _MOST)
    ):
        return None
    return metric_points.point(key, float(value), timestamp, step)


async def _log(writes: Writes, read: Callable[[Any], Logged | None], body: bytes) -> bool:
    """Whether the request was answered for: what it logs is on the disk."""
    try:
        logged = read(json.loads(body))
    except (ValueError, RecursionError):
        return False
    if logged is None:
        return False
    run_id, points = logged
    try:
        return await run_in_threadpool(
            writes.run, lambda connection: metric_points.insert(connection, run_id, points)
        )
    except sqlite3.Error:  # MLflow's way meets it, too, and answers it
        return False


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
