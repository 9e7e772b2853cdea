"""Checkpoints go up while the job runs and come down when the next one starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bottega.clock import SystemClock
from bottega.features.training.checkpoints import fetch
from bottega.jobs.folder_sync import FolderSync
from bottega.jobs.input_sources import InputError
from bottega.jobs.job_files import HostFolder
from bottega.storage.folder_objects import FolderObjectStore


@pytest.fixture
def objects(tmp_path: Path):
    store = FolderObjectStore(tmp_path / "objects", SystemClock())
    store.create_bucket("b")
    yield store
    store.close()


def syncing(ml_root: Path, uri: str) -> FolderSync:
    return FolderSync(HostFolder(ml_root, "checkpoints"), uri)


def keys(objects) -> list[str]:
    return [info.key for info in objects.each("b")]


def test_a_file_goes_up_once_it_stands_still(objects, tmp_path: Path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    sync = syncing(tmp_path, "s3://b/ckpt")
    (folder / "one").write_bytes(b"1")
    assert sync.sync(objects) == 0
    assert sync.sync(objects) == 1
    assert sync.sync(objects) == 0
    assert keys(objects) == ["ckpt/one"]
    (folder / "one").write_bytes(b"12")
    assert (sync.sync(objects), sync.sync(objects)) == (0, 1)
    assert objects.info("b", "ckpt/one").size == 2


def test_the_last_look_takes_everything(objects, tmp_path: Path):
    folder = tmp_path / "checkpoints"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "two").write_bytes(b"2")
    (folder / "leak").symlink_to("/etc/hostname")
    assert syncing(tmp_path, "s3://b/").sync(objects, final=True) == 1
    assert keys(objects) == ["deep/two"]


def test_an_earlier_checkpoint_is_there_at_the_start(objects, tmp_path: Path):
    objects.put("b", "ckpt/a/1", b"one")
    objects.put("b", "ckpt-other/2", b"two")
    objects.put("b", "ckpt/../escape", b"bad")
    assert fetch(objects, "s3://b/ckpt", tmp_path / "local") == 1
    assert (tmp_path / "local" / "a" / "1").read_bytes() == b"one"
    assert not (tmp_path / "escape").exists()


def test_no_bucket_is_no_checkpoint(objects, tmp_path: Path):
    assert fetch(objects, "s3://nowhere/x", tmp_path) == 0


def test_neither_a_link_nor_a_fifo_leads_the_daemon_astray(objects, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("of the owner")
    folder = tmp_path / "ml" / "checkpoints"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "fifo")
    (folder / "deep").symlink_to(secret)
    (folder / "key").symlink_to(secret / "key")
    (folder / "good").write_text("mine")
    sync = syncing(tmp_path / "ml", "s3://b/c")
    assert sync.sync(objects, final=True) == 1
    assert keys(objects) == ["c/good"]
    folder.rename(tmp_path / "ml" / "was")
    folder.symlink_to(secret)
    assert sync.sync(objects, final=True) == 0
    assert keys(objects) == ["c/good"]


def test_a_name_that_is_no_text_is_left_out_and_told_once(objects, tmp_path: Path, caplog):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / os.fsdecode(b"bad-\xff")).write_bytes(b"1")
    (folder / "good").write_bytes(b"2")
    sync = syncing(tmp_path, "s3://b")
    assert sync.sync(objects, final=True) == 1
    sync.sync(objects, final=True)
    assert keys(objects) == ["good"]
    assert [record.message.count("cannot be part") for record in caplog.records] == [1]


@pytest.mark.parametrize("key", ["c/a/b", "c/" + "n" * 300])
def test_a_checkpoint_that_cannot_be_a_file_is_refused(objects, tmp_path: Path, key: str):
    objects.put("b", "c/a", b"1")
    objects.put("b", key, b"2")
    with pytest.raises(InputError, match="cannot become a file"):
        fetch(objects, "s3://b/c", tmp_path / "local")
