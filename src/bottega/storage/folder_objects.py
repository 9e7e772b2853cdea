"""An object store in a folder of the local disk.

``index.sqlite`` says which key is which bytes (:mod:`~bottega.storage.folder_index`); objects from
64 KiB on are immutable files in ``blobs/`` (:mod:`~bottega.storage.folder_blobs`), smaller ones lie
in the index itself. A key never becomes a file name. A write makes its blob durable first and then
commits the index; what a kill leaves in between is removed at the next opening. One process at a
time opens a store.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection

from bottega.clock import Clock
from bottega.storage import folder_index as index
from bottega.storage import folder_listing
from bottega.storage import folder_uploads as uploads
from bottega.storage.checksums import Digests
from bottega.storage.folder_blobs import BlobFolder, sync_folder
from bottega.storage.folder_lock import locked
from bottega.storage.folder_streams import StretchReader, append_file, cut
from bottega.storage.objects import (
    Bucket,
    BucketExists,
    BucketNotEmpty,
    ObjectExists,
    ObjectInfo,
    ObjectMissing,
    ObjectPage,
    ObjectStore,
    Part,
    RangeNotSatisfiable,
)

INLINE_BYTES = 64 * 1024
"""Objects under this size are kept in the index: one synchronisation of the disk, not three."""
_NO_LINKS = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}
"""How the system says that a file cannot have one more name, at least not there."""
_CHUNK_BYTES = 1024 * 1024
_BUFFER_BYTES = 256 * 1024


class FolderObjectStore(ObjectStore):
    """Objects under one folder; see the module's text and the contract of :class:`ObjectStore`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Open the store, making it when there is none, and remove what a killed process left.

        Raises:
            StoreInUse: it is open already, here or in another process.
            IndexTooNew: a later version of bottega wrote it.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clock = clock
        with ExitStack() as undo:
            undo.enter_context(locked(folder / "lock"))
            self._index = index.FolderIndex(folder / "index.sqlite")
            undo.callback(self._index.close)
            self._blobs = BlobFolder(folder)
            with self._index.read() as connection:
                self._blobs.collect(index.all_files(connection))
            sync_folder(folder)
            self._closing = undo.pop_all()

    def close(self) -> None:
        self._closing.close()

    # Buckets

    def create_bucket(self, bucket: str) -> Bucket:
        made = Bucket(bucket, self._clock.now())
        with self._index.write() as connection:
            rows = connection.execute(
                insert(index.buckets).on_conflict_do_nothing(),
                {"name": made.name, "created": made.created},
            )
            if rows.rowcount == 0:
                raise BucketExists(bucket)
        return made

    def delete_bucket(self, bucket: str) -> None:
        with self._changing() as (connection, freed):
            index.bucket_of(connection, bucket)
            if folder_listing.page(connection, bucket, "", "", "", 1).objects:
                raise BucketNotEmpty(bucket)
            begun = sa.select(index.uploads.c.id).where(index.uploads.c.bucket == bucket)
            open_uploads = connection.execute(begun).scalars().all()
            freed |= index.remove_uploads(connection, open_uploads)
            connection.execute(index.buckets.delete().where(index.buckets.c.name == bucket))

    def bucket(self, bucket: str) -> Bucket:
        with self._index.read() as connection:
            return index.bucket_of(connection, bucket)

    def buckets(self) -> tuple[Bucket, ...]:
        with self._index.read() as connection:
            rows = connection.execute(sa.select(*index.buckets.c).order_by(index.buckets.c.name))
            return tuple(Bucket(row.name, row.created) for row in rows)

    # Objects

    def put(
        self,
        bucket: str,
        key: str,
        source: bytes | BinaryIO | Path,
        *,
        content_type: str = "binary/octet-stream",
        metadata: Mapping[str, str] | None = None,
        expected: Mapping[str, str] | None = None,
        only_new: bool = False,
    ) -> ObjectInfo:
        with self._index.read() as connection:
            # Before the bytes are read, because that may take long; asked again with the commit.
            index.bucket_of(connection, bucket)
            if only_new and index.find(connection, bucket, key):
                raise ObjectExists(key)
        with self._stored(source, expected, inline=INLINE_BYTES) as (digests, files, inline):
            info = self._info(bucket, key, digests, content_type, metadata or {})
            with self._changing() as (connection, freed):
                content = index.add_content(connection, files, inline)
                freed |= self._replace(connection, info, content, only_new)
        return info

    def put_many(self, bucket: str, contents: Mapping[str, bytes]) -> None:
        small = {key: data for key, data in contents.items() if len(data) < INLINE_BYTES}
        super().put_many(bucket, {key: contents[key] for key in contents.keys() - small.keys()})
        with self._changing() as (connection, freed):
            for key, data in small.items():
                digests = Digests(None)
                digests.update(data)
                info = self._info(bucket, key, digests, "binary/octet-stream", {})
                content = index.add_content(connection, [], data)
                freed |= self._replace(connection, info, content, only_new=False)

    def open(self, bucket: str, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        if start < 0 or (length is not None and length < 0):
            raise ValueError(f"start {start} and length {length} must not be negative")
        while True:
            with self._index.read() as connection:
                entry = self._entry(connection, bucket, key)
                size = entry.info.size
                if start >= size and start > 0:
                    raise RangeNotSatisfiable(size)
                wanted = size - start if length is None else min(length, size - start)
                if size == 0 or wanted == 0:
                    return io.BytesIO()
                if size < INLINE_BYTES:
                    inline = index.bytes_of(connection, entry.content)
                    if inline is not None:
                        return io.BytesIO(inline[start : start + wanted])
                files = index.pieces_of(connection, entry.content)
                if stream := self._open_pieces(connection, entry, files, start, wanted):
                    return stream
            # The object was replaced while we looked; the next look finds its successor.

    def info(self, bucket: str, key: str) -> ObjectInfo:
        with self._index.read() as connection:
            return self._entry(connection, bucket, key).info

    def download(self, bucket: str, key: str, target: Path) -> ObjectInfo:
        draft = target.with_name(f".bottega-{secrets.token_hex(8)}")
        try:
            while True:
                with self._index.read() as connection:
                    entry = self._entry(connection, bucket, key)
                    files = index.pieces_of(connection, entry.content)
                    inline = index.bytes_of(connection, entry.content) if not files else None
                    names = [name for name, _ in files]
                    self._blobs.pin(names)
                    if self._still(connection, entry):
                        break
                    self._blobs.unpin(names)
            try:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
                with open(descriptor, "wb", buffering=0) as stream:
                    if inline:
                        stream.write(inline)
                    for name in names:
                        append_file(self._blobs.path(name), descriptor)
                    if os.fstat(descriptor).st_size != entry.info.size:
                        raise _damaged(entry.info)
            finally:
                self._blobs.unpin(names)
            os.replace(draft, target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return entry.info

    def link(self, bucket: str, key: str, target: Path) -> int:
        """See :meth:`ObjectStore.link`. An object of several files, as a multipart upload makes
        them, becomes one of a single file first, which is copied once for all time.
        """
        copied = 0
        while True:
            with self._index.read() as connection:
                entry = self._entry(connection, bucket, key)
                files = index.pieces_of(connection, entry.content)
                inline = index.bytes_of(connection, entry.content) if not files else None
            if inline is not None:
                # The old file may be an object itself.
                target.unlink(missing_ok=True)
                return copied + target.write_bytes(inline)
            if not files:
                # It was replaced while we looked, or is empty.
                return copied + self.download(bucket, key, target).size
            if len(files) > 1:
                copied += self._make_single(entry, files)
                continue
            blob = self._blobs.path(files[0][0])
            try:
                target.unlink(missing_ok=True)
                os.link(blob, target)
            except FileNotFoundError:
                if blob.exists():
                    raise
                with self._index.read() as connection:
                    if self._still(connection, entry):
                        raise _damaged(entry.info) from None
                # The object was replaced while we looked; the next look finds its successor.
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return copied + self.download(bucket, key, target).size
            else:
                return copied

    def page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> ObjectPage:
        with self._index.read() as connection:
            index.bucket_of(connection, bucket)
            return folder_listing.page(connection, bucket, prefix, delimiter, start_after, limit)

    def copy(
        self,
        source: tuple[str, str],
        target: tuple[str, str],
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        with self._changing() as (connection, freed):
            entry = self._entry(connection, *source)
            info = replace(
                entry.info,
                bucket=target[0],
                key=target[1],
                modified=self._clock.now(),
                content_type=entry.info.content_type if content_type is None else content_type,
                metadata=entry.info.metadata if metadata is None else dict(metadata),
            )
            freed |= self._replace(connection, info, entry.content, only_new=False)
        return info

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        with self._changing() as (connection, freed):
            index.bucket_of(connection, bucket)
            freed |= index.remove_objects(connection, bucket, keys)

    # Multipart uploads

    def begin_upload(
        self,
        bucket: str,
        key: str,
        *,
        content_type: str = "binary/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        upload = secrets.token_hex(24)
        description = (content_type, index.to_json(metadata))
        with self._index.write() as connection:
            uploads.begin(connection, upload, (bucket, key), description, self._clock.now())
        return upload

    def put_part(
        self,
        upload: str,
        number: int,
        source: bytes | BinaryIO | Path,
        *,
        expected: Mapping[str, str] | None = None,
    ) -> Part:
        if not 1 <= number <= 10_000:
            raise ValueError(f"part number {number} is not between 1 and 10000")
        self.upload_key(upload)
        # Parts are always files: joining them then means naming them, not copying them.
        with self._stored(source, expected, inline=0) as (digests, files, _):
            part = Part(number, digests.etag, digests.size, self._clock.now())
            with self._changing() as (connection, freed):
                content = index.add_content(connection, files)
                freed |= uploads.put_part(connection, upload, part, content)
        return part

    def parts(self, upload: str) -> tuple[Part, ...]:
        with self._index.read() as connection:
            uploads.find(connection, upload)
            return tuple(
                Part(row.number, row.etag, row.size, row.modified)
                for row in uploads.parts(connection, upload).values()
            )

    def complete_upload(
        self, upload: str, parts: Sequence[tuple[int, str]], *, only_new: bool = False
    ) -> ObjectInfo:
        with self._changing() as (connection, freed):
            info, content = uploads.join(connection, upload, parts, self._clock.now())
            freed |= self._replace(connection, info, content, only_new)
            freed |= index.remove_uploads(connection, [upload])
        return info

    def abort_upload(self, upload: str) -> None:
        with self._changing() as (connection, freed):
            uploads.find(connection, upload)
            freed |= index.remove_uploads(connection, [upload])

    def upload_key(self, upload: str) -> tuple[str, str]:
        with self._index.read() as connection:
            row = uploads.find(connection, upload)
            return row.bucket, row.key.decode()

    # What the operations share

    def _info(
        self, bucket: str, key: str, digests: Digests, kind: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        return ObjectInfo(
            bucket=bucket,
            key=key,
            size=digests.size,
            etag=digests.etag,
            modified=self._clock.now(),
            content_type=kind,
            metadata=dict(metadata),
            checksums=digests.check(),
        )

    @contextmanager
    def _changing(self) -> Iterator[tuple[Connection, set[str]]]:
        """A write transaction, and a set for the files to remove once it is committed."""
        freed: set[str] = set()
        with self._index.write() as connection:
            yield connection, freed
        self._blobs.discard(freed)

    @contextmanager
    def _stored(
        self, source: bytes | BinaryIO | Path, expected: Mapping[str, str] | None, *, inline: int
    ) -> Iterator[tuple[Digests, list[tuple[str, int]], bytes | None]]:
        """Read a source to its end; gives its digests, its durable files, or its few bytes.

        The checksums have been checked then. If the block raises, the file is removed.
        """
        digests = Digests(expected)
        with ExitStack() as stack:
            if isinstance(source, bytes):
                stream: BinaryIO = io.BytesIO(source)
            elif isinstance(source, Path):
                stream = stack.enter_context(open(source, "rb"))
            else:
                stream = source
            head = _read_exactly(stream, inline)
            if len(head) < inline:
                digests.update(head)
                digests.check()
                yield digests, [], head
                return
            chunks = iter(lambda: stream.read(_CHUNK_BYTES), b"")
            file = self._blobs.write(digests.over(_then(head, chunks)))
        try:
            digests.check()
            yield digests, [(file, digests.size)], None
        except sa.exc.DBAPIError:
            # The commit may have reached the disk all the same; the next opening finds out.
            raise
        except BaseException:
            self._blobs.discard([file])
            raise

    def _make_single(self, entry: index.Entry, files: Sequence[tuple[str, int]]) -> int:
        """Give every object of a content of several files one of a single file; returns how many
        bytes were copied. Does nothing when the object was replaced meanwhile.
        """
        names = [name for name, _ in files]
        self._blobs.pin(names)
        try:
            with self._index.read() as connection:
                if not self._still(connection, entry):
                    return 0
            joined, size = self._blobs.join(names)
        finally:
            self._blobs.unpin(names)
        if size != entry.info.size:
            self._blobs.discard([joined])
            raise _damaged(entry.info)
        with self._changing() as (connection, freed):
            if self._still(connection, entry):
                content = index.add_content(connection, [(joined, size)])
                freed |= index.repoint(connection, entry.content, content)
            else:
                freed.add(joined)
        return size

    @staticmethod
    def _entry(connection: Connection, bucket: str, key: str) -> index.Entry:
        """Raises: BucketMissing, ObjectMissing."""
        entry = index.find(connection, bucket, key)
        if entry is None:
            index.bucket_of(connection, bucket)
            raise ObjectMissing(key)
        return entry

    @staticmethod
    def _replace(
        connection: Connection, info: ObjectInfo, content: int, only_new: bool
    ) -> set[str]:
        """Point a key to a content; returns the files its old content leaves. Raises: see put."""
        index.bucket_of(connection, info.bucket)
        old = index.find(connection, info.bucket, info.key)
        if old is not None and only_new:
            raise ObjectExists(info.key)
        index.put(connection, info, content)
        return index.release(connection, [old.content]) if old is not None else set()

    @staticmethod
    def _still(connection: Connection, entry: index.Entry) -> bool:
        """Whether the object is yet the one that was read.

        Asked after pinning: files that are named now cannot have been removed before the pin.
        """
        now = index.find(connection, entry.info.bucket, entry.info.key)
        return now is not None and now.content == entry.content

    def _open_pieces(
        self,
        connection: Connection,
        entry: index.Entry,
        files: Sequence[tuple[str, int]],
        start: int,
        length: int,
    ) -> BinaryIO | None:
        """A stream over files; None when the object was replaced in the meantime."""
        stretches = cut([(self._blobs.path(name), size) for name, size in files], start, length)
        # An open file keeps its bytes, whatever is removed; those to be opened later need a pin.
        later = [each.path.name for each in stretches[1:]]
        self._blobs.pin(later)
        try:
            if not stretches:
                raise FileNotFoundError(errno.ENOENT, "no bytes", entry.info.key)
            first = io.FileIO(stretches[0].path)
            if not later or self._still(connection, entry):
                whole = len(files) == 1 and length == entry.info.size
                raw = first if whole else StretchReader(stretches, first, self._blobs.unpin)
                return cast(BinaryIO, io.BufferedReader(raw, _BUFFER_BYTES))
            first.close()
        except FileNotFoundError as error:
            if self._still(connection, entry):
                raise _damaged(entry.info) from error
        self._blobs.unpin(later)
        return None


def _damaged(info: ObjectInfo) -> OSError:
    return OSError(errno.EIO, "bytes of the object are missing from the store's folder", info.key)


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    """``size`` bytes, fewer only at the end: a stream may give less than it is asked for."""
    taken: list[bytes] = []
    missing = size
    while missing and (chunk := stream.read(missing)):
        taken.append(chunk)
        missing -= len(chunk)
    return b"".join(taken)


def _then(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from chunks
