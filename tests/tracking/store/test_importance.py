"""Parameters are weighed by what they tell of the metric."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
import scipy.stats

from bottega.testing.run_samples import SampleRun, SampleStore
from bottega.tracking.store.importance import importance, weigh
from bottega.tracking.store.query import Condition, RunQuery


def grid(runs: int) -> tuple[list[dict[str, str]], list[float]]:
    """Runs whose metric follows from ``depth``, a little from ``kind``, and not from ``seed``."""
    chance = random.Random(3)
    params, target = [], []
    for number in range(runs):
        depth, kind = chance.randint(1, 10), chance.choice(["a", "b"])
        params.append(
            {"depth": str(depth), "kind": kind, "seed": str(chance.random()), "fixed": "1"}
        )
        if number % 9 == 0:
            del params[-1]["kind"]
        target.append(depth + (1.0 if kind == "a" else 0.0))
    return params, target


@pytest.mark.parametrize(("runs", "method"), [(20, "Spearman"), (200, "random forest")])
def test_what_matters_comes_first(runs: int, method: str) -> None:
    found = weigh(*grid(runs))
    shares = {item["param"]: item["importance"] for item in found["importances"]}
    assert next(iter(shares)) == "depth"
    assert shares["depth"] > 0.5
    assert shares["seed"] < 0.3
    assert "fixed" not in shares
    assert math.fsum(shares.values()) == pytest.approx(1)
    assert method in found["method"]


def test_nothing_is_explained_where_nothing_differs() -> None:
    assert weigh([{"a": "1"}, {"a": "2"}, {"a": "3"}], [1.0, 1.0, 1.0])["importances"] == []
    assert weigh([{"a": "1"}] * 3, [1.0, 2.0, 3.0])["importances"] == []
    assert weigh([], [])["importances"] == []
    words = weigh([{"a": "x"}, {"a": "y"}, {"a": "z"}], [1.0, 2.0, 3.0])
    assert words["importances"] == []
    assert "No parameter explains anything" in words["method"]


def test_only_runs_that_match_and_have_the_metric_count(samples: SampleStore) -> None:
    samples.add(
        *(SampleRun(metrics={"auc": n / 10}, params={"depth": str(n)}) for n in range(6)),
        SampleRun(metrics={"auc": math.nan}, params={"depth": "99"}),
        SampleRun(params={"depth": "100"}),
        SampleRun(stage="deleted", metrics={"auc": 0.5}),
    )
    query = RunQuery((1,), ("active",), (Condition("metric", "auc", ">", 0.15),))
    found = importance(samples.readers, query, "auc")
    assert found["runs"] == 4
    assert found["importances"] == [{"param": "depth", "importance": pytest.approx(1)}]


def test_the_database_is_let_go_before_anything_is_weighed(
    samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.add(*(SampleRun(metrics={"auc": n / 10}, params={"depth": str(n)}) for n in range(6)))
    rank, reading = scipy.stats.rankdata, []

    def watched(values: Any) -> Any:
        idle = samples.readers._idle
        reading.append([reader.connection.in_transaction for reader in idle])
        return rank(values)

    monkeypatch.setattr(scipy.stats, "rankdata", watched)
    assert importance(samples.readers, RunQuery((1,), ("active",)), "auc")["runs"] == 6
    assert reading
    assert all(states == [False] for states in reading)
