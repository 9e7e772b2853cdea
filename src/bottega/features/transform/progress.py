"""How far a driver has come: one small file, written after what it speaks of is on the disk.

Everything behind the last note is done again from there, so that a kill at any line neither loses
a record nor writes one twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Fault:
    """An object that could not be transformed."""

    index: int
    reason: str


@dataclass(frozen=True)
class Progress:
    """Which objects are done, and how far the present one is."""

    index: int = 0
    """Number of the present object; all before it are done, or have failed."""
    read: int = 0
    """How many bytes of it, unpacked, are answered."""
    line: int = 1
    """Number of the line or record that begins there."""
    written: int = 0
    """Bytes of its output."""
    faults: tuple[Fault, ...] = ()
    requests: int = 0
    """How many were answered in all."""
    finished: bool = False

    @classmethod
    def load(cls, path: Path) -> Self:
        """What was noted last; the beginning where nothing was."""
        try:
            stored = json.loads(path.read_text())
        except FileNotFoundError:
            return cls()
        faults = tuple(Fault(**fault) for fault in stored["faults"])
        return cls(**{**stored, "faults": faults})

    def save(self, path: Path, outputs: Iterable[Path]) -> None:
        """Note it, after the outputs it speaks of are on the disk."""
        for output in outputs:
            _flush(output)
            _flush(output.parent)
        draft = path.with_suffix(".draft")
        with draft.open("w") as stream:
            json.dump(asdict(self), stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
        _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Work:
    """What one driver has to do; the file ``task.json`` of its folder."""

    socket: str
    """Where its model server listens."""
    objects: tuple[str, ...]
    """URIs of its objects, in the order of their keys; for messages."""
    content_type: str
    accept: str
    gzip: bool
    split: str
    strategy: str | None
    """None: what the model server's /execution-parameters say, else MultiRecord."""
    concurrency: int | None
    payload_mb: int | None
    timeout: float
    """Seconds a request may take."""
    retries: int
    """Of a request that failed."""
    assemble: bool
    input_filter: str
    output_filter: str
    join: bool
    ids: bool

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote."""
        stored = json.loads(path.read_text())
        return cls(**{**stored, "objects": tuple(stored["objects"])})

    def save(self, path: Path) -> None:
        """Write it down, durably."""
        with path.open("w") as stream:
            json.dump(asdict(self), stream)
            stream.flush()
            os.fsync(stream.fileno())


@dataclass(frozen=True)
class DriverFolder:
    """The files of one driver."""

    root: Path

    @property
    def task(self) -> Path:
        return self.root / "task.json"

    @property
    def progress(self) -> Path:
        return self.root / "progress.json"

    @property
    def inputs(self) -> Path:
        return self.root / "input"

    @property
    def outputs(self) -> Path:
        return self.root / "output"

    def input(self, index: int) -> Path:
        return self.inputs / str(index)

    def output(self, index: int) -> Path:
        """Of an object; whole once the progress is behind it. Gone once it is uploaded."""
        return self.outputs / str(index)
