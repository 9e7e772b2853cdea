"""Which files a host gets, under which names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.clock import SystemClock
from bottega.jobs.input_sources import InputError, InputFile, channel_files
from bottega.jobs.staging import Cancelled, share, stage_channel
from bottega.storage.folder_objects import FolderObjectStore


@pytest.fixture
def objects(tmp_path: Path):
    store = FolderObjectStore(tmp_path / "objects", SystemClock())
    store.create_bucket("data")
    yield store
    store.close()


def channel(uri: str, *, kind: str = "S3Prefix", sharded: bool = False, seed: int | None = None):
    source = {"S3DataType": kind, "S3Uri": uri}
    if sharded:
        source["S3DataDistributionType"] = "ShardedByS3Key"
    found = {"ChannelName": "train", "DataSource": {"S3DataSource": source}}
    if seed is not None:
        found["ShuffleConfig"] = {"Seed": seed}
    return found


def names(objects, uri: str, **options) -> list[str]:
    return [file.name for file in channel_files(objects, channel(uri, **options))]


def test_a_prefix_with_a_slash_is_the_folder_of_the_channel(objects):
    for key in ("set/a.csv", "set/deep/b.csv", "set/", "settings.csv"):
        objects.put("data", key, b"x")
    assert names(objects, "s3://data/set/") == ["a.csv", "deep/b.csv"]


def test_a_prefix_that_is_an_object_gives_its_base_name(objects):
    objects.put("data", "deep/train.csv", b"x")
    assert names(objects, "s3://data/deep/train.csv") == ["train.csv"]


def test_a_prefix_without_a_slash_takes_everything_that_begins_so(objects):
    for key in ("set/a.csv", "set2/b.csv", "other.csv"):
        objects.put("data", key, b"x")
    assert names(objects, "s3://data/set") == ["a.csv", "set2/b.csv"]


def test_a_whole_bucket(objects):
    objects.put("data", "x/y.csv", b"1")
    assert names(objects, "s3://data") == ["x/y.csv"]


def test_a_manifest_names_its_files(objects):
    objects.put("data", "set/a.csv", b"a")
    objects.put("data", "set/b.csv", b"b")
    objects.put("data", "m.json", json.dumps([{"prefix": "s3://data/set/"}, "b.csv"]).encode())
    assert names(objects, "s3://data/m.json", kind="ManifestFile") == ["b.csv"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"not json", "must be a JSON list"),
        (b"[]", "must be a JSON list"),
        (b'["a"]', "must be a JSON list"),
        (b'[{"prefix": 7}, "a"]', "must be a JSON list"),
        (b'[{"prefix": "s3://data/set/"}, 7]', "must be a JSON list"),
        (b'[{"prefix": "s3://data/set/"}, "none.csv"]', "does not exist"),
    ],
)
def test_a_bad_manifest_is_refused(objects, text: bytes, what: str):
    objects.put("data", "m.json", text)
    with pytest.raises(InputError, match=what):
        channel_files(objects, channel("s3://data/m.json", kind="ManifestFile"))


@pytest.mark.parametrize("key", ["set/../../etc/passwd", "set/a/../b", "set/.."])
def test_a_key_cannot_leave_the_channel(objects, key: str):
    objects.put("data", key, b"x")
    with pytest.raises(InputError, match="cannot become a file"):
        channel_files(objects, channel("s3://data/set/"))


def test_a_file_and_a_folder_of_one_name_are_refused(objects):
    objects.put("data", "set/a", b"x")
    objects.put("data", "set/a/b", b"x")
    with pytest.raises(InputError, match="a file and a folder"):
        channel_files(objects, channel("s3://data/set/"))


@pytest.mark.parametrize("uri", ["s3://data/none/", "s3://nowhere/x"])
def test_nothing_to_read_is_refused(objects, uri: str):
    with pytest.raises(InputError):
        channel_files(objects, channel(uri))


@given(
    count=st.integers(0, 30),
    hosts=st.integers(1, 7),
    sharded=st.booleans(),
    seed=st.none() | st.integers(0, 9),
)
def test_sharding_gives_each_file_to_exactly_one_host(count, hosts, sharded, seed):
    files = [InputFile("b", f"{n}", f"{n}", 1) for n in range(count)]
    source = channel("s3://b/", sharded=sharded, seed=seed)
    shares = [share(files, source, host, hosts) for host in range(hosts)]
    if sharded:
        assert sorted((f for part in shares for f in part), key=files.index) == files
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
    else:
        assert all(sorted(part, key=files.index) == files for part in shares)


def test_hosts_get_equal_files_and_the_object_stays_as_it_is(objects, tmp_path: Path):
    objects.put("data", "set/a.csv", b"1,2\n")
    folders = [tmp_path / "h1", tmp_path / "h2"]
    copied = stage_channel(objects, channel("s3://data/set/"), folders, lambda: False)
    assert copied == 4
    assert [(folder / "a.csv").read_bytes() for folder in folders] == [b"1,2\n"] * 2
    (folders[0] / "a.csv").write_bytes(b"changed")
    with objects.open("data", "set/a.csv") as stream:
        assert stream.read() == b"1,2\n"


def test_hosts_that_write_to_their_inputs_can_be_kept_apart(objects, tmp_path: Path):
    objects.put("data", "set/a.csv", b"1,2\n")
    folders = [tmp_path / "h1", tmp_path / "h2"]
    source = channel("s3://data/set/")
    assert stage_channel(objects, source, folders, lambda: False, apart=True) == 4
    (folders[0] / "a.csv").write_bytes(b"changed")
    assert (folders[1] / "a.csv").read_bytes() == b"1,2\n"


def test_staging_again_over_a_half_done_one_gives_the_same(objects, tmp_path: Path):
    objects.put("data", "set/a.csv", b"new")
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "a.csv").write_bytes(b"half")
    stage_channel(objects, channel("s3://data/set/"), [tmp_path / "h"], lambda: False)
    assert (tmp_path / "h" / "a.csv").read_bytes() == b"new"


def test_staging_ends_when_the_job_is_stopped(objects, tmp_path: Path):
    objects.put("data", "set/a.csv", b"x")
    with pytest.raises(Cancelled):
        stage_channel(objects, channel("s3://data/set/"), [tmp_path / "h"], lambda: True)
