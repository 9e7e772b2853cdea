"""The object store in a folder."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from bottega.clock import ManualClock, SystemClock
from bottega.storage.folder_index import IndexTooNew
from bottega.storage.folder_lock import StoreInUse
from bottega.storage.folder_objects import INLINE_BYTES, FolderObjectStore
from bottega.storage.objects import ChecksumMismatch, ObjectStore
from bottega.testing.object_crash_case import CrashSite
from bottega.testing.object_store_case import ObjectStoreCase
from bottega.testing.object_store_samples import BrokenStream, bytes_of, read

LARGE = bytes_of(3 * INLINE_BYTES)


class TestFolderObjectStore(ObjectStoreCase):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[ObjectStore]:
        store = FolderObjectStore(tmp_path / "objects", SystemClock())
        yield store
        store.close()
        _check_files(tmp_path / "objects")

    @pytest.fixture
    def crash_site(self, tmp_path: Path) -> CrashSite:
        folder = tmp_path / "crashed"
        opening = (
            "from pathlib import Path\n"
            "from bottega.clock import SystemClock\n"
            "from bottega.storage.folder_objects import FolderObjectStore\n"
            f"store = FolderObjectStore(Path({str(folder)!r}), SystemClock())\n"
        )

        def reopen() -> ObjectStore:
            store = FolderObjectStore(folder, SystemClock())
            _check_files(folder)
            return store

        return CrashSite(opening, reopen)


def _check_files(folder: Path) -> None:
    """There is no file but those that the index names."""
    with sqlite3.connect(folder / "index.sqlite") as connection:
        named = {name for (name,) in connection.execute("SELECT file FROM pieces")}
    connection.close()
    assert {path.name for path in (folder / "blobs").glob("*/*")} == named
    assert list((folder / "incoming").iterdir()) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> Iterator[FolderObjectStore]:
    store = FolderObjectStore(folder, ManualClock())
    store.create_bucket("b")
    yield store
    store.close()


def blobs(folder: Path) -> list[Path]:
    return sorted((folder / "blobs").glob("*/*"))


def test_everything_is_there_after_closing_and_opening(
    store: FolderObjectStore, folder: Path
) -> None:
    small = store.put("b", "small", b"x", metadata={"a": "1"})
    large = store.put("b", "large", LARGE)
    upload = store.begin_upload("b", "k")
    part = store.put_part(upload, 1, LARGE)
    store.close()
    store.close()
    again = FolderObjectStore(folder, ManualClock())
    assert [*again.each("b")] == [large, small]
    assert read(again, "b", "large") == LARGE
    assert again.parts(upload) == (part,)
    again.complete_upload(upload, [(1, part.etag)])
    assert read(again, "b", "k") == LARGE
    again.close()


def test_keys_never_become_paths(store: FolderObjectStore, folder: Path) -> None:
    for number, key in enumerate(("../../escaped", "/etc/passwd", "a/../../b", "..", "\x00")):
        store.put("b", key, LARGE + bytes([number]))
    assert {path.parent.parent for path in blobs(folder)} == {folder / "blobs"}
    assert not list(folder.parent.glob("*escaped*"))
    assert sorted(path.name for path in folder.parent.iterdir()) == ["objects"]


def test_only_one_opens_a_store(store: FolderObjectStore, folder: Path) -> None:
    with pytest.raises(StoreInUse, match="only one"):
        FolderObjectStore(folder, ManualClock())
    program = (
        "import sys; from pathlib import Path\n"
        "from bottega.clock import SystemClock\n"
        "from bottega.storage.folder_lock import StoreInUse\n"
        "from bottega.storage.folder_objects import FolderObjectStore\n"
        "try: FolderObjectStore(Path(sys.argv[1]), SystemClock())\n"
        "except StoreInUse: print('in use')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "in use\n"


def test_an_index_of_a_later_version_is_left_alone(store: FolderObjectStore, folder: Path) -> None:
    store.close()
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for _ in range(2):
        with pytest.raises(IndexTooNew, match="layout 99"):
            FolderObjectStore(folder, ManualClock())


def test_the_folder_is_the_owners_alone(store: FolderObjectStore, folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


def test_what_a_kill_leaves_is_removed_at_opening(store: FolderObjectStore, folder: Path) -> None:
    store.put("b", "k", LARGE)
    (kept,) = blobs(folder)
    store.close()
    (kept.parent / ("0" * 32)).write_bytes(b"orphan")
    (folder / "blobs" / "zz").mkdir()
    (folder / "blobs" / "zz" / ("z" * 32)).write_bytes(b"orphan")
    (folder / "incoming" / "draft").write_bytes(b"half")
    again = FolderObjectStore(folder, ManualClock())
    assert blobs(folder) == [kept]
    assert list((folder / "incoming").iterdir()) == []
    assert read(again, "b", "k") == LARGE
    again.close()


def test_replaced_and_deleted_objects_give_their_room_back(
    store: FolderObjectStore, folder: Path
) -> None:
    store.put("b", "k", LARGE)
    store.put("b", "k", LARGE + b"!")
    assert len(blobs(folder)) == 1
    store.copy(("b", "k"), ("b", "copy"))
    assert len(blobs(folder)) == 1
    store.delete("b", ["k"])
    assert len(blobs(folder)) == 1
    store.put("b", "copy", b"small")
    assert blobs(folder) == []


def test_uploads_give_their_room_back(store: FolderObjectStore, folder: Path) -> None:
    upload = store.begin_upload("b", "k")
    parts = [store.put_part(upload, number, LARGE) for number in (1, 2, 3)]
    store.put_part(upload, 3, LARGE)
    assert len(blobs(folder)) == 3
    store.complete_upload(upload, [(part.number, part.etag) for part in parts[:2]])
    assert len(blobs(folder)) == 2
    other = store.begin_upload("b", "k")
    store.put_part(other, 1, LARGE)
    store.abort_upload(other)
    assert len(blobs(folder)) == 2
    last = store.begin_upload("b", "k")
    store.put_part(last, 1, LARGE)
    store.delete("b", ["k"])
    store.delete_bucket("b")
    assert blobs(folder) == []


def test_refused_writes_leave_no_file(store: FolderObjectStore, folder: Path) -> None:
    with pytest.raises(ChecksumMismatch):
        store.put("b", "k", LARGE, expected={"crc32": "AAAAAA=="})
    with pytest.raises(ConnectionResetError):
        store.put("b", "k", cast(BinaryIO, BrokenStream(2_000_000)))
    assert blobs(folder) == []
    assert list((folder / "incoming").iterdir()) == []


def test_a_blob_waits_for_its_reader(store: FolderObjectStore, folder: Path) -> None:
    upload = store.begin_upload("b", "k")
    parts = [store.put_part(upload, number, LARGE) for number in (1, 2)]
    store.complete_upload(upload, [(part.number, part.etag) for part in parts])
    stream = store.open("b", "k")
    store.delete("b", ["k"])
    assert len(blobs(folder)) == 1, "the first is open, the second is still to be opened"
    assert stream.read() == LARGE + LARGE
    stream.close()
    assert blobs(folder) == []


def test_a_forgotten_reader_holds_nothing(store: FolderObjectStore, folder: Path) -> None:
    upload = store.begin_upload("b", "k")
    parts = [store.put_part(upload, number, LARGE) for number in (1, 2)]
    store.complete_upload(upload, [(part.number, part.etag) for part in parts])
    stream = store.open("b", "k")
    stream.read(10)
    del stream
    store.delete("b", ["k"])
    assert blobs(folder) == []


def test_streams_of_many_parts_can_be_searched(store: FolderObjectStore) -> None:
    upload = store.begin_upload("b", "k")
    parts = [store.put_part(upload, n, bytes_of(100_000, n)) for n in (1, 2, 3)]
    store.complete_upload(upload, [(part.number, part.etag) for part in parts])
    whole = b"".join(bytes_of(100_000, n) for n in (1, 2, 3))
    with store.open("b", "k", start=10) as stream:
        assert stream.seek(-5, os.SEEK_END) == len(whole) - 15
        assert stream.read() == whole[-5:]
        assert stream.seek(99_980) == 99_980
        assert stream.read(30) == whole[99_990:100_020]
        assert stream.tell() == 100_010
        assert stream.seek(10, os.SEEK_CUR) == 100_020
        assert stream.read(1) == whole[100_030:100_031]
        with pytest.raises(ValueError, match="-1"):
            stream.seek(-1)


def test_a_lost_blob_is_an_error_not_a_wait(store: FolderObjectStore, folder: Path) -> None:
    store.put("b", "k", LARGE)
    blobs(folder)[0].unlink()
    with pytest.raises(OSError, match="missing from the store's folder"):
        store.open("b", "k")
    with pytest.raises(FileNotFoundError):
        store.download("b", "k", folder / "target")


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_part_numbers_have_bounds(store: FolderObjectStore, number: int) -> None:
    upload = store.begin_upload("b", "k")
    with pytest.raises(ValueError, match="between 1 and 10000"):
        store.put_part(upload, number, b"x")


def test_a_link_names_the_blob_itself(
    store: FolderObjectStore, folder: Path, tmp_path: Path
) -> None:
    store.put("b", "large", LARGE)
    assert store.link("b", "large", tmp_path / "large") == 0
    assert os.path.samefile(tmp_path / "large", blobs(folder)[0])
    store.put("b", "small", b"in the index")
    assert store.link("b", "small", tmp_path / "small") == 12


def test_an_object_of_parts_is_joined_once_for_all_links(
    store: FolderObjectStore, folder: Path, tmp_path: Path
) -> None:
    upload = store.begin_upload("b", "k")
    parts = [store.put_part(upload, number, LARGE) for number in (1, 2)]
    store.complete_upload(upload, [(part.number, part.etag) for part in parts])
    store.copy(("b", "k"), ("b", "copy"))
    assert store.link("b", "k", tmp_path / "first") == 2 * len(LARGE)
    assert store.link("b", "k", tmp_path / "second") == 0
    assert store.link("b", "copy", tmp_path / "third") == 0
    assert [path.stat().st_size for path in blobs(folder)] == [2 * len(LARGE)]
    assert os.path.samefile(tmp_path / "third", blobs(folder)[0])


def test_where_links_cannot_be_the_bytes_are_copied(
    store: FolderObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: object, **options: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    store.put("b", "large", LARGE)
    monkeypatch.setattr(os, "link", refuse)
    assert store.link("b", "large", tmp_path / "copy") == len(LARGE)
    assert (tmp_path / "copy").read_bytes() == LARGE


def test_a_link_of_a_missing_blob_says_so(
    store: FolderObjectStore, folder: Path, tmp_path: Path
) -> None:
    store.put("b", "large", LARGE)
    blobs(folder)[0].unlink()
    with pytest.raises(OSError, match="bytes of the object are missing"):
        store.link("b", "large", tmp_path / "file")


def test_a_link_into_no_folder_is_refused(store: FolderObjectStore, tmp_path: Path) -> None:
    store.put("b", "large", LARGE)
    with pytest.raises(FileNotFoundError):
        store.link("b", "large", tmp_path / "none" / "file")
