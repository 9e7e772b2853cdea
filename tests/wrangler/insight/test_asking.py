from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.columns import Schema
from bottega.wrangler.insight.asking import Share, cell, pieces, sample_frame
from bottega.wrangler.transform import Rows


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, True),
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (math.nan, None),
        (-math.inf, "-inf"),
        (np.int64(3), 3),
        (np.float64("inf"), "inf"),
        (np.bool_(False), False),
        (datetime(2024, 2, 29, 12), "2024-02-29T12:00:00"),
        (date(2024, 2, 29), "2024-02-29"),
        ([1.0, None, math.inf], [1.0, None, "inf"]),
        ("🐈", "🐈"),
    ],
)
def test_cells_are_what_json_can_carry(value: object, shown: object):
    assert cell(value) == shown
    assert type(cell(value)) is type(shown)


def test_a_sample_is_the_same_each_time_and_about_as_large_as_asked(bench: Bench):
    relation = bench.relation(pd.DataFrame({"a": range(20_000), "{b}": "x"}))
    once, rows = sample_frame(relation, ["a", "{b}"], 2000)
    again, _ = sample_frame(relation, ["a", "{b}"], 2000)
    assert rows == 20_000
    assert 1700 < len(once) < 2300
    assert once.equals(again)
    assert once["a"].is_monotonic_increasing
    assert once["a"].mean() == pytest.approx(10_000, rel=0.05)


def test_a_small_table_is_its_own_sample(bench: Bench):
    relation = bench.relation(pd.DataFrame({"a": range(50)})).then(
        Rows('"a" % 2 = 0'), Schema.of(a="long")
    )
    frame, rows = sample_frame(relation, ["a"], 25)
    assert (len(frame), rows) == (25, 25)
    assert sample_frame(relation, [], 5)[1] == 25


def test_shares():
    assert Share.of(10, 10).where == Share.of(0, 10).where == ""
    assert Share.of(11, 10).every == 2
    assert list(pieces(range(5), 2)) == [[0, 1], [2, 3], [4]]
