"""Frames and rows on their way to the API."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import pytest

from bottega.sdk.client import LocalClient
from bottega.sdk.data import DataError, decode_predictions, encode_rows, prepare_channel
from bottega.studio import Studio


@pytest.fixture(scope="module")
def client():
    studio = Studio.temporary(isolation="process", preload=False)
    yield LocalClient(studio)
    studio.close()


def prepare(client, source, target=None):
    bucket = client.studio.ports.config.bucket
    return prepare_channel(client, "train", source, target=target, bucket=bucket, prefix="job/input")


def stored(client, uri: str) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with client.studio.ports.objects.open(bucket, key) as stream:
        return stream.read().decode()


def test_a_frame_is_sent_with_its_label_first_and_no_header(client):
    frame = pandas.DataFrame({"a": [1.5, None], "y": [0, 1], "b": [True, False]})
    channel = prepare(client, frame, target="y")
    assert stored(client, channel.uri) == "0,1.5,1\n1,,0\n"
    assert channel.columns == ("a", "b")
    assert channel.as_input()["ContentType"] == "text/csv"


def test_text_columns_are_refused_by_name(client):
    frame = pandas.DataFrame({"y": [1], "city": ["Rome"], "when": [pandas.Timestamp(0)]})
    with pytest.raises(DataError, match="not numeric: city, when"):
        prepare(client, frame, target="y")


def test_a_target_that_is_not_there(client):
    with pytest.raises(DataError, match="no column 'z'; it has y"):
        prepare(client, pandas.DataFrame({"y": [1]}), target="z")


def test_a_file_goes_up_as_it_is_without_a_target(client, tmp_path: Path):
    (tmp_path / "d.libsvm").write_text("1 0:2\n")
    channel = prepare(client, tmp_path / "d.libsvm")
    assert channel.content_type == "text/libsvm"
    assert stored(client, channel.uri + "d.libsvm") == "1 0:2\n"


def test_a_csv_with_a_target_is_read(client, tmp_path: Path):
    (tmp_path / "d.csv").write_text("a,y\n3,1\n")
    assert stored(client, prepare(client, tmp_path / "d.csv", target="y").uri) == "1,3\n"


def test_an_s3_uri_stays_where_it_is(client):
    assert prepare(client, "s3://bucket/x.parquet").content_type == "application/x-parquet"


@pytest.mark.parametrize("source", ["/nowhere/at/all.csv", 42])
def test_what_cannot_be_sent_is_refused(client, source):
    with pytest.raises(DataError):
        prepare(client, source, target="y")


@pytest.mark.parametrize(
    ("rows", "body"),
    [
        ([[1, 2], [3, None]], b"1,2\n3,"),
        ([1, 2.5], b"1,2.5"),
        (numpy.array([[1.0, 2.0]]), b"1.0,2.0"),
        (pandas.DataFrame({"b": [2], "y": [9], "a": [1]}), b"1,2\n"),
        ("1,2", b"1,2"),
        (b"1,2", b"1,2"),
        ({"instances": []}, b'{"instances": []}'),
    ],
)
def test_rows_become_a_body(rows, body: bytes):
    assert encode_rows(rows, ("a", "b")).body == body


def test_answers_become_numbers():
    assert decode_predictions(b"0.5\n0.25\n", "text/csv; charset=utf-8").tolist() == [0.5, 0.25]
    assert decode_predictions(b"0.1,0.9\n0.2,0.8\n", "text/csv").shape == (2, 2)
    assert decode_predictions(b'{"a": 1}', "application/json") == {"a": 1}
    assert decode_predictions(b'{"a": 1}\n{"a": 2}\n', "application/jsonlines") == [{"a": 1}, {"a": 2}]
    assert decode_predictions(b"cat\ndog\n", "text/csv") == ["cat", "dog"]
