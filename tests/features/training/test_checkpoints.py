"""Checkpoints go up while the job runs and come down when the next one starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bottega.clock import SystemClock
from bottega.features.training.checkpoints import CheckpointSync, fetch
from bottega.storage.folder_objects import FolderObjectStore


@pytest.fixture
def objects(tmp_path: Path):
    store = FolderObjectStore(tmp_path / "objects", SystemClock())
    store.create_bucket("b")
    yield store
    store.close()


def keys(objects) -> list[str]:
    return [info.key for info in objects.each("b")]


def test_a_file_goes_up_once_it_stands_still(objects, tmp_path: Path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    sync = CheckpointSync(folder, "s3://b/ckpt")
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
    assert CheckpointSync(folder, "s3://b/").sync(objects, final=True) == 1
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
