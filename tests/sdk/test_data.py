"""Frames, files and URIs on their way to a job."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import pytest

from bottega.sdk.client import LocalClient
from bottega.sdk.data import ChannelWriter, DataError
from bottega.studio import Studio


@pytest.fixture(scope="module")
def client():
    studio = Studio.temporary(isolation="process", preload=False)
    yield LocalClient(studio)
    studio.close()


def writer(client, **settings) -> ChannelWriter:
    return ChannelWriter(client, client.studio.ports.config.bucket, "job/input", **settings)


def prepare(client, source, columns=(), **settings):
    return writer(client, **settings).prepare("train", source, columns)


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


def test_a_second_frame_follows_the_columns_of_the_first(client):
    frame = pandas.DataFrame({"b": [1], "extra": [7], "y": [0], "a": [2]})
    channel = prepare(client, frame, ("a", "b"), target="y")
    assert stored(client, channel.uri) == "0,2,1\n"
    with pytest.raises(DataError, match="lacks columns of the train channel: c"):
        prepare(client, frame, ("a", "c"), target="y")


def test_a_script_gets_the_frame_as_it_is_with_its_header(client):
    frame = pandas.DataFrame({"city": ["Rome"], "y": [True]})
    channel = prepare(client, frame, for_script=True)
    assert stored(client, channel.uri) == "city,y\nRome,True\n"
    assert channel.columns == ()


def test_text_columns_are_refused_by_name(client):
    frame = pandas.DataFrame({"y": [1], "city": ["Rome"], "when": [pandas.Timestamp(0)]})
    with pytest.raises(DataError, match="not numeric: city, when"):
        prepare(client, frame, target="y")


def test_a_target_that_is_not_there(client):
    with pytest.raises(DataError, match="no column 'z'; it has y"):
        prepare(client, pandas.DataFrame({"y": [1]}), target="z")
    with pytest.raises(DataError, match="did you mean 'churn'"):
        prepare(client, pandas.DataFrame({"churn": [1]}), target="chrun")


def test_a_list_of_columns_is_cut_short(client):
    wide = pandas.DataFrame(numpy.zeros((1, 40)), columns=[f"c{n}" for n in range(40)])
    with pytest.raises(DataError, match=r"and 28 more$"):
        prepare(client, wide, target="zzzz")


def test_rows_without_a_label_are_refused(client):
    with pytest.raises(DataError, match="missing in 1 of 2 rows"):
        prepare(client, pandas.DataFrame({"y": [1, None], "a": [1, 2]}), target="y")


def test_two_columns_of_one_name_are_refused(client):
    frame = pandas.DataFrame([[1, 2, 3]], columns=["y", "a", "a"])
    with pytest.raises(DataError, match="more than one column a"):
        prepare(client, frame, target="y")


def test_a_frame_with_nothing_in_it_is_refused(client):
    with pytest.raises(DataError, match="no rows"):
        prepare(client, pandas.DataFrame({"y": []}), target="y")


def test_a_file_goes_up_as_it_is_without_a_target(client, tmp_path: Path):
    (tmp_path / "d.libsvm").write_text("1 0:2\n")
    channel = prepare(client, tmp_path / "d.libsvm")
    assert channel.content_type == "text/libsvm"
    assert stored(client, channel.uri + "d.libsvm") == "1 0:2\n"


def test_a_folder_goes_up_with_what_is_in_it(client, tmp_path: Path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "part").write_text("1,2\n")
    channel = prepare(client, str(tmp_path), content_type="text/csv")
    assert channel.content_type == "text/csv"
    assert stored(client, channel.uri + "deep/part") == "1,2\n"
    (tmp_path / "deep" / "part").unlink()
    with pytest.raises(DataError, match="holds no files"):
        prepare(client, tmp_path)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_with_a_target_is_read(client, tmp_path: Path, kind: str):
    file = tmp_path / f"d.{kind}"
    frame = pandas.DataFrame({"a": [3], "y": [1]})
    frame.to_csv(file, index=False) if kind == "csv" else frame.to_parquet(file)
    assert stored(client, prepare(client, file, target="y").uri) == "1,3\n"


def test_a_table_that_cannot_be_read(client, tmp_path: Path):
    (tmp_path / "d.parquet").write_text("no parquet")
    with pytest.raises(DataError, match=r"d\.parquet cannot be read"):
        prepare(client, tmp_path / "d.parquet", target="y")
    (tmp_path / "d.txt").write_text("")
    with pytest.raises(DataError, match=r"not for d\.txt"):
        prepare(client, tmp_path / "d.txt", target="y")


def test_an_s3_uri_stays_where_it_is(client):
    assert prepare(client, "s3://bucket/x.parquet").content_type == "application/x-parquet"
    assert prepare(client, "s3://bucket/x/", content_type="text/csv").content_type == "text/csv"


def test_a_table_behind_an_s3_uri_is_read_when_a_target_is_named(client):
    uri = client.put_object(client.studio.ports.config.bucket, "data/t.csv", b"a,y\n3,1\n")
    assert stored(client, prepare(client, uri, target="y").uri) == "1,3\n"
    with pytest.raises(DataError, match="Leave target out"):
        prepare(client, "s3://bucket/prefix/", target="y")


@pytest.mark.parametrize("source", ["/nowhere/at/all.csv", 42, numpy.zeros((2, 2))])
def test_what_cannot_be_sent_is_refused(client, source):
    with pytest.raises(DataError, match="channel 'train'"):
        prepare(client, source, target="y")
