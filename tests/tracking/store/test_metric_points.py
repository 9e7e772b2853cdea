"""Points of metrics: written as MLflow writes them, limited and summed up."""

from __future__ import annotations

import itertools
import math
import sqlite3
import statistics
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from bottega.testing.run_samples import SampleRun, SampleStore
from bottega.tracking.store import metric_points
from bottega.tracking.store.catalogue import Missing

# What MLflow's own models use of SQLAlchemy is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

VALUES = st.sampled_from([-1.0, 0.0, 0.5, 2.0, math.nan, math.inf, -math.inf])
POINTS = st.builds(
    Metric,
    st.sampled_from(["auc", "train/loss"]),
    VALUES,
    st.integers(0, 3),
    st.integers(-1, 2),
)


def tables(samples: SampleStore, run: str) -> list[list[Any]]:
    with closing(sqlite3.connect(samples.database)) as connection:
        return [
            connection.execute(
                f"SELECT key, value, timestamp, step, is_nan FROM {table} WHERE run_uuid = ?"
                " ORDER BY 1, 2, 3, 4, 5",
                (run,),
            ).fetchall()
            for table in ("metrics", "latest_metrics")
        ]


@pytest.fixture
def of_mlflow(make_store: Callable[[], SampleStore]) -> SampleStore:
    """A store whose metrics go MLflow's own way."""
    samples = make_store()
    plain: Any = type(samples.store).__mro__[1]
    samples.store._log_metrics = plain._log_metrics.__get__(samples.store)  # type: ignore[method-assign]
    samples.store.log_batch = plain.log_batch.__get__(samples.store)  # type: ignore[method-assign]
    return samples


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(POINTS, min_size=1, max_size=6), max_size=5))
def test_the_tables_are_as_mlflow_leaves_them(
    samples: SampleStore, of_mlflow: SampleStore, batches: list[list[Metric]]
) -> None:
    kept = []
    for each in (samples, of_mlflow):
        (run,) = each.add(SampleRun())
        for batch in batches:
            each.store.log_batch(run, batch, [], [])
        kept.append(tables(each, run))
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    ("run", "metrics"),
    [
        ("deleted", [Metric("m", 1.0, 1, 0)]),
        ("f" * 32, [Metric("m", 1.0, 1, 0)]),
        ("../run", [Metric("m", 1.0, 1, 0)]),
        ("active", [Metric("m", 1.0, 1, 0), Metric("m?", 1.0, 1, 0)]),
        ("active", [Metric("m", 1.0, -1, 0)]),
        ("active", [Metric("m", "much", 1, 0)]),
        ("active", [Metric(f"m{number}", 1.0, 1, 0) for number in range(1001)]),
    ],
)
def test_what_mlflow_refuses_is_refused_in_its_words(
    samples: SampleStore, of_mlflow: SampleStore, run: str, metrics: list[Metric]
) -> None:
    refusals = []
    for each in (samples, of_mlflow):
        active, deleted = each.add(SampleRun(), SampleRun(stage="deleted"))
        target = {"active": active, "deleted": deleted}.get(run, run)
        with pytest.raises(MlflowException) as caught:
            each.store.log_batch(target, metrics, [], [])
        text = caught.value.message.replace(target, "RUN")
        refusals.append((caught.value.error_code, text))
        assert tables(each, active) == [[], []]
    assert refusals[0] == refusals[1]


def put(samples: SampleStore, component: str, *points: Sequence[Any]) -> dict[str, Any]:
    asked = {"component": component, "points": points}
    (answer,) = samples.store.writes.run(
        lambda connection: metric_points.put_all(connection, [asked])
    )
    return answer


def series(samples: SampleStore, component: str, **asked: Any) -> dict[str, Any]:
    question = {"metric": "m", "statistic": "Last", "period": "IterationNumber", "start": None}
    question |= {"axis": "IterationNumber", "end": None, "component": component, **asked}
    with samples.readers.read() as reader:
        return metric_points.series(reader.connection, question)


def test_the_same_points_again_are_there_once(samples: SampleStore) -> None:
    (run,) = samples.add(SampleRun())
    for _ in range(2):
        assert put(samples, run, ("m", 1.5, 1000, 0), ("m", 2.5, 2000, 1)) == {
            "experiment_id": "1",
            "beyond": [],
        }
    assert series(samples, run) == {"x": [0, 1], "values": [1.5, 2.5], "truncated": False}
    assert samples.store.get_run(run).data.metrics == {"m": 2.5}


def test_a_component_has_so_many_metrics_and_no_more(samples: SampleStore) -> None:
    (run,) = samples.add(SampleRun())
    names = [f"m{number:03d}" for number in range(metric_points.MOST_METRICS - 1)]
    assert put(samples, run, *((name, 1.0, 1, 0) for name in names))["beyond"] == []
    answer = put(samples, run, ("z", 1.0, 1, 0), ("m000", 2.0, 2, 1), ("y", 1.0, 1, 0))
    assert answer["beyond"] == [0]
    metrics = samples.store.get_run(run).data.metrics
    assert len(metrics) == metric_points.MOST_METRICS
    assert metrics["y"] == 1.0
    assert metrics["m000"] == 2.0


