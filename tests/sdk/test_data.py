"""Frames, files and URIs on their way to a job."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import pytest

from bottega.algorithms.registry import algorithm
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


def test_a_table_for_an_algorithm_without_labels(client, tmp_path):
    frame = pandas.DataFrame({"a": [1, 2], "b": [3, 4]})
    kmeans = {"algorithm": algorithm("kmeans")}
    channel = prepare(client, frame, **kmeans)
    assert channel.as_input()["ContentType"] == "text/csv;label_size=0"
    assert channel.columns == ("a", "b")
    assert stored(client, channel.uri) == "1,3\n2,4\n"
    # A header would be a row of words: a file that has one is sent without it.
    frame.to_csv(tmp_path / "named.csv", index=False)
    named = prepare(client, tmp_path / "named.csv", **kmeans)
    assert stored(client, named.uri) == "1,3\n2,4\n"
    frame.to_csv(tmp_path / "plain.csv", index=False, header=False)
    plain = prepare(client, tmp_path / "plain.csv", **kmeans)
    assert plain.columns == ()
    assert plain.content_type == named.content_type == "text/csv;label_size=0"
    assert stored(client, f"{plain.uri}plain.csv") == "1,3\n2,4\n"


def test_a_table_for_an_algorithm_that_reads_records_only(client):
    from bottega.algorithms.readers.record_protobuf import decode_record
    from bottega.algorithms.readers.recordio import read_records

    frame = pandas.DataFrame({"a": [1.5, 2], "y": [0, 1]})
    channel = prepare(client, frame, target="y", algorithm=algorithm("factorization-machines"))
    assert channel.content_type == "application/x-recordio-protobuf"
    bucket, _, key = channel.uri.removeprefix("s3://").partition("/")
    with client.studio.ports.objects.open(bucket, key) as stream:
        records = [decode_record(payload) for payload in read_records(stream)]
    assert [record.features["values"].tolist() for record in records] == [[1.5], [2.0]]
    assert [record.labels["values"].tolist() for record in records] == [[0.0], [1.0]]


def test_a_table_for_an_algorithm_that_reads_none(client):
    frame = pandas.DataFrame({"a": [1]})
    with pytest.raises(DataError, match="Image Classification reads no tables there"):
        prepare(client, frame, algorithm=algorithm("image-classification"))


def test_what_a_file_is_follows_from_what_the_channel_takes(client, tmp_path):
    (tmp_path / "corpus").write_text("some words\n")
    sent = prepare(client, tmp_path / "corpus", algorithm=algorithm("blazingtext"))
    assert sent.content_type == ""
    (tmp_path / "corpus.txt").write_text("some words\n")
    sent = prepare(client, tmp_path / "corpus.txt", algorithm=algorithm("blazingtext"))
    assert sent.content_type == "text/plain"
    (tmp_path / "train.rec").write_bytes(b"\n")
    sent = prepare(client, tmp_path / "train.rec", algorithm=algorithm("seq2seq"))
    assert sent.content_type == "application/x-recordio-protobuf"
    sent = prepare(client, tmp_path / "train.rec", algorithm=algorithm("image-classification"))
    assert sent.content_type == "application/x-recordio"
