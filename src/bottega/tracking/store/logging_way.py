"""The short way for metrics: one write, that shares its commit with others."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.utils import validation

from bottega.tracking.store import metric_points
from bottega.tracking.store.metric_points import Point
from bottega.tracking.store.short_ways import Way
from bottega.tracking.store.writes import Writes

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""How protobuf's JSON writes what JSON cannot."""
_METRIC = frozenset(("key", "value", "timestamp", "step"))
_BATCH = frozenset(("run_id", "metrics", "params", "tags"))
_SINGLE = _METRIC | {"run_id", "run_uuid"}
_MOST = 2**63
_ANSWER = b"{}"

Logged = tuple[str, list[Point]]


def logging_ways(writes: Callable[[], Writes]) -> Mapping[str, Way]:
    """The ways for ``log-batch`` and ``log-metric``.

    Args:
        writes: of the store that MLflow has opened.
    """

    def way(read: Callable[[Any], Logged | None]) -> Way:
        def log(asked: Any) -> bytes | None:
            logged = read(asked)
            if logged is None:
                return None
            run_id, points = logged
            try:
                written = writes().run(
                    lambda connection: metric_points.insert(connection, run_id, points)
                )
            except sqlite3.Error:  # MLflow's way meets it, too, and answers it
                return None
            return _ANSWER if written else None

        return log

    return {"runs/log-batch": way(batch_of), "runs/log-metric": way(single_of)}


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
