"""Input channels: which objects each host gets, under which names, and the copying itself."""

from __future__ import annotations

import errno
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore


class InputError(Exception):
    """The input cannot be staged; the message is for the user and becomes ``ClientError: ...``."""


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


@dataclass(frozen=True)
class InputFile:
    """One object and the relative name it gets inside its channel's folder."""

    bucket: str
    key: str
    name: str
    size: int = field(compare=False)
    """Bytes when it was listed."""


def channel_files(objects: ObjectStore, channel: Mapping[str, Any]) -> list[InputFile]:
    """Every file of a channel in key order, before distribution to hosts.

    Args:
        channel: a member of InputDataConfig with an S3DataSource.

    Raises:
        InputError: the source is empty, cannot be read, or names a file that would leave its
            folder.
    """
    source = channel["DataSource"]["S3DataSource"]
    bucket, prefix = s3_uris.split(source["S3Uri"])
    try:
        if source["S3DataType"] == "ManifestFile":
            files = _manifest_files(objects, bucket, prefix)
        else:
            files = [
                InputFile(bucket, info.key, _relative(info.key, prefix), info.size)
                for info in objects.each(bucket, prefix)
                if not info.key.endswith("/")
            ]
    except (BucketMissing, ObjectMissing) as error:
        raise InputError(f"{source['S3Uri']} cannot be read: {error}") from error
    if not files:
        raise InputError(f'No S3 objects found under S3 URL "{source["S3Uri"]}"')
    _check_names(files, channel["ChannelName"])
    return files


def _relative(key: str, prefix: str) -> str:
    rest = key[len(prefix) :]
    if not rest:
        return key.rpartition("/")[2]
    if prefix.endswith("/") or not prefix or rest.startswith("/"):
        return rest.lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def _manifest_files(objects: ObjectStore, bucket: str, key: str) -> list[InputFile]:
    with objects.open(bucket, key) as stream:
        text = stream.read()
    where = f"the manifest s3://{bucket}/{key}"
    try:
        entries = json.loads(text)
        prefix = entries[0]["prefix"]
        names = [name for name in entries[1:] if isinstance(name, str)]
        if len(names) != len(entries) - 1 or not isinstance(prefix, str):
            raise TypeError("an entry is not a string")
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(
            f'{where} must be a JSON list of {{"prefix": "s3://..."}} and relative keys ({error})'
        ) from error
    files = []
    for name in names:
        data_bucket, data_key = s3_uris.split(prefix + name)
        try:
            size = objects.info(data_bucket, data_key).size
        except ObjectMissing as error:
            raise InputError(
                f"{where} names s3://{data_bucket}/{data_key}, which does not exist"
            ) from error
        files.append(InputFile(data_bucket, data_key, name.lstrip("/"), size))
    return list(dict.fromkeys(files))


def _check_names(files: Sequence[InputFile], channel: str) -> None:
    """Refuse what would leave the channel's folder, or share a name with another."""
    paths = [PurePosixPath(file.name) for file in files]
    names = Counter(map(str, paths))
    for file, path in zip(files, paths, strict=True):
        if not file.name or "\0" in file.name or path.is_absolute() or ".." in path.parts:
            raise InputError(
                f"the key s3://{file.bucket}/{file.key} cannot become a file of channel {channel!r}"
            )
        if names[str(path)] > 1:
            raise InputError(f"channel {channel!r} has several keys that become the file {path}")
        for parent in path.parents:
            if str(parent) in names:
                raise InputError(
                    f"channel {channel!r} has both {parent} and {file.name}: a file and a folder "
                    "of the same name"
                )


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
) -> int:
    """Copy a channel into the folder of each host.

    A file that several hosts get is copied once and linked, so that replication costs no space.

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
                    os.link(source, target)
                    continue
                copied += objects.download(file.bucket, file.key, target).size
            first_copy[file] = target
    return copied


@contextmanager
def placing(bucket: str, key: str) -> Iterator[None]:
    """Make a file of an object; that it cannot become one is the user's affair.

    Raises:
        InputError: the object is gone, or the file system has no place for such a name.
    """
    try:
        yield
    except ObjectMissing as error:
        raise InputError(
            f"s3://{bucket}/{key} was deleted while it was being downloaded"
        ) from error
    except OSError as error:
        if error.errno not in _UNFIT_NAMES:
            raise
        raise InputError(
            f"the key s3://{bucket}/{key} cannot become a file: {error.strerror}"
        ) from error
