"""The course of metrics, thinned to what a screen can show."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from bottega.tracking.store.connections import Reader


class Point(NamedTuple):
    """One value that was logged."""

    step: int
    time: int
    value: float


def courses(
    reader: Reader, run_ids: Sequence[str], metrics: Collection[str] | None, most: int
) -> list[dict[str, Any]]:
    """One course for each run and metric that it has, in the order of runs and names.

    Args:
        metrics: which; None answers all.
        most: points of each course at most.
    """
    found = []
    for run in run_ids:
        keys = reader.connection.execute(
            "SELECT key FROM latest_metrics WHERE run_uuid = ? ORDER BY key", (run,)
        ).fetchall()
        for (key,) in keys:
            if metrics is None or key in metrics:
                found.append({"run_id": run, "name": key, **_course(reader, run, key, most)})
    return found


def _course(reader: Reader, run: str, key: str, most: int) -> dict[str, Any]:
    (total,) = reader.connection.execute(
        "SELECT count(*) FROM metrics WHERE run_uuid = ? AND key = ?", (run, key)
    ).fetchone()
    rows = reader.connection.execute(
        "SELECT step, timestamp, value, is_nan FROM metrics WHERE run_uuid = ? AND key = ?"
        " ORDER BY step, timestamp",
        (run, key),
    )
    points = thinned(
        (Point(step, time, math.nan if is_nan else value) for step, time, value, is_nan in rows),
        total,
        most,
    )
    return {
        "steps": [point.step for point in points],
        "times": [point.time for point in points],
        "values": [point.value for point in points],
        "points": total,
    }


def thinned(points: Iterable[Point], total: int, most: int) -> list[Point]:
    """Choose points so that first, last and all extremes of the whole course stay.

    The course is cut into stretches of equal length, and of each its least and its greatest value
    are kept, in their order; of a stretch of nothing but NaN its first.

    Args:
        points: the course in its order.
        total: how many points it has.
        most: how many to keep at most, from 2 on; of fewer than 4 nothing but the extremes stays.
    """
    if total <= most:
        return list(points)
    stretches = max(1, (most - 2) // 2)
    kept: list[tuple[int, Point]] = []
    for stretch in _stretches(points, total, stretches):
        solid = [item for item in stretch if not math.isnan(item[1].value)]
        chosen = (
            {
                min(solid, key=lambda item: item[1].value),
                max(solid, key=lambda item: item[1].value),
            }
            if solid
            else {stretch[0]}
        )
        ends = {
            item for item in (stretch[0], stretch[-1]) if item[0] in (0, total - 1) and most > 3
        }
        kept += sorted(chosen | ends, key=lambda item: item[0])
    return [point for _, point in kept]


def _stretches(
    points: Iterable[Point], total: int, stretches: int
) -> Iterator[list[tuple[int, Point]]]:
    current: list[tuple[int, Point]] = []
    number = 0
    for place, point in enumerate(points):
        if place * stretches // total != number:
            yield current
            current, number = [], place * stretches // total
        current.append((place, point))
    if current:
        yield current
