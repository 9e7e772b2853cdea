"""How closely two columns go together, whatever they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.insight.matrix import numbers

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_CATEGORIES = 100
_LEAST = 3


def comparable(frame: pd.DataFrame, relation: Relation) -> dict[str, tuple[bool, Any]]:
    """(is a number, values) of each column that can be compared; NaN or -1 where missing."""
    found: dict[str, tuple[bool, Any]] = {}
    for column in frame.columns:
        kind = relation.schema.type(column)
        if kind in (ColumnType.STRING, ColumnType.BOOLEAN):
            codes, names = pd.factorize(frame[column])
            if 2 <= len(names) <= _CATEGORIES:
                found[column] = (False, codes)
            continue
        values = numbers(frame[column], kind)
        if np.isfinite(values).any() and np.nanmin(values) < np.nanmax(values):
            found[column] = (True, values)
    return found


def association(one: tuple[bool, Any], other: tuple[bool, Any], linear: bool) -> float:
    """How closely two columns go together, from the rows that have both; NaN where that cannot be
    said.

    Args:
        one: of :func:`comparable`.
        other: the other one.
        linear: Pearson's r, the correlation ratio or Cramér's V; else ranks and information.
    """
    (first_is, first), (second_is, second) = one, other
    both = _has(first_is, first) & _has(second_is, second)
    first, second = first[both], second[both]
    if len(first) < _LEAST:
        return float("nan")
    if first_is and second_is:
        if not linear:
            first, second = pd.Series(first).rank().to_numpy(), pd.Series(second).rank().to_numpy()
        return pearson(first, second)
    if linear and (first_is or second_is):
        return correlation_ratio(second, first) if first_is else correlation_ratio(first, second)
    left = _binned(first) if first_is else first
    right = _binned(second) if second_is else second
    counts = pd.crosstab(left, right).to_numpy(dtype="float64")
    return cramers_v(counts) if linear else shared_information(counts)


def _has(is_number: bool, values: Any) -> Any:
    return np.isfinite(values) if is_number else values >= 0


def pearson(first: Any, second: Any) -> float:
    """Pearson's r; NaN where one does not vary."""
    if first.min() == first.max() or second.min() == second.max():
        return float("nan")
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1, 1))


def correlation_ratio(groups: Any, values: Any) -> float:
    """Eta: the square root of the share of the variance that the groups explain."""
    total = float(((values - values.mean()) ** 2).sum())
    if total == 0:
        return float("nan")
    table = pd.Series(values).groupby(groups)
    between = float((table.size() * (table.mean() - values.mean()) ** 2).sum())
    return float(np.sqrt(min(1.0, between / total)))


def cramers_v(counts: Any) -> float:
    """Cramér's V of a table of counts."""
    least = min(counts.shape) - 1
    if least < 1:
        return float("nan")
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    chi = float(((counts - expected) ** 2 / expected).sum())
    return float(np.sqrt(min(1.0, chi / (counts.sum() * least))))


def shared_information(counts: Any) -> float:
    """The mutual information as a share of the smaller entropy, from 0 to 1."""
    chances = counts / counts.sum()
    rows, columns = chances.sum(axis=1), chances.sum(axis=0)
    least = min(_entropy(rows), _entropy(columns))
    if least <= 0:
        return float("nan")
    mutual = _entropy(rows) + _entropy(columns) - _entropy(chances.ravel())
    return float(np.clip(mutual / least, 0, 1))


def _entropy(chances: Any) -> float:
    present = chances[chances > 0]
    return float(-(present * np.log(present)).sum())


def _binned(values: Any) -> Any:
    return pd.qcut(pd.Series(values), 10, labels=False, duplicates="drop").to_numpy()
