"""Channels in Pipe mode: what their hosts' feeder is to send (see ``bottega.container.feeder``)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from bottega.container import feeder
from bottega.jobs.input_sources import (
    InputError,
    InputFile,
    channel_objects,
    manifest_lines,
)
from bottega.jobs.staging import Cancelled, place, placing
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore

Line = Sequence[InputFile | str]
"""What is sent together: objects and texts."""


def stage_pipe(
    objects: ObjectStore,
    channel: Mapping[str, Any],
    folders: Sequence[Path],
    cancelled: Callable[[], bool],
    *,
    link: bool,
) -> int:
    """Write what a channel sends into one folder, and link the same into the others.

    Args:
        folders: at least one; each will be read by the feeder of a host, or of all hosts.
        link: the files may be the objects themselves, which no host can write to.

    Returns:
        How many bytes were copied.

    Raises:
        InputError: the input cannot be staged.
        Cancelled: ``cancelled()`` became true.
    """
    first, *others = folders
    first.mkdir(parents=True, exist_ok=True)
    plan = _plan(channel)
    (first / feeder.PLAN).write_text(json.dumps(plan))
    copied, numbers = 0, 0
    with (first / feeder.ENTRIES).open("w") as entries, (first / feeder.URIS).open("w") as uris:
        for file in _write_entries(_lines(objects, channel), entries):
            if cancelled():
                raise Cancelled
            uri = f"s3://{file.bucket}/{file.key}"
            if plan["recordio"] and not plan["gzip"] and file.size > feeder.LARGEST_RECORD:
                raise InputError(feeder.too_large(uri))
            target = first / feeder.object_name(numbers)
            with placing(file.bucket, file.key):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                copied += place(objects, file, target, link=link)
            uris.write(f"{json.dumps(uri)}\n")
            numbers += 1
    for folder in others:
        _link_all(first, folder, numbers)
    return copied


def _plan(channel: Mapping[str, Any]) -> dict[str, Any]:
    source = channel["DataSource"]["S3DataSource"]
    return {
        "seed": channel.get("ShuffleConfig", {}).get("Seed"),
        "gzip": channel.get("CompressionType") == "Gzip",
        "recordio": channel.get("RecordWrapperType") == "RecordIO",
        "sharded": source.get("S3DataDistributionType") == "ShardedByS3Key",
    }


def _lines(objects: ObjectStore, channel: Mapping[str, Any]) -> Iterator[Line]:
    """What the channel sends, in its own order. Raises: InputError."""
    source = channel["DataSource"]["S3DataSource"]
    if source["S3DataType"] != "AugmentedManifestFile":
        for file in channel_objects(objects, channel):
            yield [file]
        return
    try:
        yield from manifest_lines(objects, source)
    except (BucketMissing, ObjectMissing) as error:
        raise InputError(f"{source['S3Uri']} cannot be read: {error}") from error


def _write_entries(lines: Iterable[Line], entries: IO[str]) -> Iterator[InputFile]:
    """Write each line with numbers for its objects; gives each object when its number is new."""
    numbers: dict[tuple[str, str], int] = {}
    for line in lines:
        parts: list[int | str] = []
        for part in line:
            if isinstance(part, str):
                parts.append(part)
                continue
            place_of = (part.bucket, part.key)
            if (number := numbers.get(place_of)) is None:
                number = numbers[place_of] = len(numbers)
                yield part
            parts.append(number)
        entries.write(f"{json.dumps(parts)}\n")


def _link_all(source: Path, target: Path, numbers: int) -> None:
    """Give another host the same files, where each has its own folder."""
    names = [feeder.PLAN, feeder.ENTRIES, feeder.URIS]
    for name in (*names, *map(feeder.object_name, range(numbers))):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).unlink(missing_ok=True)
        os.link(source / name, target / name)
