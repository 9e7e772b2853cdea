"""Which objects a job reads, and what their results are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.jobs.artifacts import is_key
from bottega.jobs.input_sources import InputError, channel_objects
from bottega.storage import s3_uris
from bottega.storage.objects import ObjectStore


@dataclass(frozen=True)
class InputObject:
    """One object and the name of its result below S3OutputPath."""

    bucket: str
    key: str
    name: str
    """Ends in ``.out``."""

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def input_objects(objects: ObjectStore, source: Mapping[str, Any]) -> list[InputObject]:
    """Every object of a job in the order of the keys.

    The result of an object of a prefix is named like its key from behind the last slash of the
    prefix; that of an object of a manifest like its entry.

    Args:
        source: the S3DataSource.

    Raises:
        InputError: the source is empty, cannot be read, or two objects would have one result.
    """
    _, prefix = s3_uris.split(source["S3Uri"])
    manifest = source["S3DataType"] == "ManifestFile"
    described = {"S3DataType": source["S3DataType"], "S3Uri": source["S3Uri"]}
    found = channel_objects(objects, {"DataSource": {"S3DataSource": described}})
    parent = prefix.rfind("/") + 1
    named = [
        InputObject(one.bucket, one.key, f"{one.name if manifest else one.key[parent:]}.out")
        for one in found
        if not one.key.endswith("/")
    ]
    named.sort(key=lambda one: one.key.encode())
    names = Counter(one.name for one in named)
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{source['S3Uri']} names several objects whose result would be {twice}")
    return named


def result_uri(output_path: str, name: str) -> tuple[str, str]:
    """The bucket and the key of a result.

    Raises:
        InputError: the key would be too long.
    """
    bucket, prefix = s3_uris.split(output_path)
    key = f"{prefix.rstrip('/')}/{name}" if prefix.rstrip("/") else name
    if not is_key(key):
        raise InputError(f"{key!r} cannot be the key of a result: it is too long")
    return bucket, key


def divided(found: Sequence[InputObject], instances: int) -> list[list[InputObject]]:
    """The objects of each instance."""
    return [list(found[number::instances]) for number in range(instances)]
