"""What a person writes for a range, and what is sent."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms import registry
from bottega.errors import ClientFault
from bottega.sdk.ranges import CATEGORICAL, CONTINUOUS, INTEGER, parameter_ranges, recommended

XGBOOST = registry.algorithm("xgboost")


def test_two_whole_numbers_are_whole_numbers_where_nobody_knows_better():
    found = parameter_ranges({"depth": (2, 8), "rate": (0.5, 1)})
    assert found == {
        INTEGER: [{"Name": "depth", "MinValue": "2", "MaxValue": "8", "ScalingType": "Auto"}],
        CONTINUOUS: [{"Name": "rate", "MinValue": "0.5", "MaxValue": "1.0", "ScalingType": "Auto"}],
    }


def test_an_algorithm_knows_what_its_hyperparameters_take():
    given = {"eta": (0, 1), "max_depth": (2.0, 8.0)}
    found = parameter_ranges(given, XGBOOST)
    assert [item["MinValue"] for item in found[CONTINUOUS]] == ["0.0"]
    assert [item["MaxValue"] for item in found[INTEGER]] == ["8"]
    with pytest.raises(ClientFault, match=r"max_depth takes whole numbers.*2\.5"):
        parameter_ranges({"max_depth": (2.5, 8)}, XGBOOST)


def test_numbers_of_numpy_and_scalings_in_words():
    found = parameter_ranges({"n": (numpy.int64(1), numpy.int64(9), "Log"), "b": [True, 3]})
    assert found[INTEGER][0]["ScalingType"] == "Logarithmic"
    assert found[CATEGORICAL] == [{"Name": "b", "Values": ["true", "3"]}]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ((1,), "is none: give"),
        (7, "is none: give"),
        ([], "has no values"),
        (("a", "b"), "a list has values to choose from"),
        ((True, False), "which is no number"),
        ((1, 2, "steep"), "cannot be scaled as 'steep'"),
    ],
)
def test_what_is_no_range_is_refused(wrong: Any, said: str):
    with pytest.raises(ClientFault, match=said):
        parameter_ranges({"x": wrong})


def test_what_is_recommended_leaves_out_what_is_given():
    found = recommended(XGBOOST, {"num_round": 50})
    assert "num_round" not in found
    assert {"eta", "max_depth", "subsample"} <= set(found)
    assert parameter_ranges(found, XGBOOST)[INTEGER]


@pytest.mark.parametrize("name", registry.names())
def test_what_every_algorithm_recommends_is_a_range(name: str):
    algorithm = registry.algorithm(name)
    found = recommended(algorithm, {})
    assert found
    sent = parameter_ranges(found, algorithm)
    assert sum(map(len, sent.values())) == len(found)


numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6, allow_nan=False)


@given(numbers, numbers)
def test_the_text_of_a_number_is_that_number(low: float, high: float):
    ((member, (sent,)),) = parameter_ranges({"x": (low, high)}).items()
    assert (float(sent["MinValue"]), float(sent["MaxValue"])) == (low, high)
    assert (member == INTEGER) == (isinstance(low, int) and isinstance(high, int))
