"""What was uploaded of a job's files, noted beside them, so that the next daemon goes on there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bottega.jobs.job_files import Mark


@dataclass
class UploadJournal:
    """The files that were uploaded, a line each, added to when they are in the store.

    A kill between the two has a file uploaded once more; so does a line that cannot be read.

    Args:
        path: the journal's own file, where no job sees it.
        holds: whether what was noted of a file still counts.
    """

    path: Path
    holds: Callable[[str], bool] = lambda name: True

    def read(self) -> dict[str, Mark]:
        """Each file by its name, as it was when it was uploaded last."""
        found: dict[str, Mark] = {}
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return found
        for line in lines:
            try:
                name, modified, size = json.loads(line)
                found[str(name)] = Mark(int(modified), int(size))
            except ValueError:  # of a write that a failing machine left half
                continue
        return {name: mark for name, mark in found.items() if self.holds(name)}

    def add(self, files: Mapping[str, Mark]) -> None:
        """Note that these are in the store, unless the job's folder is gone."""
        lines = [json.dumps([name, mark.modified, mark.size]) for name, mark in files.items()]
        # A line break first: what a failing machine left half must not spoil the next line.
        content = "".join(f"\n{line}" for line in lines).encode()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self.path.parent.mkdir(exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, flags, 0o600)
        except FileNotFoundError:  # the job has ended, and there is nothing to go on with
            return
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
