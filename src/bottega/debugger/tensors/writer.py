"""Writing the tensors of a training, step by step."""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bottega.debugger.tensors import collection as collections_file
from bottega.debugger.tensors import layout, records
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys

_KNOWN_FOLDERS = 100


class Sink(ABC):
    """Where files go."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Leave a file, whole: a reader sees what was there before, or all of it."""


class FolderSink(Sink):
    """A folder, made with the first file in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._draft = f"{folder}/{layout.DRAFTS}/{os.getpid()}"
        self._made: set[str] = set()

    def write(self, name: str, content: bytes) -> None:
        target = f"{self._folder}/{name}"
        parent = os.path.dirname(target)
        if not self._made:
            os.makedirs(os.path.dirname(self._draft), exist_ok=True)
        if parent not in self._made:
            if len(self._made) > _KNOWN_FOLDERS:  # of a step of its own each, most of them
                self._made.clear()
            os.makedirs(parent, exist_ok=True)
            self._made.add(parent)
        # No fsync: what a killed process has written stays; only a crash of the machine loses it.
        with open(self._draft, "wb", buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
        os.replace(self._draft, target)


class MemorySink(Sink):
    """A dictionary, which a :class:`~.source.MemorySource` may read."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def write(self, name: str, content: bytes) -> None:
        self._files[name] = content


class TensorWriter:
    """Writes what one worker saves.

    Args:
        sink: where to.
        worker: its name, ``worker_0`` where it is the only one.
        workers: how many write.
    """

    def __init__(self, sink: Sink, worker: str = layout.CHIEF, workers: int = 1) -> None:
        self._sink = sink
        self.worker = worker
        self._workers = workers
        self._collections = b""

    def step(self, step: int, mode: ModeKeys, mode_step: int) -> OpenStep:
        """Begin a step. Nothing of it is seen before it is closed.

        Args:
            step: its global number.
            mode: what it is a step of.
            mode_step: its number in that mode.
        """
        return OpenStep(self, step, mode, mode_step)

    def write(self, name: str, content: bytes) -> None:
        """Leave a file, whole."""
        self._sink.write(name, content)

    def collections(self, collections: Iterable[Collection]) -> None:
        """Write the collections, unless they are what was written last."""
        content = collections_file.written(collections, self._workers)
        if content != self._collections:
            self._sink.write(layout.collections_name(self.worker), content)
            self._collections = content

    def end(self) -> None:
        """Say that nothing more will come, from any worker."""
        self._sink.write(layout.END_OF_JOB, b"")


class StepWriter:
    """The tensors of one step, kept until they are written together.

    Args:
        step: its global number.
        mode: what it is a step of.
        mode_step: its number in that mode.
    """

    def __init__(self, step: int, mode: ModeKeys, mode_step: int) -> None:
        self.step, self.mode, self.mode_step = step, mode, mode_step
        self._began = time.time()
        self._records: list[bytes] = []
        self._length = 0
        self._index: list[dict[str, Any]] = []
        self._shapes: list[dict[str, Any]] = []

    def add(self, name: str, value: Any, when: float | None = None) -> None:
        """Add a tensor; one without values is left out, as nothing could be read of it.

        Args:
            name: its name.
            value: an array, or what numpy makes one of.
            when: seconds since 1970; when the step began, without it.

        Raises:
            TypeError: the values are neither numbers nor texts.
        """
        if getattr(value, "size", 1) == 0:
            return
        moment = self._began if when is None else when
        record = records.encoded(name, value, self.mode, self.mode_step, moment)
        self._index.append({"tensorname": name, "start_idx": self._length, "length": len(record)})
        self._records.append(record)
        self._length += len(record)

    def add_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Add the shape of a tensor."""
        self._shapes.append({"tensorname": name, "originalname": name, "shape": list(shape)})

    def __bool__(self) -> bool:
        """Whether it has anything to write."""
        return bool(self._index or self._shapes)

    def write_with(self, writer: TensorWriter) -> None:
        """Write the step, if it has anything: first the tensors, then the index that shows them."""
        if not self:
            return
        meta: dict[str, Any] = {"mode": self.mode.name, "mode_step": self.mode_step}
        if self._index:
            events = layout.events_name(self.step, writer.worker)
            writer.write(events, b"".join(self._records))
            meta["event_file_name"] = events
        index = {"meta": meta, "tensor_payload": self._index, "shape_payload": self._shapes}
        writer.write(layout.index_name(self.step, writer.worker), json.dumps(index).encode())


class OpenStep(StepWriter):
    """A step that knows where it is written to."""

    def __init__(self, writer: TensorWriter, step: int, mode: ModeKeys, mode_step: int) -> None:
        super().__init__(step, mode, mode_step)
        self._writer = writer

    def close(self) -> None:
        """Write the step."""
        self.write_with(self._writer)
