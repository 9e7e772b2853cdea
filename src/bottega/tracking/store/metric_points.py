"""Points of metrics, written into MLflow's tables as MLflow itself writes them, and summed up."""

from __future__ import annotations

import itertools
import math
import sqlite3
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bottega.tracking.store import components
from bottega.tracking.store.catalogue import Missing

MOST_METRICS = 300
"""Names of metrics that a trial component may have through BatchPutMetrics, as SageMaker's; those
that an mlflow client logs have no limit."""
MOST_GROUPS = 10_000
"""Of one answer about one metric."""
LARGEST = 1.7976931348623157e308
"""What MLflow writes for infinity, as its databases have no word for that."""

ACTIVE = "active"
PERIODS: Mapping[str, int] = {"OneMinute": 60_000, "FiveMinute": 300_000, "OneHour": 3_600_000}
"""In milliseconds; ``IterationNumber`` is the other one."""

_INSERT = (
    "INSERT INTO metrics (run_uuid, key, timestamp, step, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_LATEST = (
    "INSERT INTO latest_metrics (run_uuid, key, timestamp, step, value, is_nan)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key, run_uuid) DO UPDATE SET"
    " timestamp = excluded.timestamp, step = excluded.step, value = excluded.value,"
    " is_nan = excluded.is_nan WHERE (excluded.step, excluded.timestamp, excluded.value)"
    " > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)"
)


class Point(NamedTuple):
    """One value as the tables have it."""

    key: str
    timestamp: int
    """Milliseconds since the epoch."""
    step: int
    value: float
    """0 for what is not a number."""
    is_nan: bool


def point(key: str, value: float, timestamp: int, step: int) -> Point:
    """A value as MLflow keeps it: NaN as a mark, infinity as the largest number."""
    if math.isnan(value):
        return Point(key, timestamp, step, 0.0, True)
    if math.isinf(value):
        return Point(key, timestamp, step, math.copysign(LARGEST, value), False)
    return Point(key, timestamp, step, value, False)


def insert(connection: sqlite3.Connection, run_id: str, points: Iterable[Point]) -> bool:
    """Add points to a run; those that are there already stay once.

    Returns:
        Whether the run is there and not deleted; else nothing was written.
    """
    stage = connection.execute("SELECT lifecycle_stage FROM runs WHERE run_uuid = ?", (run_id,))
    if stage.fetchone() != (ACTIVE,):
        return False
    _insert(connection, run_id, points)
    return True


def _insert(connection: sqlite3.Connection, run_id: str, points: Iterable[Point]) -> None:
    rows = [(run_id, *each) for each in points]
    connection.executemany(_INSERT, rows)
    latest: dict[str, tuple[Any, ...]] = {}
    for row in rows:
        _, key, timestamp, step, value, _ = row
        held = latest.get(key)
        if held is None or (step, timestamp, value) > (held[3], held[2], held[4]):
            latest[key] = row
    connection.executemany(_LATEST, latest.values())


