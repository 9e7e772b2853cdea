"""The object port: buckets and keys, with S3's meaning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO


class BucketMissing(Exception):
    """There is no such bucket."""


class BucketExists(Exception):
    """The bucket is already there."""


class BucketNotEmpty(Exception):
    """The bucket still has objects."""


class ObjectMissing(Exception):
    """The bucket has no object of that key."""


class ObjectExists(Exception):
    """The bucket already has an object of that key, and the write was for a new one only."""


class ChecksumMismatch(Exception):
    """The bytes are not those that the sender's checksum speaks of."""


class UploadMissing(Exception):
    """There is no multipart upload of that id."""


class InvalidPart(Exception):
    """A part named on completion was not uploaded, has another ETag, or is out of order."""


class RangeNotSatisfiable(Exception):
    """The object ends before the range begins. ``size`` is the object's size."""

    def __init__(self, size: int) -> None:
        super().__init__(str(size))
        self.size = size


@dataclass(frozen=True)
class Bucket:
    name: str
    created: float
    """Seconds since the epoch."""


@dataclass(frozen=True)
class ObjectInfo:
    """An object without its bytes."""

    bucket: str
    key: str
    size: int
    """Bytes."""
    etag: str
    """Without quotes: the MD5 in hexadecimal, or ``<md5 of md5s>-<parts>`` after a multipart
    upload.
    """
    modified: float
    """Seconds since the epoch."""
    content_type: str = "binary/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    """User metadata, keys in lower case without the ``x-amz-meta-`` prefix; also
    ``content-encoding`` and the like under their own header names prefixed with a colon
    (``:content-encoding``)."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Checksums that were checked on upload: algorithm (``crc32``, ``sha256``) to base64."""


@dataclass(frozen=True)
class ObjectPage:
    """A stretch of a listing in UTF-8 binary order of the keys."""

    objects: tuple[ObjectInfo, ...]
    prefixes: tuple[str, ...] = ()
    """Common prefixes, each ending in the delimiter."""
    next_start_after: str = ""
    """Where the next page begins (exclusive: a key, or a common prefix whose keys are all skipped);
    empty on the last page."""


@dataclass(frozen=True)
class Part:
    number: int
    etag: str
    size: int
    modified: float


