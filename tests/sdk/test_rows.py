"""Rows on their way to an endpoint, and predictions on their way back."""

from __future__ import annotations

import io
import math

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.sdk.data import DataError
from bottega.sdk.rows import decode_predictions, encode_rows

FRAME = pandas.DataFrame({"b": [2], "y": [9], "a": [1]})


@pytest.mark.parametrize(
    ("rows", "body"),
    [
        ([[1, 2], [3, None]], b"1,2\n3,\n"),
        ([1, 2.5], b"1,2.5\n"),
        ((True, math.nan), b"1,\n"),
        ([numpy.float64(1.5), numpy.int64(2)], b"1.5,2\n"),
        ([numpy.array([1.0, 2.0])], b"1.0,2.0\n"),
        (numpy.array([[1.0, numpy.nan]]), b"1.0,\n"),
        (FRAME, b"1,2\n"),
        (FRAME.iloc[0], b"1,2\n"),
        (FRAME.assign(a=True), b"1,2\n"),
        ([{"a": 1, "b": None}, {"b": 4, "a": 3}], b"1,\n3,4.0\n"),
        (pandas.DataFrame([[1, 2]]), b"1,2\n"),
        ([], b""),
        ("1,2", b"1,2"),
        (b"1,2", b"1,2"),
        ({"instances": []}, b'{"instances": []}'),
    ],
)
def test_rows_become_a_body(rows, body: bytes):
    assert encode_rows(rows, ("a", "b")).body == body


def test_a_frame_without_known_columns_goes_as_it_is():
    assert encode_rows(FRAME).body == b"2,9,1\n"


def test_a_frame_that_lacks_a_column_is_refused_by_name():
    with pytest.raises(DataError, match="lack columns of the model: c"):
        encode_rows(FRAME, ("a", "c"))


@pytest.mark.parametrize("rows", [None, 3.5, object(), [[[1]]], numpy.zeros((2, 2, 2))])
def test_what_is_no_table_is_refused(rows):
    with pytest.raises(DataError, match="cannot send"):
        encode_rows(rows)


@given(
    st.lists(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2), min_size=1, max_size=5)
)
def test_numbers_arrive_as_they_were_sent(rows):
    body = encode_rows(rows).body
    assert numpy.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2).tolist() == rows


def test_answers_become_numbers():
    assert decode_predictions(b"0.5\n0.25\n", "text/csv; charset=utf-8").tolist() == [0.5, 0.25]
    assert decode_predictions(b"0.1,0.9\n0.2,0.8\n", "text/csv").shape == (2, 2)
    assert decode_predictions(b"0.1,0.9\n", "text/csv").shape == (1, 2)
    assert decode_predictions(b"", "text/csv").shape == (0,)
    assert decode_predictions(b'{"a": 1}', "application/json") == {"a": 1}
    assert decode_predictions(b'{"a": 1}\n{"a": 2}\n', "application/jsonlines") == [
        {"a": 1},
        {"a": 2},
    ]
    assert decode_predictions(b"cat\ndog\n", "text/csv") == ["cat", "dog"]
    assert decode_predictions(b"\x93NUMPY", "application/x-npy") == b"\x93NUMPY"
