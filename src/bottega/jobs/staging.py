"""Input channels: which objects each host gets, and bringing them there as files."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bottega.jobs.input_sources import InputError, InputFile, channel_files
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore

_UNFIT_NAMES = {
    errno.ENAMETOOLONG,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EINVAL,
    errno.EILSEQ,
}
"""How the file system refuses a name, or a name beside those that are there already."""


class Cancelled(Exception):
    """The job was asked to stop while its input was being copied."""


def share(
    files: Sequence[InputFile], channel: Mapping[str, Any], host: int, hosts: int
) -> list[InputFile]:
    """The files that host number ``host`` (from 0) of ``hosts`` gets."""
    ordered = list(files)
    if (seed := channel.get("ShuffleConfig", {}).get("Seed")) is not None:
        random.Random(seed).shuffle(ordered)
    source = channel["DataSource"]["S3DataSource"]
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        return ordered[host::hosts]
    return ordered


def stage_channel(
    objects: ObjectStore,
    channel: Mapping[str, Any],
    folders: Sequence[Path],
    cancelled: Callable[[], bool],
    *,
    link: bool = False,
    apart: bool = False,
) -> int:
    """Make a channel the files of a folder for each host.

    A file that several hosts get is copied once and linked, so that replication costs no space.

    Args:
        link: the files may be the objects themselves, which no host can write to.
        apart: what one host writes to a file must not reach the others: each gets a copy.

    Returns:
        How many bytes were copied.

    Raises:
        InputError: the input cannot be staged.
        Cancelled: ``cancelled()`` became true.
    """
    files = channel_files(objects, channel)
    first_copy: dict[InputFile, Path] = {}
    copied = 0
    for index, folder in enumerate(folders):
        folder.mkdir(parents=True, exist_ok=True)
        for file in share(files, channel, index, len(folders)):
            if cancelled():
                raise Cancelled
            target = folder / file.name
            with placing(file.bucket, file.key):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                if (source := first_copy.get(file)) is not None:
                    if apart and not link:
                        shutil.copyfile(source, target)
                    else:
                        os.link(source, target)
                    continue
                copied += place(objects, file, target, link=link)
            first_copy[file] = target
    return copied


def place(objects: ObjectStore, file: InputFile, target: Path, *, link: bool) -> int:
    """Make one object a file; returns how many bytes were copied.

    Raises:
        BucketMissing, ObjectMissing.
    """
    if link:
        return objects.link(file.bucket, file.key, target)
    return objects.download(file.bucket, file.key, target).size


@contextmanager
def placing(bucket: str, key: str) -> Iterator[None]:
    """Make a file of an object; that it cannot become one is the user's affair.

    Raises:
        InputError: the object is gone, or the file system has no place for such a name.
    """
    try:
        yield
    except (BucketMissing, ObjectMissing) as error:
        raise InputError(
            f"s3://{bucket}/{key} was deleted while it was being downloaded"
        ) from error
    except OSError as error:
        if error.errno not in _UNFIT_NAMES:
            raise
        raise InputError(
            f"the key s3://{bucket}/{key} cannot become a file: {error.strerror}"
        ) from error
