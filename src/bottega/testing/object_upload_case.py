"""What every object store must pass: multipart uploads."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bottega.storage.objects import (
    ChecksumMismatch,
    InvalidPart,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    UploadMissing,
)
from bottega.testing.object_store_samples import bytes_of, md5_of, read


class ObjectUploadCase:
    """Uploads in parts; a part of :class:`~bottega.testing.object_store_case.ObjectStoreCase`."""

    def test_an_upload_becomes_an_object(self, store: ObjectStore, tmp_path: Path) -> None:
        store.create_bucket("b")
        pieces = [bytes_of(size, size) for size in (300_000, 1, 70_000, 0, 5)]
        upload = store.begin_upload("b", "k", content_type="a/b", metadata={"m": "1"})
        assert store.upload_key(upload) == ("b", "k")
        for number, piece in enumerate(pieces, start=1):
            part = store.put_part(upload, number * 10, piece)
            assert (part.number, part.etag, part.size) == (number * 10, md5_of(piece), len(piece))
        with pytest.raises(ObjectMissing):
            store.info("b", "k")
        parts = store.parts(upload)
        assert [part.number for part in parts] == [10, 20, 30, 40, 50]
        info = store.complete_upload(upload, [(part.number, part.etag) for part in parts])
        whole = b"".join(pieces)
        joined = b"".join(bytes.fromhex(md5_of(piece)) for piece in pieces)
        assert info == store.info("b", "k")
        assert (info.size, info.etag) == (len(whole), f"{md5_of(joined)}-5")
        assert (info.content_type, dict(info.metadata)) == ("a/b", {"m": "1"})
        assert read(store, "b", "k") == whole
        for start, length in ((0, 10), (299_999, 3), (299_999, None), (370_000, 6), (370_005, 1)):
            with store.open("b", "k", start=start, length=length) as stream:
                end = len(whole) if length is None else start + length
                assert stream.read() == whole[start:end]
        store.download("b", "k", tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == whole
        with pytest.raises(UploadMissing):
            store.parts(upload)

    def test_a_part_sent_again_replaces_the_first(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        upload = store.begin_upload("b", "k")
        store.put_part(upload, 1, b"first")
        store.put_part(upload, 2, b"unused")
        again = store.put_part(upload, 1, b"second")
        store.complete_upload(upload, [(1, again.etag)])
        assert read(store, "b", "k") == b"second"

    def test_a_reader_of_many_parts_goes_on(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        pieces = [bytes_of(300_000, number) for number in range(4)]
        upload = store.begin_upload("b", "k")
        parts = [store.put_part(upload, n, piece) for n, piece in enumerate(pieces, start=1)]
        store.complete_upload(upload, [(part.number, part.etag) for part in parts])
        with store.open("b", "k") as stream, store.open("b", "k", start=10) as other:
            head = stream.read(10)
            store.delete("b", ["k"])
            assert head + stream.read() == b"".join(pieces)
            assert other.read() == b"".join(pieces)[10:]

    def test_uploads_refuse_what_does_not_fit(self, store: ObjectStore) -> None:
        store.create_bucket("b")
        before = store.put("b", "k", b"before")
        upload = store.begin_upload("b", "k")
        one, two = store.put_part(upload, 1, b"1"), store.put_part(upload, 2, b"2")
        wrong = base64.b64encode(bytes(16)).decode()
        with pytest.raises(ChecksumMismatch):
            store.put_part(upload, 1, b"other", expected={"md5": wrong})
        for parts in (
            [],
            [(3, one.etag)],
            [(1, two.etag)],
            [(2, two.etag), (1, one.etag)],
            [(1, one.etag), (1, one.etag)],
        ):
            with pytest.raises(InvalidPart):
                store.complete_upload(upload, parts)
        with pytest.raises(ObjectExists):
            store.complete_upload(upload, [(1, one.etag)], only_new=True)
        assert store.parts(upload) == (one, two)
        assert [*store.each("b")] == [before]
        store.abort_upload(upload)
        for attempt in (
            lambda: store.put_part(upload, 1, b"1"),
            lambda: store.parts(upload),
            lambda: store.upload_key(upload),
            lambda: store.abort_upload(upload),
            lambda: store.complete_upload(upload, [(1, one.etag)]),
        ):
            with pytest.raises(UploadMissing):
                attempt()