class ObjectStore(ABC):
    """Durable storage of objects with S3's semantics: whole objects, last writer wins.

    Contract, checked for every implementation by ``bottega.testing.object_store_case``:

    * A write is atomic: a reader sees the old object or the new one, whole, never a mixture; a
      kill at any moment leaves the old or the new one. Once ``put`` has returned the object is
      durable.
    * A reader that has opened an object reads that very object to its end, whatever is written
      since.
    * Any key S3 takes is fine: ``..``, leading and trailing slashes, ``a`` beside ``a/b``, any
      Unicode, up to 1024 bytes in UTF-8. A key never becomes a path outside the store.
    * Methods may be called from any thread.
    """

    @abstractmethod
    def create_bucket(self, bucket: str) -> Bucket:
        """Raises: BucketExists."""

    @abstractmethod
    def delete_bucket(self, bucket: str) -> None:
        """Raises: BucketMissing, BucketNotEmpty."""

    @abstractmethod
    def bucket(self, bucket: str) -> Bucket:
        """Raises: BucketMissing."""

    @abstractmethod
    def buckets(self) -> tuple[Bucket, ...]:
        """All buckets by name."""

    @abstractmethod
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
        """Store an object.

        Args:
            source: the bytes, a stream read to its end, or a file to copy.
            expected: checksums the bytes must have: ``md5``, ``crc32``, ``crc32c``, ``crc64nvme``,
                ``sha1``, ``sha256`` to base64; an algorithm this machine cannot compute is passed
                over.
            only_new: refuse when the key is taken; of several such writes at once exactly one wins.

        Raises:
            BucketMissing: there is no such bucket.
            ChecksumMismatch: nothing is stored then.
            ObjectExists: ``only_new`` was given and the key is taken.
        """

    def put_many(self, bucket: str, contents: Mapping[str, bytes]) -> None:
        """Store several objects by their keys; a store may do so at less cost than one by one.

        All of them are there when this returns; where it raises, any of them may be.

        Raises:
            BucketMissing: there is no such bucket.
        """
        for key, content in contents.items():
            self.put(bucket, key, content)

    @abstractmethod
    def open(self, bucket: str, key: str, *, start: int = 0, length: int | None = None) -> BinaryIO:
        """A stream over the object's bytes, or over ``length`` of them from ``start``.

        Raises:
            BucketMissing, ObjectMissing.
            RangeNotSatisfiable: ``start`` is at or after the end (and the object is not empty at
                0).
        """

    @abstractmethod
    def info(self, bucket: str, key: str) -> ObjectInfo:
        """Raises: BucketMissing, ObjectMissing."""

    @abstractmethod
    def download(self, bucket: str, key: str, target: Path) -> ObjectInfo:
        """Write the object to the file ``target``, whose folder exists; the fastest way there is.

        The file is a copy of its own: writing to it does not change the object.

        Raises:
            BucketMissing, ObjectMissing.
        """

    def link(self, bucket: str, key: str, target: Path) -> int:
        """Make the object a file at ``target``, whose folder exists, without copying where that
        can be.

        The file may be the object itself: it must never be written to, nor be shown to anybody who
        could. It stays as it is whatever becomes of the object.

        Returns:
            How many bytes had to be copied.

        Raises:
            BucketMissing, ObjectMissing.
        """
        return self.download(bucket, key, target).size

    @abstractmethod
    def page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> ObjectPage:
        """Up to ``limit`` objects and common prefixes together, as ListObjectsV2.

        Raises:
            BucketMissing: there is no such bucket.
        """

    @abstractmethod
    def copy(
        self,
        source: tuple[str, str],
        target: tuple[str, str],
        *,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Copy (bucket, key) to (bucket, key); metadata is kept unless given.

        Raises:
            BucketMissing, ObjectMissing.
        """

    @abstractmethod
    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove objects; keys that are not there are passed over.

        Raises:
            BucketMissing: there is no such bucket.
        """

    @abstractmethod
    def begin_upload(
        self,
        bucket: str,
        key: str,
        *,
        content_type: str = "binary/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> str:
        """Start a multipart upload; returns its id. Raises: BucketMissing."""

    @abstractmethod
    def put_part(
        self,
        upload: str,
        number: int,
        source: bytes | BinaryIO | Path,
        *,
        expected: Mapping[str, str] | None = None,
    ) -> Part:
        """Store part ``number`` (1 to 10,000), over an earlier one of that number.

        Raises:
            UploadMissing, ChecksumMismatch.
        """

    @abstractmethod
    def parts(self, upload: str) -> tuple[Part, ...]:
        """The parts so far by number. Raises: UploadMissing."""

    @abstractmethod
    def complete_upload(
        self, upload: str, parts: Sequence[tuple[int, str]], *, only_new: bool = False
    ) -> ObjectInfo:
        """Make the object of the given parts (number, etag), in ascending order.

        Args:
            parts: what to join; at least one.
            only_new: refuse when the key is taken by now; the upload stays then.

        Raises:
            UploadMissing, InvalidPart, ObjectExists.
        """

    @abstractmethod
    def abort_upload(self, upload: str) -> None:
        """Throw an upload away. Raises: UploadMissing."""

    @abstractmethod
    def upload_key(self, upload: str) -> tuple[str, str]:
        """The (bucket, key) an upload is for. Raises: UploadMissing."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; the store cannot be used after."""

    def ensure_bucket(self, bucket: str) -> None:
        """Create the bucket unless it is there."""
        try:
            self.create_bucket(bucket)
        except BucketExists:
            return

    def each(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object under a prefix in key order. Raises: BucketMissing."""
        start_after = ""
        while True:
            page = self.page(bucket, prefix=prefix, start_after=start_after)
            yield from page.objects
            if not (start_after := page.next_start_after):
                return
