"""Looking into a ``.tar.gz`` of the object store as it streams by; nothing is unpacked.

Archives are made by jobs, so nothing in them is trusted: what is read of one is bounded, names are
only compared, and the one file that is asked for goes to a temporary file without a name.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from bottega.errors import ClientFault
from bottega.sdk.client import RemoteClient
from bottega.tar_archives import tarfile

MOST_MEMBERS = 10_000
LARGEST_UNPACKED_BYTES = 16 * 1024**3
LARGEST_HEADER_BYTES = 1024 * 1024
PIECE_BYTES = 1 << 20
_EXTENDED = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)
"""Members that only describe the next one."""


class ArchiveRefused(ClientFault):
    """It is no archive, or none that is looked into; the message says why."""


class NoSuchMember(ClientFault):
    code = "NoSuchMember"
    status = 404


class _Member(tarfile.TarInfo):
    """A member whose extended header, which is read into memory, is of a sensible size."""

    def _proc_member(self, archive: Any) -> Any:
        if self.type in _EXTENDED and self.size > LARGEST_HEADER_BYTES:
            raise ArchiveRefused("The archive has a header that is too large.")
        return super()._proc_member(archive)  # type: ignore[misc]


class _Counted:
    """What is unpacked of an archive, up to a limit."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = LARGEST_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise ArchiveRefused(
                f"The archive holds more than {LARGEST_UNPACKED_BYTES >> 30} GiB; download it."
            )
        return piece


def list_members(client: RemoteClient, bucket: str, key: str) -> list[dict[str, Any]]:
    """Name and size of every file in an archive, up to the first 10,000.

    Raises:
        ArchiveRefused: it is no ``.tar.gz``, or unpacks to more than is reasonable.
    """
    members: list[dict[str, Any]] = []
    with _opened(client, bucket, key) as archive:
        for member in archive:
            if member.isreg():
                members.append({"name": _name(member), "size": member.size})
            archive.members.clear()
            if len(members) == MOST_MEMBERS:
                break
    return members


def take_member(client: RemoteClient, bucket: str, key: str, name: str) -> tuple[IO[bytes], int]:
    """A file of an archive, ready to be read, and its size. The caller closes it.

    Raises:
        NoSuchMember: the archive has no such file.
        ArchiveRefused: as for :func:`list_members`, or the file does not fit on the disk.
    """
    with _opened(client, bucket, key) as archive:
        for member in archive:
            if member.isreg() and _name(member) == name:
                source = archive.extractfile(member)
                assert source is not None
                _check_room(member.size)
                return _copied(source), member.size
            archive.members.clear()
    raise NoSuchMember(f"The archive s3://{bucket}/{key} has no file {name!r}.")


def _check_room(size: int) -> None:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ArchiveRefused(
            f"The file has {size} bytes, and the disk with {folder} has {free} bytes left to unpack"
            " it to; make room, or download the archive."
        )


def _copied(source: IO[bytes]) -> IO[bytes]:
    target = tempfile.TemporaryFile(prefix="bottega-")  # noqa: SIM115
    try:
        while piece := source.read(PIECE_BYTES):
            target.write(piece)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target


@contextmanager
def _opened(client: RemoteClient, bucket: str, key: str) -> Iterator[Any]:
    with client.open_object(bucket, key) as stored:
        try:
            with gzip.GzipFile(fileobj=cast(Any, stored)) as unpacked:
                counted = cast(Any, _Counted(unpacked))
                with tarfile.open(fileobj=counted, mode="r|", tarinfo=_Member) as archive:
                    yield archive
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise ArchiveRefused(
                f"s3://{bucket}/{key} is no .tar.gz archive, or is damaged: {error}"
            ) from error


def _name(member: tarfile.TarInfo) -> str:
    return member.name.removeprefix("./")
