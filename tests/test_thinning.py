"""A course is thinned without losing what one looks at it for."""

from __future__ import annotations

import doctest
import math

from hypothesis import given
from hypothesis import strategies as st

from bottega import thinning
from bottega.thinning import thinned


def test_the_examples_hold():
    assert doctest.testmod(thinning).failed == 0


@given(
    st.lists(st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=200),
    st.integers(2, 100),
)
def test_thinning_keeps_ends_and_extremes_in_order(values: list[float], limit: int):
    chosen = list(thinned(values, limit))
    assert len(chosen) <= limit
    assert chosen == sorted(set(chosen))
    if len(values) <= limit:
        assert chosen == list(range(len(values)))
        return
    assert (chosen[0], chosen[-1]) == (0, len(values) - 1)
    solid = [value for value in values if not math.isnan(value)]
    if limit >= 4 and solid:
        kept = [values[at] for at in chosen if not math.isnan(values[at])]
        assert (min(kept), max(kept)) == (min(solid), max(solid))


def test_what_is_no_number_hides_no_extreme():
    values = [0.0, *[math.nan] * 50, 7.0, *[math.nan] * 50, 0.0]
    assert 51 in thinned(values, 4)
    assert len(thinned([math.nan] * 50, 10)) <= 10
