"""How much each parameter explains of a metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bottega.tracking.store import search
from bottega.tracking.store.connections import Reader, Readers
from bottega.tracking.store.query import Condition, RunQuery

FOREST_RUNS = 30
"""With fewer runs a forest would learn them by heart."""
MOST_RUNS = 5000
TREES = 100
REPEATS = 5
SEED = 0


def importance(readers: Readers, query: RunQuery, metric: str) -> dict[str, Any]:
    """The importances of the parameters over the newest runs that match and have the metric.

    The database is read first and let go: while somebody reads, what others write piles up in its
    log, and weighing takes long.
    """
    matching = query.restricted(Condition("metric", metric, "HAS"))
    with readers.read() as reader:
        ids = search.page(reader, matching, 0, MOST_RUNS)
        values = _metric(reader, ids, metric)
        rows = _params(reader, ids)
    return {"runs": len(ids), **weigh([rows[run] for run in ids], [values[run] for run in ids])}


def weigh(params: Sequence[Mapping[str, str]], target: Sequence[float]) -> dict[str, Any]:
    """Weigh parameters by what they tell of the target.

    Args:
        params: of each run, by name.
        target: the metric of each run, finite.
    """
    names = sorted({name for row in params for name in row})
    columns = {name: [row.get(name) for row in params] for name in names}
    varying = {name: column for name, column in columns.items() if len(set(column)) > 1}
    if len(target) < 3 or len(set(target)) < 2:
        method = "Nothing to explain: it takes three runs whose values of the metric differ."
        return {"importances": [], "method": method}
    if not varying:
        return {"importances": [], "method": "The runs do not differ in any parameter."}
    if len(target) < FOREST_RUNS:
        raw, method = _by_correlation(varying, target)
    else:
        raw, method = _by_forest(varying, target)
    total = math.fsum(raw.values())
    if total <= 0:
        return {"importances": [], "method": f"{method} No parameter explains anything."}
    weighed = [{"param": name, "importance": value / total} for name, value in raw.items()]
    weighed.sort(key=lambda item: (-item["importance"], item["param"]))  # type: ignore[operator]
    return {"importances": weighed, "method": method}


def _by_correlation(
    columns: Mapping[str, Sequence[str | None]], target: Sequence[float]
) -> tuple[dict[str, float], str]:
    from scipy.stats import rankdata

    ranks = rankdata(target)
    raw = {}
    for name, column in columns.items():
        encoded = _numbers(column)
        groups = column if encoded is None or None in column else None
        if groups is not None:
            raw[name] = _between_groups(groups, ranks)
        else:
            raw[name] = _squared_correlation(rankdata(encoded), ranks)
    return raw, (
        f"Share of the metric's rank variance that each parameter explains alone, over"
        f" {len(target)} runs: squared Spearman correlation for numbers, correlation"
        f" ratio for words. From {FOREST_RUNS} runs on a random forest is used."
    )


def _by_forest(
    columns: Mapping[str, Sequence[str | None]], target: Sequence[float]
) -> tuple[dict[str, float], str]:
    import numpy
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    matrix = numpy.column_stack([_encoded(column) for column in columns.values()])
    goal = numpy.clip(numpy.asarray(target, dtype=float), -1e150, 1e150)
    order = numpy.random.default_rng(SEED).permutation(len(goal))
    held_out = order[: max(10, len(goal) // 4)]
    learned = order[len(held_out) :]
    forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=SEED, n_jobs=1)
    forest.fit(matrix[learned], goal[learned])
    result = permutation_importance(
        forest, matrix[held_out], goal[held_out], n_repeats=REPEATS, random_state=SEED
    )
    raw = {
        name: max(0.0, float(value))
        for name, value in zip(columns, result.importances_mean, strict=True)
    }
    return raw, (
        f"Permutation importance in a random forest of {TREES} trees: how much worse it predicts"
        f" the metric of {len(held_out)} runs that it has not seen, out of {len(target)}, when a"
        " parameter's values are shuffled."
    )


def _numbers(column: Sequence[str | None]) -> list[float] | None:
    """The column as numbers, NaN where a run lacks it; None if some value is no finite number."""
    found = []
    for text in column:
        try:
            number = math.nan if text is None else float(text)
        except ValueError:
            return None
        if text is not None and not math.isfinite(number):
            return None
        found.append(number)
    return found


def _encoded(column: Sequence[str | None]) -> list[float]:
    """The column as the forest takes it: numbers, or the place of a word in the alphabet."""
    encoded = _numbers(column)
    if encoded is None:
        places = {text: n for n, text in enumerate(sorted({x for x in column if x is not None}))}
        encoded = [math.nan if text is None else float(places[text]) for text in column]
    return encoded


def _squared_correlation(left: Any, right: Any) -> float:
    import numpy

    found = float(numpy.corrcoef(left, right)[0, 1])
    return found * found


def _between_groups(groups: Sequence[str | None], ranks: Any) -> float:
    """The share of the variance that lies between groups, less what chance alone would show."""
    import numpy

    labels = numpy.asarray([f"{group is None} {group}" for group in groups])
    whole = float(((ranks - ranks.mean()) ** 2).sum())
    names = numpy.unique(labels)
    within = sum(
        float(((ranks[labels == name] - ranks[labels == name].mean()) ** 2).sum()) for name in names
    )
    freedom = len(ranks) - len(names)
    if freedom <= 0:
        return 0.0  # every run has its own word: that tells nothing
    return max(0.0, 1 - (within / freedom) / (whole / (len(ranks) - 1)))


def _metric(reader: Reader, ids: Sequence[str], metric: str) -> dict[str, float]:
    places = ", ".join("?" * len(ids))
    rows = reader.connection.execute(
        f"SELECT run_uuid, value FROM latest_metrics WHERE key = ? AND run_uuid IN ({places})",
        (metric, *ids),
    )
    return dict(rows)


def _params(reader: Reader, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {run: {} for run in ids}
    places = ", ".join("?" * len(ids))
    for run, key, value in reader.connection.execute(
        f"SELECT run_uuid, key, value FROM params WHERE run_uuid IN ({places})", tuple(ids)
    ):
        found[run][key] = value
    return found
