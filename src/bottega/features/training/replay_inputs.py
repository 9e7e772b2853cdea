"""What a job's data were when it ran, for somebody who wants to do again what it did."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bottega.features.training.entities import JobFolders, TrainingJob
from bottega.jobs.replays import MOST_FILES


def staged_inputs(job: TrainingJob, folders: JobFolders) -> dict[str, dict[str, int]]:
    """The sizes of the files that the first host had, by channel and relative name.

    Channels of more than ``MOST_FILES`` files, and those that were pipes, are left out.
    """
    host = job.host_names[0]
    found = {}
    for channel in job.body.get("InputDataConfig", []):
        name = channel["ChannelName"]
        for folder in (folders.linked(host, name), folders.host(host) / "input" / "data" / name):
            sizes = _sizes(folder)
            if sizes:
                found[name] = sizes
                break
    return found


def _sizes(folder: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in _files(folder):
        if len(sizes) == MOST_FILES:
            return {}
        try:
            sizes[path.relative_to(folder).as_posix()] = path.lstat().st_size
        except FileNotFoundError:  # a process of the job's may still have removed it
            continue
    return sizes


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):  # does not follow links
        yield from (Path(parent, name) for name in sorted(names))
