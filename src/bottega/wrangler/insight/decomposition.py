"""Series of a table, and what they are made of: trend, season and rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.insight.analysis import MOST_SERIES
from bottega.wrangler.insight.figures import Figure, line, points
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_MOST = 20_000
_DRAWN = 5000
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_SEASONS = (
    # (up to so many seconds between values, values in a season)
    (0.9 * _MINUTE, lambda step: _MINUTE / step),
    (0.9 * _HOUR, lambda step: _HOUR / step if step < 10 * _MINUTE else _DAY / step),
    (0.9 * _DAY, lambda step: _DAY / step),
    (6.0 * _DAY, lambda step: 7 * _DAY / step),
    (27.0 * _DAY, lambda step: 365.25 * _DAY / step),
    (80.0 * _DAY, lambda step: 12.0),
    (100.0 * _DAY, lambda step: 4.0),
)


@dataclass(frozen=True)
class Parts:
    """A series taken apart; the parts add up to the values."""

    times: pd.Series
    values: np.ndarray[Any, Any]
    trend: np.ndarray[Any, Any]
    season: np.ndarray[Any, Any]
    rest: np.ndarray[Any, Any]
    period: int
    filled: int
    """How many values were missing and were put in between their neighbours."""


def scored(rest: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """How many standard deviations each remainder is from the mean of all."""
    spread = float(rest.std())
    return (rest - rest.mean()) / spread if spread > 0 else np.zeros(len(rest))


def decomposed(series: pd.DataFrame, period: int | None) -> Parts:
    """A series taken apart by STL.

    Args:
        series: columns ``time``, in order, and ``value``.
        period: values in a season; guessed when None.

    Raises:
        DataError: there are fewer than two seasons.
    """
    from statsmodels.tsa.seasonal import STL

    season = period or guessed_period(series["time"])
    values = series["value"]
    filled = int(values.isna().sum())
    if len(values) < 2 * season or values.notna().sum() < 2:
        raise DataError(
            f"There are {len(values):,} values, and a season has {season:,}; two whole seasons are "
            "needed. Give a shorter season length."
        )
    complete = values.interpolate(limit_direction="both").to_numpy(dtype="float64")
    found = STL(complete, period=season, robust=True).fit()
    trend, part, rest = (np.asarray(x) for x in (found.trend, found.seasonal, found.resid))
    return Parts(series["time"], complete, trend, part, rest, season, filled)


def guessed_period(times: pd.Series) -> int:
    """Values in a season, from the usual distance of timestamps: a minute, an hour, a day, a week
    or a year of them; 2 at least."""
    steps = times.diff().dt.total_seconds().dropna()
    step = float(steps[steps > 0].median()) if (steps > 0).any() else _DAY
    for limit, values in _SEASONS:
        if step <= limit:
            return max(2, round(values(step)))
    return 2


def series_of(relation: Relation, values: Values) -> list[tuple[str, pd.DataFrame, int]]:
    """(name, series, rows) of each series; equal timestamps are one value, their mean."""
    time, value, entity = values["timestamp_column"], values["value_column"], values["id_column"]
    if value == time:
        raise ParameterError("value_column", "Value column: it is the timestamp column, too.")
    labels: list[Any] = [None]
    if entity is not None:
        labels = [
            row[0]
            for row in relation.rows(
                escaped(f"SELECT v FROM (SELECT {name(entity)}::VARCHAR AS v FROM ")
                + "{table}"
                + ") WHERE v IS NOT NULL GROUP BY v "
                + f"ORDER BY count(*) DESC, v LIMIT {MOST_SERIES}"
            )
        ]
    found = []
    for label in labels:
        rows = _rows(relation, time, value, entity, label)
        if len(rows) < 4:
            raise DataError(
                f"There are {len(rows):,} timestamps"
                + (f" of {label!r}" if label is not None else "")
                + "; a decomposition needs 4 and two seasons."
            )
        frame = pd.DataFrame(rows, columns=["time", "value", "number"])
        frame["time"] = pd.to_datetime(frame["time"])
        frame["value"] = frame["value"].astype("float64")
        title = value if label is None else f"{value} of {label}"
        found.append((title, frame, int(frame["number"].sum())))
    return found


def _rows(
    relation: Relation, time: str, value: str, entity: str | None, label: str | None
) -> list[tuple[Any, ...]]:
    finite = f"CASE WHEN isfinite({name(value)}::DOUBLE) THEN {name(value)}::DOUBLE END"
    where = f"{name(time)} IS NOT NULL AND isfinite({name(time)})"
    if entity is not None:
        where += f" AND {name(entity)}::VARCHAR = {literal(label)}"
    answer = relation.rows(
        escaped(
            "SELECT t, avg(v), count(*) FROM "
            f"(SELECT {name(time)}::TIMESTAMP AS t, {finite} AS v FROM "
        )
        + "{table}"
        + escaped(f" WHERE {where}) GROUP BY t ORDER BY t DESC LIMIT {_MOST}")
    )
    return answer[::-1]


def about(parts: Parts, series: pd.DataFrame) -> str:
    said = [f"A season has {parts.period:,} values."]
    if parts.filled:
        said.append(f"{parts.filled:,} missing values were put in between their neighbours.")
    repeated = int((series["number"] > 1).sum())
    if repeated:
        said.append(f"{repeated:,} timestamps occur more than once; their mean was taken.")
    steps = parts.times.diff().dropna()
    uneven = int((steps != steps.median()).sum())
    if uneven > 0.05 * len(steps):
        said.append(f"{uneven:,} steps have another length than most; resample first.")
    if len(series) == _MOST:
        said.append(f"Only the last {_MOST:,} timestamps were looked at.")
    return " ".join(said)


def _drawn(parts: Parts) -> Any:
    return np.arange(max(0, len(parts.values) - _DRAWN), len(parts.values))


def panels(parts: Parts) -> Figure:
    chosen = _drawn(parts)
    times = [t.isoformat() for t in parts.times.iloc[chosen]]
    rows = (
        ("Observed", parts.values),
        ("Trend", parts.trend),
        ("Season", parts.season),
        ("Rest", parts.rest),
    )
    layout: dict[str, Any] = {"showlegend": False, "height": 640, "xaxis": {"anchor": "y4"}}
    traces = []
    for number, (title, values) in enumerate(rows, 1):
        suffix = "" if number == 1 else str(number)
        traces.append(line(times, [float(v) for v in values[chosen]], title, yaxis=f"y{suffix}"))
        high = 1 - (number - 1) * 0.25
        layout[f"yaxis{suffix}"] = {"title": {"text": title}, "domain": [high - 0.21, high]}
    return {"data": traces, "layout": layout}


def marked(parts: Parts, odd: Any, values: Values) -> Figure:
    chosen = _drawn(parts)
    marked = odd[np.isin(odd, chosen)]
    return {
        "data": [
            line(
                [t.isoformat() for t in parts.times.iloc[chosen]],
                [float(v) for v in parts.values[chosen]],
                values["value_column"],
            ),
            points(
                [t.isoformat() for t in parts.times.iloc[marked]],
                [float(v) for v in parts.values[marked]],
                "Anomaly",
                marker={"size": 9, "symbol": "x"},
                type="scatter",
            ),
        ],
        "layout": {
            "xaxis": {"title": {"text": values["timestamp_column"]}},
            "yaxis": {"title": {"text": values["value_column"]}},
        },
    }
