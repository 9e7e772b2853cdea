"""The course of metrics, thinned to what a screen can show."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Sequence
from typing import Any

from bottega.thinning import thinned
from bottega.tracking.store.connections import Reader


def courses(
    reader: Reader, run_ids: Sequence[str], metrics: Collection[str] | None, most: int
) -> list[dict[str, Any]]:
    """One course for each run and metric that it has, in the order of runs and names.

    Args:
        metrics: which; None answers all.
        most: points of each course at most; its extremes stay.
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
    steps, times, values = array("q"), array("q"), array("d")
    for step, time, value, is_nan in reader.connection.execute(
        "SELECT step, timestamp, value, is_nan FROM metrics WHERE run_uuid = ? AND key = ?"
        " ORDER BY step, timestamp",
        (run, key),
    ):
        steps.append(step)
        times.append(time)
        values.append(math.nan if is_nan else value)
    chosen = thinned(values, most)
    return {
        "steps": [steps[at] for at in chosen],
        "times": [times[at] for at in chosen],
        "values": [values[at] for at in chosen],
        "points": len(values),
    }
