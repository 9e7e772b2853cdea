"""Model and output go up as the job left them, and nothing else does."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.clock import SystemClock
from bottega.jobs.artifacts import has_files, upload_tree
from bottega.jobs.job_files import HostFolder, Unreadable
from bottega.storage.folder_objects import FolderObjectStore

URI = "s3://b/output/model.tar.gz"


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[FolderObjectStore]:
    store = FolderObjectStore(tmp_path / "objects", SystemClock())
    store.create_bucket("b")
    yield store
    store.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "ml" / "model"
    folder.mkdir(parents=True)
    return folder


def uploaded(objects: FolderObjectStore, model: Path) -> bytes:
    folder = HostFolder(model.parent, "model")
    upload_tree(objects, folder, URI, archive=True, scratch=model.parent.parent)
    with objects.open("b", "output/model.tar.gz") as stream:
        return stream.read()


def test_files_and_inner_links_are_packed(objects: FolderObjectStore, model: Path):
    (model / "deep").mkdir()
    (model / "deep" / "weights").write_bytes(b"w" * 100_000)
    (model / "last").symlink_to("/opt/ml/model/deep/weights")
    os.link(model / "deep" / "weights", model / "same")
    (model / "leak").symlink_to("/etc/passwd")
    os.mkfifo(model / "fifo")
    with tarfile.open(fileobj=io.BytesIO(uploaded(objects, model))) as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}
    assert found == dict.fromkeys(("deep/weights", "last", "same"), b"w" * 100_000)


def test_the_same_files_give_the_same_archive(objects: FolderObjectStore, model: Path):
    (model / "a").write_text("1")
    archive = uploaded(objects, model)
    assert archive[4:8] == bytes(4)  # the time in gzip's header
    assert uploaded(objects, model) == archive


def test_a_folder_that_the_job_replaced_by_a_link_is_not_uploaded(
    objects: FolderObjectStore, model: Path
):
    model.rmdir()
    model.symlink_to("/etc")
    with pytest.raises(Unreadable, match="not a folder"):
        uploaded(objects, model)
    assert list(objects.each("b")) == []


def test_each_file_by_itself(objects: FolderObjectStore, model: Path):
    (model / "a").write_text("1")
    (model / "b").symlink_to("a")
    folder = HostFolder(model.parent, "model")
    assert has_files(folder)
    upload_tree(objects, folder, "s3://b/model", archive=False, scratch=model)
    assert [info.key for info in objects.each("b")] == ["model/a", "model/b"]
    (model / os.fsdecode(b"\xff")).touch()
    with pytest.raises(Unreadable, match="cannot be part of an object's key"):
        upload_tree(objects, folder, "s3://b/model", archive=False, scratch=model)
