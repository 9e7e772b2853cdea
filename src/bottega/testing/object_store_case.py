"""What every object store must pass.

A subclass gives the fixtures ``store``, empty, and ``crash_site``, an empty store that another
process can open while this one has not.
"""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bottega.storage.objects import (
    BucketExists,
    BucketMissing,
    BucketNotEmpty,
    ChecksumMismatch,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    RangeNotSatisfiable,
    UploadMissing,
)
from bottega.testing.object_crash_case import ObjectCrashCase
from bottega.testing.object_listing_model import Listed, listed_in_pages, model_pages
from bottega.testing.object_store_samples import (
    SIZES,
    BrokenStream,
    DribblingStream,
    bytes_of,
    fresh_bucket,
    md5_of,
    read,
)
from bottega.testing.object_upload_case import ObjectUploadCase

_same_store = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50
)

any_key = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300).filter(
    lambda key: len(key.encode()) <= 1024
)
_short_key = st.text("ab/.é￿𝄞", min_size=1, max_size=6)


class ObjectStoreCase(ObjectUploadCase, ObjectCrashCase):
    """The contract of :class:`~bottega.storage.objects.ObjectStore`."""

    # Buckets

    def test_buckets_come_and_go(self, store: ObjectStore) -> None:
        made = store.create_bucket("one")
        store.create_bucket("another")
        assert [bucket.name for bucket in store.buckets()] == ["another", "one"]
        assert store.bucket("one") == made
        store.delete_bucket("one")
        assert [bucket.name for bucket in store.buckets()] == ["another"]

    def test_a_bucket_exists_once(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        with pytest.raises(BucketExists):
            store.create_bucket("b")
        store.ensure_bucket("b")
        store.ensure_bucket("c")
        assert len(store.buckets()) == 2

    def test_a_bucket_with_objects_stays(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        store.put("b", "k", b"x")
        with pytest.raises(BucketNotEmpty):
            store.delete_bucket("b")
        assert read(store, "b", "k") == b"x"
        store.delete("b", ["k"])
        store.delete_bucket("b")
        with pytest.raises(BucketMissing):
            store.bucket("b")

    def test_deleting_a_bucket_ends_its_uploads(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        upload = store.begin_upload("b", "k")
        store.put_part(upload, 1, b"x")
        store.delete_bucket("b")
        store.create_bucket("b")
        with pytest.raises(UploadMissing):
            store.complete_upload(upload, [(1, md5_of(b"x"))])

    def test_nothing_works_in_a_bucket_that_is_not_there(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        store.create_bucket("b")
        store.put("b", "k", b"x")
        for attempt in (
            lambda: store.bucket("no"),
            lambda: store.delete_bucket("no"),
            lambda: store.put("no", "k", b"x"),
            lambda: store.open("no", "k"),
            lambda: store.info("no", "k"),
            lambda: store.download("no", "k", tmp_path / "file"),
            lambda: store.link("no", "k", tmp_path / "file"),
            lambda: store.page("no"),
            lambda: store.copy(("no", "k"), ("b", "k2")),
            lambda: store.copy(("b", "k"), ("no", "k")),
            lambda: store.delete("no", ["k"]),
            lambda: store.begin_upload("no", "k"),
        ):
            with pytest.raises(BucketMissing):
                attempt()
        assert not list(tmp_path.glob("file*"))

    # Objects

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("kind", ["bytes", "stream", "dribble", "file"])
    def test_what_is_put_comes_back(
        self, store: ObjectStore, tmp_path: Path, size: int, kind: str
    ) -> None:
        data = bytes_of(size)
        (tmp_path / "source").write_bytes(data)
        sources: dict[str, bytes | BinaryIO | Path] = {
            "bytes": data,
            "stream": io.BytesIO(data),
            "dribble": cast(BinaryIO, DribblingStream(data)),
            "file": tmp_path / "source",
        }
        store.create_bucket("b")
        stored = store.put("b", "k", sources[kind], content_type="text/plain", metadata={"a": "é"})
        assert stored == store.info("b", "k")
        assert (stored.bucket, stored.key, stored.size) == ("b", "k", size)
        assert stored.etag == md5_of(data)
        assert (stored.content_type, dict(stored.metadata)) == ("text/plain", {"a": "é"})
        assert read(store, "b", "k") == data
        assert store.download("b", "k", tmp_path / "target") == stored
        assert (tmp_path / "target").read_bytes() == data

    @pytest.mark.parametrize("size", SIZES)
    def test_any_range_can_be_read(self, store: ObjectStore, size: int) -> None:
        data = bytes_of(size)
        store.create_bucket("b")
        store.put("b", "k", data)
        for start in {0, 1, size // 2, max(size - 1, 0), size, size + 1}:
            for length in (None, 0, 1, size // 3, size, 2 * size + 1):
                if start >= size and start > 0:
                    with pytest.raises(RangeNotSatisfiable) as refusal:
                        store.open("b", "k", start=start, length=length)
                    assert refusal.value.size == size
                    continue
                with store.open("b", "k", start=start, length=length) as stream:
                    end = size if length is None else start + length
                    assert stream.read() == data[start:end]

    @pytest.mark.parametrize("size", SIZES)
    def test_a_reader_goes_on_when_the_object_changes(self, store: ObjectStore, size: int) -> None:
        store.create_bucket("b")
        old, new = bytes_of(size, 1), bytes_of(size + 1, 2)
        store.put("b", "k", old)
        with store.open("b", "k") as first, store.open("b", "k", start=0, length=size) as second:
            head = first.read(size // 2)
            store.put("b", "k", new)
            store.delete("b", ["k"])
            assert head + first.read() == old
            assert second.read() == old

    def test_many_are_put_together(self, store: ObjectStore) -> None:
        bucket = fresh_bucket(store)
        store.put(bucket, "b", b"before")
        contents = {"a": b"", "b": b"two", "c/d": bytes_of(300_000), "e": bytes_of(1000)}
        store.put_many(bucket, contents)
        assert {key: read(store, bucket, key) for key in contents} == contents
        assert [one.key for one in store.each(bucket)] == ["a", "b", "c/d", "e"]
        for key, content in contents.items():
            info = store.info(bucket, key)
            assert (info.size, info.etag) == (len(content), md5_of(content))
        with pytest.raises(BucketMissing):
            store.put_many("not-there", {"a": b"1"})
        store.put_many(bucket, {})

    @pytest.mark.parametrize("size", SIZES)
    def test_a_download_is_a_copy_of_its_own(
        self, store: ObjectStore, tmp_path: Path, size: int
    ) -> None:
        store.create_bucket("b")
        store.put("b", "k", bytes_of(size))
        target = tmp_path / "target"
        store.download("b", "k", target)
        with target.open("r+b") as stream:
            stream.write(b"changed")
        assert read(store, "b", "k") == bytes_of(size)
        store.download("b", "k", target)
        assert target.read_bytes() == bytes_of(size)
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["target"]

    @pytest.mark.parametrize("size", SIZES)
    def test_a_link_stays_when_the_object_changes(
        self, store: ObjectStore, tmp_path: Path, size: int
    ) -> None:
        store.create_bucket("b")
        store.put("b", "k", bytes_of(size))
        target = tmp_path / "target"
        assert 0 <= store.link("b", "k", target) <= size
        assert store.link("b", "k", target) <= size
        store.put("b", "k", b"changed")
        store.delete("b", ["k"])
        assert target.read_bytes() == bytes_of(size)
        assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["target"]

    def test_an_object_is_the_same_after_a_link_of_its_parts(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        store.create_bucket("b")
        upload = store.begin_upload("b", "k")
        pieces = [bytes_of(size, size) for size in (300_000, 1, 70_000)]
        parts = [store.put_part(upload, n, piece) for n, piece in enumerate(pieces, start=1)]
        info = store.complete_upload(upload, [(part.number, part.etag) for part in parts])
        store.copy(("b", "k"), ("b", "copy"))
        whole = b"".join(pieces)
        with store.open("b", "k") as reader:
            head = reader.read(10)
            for name in ("one", "two"):
                store.link("b", "k", tmp_path / name)
                assert (tmp_path / name).read_bytes() == whole
            assert head + reader.read() == whole
        assert store.info("b", "k") == info
        assert read(store, "b", "k") == read(store, "b", "copy") == whole
        store.delete("b", ["k"])
        assert read(store, "b", "copy") == whole

    def test_an_object_that_is_not_there(self, store: ObjectStore, tmp_path: Path) -> None:
        store.create_bucket("b")
        for attempt in (
            lambda: store.open("b", "k"),
            lambda: store.info("b", "k"),
            lambda: store.download("b", "k", tmp_path / "file"),
            lambda: store.link("b", "k", tmp_path / "file"),
            lambda: store.copy(("b", "k"), ("b", "k2")),
        ):
            with pytest.raises(ObjectMissing):
                attempt()
        store.delete("b", ["k", "k2"])

    def test_deleting_many(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        for number in range(1005):
            store.put("b", f"k{number}", b"")
        store.put("b", "kept", b"x")
        store.delete("b", [f"k{number}" for number in range(1010)])
        assert [info.key for info in store.each("b")] == ["kept"]

    @_same_store
    @given(keys=st.sets(any_key, min_size=1, max_size=6))
    @example(keys={"..", ".", "../../etc/passwd", "/", "//", "/a", "a", "a/", "a/b", "a//b"})
    @example(keys={"k" * 1024, "k" * 1023, "\x00", "\n", "%2F", "a+b", "a b", "é", "e\u0301"})
    def test_every_key_is_its_own_object(self, store: ObjectStore, keys: set[str]) -> None:
        bucket = fresh_bucket(store)
        for number, key in enumerate(sorted(keys)):
            store.put(bucket, key, f"{number}".encode())
        for number, key in enumerate(sorted(keys)):
            assert read(store, bucket, key) == f"{number}".encode()
        in_order = sorted(keys, key=str.encode)
        assert [info.key for info in store.each(bucket)] == in_order
        store.delete(bucket, in_order[:1])
        assert [info.key for info in store.each(bucket)] == in_order[1:]

    # Checksums and conditions

    @pytest.mark.parametrize("size", SIZES)
    def test_checksums_are_checked(self, store: ObjectStore, size: int) -> None:
        data = bytes_of(size)
        right = {
            "md5": hashlib.md5(data, usedforsecurity=False).digest(),
            "sha1": hashlib.sha1(data, usedforsecurity=False).digest(),
            "sha256": hashlib.sha256(data).digest(),
            "crc32": zlib.crc32(data).to_bytes(4, "big"),
        }
        expected = {name: base64.b64encode(value).decode() for name, value in right.items()}
        store.create_bucket("b")
        stored = store.put("b", "k", data, expected=expected)
        assert {name: stored.checksums[name] for name in ("crc32", "sha1", "sha256")} == {
            name: expected[name] for name in ("crc32", "sha1", "sha256")
        }
        for name, value in right.items():
            wrong = base64.b64encode(bytes([value[0] ^ 1]) + value[1:]).decode()
            with pytest.raises(ChecksumMismatch):
                store.put("b", "k", data + b"!", expected={name: wrong})
            with pytest.raises(ChecksumMismatch):
                store.put("b", "other", data, expected={name: wrong})
        assert [info.key for info in store.each("b")] == ["k"]
        assert store.info("b", "k") == stored

    @pytest.mark.parametrize("size", [0, 100, 65_536, 300_000, 3_000_000])
    def test_a_source_that_breaks_off_changes_nothing(self, store: ObjectStore, size: int) -> None:
        store.create_bucket("b")
        before = store.put("b", "k", b"before")
        upload = store.begin_upload("b", "k")
        for attempt in (
            lambda: store.put("b", "k", cast(BinaryIO, BrokenStream(size))),
            lambda: store.put("b", "new", cast(BinaryIO, BrokenStream(size))),
            lambda: store.put_part(upload, 1, cast(BinaryIO, BrokenStream(size))),
        ):
            with pytest.raises(ConnectionResetError):
                attempt()
        assert [*store.each("b")] == [before]
        assert store.parts(upload) == ()

    def test_of_many_new_writes_one_wins(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        start = threading.Barrier(8)

        def attempt(number: int) -> bytes | None:
            data = bytes_of(10 if number % 2 else 70_000, number)
            start.wait()
            try:
                store.put("b", "k", data, only_new=True)
            except ObjectExists:
                return None
            return data

        with ThreadPoolExecutor(8) as threads:
            winners = [data for data in threads.map(attempt, range(8)) if data is not None]
        assert [read(store, "b", "k")] == winners

    # Listing

    @_same_store
    @given(
        keys=st.sets(_short_key, max_size=25),
        prefix=st.text("ab/.é", max_size=2),
        delimiter=st.sampled_from(["", "/", "a", "//"]),
        start_after=st.just("") | _short_key,
        limit=st.integers(1, 5),
    )
    @example({"a/1", "a/2", "b"}, "", "/", "a/", 1)
    @example({"a/1", "a/2", "b"}, "", "/", "a/1", 1)
    @example({"a", "a/", "a/b"}, "a/", "/", "", 1)
    def test_listings_equal_the_model(
        self,
        store: ObjectStore,
        keys: set[str],
        prefix: str,
        delimiter: str,
        start_after: str,
        limit: int,
    ) -> None:
        bucket = fresh_bucket(store)
        for key in keys:
            store.put(bucket, key, b"")
        asked = Listed(prefix, delimiter, start_after, limit)
        assert listed_in_pages(store, bucket, asked) == model_pages(keys, asked)

    def test_a_large_prefix_is_one_entry(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        names = [f"{top}/{number:03}" for top in ("a", "b", "c") for number in range(120)]
        for name in names:
            store.put("b", name, b"")
        asked = Listed("", "/", "", 2)
        assert listed_in_pages(store, "b", asked) == model_pages(set(names), asked)
        assert len(store.page("b", limit=0).objects) == 0

    # Copies

    @pytest.mark.parametrize("size", SIZES)
    def test_copies_stand_alone(self, store: ObjectStore, size: int) -> None:
        store.create_bucket("b")
        store.create_bucket("c")
        data = bytes_of(size)
        store.put("b", "k", data, content_type="text/csv", metadata={"a": "1"})
        kept = store.copy(("b", "k"), ("c", "kept"))
        changed = store.copy(("b", "k"), ("b", "changed"), content_type="x/y", metadata={"b": "2"})
        assert (kept.content_type, dict(kept.metadata)) == ("text/csv", {"a": "1"})
        assert (changed.content_type, dict(changed.metadata)) == ("x/y", {"b": "2"})
        store.delete("b", ["k"])
        store.put("b", "changed", b"other")
        assert read(store, "c", "kept") == data
        store.copy(("c", "kept"), ("c", "kept"), metadata={})
        assert read(store, "c", "kept") == data
        assert dict(store.info("c", "kept").metadata) == {}

    # Many at once

    def test_readers_never_see_a_mixture(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        contents = {md5_of(data): data for data in map(_content, range(12))}
        store.put("b", "k", _content(0))
        done = threading.Event()

        def write(number: int) -> None:
            for turn in range(12):
                store.put("b", "k", _content((number + turn) % 12))

        def look() -> int:
            seen = 0
            while not done.is_set() or not seen:
                data = read(store, "b", "k")
                assert contents[md5_of(data)] == data
                seen += 1
            return seen

        with ThreadPoolExecutor(6) as threads:
            readers = [threads.submit(look) for _ in range(2)]
            writers = [threads.submit(write, number) for number in range(4)]
            try:
                for writer in writers:
                    writer.result()
            finally:
                done.set()
            assert all(reader.result() > 0 for reader in readers)
        info = store.info("b", "k")
        assert read(store, "b", "k") == contents[info.etag]

    def test_concurrent_puts_are_all_there(self, store: ObjectStore) -> None:
        store.create_bucket("b")

        def write(number: int) -> None:
            store.put("b", f"k{number:03}", bytes_of(number * 1000, number))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, range(100)))
        assert [info.key for info in store.each("b")] == [f"k{n:03}" for n in range(100)]
        for number in range(0, 100, 9):
            assert read(store, "b", f"k{number:03}") == bytes_of(number * 1000, number)


def _content(number: int) -> bytes:
    return bytes_of((100, 50_000, 70_000, 300_000)[number % 4], number)
