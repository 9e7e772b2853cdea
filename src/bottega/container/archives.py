"""Unpacking the user's code archives without trusting them."""

from __future__ import annotations

from pathlib import Path

from bottega.algorithms.base import CustomerError
from bottega.tar_archives import tarfile

MAX_ENTRIES = 100_000
MAX_BYTES = 8 * 1024**3


def unpack(
    archive: Path, target: Path, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES
) -> None:
    """Unpack a tar (compressed or not) into a folder.

    Every entry is judged before the first is written: absolute names, ``..``, links that lead out,
    devices, too many entries or too many bytes refuse the whole archive.

    Raises:
        CustomerError: the archive is refused or is no tar.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:*") as tar:
            members = _judge(tar, archive, target, max_entries, max_bytes)
            tar.extractall(target, members, filter="data")
    except tarfile.FilterError as error:
        raise CustomerError(f"The archive {archive.name} is not safe to unpack: {error}") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise CustomerError(
            f"The archive {archive.name} cannot be unpacked: {error}. It must be a tar.gz."
        ) from error


def _judge(
    tar: tarfile.TarFile, archive: Path, target: Path, max_entries: int, max_bytes: int
) -> list[tarfile.TarInfo]:
    members: list[tarfile.TarInfo] = []
    size = 0
    for member in tar:
        # The filter strips a leading slash; an archive that has one is refused all the same.
        if member.name.startswith("/"):
            raise tarfile.AbsolutePathError(member)
        tarfile.data_filter(member, str(target))
        members.append(member)
        size += member.size
        if len(members) > max_entries:
            raise CustomerError(f"The archive {archive.name} has more than {max_entries} entries.")
        if size > max_bytes:
            raise CustomerError(
                f"The archive {archive.name} unpacks to more than {max_bytes} bytes."
            )
    return members