def put_all(
    connection: sqlite3.Connection, puts: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Add the points of several BatchPutMetrics to the runs of components.

    Args:
        puts: each with ``component``, and ``points`` with name, value, time (in milliseconds) and
            step each.

    Returns:
        For each the run's ``experiment_id``, and by their index the points ``beyond``
        :data:`MOST_METRICS`, which were left out; or why the component is ``missing``.
    """
    return [_put(connection, asked) for asked in puts]


def _put(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        run_id = _run(connection, asked["component"])
    except Missing as missing:
        return {"missing": str(missing)}
    points = [point(*each) for each in asked["points"]]
    beyond = _beyond(connection, run_id, {each.key for each in points})
    _insert(connection, run_id, [each for each in points if each.key not in beyond])
    (experiment,) = connection.execute(
        "SELECT experiment_id FROM runs WHERE run_uuid = ?", (run_id,)
    ).fetchone()
    refused = [index for index, each in enumerate(points) if each.key in beyond]
    return {"experiment_id": str(experiment), "beyond": refused}


def _run(connection: sqlite3.Connection, component: str) -> str:
    run_id = components.run_of(connection, component)
    if run_id is None:
        raise Missing(f"TrialComponent {component} does not exist.")
    return run_id


def _beyond(connection: sqlite3.Connection, run_id: str, keys: set[str]) -> set[str]:
    """The new names for which there is no room any more."""
    places = ", ".join("?" * len(keys))
    present = connection.execute(
        f"SELECT key FROM latest_metrics WHERE run_uuid = ? AND key IN ({places})",
        (run_id, *keys),
    )
    fresh = keys - {key for (key,) in present}
    if not fresh:
        return fresh
    (held,) = connection.execute(
        "SELECT count(*) FROM latest_metrics WHERE run_uuid = ?", (run_id,)
    ).fetchone()
    return set(sorted(fresh)[max(0, MOST_METRICS - held) :])


def series(connection: sqlite3.Connection, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One metric of one component, a statistic for each group of points.

    Args:
        asked: ``component``, ``metric``, ``statistic`` (Min, Max, Avg, Count, StdDev, Last),
            ``period`` (a key of :data:`PERIODS` or IterationNumber: which points make a group),
            ``axis`` (IterationNumber or Timestamp: what a group is shown at), ``start`` and ``end``
            in the units of the axis, both inclusive, or None.

    Returns:
        ``x`` in steps or seconds, upwards; ``values`` beside it, and whether it is ``truncated``. A
        point that is not a number counts, and is the last one where it is; it has no size.

    Raises:
        Missing: there is no such component.
    """
    run_id = _run(connection, asked["component"])
    by_step = asked["axis"] == "IterationNumber"
    column, scale = ("step", 1) if by_step else ("timestamp", 1000)
    tests, values = ["run_uuid = ?", "key = ?"], [run_id, asked["metric"]]
    if asked["start"] is not None:
        tests.append(f"{column} >= ?")
        values.append(asked["start"] * scale)
    if asked["end"] is not None:
        tests.append(f"{column} < ?")
        values.append((asked["end"] + 1) * scale)
    period = PERIODS.get(asked["period"])
    group = "step" if period is None else f"timestamp / {period}"
    rows = connection.execute(
        f"SELECT {group}, step, timestamp, value, is_nan FROM metrics WHERE {' AND '.join(tests)}"
        " ORDER BY 1, step, timestamp, value",
        values,
    )
    x: list[int] = []
    found: list[float] = []
    for number, points in itertools.groupby(rows, key=lambda row: row[0]):
        if len(x) == MOST_GROUPS:
            return {**_upwards(x, found), "truncated": True}
        every = list(points)
        if by_step:
            x.append(every[-1][1])
        else:
            x.append((number * period if period else max(row[2] for row in every)) // 1000)
        found.append(_statistic(asked["statistic"], every))
    return {**_upwards(x, found), "truncated": False}


def _upwards(x: Sequence[int], values: Sequence[float]) -> dict[str, Any]:
    """In order of x: steps need not come in the order of time."""
    pairs = sorted(zip(x, values, strict=True), key=lambda pair: pair[0])
    return {"x": [at for at, _ in pairs], "values": [value for _, value in pairs]}


def _statistic(name: str, rows: Sequence[tuple[Any, ...]]) -> float:
    if name == "Count":
        return float(len(rows))
    if name == "Last":
        *_, value, is_nan = rows[-1]
        return math.nan if is_nan else float(value)
    numbers = list(_numbers(rows))
    if not numbers:
        return math.nan
    if name == "Min":
        return min(numbers)
    if name == "Max":
        return max(numbers)
    mean = _mean(numbers)
    if name == "Avg":
        return mean
    return math.sqrt(_mean([(number - mean) * (number - mean) for number in numbers]))


def _mean(numbers: Sequence[float]) -> float:
    try:
        return statistics.fmean(numbers)
    except OverflowError:  # of numbers that stand for infinity
        return sum(numbers) / len(numbers)


def _numbers(rows: Iterable[tuple[Any, ...]]) -> Iterator[float]:
    return (float(value) for *_, value, is_nan in rows if not is_nan)
