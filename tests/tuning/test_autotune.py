"""What is decided for those who leave it open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms import registry
from bottega.tuning.autotune import NotTunable, automatic_range, decide
from bottega.tuning.spaces import CategoricalRange, ContinuousRange, IntegerRange, problem

XGBOOST = registry.algorithm("xgboost").hyperparameters


def test_built_in_algorithms_have_ranges_of_their_own() -> None:
    tunable = XGBOOST["num_round"].tunable
    assert tunable is not None
    found = automatic_range("num_round", "100", XGBOOST)
    assert found == IntegerRange("num_round", 1, 4000, tunable.scaling)


def test_the_hint_is_in_the_range() -> None:
    found = automatic_range("num_round", "5000", XGBOOST)
    assert isinstance(found, IntegerRange)
    assert found.high == 5000


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("0.01", ContinuousRange("p", 0.001, 0.1, "Auto")),
        ("0.5", ContinuousRange("p", 0.05, 0.75, "Auto")),
        ("5.0", ContinuousRange("p", 0.5, 50.0, "Auto")),
        ("-2.0", ContinuousRange("p", -20.0, -0.2, "Auto")),
        ("0.0", ContinuousRange("p", 0.0, 1.0, "Auto")),
        ("32", IntegerRange("p", 4, 320, "Auto")),
        ('"32"', IntegerRange("p", 4, 320, "Auto")),
        ("1", IntegerRange("p", 1, 10, "Auto")),
        ("0", IntegerRange("p", 0, 1, "Auto")),
        ("True", CategoricalRange("p", ("True", "False"))),
        ("false", CategoricalRange("p", ("true", "false"))),
    ],
)
def test_other_images_search_around_the_hint(hint: str, expected: Any) -> None:
    found = automatic_range("p", hint, None)
    if isinstance(expected, ContinuousRange):
        assert isinstance(found, ContinuousRange)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("name", "hint", "schema", "words"),
    [
        ("p", "adam", None, "no range can be made of the ValueHint 'adam'"),
        ("p", "nan", None, "no range"),
        ("no_such", "1", XGBOOST, "no such hyperparameter"),
        ("eta", "7", XGBOOST, "the ValueHint does not fit"),
        ("monotone_constraints", "(1,0)", XGBOOST, "is a text"),
    ],
)
def test_what_cannot_be_tuned_is_said(name: str, hint: str, schema: Any, words: str) -> None:
    with pytest.raises(NotTunable, match=words):
        automatic_range(name, hint, schema)


@given(hint=st.floats(-1e6, 1e6) | st.integers(-1000, 100_000))
@settings(max_examples=60, deadline=None)
def test_a_range_around_a_number_holds_it_and_can_be_searched(hint: float) -> None:
    found = automatic_range("p", repr(hint), None)
    assert isinstance(found, ContinuousRange | IntegerRange)
    assert problem(found) == ""
    assert found.low <= hint <= found.high
    assert found.low < found.high


@pytest.mark.parametrize("name", registry.names())
def test_every_range_of_an_algorithm_is_one_that_it_takes(name: str) -> None:
    schema = registry.algorithm(name).hyperparameters
    for parameter in schema.visible():
        if parameter.kind == "text" or parameter.default is None:
            continue
        try:
            found = automatic_range(parameter.name, parameter.default, schema)
        except NotTunable as error:
            assert parameter.default in parameter.also, error  # noqa: PT017
            continue
        assert problem(found) == ""
        ends = found.values if isinstance(found, CategoricalRange) else (found.low, found.high)
        for end in ends:
            parameter.convert(str(end))


@pytest.mark.parametrize(
    ("algorithm", "metric", "strategy", "stopping"),
    [
        ("xgboost", "validation:auc", None, "Auto"),
        ("xgboost", "validation:auc", "Hyperband", "Off"),
        ("kmeans", "test:msd", None, "Off"),
        ("linear-learner", "validation:objective_loss", None, "Auto"),
        ("linear-learner", "test:recall", None, "Off"),
        (None, "loss", "Random", "Off"),
    ],
)
def test_early_stopping_where_the_objective_is_told_after_every_epoch(
    algorithm: str | None, metric: str, strategy: Any, stopping: str
) -> None:
    found = decide((), algorithm=algorithm, metric=metric, strategy=strategy)
    assert found.early_stopping == stopping
    assert found.strategy == (strategy or "Bayesian")


@pytest.mark.parametrize(
    ("count", "others", "asked", "most"),
    [(1, 0, None, 20), (3, 1, None, 40), (20, 5, None, 100), (3, 0, 7, 7)],
)
def test_ten_training_jobs_for_each_parameter(
    count: int, others: int, asked: int | None, most: int
) -> None:
    parameters = [(f"p{number}", "1.0") for number in range(count)]
    found = decide(parameters, algorithm=None, metric="loss", others=others, most_trials=asked)
    assert found.most_trials == most
    assert [searched.name for searched in found.ranges] == [name for name, _ in parameters]
