"""Skewness, kurtosis and outliers of any numbers."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from bottega.wrangler.insight.spread import robust_outliers, skewness_and_kurtosis

USUAL = st.lists(st.integers(-1000, 1000).map(float), min_size=3, max_size=30)
ANY = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=30)


@given(USUAL)
def test_they_are_those_of_scipy(numbers: list[float]) -> None:
    values = np.array(numbers)
    assume(values.min() < values.max())
    expected = (stats.skew(values), stats.kurtosis(values))
    assert skewness_and_kurtosis(values) == pytest.approx(expected, abs=1e-9)


@given(ANY)
@example([1.7e308, -1.7e308, 0.0])
@example([1.7e308, -1.7e308, 1e-7])
@example([5e-324, 0.0, 0.0])
@example([1.0, 1.0, 1.0000000000000002])
def test_every_size_of_numbers_has_them(numbers: list[float]) -> None:
    values = np.array(numbers)
    assume(values.min() < values.max())
    assert all(isfinite(one) for one in skewness_and_kurtosis(values))
    assert robust_outliers(values).shape == values.shape


def test_an_outlier_is_far_from_the_median() -> None:
    values = np.array([*range(100), 1000.0])
    assert np.flatnonzero(robust_outliers(values)).tolist() == [100]
    assert not robust_outliers(np.zeros(5)).any()
