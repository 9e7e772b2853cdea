"""What somebody gets who wants to do again what a job did: its data as they are now, no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bottega.jobs.input_sources import InputError, InputFile, channel_files
from bottega.jobs.staging import share
from bottega.storage.objects import BucketMissing, ObjectMissing, ObjectStore

MOST_FILES = 1000
"""Of a channel, whose names and sizes are remembered of a job that failed, and whose times are
looked at: enough for nearly every job, and not too much for one that has millions."""
_NAMED = 3
_SECRET = re.compile(
    r"(?i)(?:^|[_-])(?:secret|password|passwd|pwd|token|credentials?|api_?key|access_?key|"
    r"private_?key|auth)(?:$|[_-])"
)


def secret_names(names: Iterable[str]) -> list[str]:
    """Those names that look like those of secrets, whose values nobody wants in a file; sorted."""
    return sorted(name for name in names if _SECRET.search(name))


def alone(hosts: int, host: str) -> list[str]:
    """What is to be said of one host of several, as notes."""
    if hosts == 1:
        return []
    return [
        f"The job had {hosts} hosts, and {host} is alone in a replay: what waits for the others "
        "waits for ever."
    ]


def present_files(
    objects: ObjectStore, channel: Mapping[str, Any], host: int, hosts: int
) -> tuple[list[InputFile], str]:
    """What host number ``host`` (from 0) would get of a channel now; why nothing, as a sentence."""
    name = channel["ChannelName"]
    try:
        files = share(channel_files(objects, channel), channel, host, hosts)
    except InputError as error:
        return [], f"The channel {name} cannot be brought: {error}."
    return files, ""


def differences(
    objects: ObjectStore,
    channel: str,
    files: list[InputFile],
    before: Mapping[str, int] | None,
    started: float,
) -> list[str]:
    """How a channel differs from what the job was given, in sentences.

    Args:
        files: what there is now.
        before: the sizes of what there was; None where that is not known.
        started: when the job read it, seconds since the epoch.
    """
    now = {file.name: file for file in files}
    notes = []
    if before is not None:
        if gone := sorted(before.keys() - now.keys()):
            notes.append(f"Of the channel {channel} is gone what the job had: {_some(gone)}.")
        if added := sorted(now.keys() - before.keys()):
            notes.append(f"The channel {channel} has what the job had not: {_some(added)}.")
    changed = [
        name
        for name, file in sorted(now.items())[:MOST_FILES]
        if (before is None or name in before) and _written_since(objects, file, started)
    ]
    if changed:
        notes.append(
            f"The channel {channel} has files that were written anew since the job ran: "
            f"{_some(changed)}."
        )
    return notes


def _written_since(objects: ObjectStore, file: InputFile, started: float) -> bool:
    try:
        return objects.info(file.bucket, file.key).modified > started
    except (BucketMissing, ObjectMissing):
        return False  # it went away since it was listed: bringing it will say so


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
