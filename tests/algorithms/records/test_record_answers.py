"""Answers in every media type, and which of them a caller gets."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from bottega.algorithms.base import RequestError
from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.recordio import read_records
from bottega.algorithms.records.answers import choose, encode

JSON, JSONLINES, CSV = "application/json", "application/jsonlines", "text/csv"
RECORDIO = "application/x-recordio-protobuf"
ACCEPTED = (JSON, JSONLINES, CSV, RECORDIO)

COLUMNS = {
    "score": np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32),
    "predicted_label": np.array([1, 0]),
}
ROWS = [
    {"score": [0.25, 0.75], "predicted_label": 1},
    {"score": [0.5, 0.5], "predicted_label": 0},
]


def test_json_and_json_lines() -> None:
    assert json.loads(encode(COLUMNS, JSON)) == {"predictions": ROWS}
    lines = encode(COLUMNS, JSONLINES)
    assert lines.endswith(b"\n")
    assert [json.loads(line) for line in lines.splitlines()] == ROWS
    assert b'"predicted_label": 1}' in lines
    assert encode({"score": np.array([0.5])}, JSON) == b'{"predictions": [{"score": 0.5}]}'


def test_csv() -> None:
    assert encode(COLUMNS, CSV) == b"0.25,0.75,1\n0.5,0.5,0\n"
    assert encode({"score": np.array([0.5, 2])}, CSV) == b"0.5\n2.0\n"


def test_records() -> None:
    found = [decode_record(p) for p in read_records(io.BytesIO(encode(COLUMNS, RECORDIO)))]
    for record, row in zip(found, ROWS, strict=True):
        assert not record.features
        assert record.labels["score"].tolist() == row["score"]
        assert record.labels["predicted_label"].tolist() == [row["predicted_label"]]
        assert record.labels["predicted_label"].dtype == np.float32


@pytest.mark.parametrize("media", ACCEPTED)
def test_no_rows(media: str) -> None:
    nothing = {"score": np.empty((0,), dtype=np.float32)}
    assert encode(nothing, media) == (b'{"predictions": []}' if media == JSON else b"")


def test_another_media_type() -> None:
    with pytest.raises(ValueError, match="image/png"):
        encode(COLUMNS, "image/png")


@pytest.mark.parametrize(
    ("accept", "content_type", "expected"),
    [
        ("", CSV, JSON),
        ("*/*", JSONLINES, JSON),
        ("", RECORDIO, RECORDIO),
        ("*/*", f"{RECORDIO}; a=b", RECORDIO),
        (CSV, RECORDIO, CSV),
        ("application/json; charset=utf-8", CSV, JSON),
        ("Application/JSONLines", CSV, JSONLINES),
        ("application/jsonl", CSV, JSONLINES),
        ("image/png, text/csv;q=0.5", JSON, CSV),
        ("text/csv;q=0.5, application/jsonlines;q=0.9", JSON, JSONLINES),
        ("text/csv;q=0, */*;q=0.1", JSON, JSON),
        ("text/*", JSON, CSV),
        ("application/*", CSV, JSON),
        ("text/csv;q=nonsense", JSON, CSV),
    ],
)
def test_the_media_type_of_an_answer(accept: str, content_type: str, expected: str) -> None:
    assert choose(accept, content_type, ACCEPTED) == expected


def test_an_answer_that_cannot_be_given() -> None:
    for accept in ("image/png", "image/*", "text/csv;q=0", ","):
        with pytest.raises(RequestError, match=r"not supported.*application/json") as error:
            choose(accept, CSV, ACCEPTED)
        assert error.value.status == 406


def test_what_is_given_where_json_cannot_be() -> None:
    assert choose("", JSON, (CSV,)) == CSV
    assert choose("", RECORDIO, (CSV, JSON)) == JSON
