"""Our store answers every search as MLflow's own does: the same runs in the same order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

from bottega.testing.run_samples import SampleRun, SampleStore
from bottega.tracking.store import query, search

# What MLflow's own models use of SQLAlchemy is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NUMBERS = st.sampled_from([-1.5, 0.0, 0.5, 0.5, 1.0, 2.0, math.nan])
WORDS = st.sampled_from(["1", "10", "2", "Deep", "deep", "de%p", ""])
RUNS = st.builds(
    SampleRun,
    experiment=st.sampled_from([1, 1, 1, 2, 3]),
    stage=st.sampled_from(["active", "active", "active", "deleted"]),
    status=st.sampled_from(["RUNNING", "FINISHED", "FAILED"]),
    name=st.sampled_from(["a", "b", "Apple", ""]),
    start=st.sampled_from([1, 2, 2, 3, 3, 4]),
    end=st.sampled_from([None, 5, 6]),
    metrics=st.dictionaries(st.sampled_from(["auc", "loss"]), NUMBERS),
    params=st.dictionaries(st.sampled_from(["depth", "eta"]), WORDS),
    tags=st.dictionaries(st.sampled_from(["team", "x y"]), st.none() | WORDS),
    datasets=st.sampled_from([(), (), ("train",), ("train", "test")]),
)
CONDITIONS = st.sampled_from(
    [
        "metrics.auc > 0.5",
        "metrics.auc <= 0.5",
        "metrics.auc = 0",
        "metrics.auc != 0.5",
        "metrics.loss < 1",
        "metrics.`loss` >= 0",
        "params.depth = '10'",
        "params.depth != '10'",
        "params.depth LIKE 'de%'",
        "params.depth LIKE 'DE%'",
        "params.depth ILIKE 'DE_P'",
        "params.eta IS NULL",
        "params.eta IS NOT NULL",
        "tags.team = 'deep'",
        "tags.`x y` != 'deep'",
        "tags.team IS NULL",
        "attributes.status = 'FINISHED'",
        "status != 'FAILED'",
        "attributes.run_name LIKE 'a%'",
        "attributes.run_name = 'b'",
        "start_time >= 2",
        "attributes.created < 4",
        "attributes.end_time = 5",
        "attributes.user_id = 'ada'",
        "run_id IN ('x', 'y')",
        "run_id NOT IN ('x')",
        "datasets.name = 'train'",
        "datasets.name IN ('test', 'none')",
        "dataset.digest LIKE 'd%'",
        "datasets.context = 'training'",
    ]
)
ORDERS = st.sampled_from(
    [
        "metrics.auc DESC",
        "metrics.auc",
        "metrics.loss ASC",
        "params.depth DESC",
        "params.eta",
        "tags.team DESC",
        "tags.`x y` ASC",
        "attributes.start_time ASC",
        "attributes.start_time DESC",
        "attributes.status",
        "attributes.run_name DESC",
        "attributes.end_time",
        "run_id DESC",
    ]
)
SEARCHES = st.fixed_dictionaries(
    {
        "experiments": st.sampled_from([["1"], ["1", "2"], ["3", "1", "2"], ["9"], []]),
        "filter": st.lists(CONDITIONS, max_size=3).map(" and ".join),
        "order": st.lists(ORDERS, max_size=2, unique_by=lambda text: text.split(" ")[0]),
        "view": st.sampled_from([ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL]),
        "limit": st.integers(1, 6),
    }
)


def as_mlflow(store: Any, *how: Any) -> Any:
    """What the class that ours extends answers."""
    return super(type(store), store)._search_runs(*how)


def pages(found: Callable[..., Any], search: dict[str, Any]) -> list[list[Run]]:
    """All pages of a search."""
    result, token = [], None
    while True:
        runs, token = found(
            search["experiments"],
            search["filter"],
            search["view"],
            search["limit"],
            search["order"],
            token,
        )
        result.append(list(runs))
        if token is None:
            return result


def plain(run: Run) -> dict[str, Any]:
    """A run as data that can be compared; MLflow promises no order within it."""
    data = dict(run.to_dictionary())
    data["data"]["metrics"] = {k: repr(v) for k, v in data["data"]["metrics"].items()}
    return data


def same(ours: Sequence[Sequence[Run]], theirs: Sequence[Sequence[Run]]) -> None:
    assert [[run.info.run_id for run in page] for page in ours] == [
        [run.info.run_id for run in page] for page in theirs
    ]
    assert [[plain(run) for run in page] for page in ours] == [
        [plain(run) for run in page] for page in theirs
    ]


@settings(
    max_examples=40,
    deadline=None,
    # Without shrinking: an example makes a database, so that a thousand of them take minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(runs=st.lists(RUNS, max_size=14), searches=st.lists(SEARCHES, min_size=1, max_size=8))
def test_searches_are_answered_as_mlflow_does(
    make_store: Callable[[], SampleStore], runs: list[SampleRun], searches: list[dict[str, Any]]
) -> None:
    samples = make_store()
    samples.add(*runs)
    own = samples.store
    for asked in searches:
        theirs = pages(lambda *how: as_mlflow(own, *how), asked)
        same(pages(own._search_runs, asked), theirs)
        conditions, order = (
            query.parse_conditions(asked["filter"]),
            query.parse_order(asked["order"]),
        )
        assert conditions is not None
        assert order is not None
        question = query.RunQuery(
            query.numbers(asked["experiments"]), query.stages_of(asked["view"]), conditions, order
        )
        ids = [run.info.run_id for page in theirs for run in page]
        with own.readers.read() as reader:
            assert search.count(reader, question) == len(ids)
            if not question.experiment_ids:
                continue
            for offset in (0, 1, 4, len(ids) + 3):
                wanted = ids[offset : offset + asked["limit"]]
                reader.totals.clear()
                window = search.page_and_total(reader, question, offset, asked["limit"])
                assert window == (wanted, len(ids))
                assert search.collected(reader, question, offset, asked["limit"]) == wanted
                if search.walkable(question):
                    assert search.walked(reader, question, offset, asked["limit"]) == wanted


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("metrics.auc > 'high'", []),
        ("params.depth > '3'", []),
        ("nonsense", []),
        ("metric.auc >", []),
        ("attributes.colour = 'red'", []),
        ("", ["metrics.auc DESC", "metrics.auc ASC"]),
        ("", ["colour"]),
    ],
)
def test_what_mlflow_refuses_is_refused_in_its_words(
    samples: SampleStore, text: str, order: list[str]
) -> None:
    refusals = []
    for found in (
        samples.store._search_runs,
        lambda *how: as_mlflow(samples.store, *how),
    ):
        with pytest.raises(MlflowException) as refused:
            found(["1"], text, ViewType.ACTIVE_ONLY, 10, order, None)
        refusals.append((refused.value.message, refused.value.error_code))
    assert refusals[0] == refusals[1]


def test_a_total_is_counted_again_after_a_write(samples: SampleStore) -> None:
    question = query.RunQuery((1,), ("active",))
    samples.add(SampleRun())
    with samples.readers.read() as reader:
        assert search.count(reader, question) == 1
    samples.add(SampleRun(), SampleRun())
    with samples.readers.read() as reader:
        assert search.count(reader, question) == 3


def test_statistics_are_renewed_when_there_are_many_more_runs(samples: SampleStore) -> None:
    assert not samples.store.renew_statistics()
    samples.add(*[SampleRun()] * 600)
    assert samples.store.renew_statistics()
    assert not samples.store.renew_statistics()
    samples.add(*[SampleRun()] * 900)
    assert samples.store.renew_statistics()