def test_a_component_that_is_not_there_keeps_nobody_else_from_writing(samples: SampleStore) -> None:
    run, gone = samples.add(SampleRun(), SampleRun(stage="deleted"))
    puts = [
        {"component": component, "points": [("m", 1.0, 1, 0)]} for component in ("no", run, gone)
    ]
    answers = samples.store.writes.run(lambda connection: metric_points.put_all(connection, puts))
    assert [answer.get("missing") for answer in answers] == [
        "TrialComponent no does not exist.",
        None,
        f"TrialComponent {gone} does not exist.",
    ]
    assert samples.store.get_run(run).data.metrics == {"m": 1.0}
    with pytest.raises(Missing, match="TrialComponent no does not exist"):
        series(samples, "no")


NUMBERS = st.tuples(st.integers(0, 4), st.integers(0, 400_000), st.sampled_from([-2.0, 0.5, 3.0]))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    points=st.lists(NUMBERS, max_size=12, unique_by=lambda point: point[:2]),
    statistic=st.sampled_from(["Min", "Max", "Avg", "Count", "StdDev", "Last"]),
    period=st.sampled_from(["IterationNumber", "OneMinute", "FiveMinute"]),
    axis=st.sampled_from(["IterationNumber", "Timestamp"]),
    start=st.none() | st.integers(0, 3),
    end=st.none() | st.integers(2, 300),
)
def test_a_series_has_a_statistic_for_each_group(
    samples: SampleStore,
    points: list[tuple[int, int, float]],
    statistic: str,
    period: str,
    axis: str,
    start: int | None,
    end: int | None,
) -> None:
    (run,) = samples.add(SampleRun())
    put(samples, run, *(("m", value, at, step) for step, at, value in points))
    seconds = {"OneMinute": 60, "FiveMinute": 300}.get(period)
    reduce: dict[str, Callable[[Sequence[float]], float]] = {
        "Min": min,
        "Max": max,
        "Avg": statistics.fmean,
        "Count": len,
        "StdDev": statistics.pstdev,
        "Last": lambda values: values[-1],
    }
    expected = []

    def group_of(point: tuple[int, int, float]) -> int:
        return point[1] // 1000 // seconds if seconds else point[0]

    def at(point: tuple[int, int, float]) -> int:
        return point[0] if axis == "IterationNumber" else point[1] // 1000

    chosen = [
        point
        for point in points
        if (start is None or at(point) >= start) and (end is None or at(point) <= end)
    ]
    chosen.sort(key=lambda point: (group_of(point), *point))
    for group, members in itertools.groupby(chosen, key=group_of):
        every = list(members)
        x = every[-1][0]
        if axis == "Timestamp":
            x = group * seconds if seconds else max(point[1] for point in every) // 1000
        expected.append((x, reduce[statistic]([point[2] for point in every])))
    expected.sort(key=lambda pair: pair[0])
    found = series(
        samples, run, statistic=statistic, period=period, axis=axis, start=start, end=end
    )
    assert found["x"] == [x for x, _ in expected]
    assert found["values"] == pytest.approx([value for _, value in expected])


def test_what_is_no_number_counts_and_has_no_size(samples: SampleStore) -> None:
    (run,) = samples.add(SampleRun())
    put(samples, run, ("m", 1.0, 1, 0), ("m", math.nan, 2, 0), ("m", math.nan, 1, 1))
    put(samples, run, ("big", math.inf, 1, 0), ("big", math.inf, 2, 0))
    assert series(samples, run, statistic="Count")["values"] == [2.0, 1.0]
    assert series(samples, run, statistic="Max")["values"] == pytest.approx(
        [1.0, math.nan], nan_ok=True
    )
    assert math.isnan(series(samples, run)["values"][0])
    assert series(samples, run, metric="big", statistic="Avg")["values"] == [math.inf]


def test_a_long_series_says_that_it_is_cut_off(
    samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_points, "MOST_GROUPS", 3)
    (run,) = samples.add(SampleRun())
    put(samples, run, *(("m", float(step), step, step) for step in range(5)))
    assert series(samples, run) == {"x": [0, 1, 2], "values": [0.0, 1.0, 2.0], "truncated": True}
    assert series(samples, run, start=3)["x"] == [3, 4]
    # Upwards, though steps came backwards in time.
    (run,) = samples.add(SampleRun())
    put(samples, run, *(("m", float(step), 9000 - 1000 * step, step) for step in range(5)))
    cut = {"x": [7, 8, 9], "values": [2.0, 1.0, 0.0], "truncated": True}
    assert series(samples, run, axis="Timestamp") == cut
