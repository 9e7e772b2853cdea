"""What an input channel names: the objects of a prefix, of a manifest, or of an augmented one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from bottega.errors import ValidationException
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectInfo, ObjectMissing, ObjectStore


class InputError(Exception):
    """The input cannot be staged; the message is for the user and becomes ``ClientError: ...``."""


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
    files = channel_objects(objects, channel)
    _check_names(files, channel["ChannelName"])
    return files


def channel_objects(objects: ObjectStore, channel: Mapping[str, Any]) -> list[InputFile]:
    """The same for those who need no files of them: any key is good.

    Of an augmented manifest these are the objects that its lines refer to, each once.

    Raises:
        InputError: the source is empty, or cannot be read.
    """
    source = channel["DataSource"]["S3DataSource"]
    bucket, prefix = s3_uris.split(source["S3Uri"])
    try:
        if source["S3DataType"] == "AugmentedManifestFile":
            lines = manifest_lines(objects, source)
            found = (part for line in lines for part in line if not isinstance(part, str))
            return list(dict.fromkeys(found))
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
        found = _named(objects, prefix + name, where)
        files.append(InputFile(found.bucket, found.key, name.lstrip("/"), found.size))
    return list(dict.fromkeys(files))


def _named(objects: ObjectStore, uri: str, where: str) -> ObjectInfo:
    """An object that a manifest names. Raises: InputError."""
    try:
        return objects.info(*s3_uris.split(uri))
    except ValidationException as error:
        raise InputError(f"{where} names {uri!r}, which is no S3 URI") from error
    except (BucketMissing, ObjectMissing) as error:
        raise InputError(f"{where} names {uri}, which does not exist") from error


def manifest_lines(
    objects: ObjectStore, source: Mapping[str, Any]
) -> Iterator[tuple[InputFile | str, ...]]:
    """The lines of an augmented manifest, as they come to be needed.

    Args:
        source: an S3DataSource of the type AugmentedManifestFile.

    Yields:
        For each of AttributeNames, in their order: the object that the value refers to, where the
        name ends in ``-ref``, else the value as JSON.

    Raises:
        InputError: there is no such manifest, it has no lines, or one of them is no JSON object
            with these attributes, or refers to an object that does not exist.
        BucketMissing, ObjectMissing: there is no such manifest.
    """
    bucket, key = s3_uris.split(source["S3Uri"])
    lines = 0
    with objects.open(bucket, key) as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                lines += 1
                where = f"line {number} of the augmented manifest {source['S3Uri']}"
                yield _manifest_line(objects, line, source["AttributeNames"], where)
    if not lines:
        raise InputError(f"the augmented manifest {source['S3Uri']} has no lines")


def _manifest_line(
    objects: ObjectStore, line: bytes, attributes: Sequence[str], where: str
) -> tuple[InputFile | str, ...]:
    try:
        values = json.loads(line, parse_constant=_refuse_constant)
        if not isinstance(values, dict):
            raise ValueError("it is no object")
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} must be a JSON object ({error})") from error
    parts: list[InputFile | str] = []
    for attribute in attributes:
        if attribute not in values:
            raise InputError(f"{where} has no attribute {attribute!r}")
        value = values[attribute]
        if not attribute.endswith("-ref"):
            parts.append(_as_text(value))
        elif isinstance(value, str):
            found = _named(objects, value, where)
            parts.append(InputFile(found.bucket, found.key, found.key, found.size))
        else:
            raise InputError(f"{where}: the value of {attribute!r} must be an S3 URI")
    return tuple(parts)


def _as_text(value: object) -> str:
    """A value as JSON that can be written as UTF-8; half a surrogate stays escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


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
