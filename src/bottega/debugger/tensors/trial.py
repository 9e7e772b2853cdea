"""A training as its tensors show it, while it runs and afterwards.

>>> trial = create_trial("s3://bucket/job/debug-output")  # doctest: +SKIP
>>> for name in trial.tensor_names(collection="losses"):  # doctest: +SKIP
...     print(name, trial.tensor(name).values())
"""

from __future__ import annotations

import json
import re
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottega.debugger.tensors import collection as collections_file
from bottega.debugger.tensors import layout, records
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.exceptions import (
    BrokenTensorFile,
    NoMoreData,
    StepNotYetAvailable,
    StepUnavailable,
    TensorUnavailable,
)
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.reductions import parsed_tensor_name
from bottega.debugger.tensors.source import FolderSource, S3Source, Source
from bottega.debugger.tensors.tensor import Location, Tensor
from bottega.nearest import nearest

if TYPE_CHECKING:
    from bottega.debugger.tensors.tensor import Array


class StepState(Enum):
    """Whether a step can be read."""

    UNAVAILABLE = 0
    """It never will be: the training has gone past it, or has ended before it."""
    AVAILABLE = 1
    NOT_YET_AVAILABLE = 2


def create_trial(path: str | Path, *, name: str | None = None, client: Any = None) -> Trial:
    """The trial whose files are in a folder, or below an ``s3://`` address.

    Nothing has to be there yet: a trial is empty until a training has written its first step.

    Args:
        path: the folder, ``file://`` or not, or ``s3://bucket/prefix``.
        name: how it is called in texts; the last part of the path without one.
        client: a boto3 client for S3; one with the credentials of this process without one.

    Raises:
        ValueError: an ``s3://`` address without a bucket.
    """
    text = str(path).strip()
    if text.startswith("s3://"):
        return Trial(S3Source(text, client), name=name)
    return Trial(FolderSource(Path(text.removeprefix("file://")).expanduser()), name=name)


class Trial:
    """The tensors of one training.

    A step is a global number, or is counted in a mode where one is given. Everything that is asked
    looks for new steps first, and reads nothing twice; with ``dynamic_refresh`` off, or inside
    :meth:`frozen`, what is there stays as it is until :meth:`refresh`.

    Attributes:
        name: how it is called in texts.
        path: where its files are.
        last_complete_step: the newest global step that all workers have written; -1 without one.
        num_workers: how many workers write.
        dynamic_refresh: whether to look for new steps whenever something is asked.
    """

    def __init__(self, source: Source, *, name: str | None = None) -> None:
        self._source = source
        self.path = source.path
        self.name = name or self.path.rstrip("/").rpartition("/")[2]
        self._loaded_all = False
        self.last_complete_step = -1
        self.num_workers = 1
        self.dynamic_refresh = True
        self._tensors: dict[str, Tensor] = {}
        self._steps: dict[int, tuple[ModeKeys, int]] = {}
        self._global_steps: dict[ModeKeys, dict[int, int]] = {}
        self._names_of_step: dict[int, set[str]] = {}
        self._workers_of_step: dict[int, set[str]] = {}
        self._collections: dict[str, Collection] = {}
        self._collections_seen: dict[str, str] = {}
        self._seen: set[str] = set()

    def __repr__(self) -> str:
        return f"<Trial {self.name}: {len(self._steps)} steps, {len(self._tensors)} tensors>"

    # What is there.

    @property
    def loaded_all_steps(self) -> bool:
        """Whether the training has ended and all of it is known here."""
        self.maybe_refresh()
        return self._loaded_all

    def tensor_names(
        self,
        *,
        step: int | None = None,
        mode: ModeKeys | str = ModeKeys.GLOBAL,
        regex: str | Iterable[str] | None = None,
        collection: str | Collection | None = None,
    ) -> list[str]:
        """The names of tensors, in order.

        Args:
            step: only those of this step, counted in ``mode``.
            mode: only those of steps of this mode.
            regex: only those in whose name the pattern, or one of them, is found.
            collection: only those of this collection.

        Raises:
            ValueError: both a pattern and a collection are given.
            re.error: a pattern is not a regular expression.
        """
        if regex is not None and collection is not None:
            raise ValueError("Give either regex or collection, not both.")
        self.maybe_refresh()
        mode = ModeKeys.of(mode)
        if step is not None:
            of_all = self._known_global_step(mode, step)
            found = set() if of_all is None else set(self._names_of_step[of_all])
        elif mode is ModeKeys.GLOBAL:
            found = set(self._tensors)
        else:
            steps = self._global_steps.get(mode, {}).values()
            found = set().union(*(self._names_of_step[one] for one in steps))
        if regex is not None:
            patterns = [re.compile(one) for one in ([regex] if isinstance(regex, str) else regex)]
            found = {name for name in found if any(one.search(name) for one in patterns)}
        elif collection is not None:
            of = collection if isinstance(collection, Collection) else self.collection(collection)
            found = {name for name in found if of.has(name)}
        return sorted(found)

    def tensor(self, name: str) -> Tensor:
        """A tensor by its name.

        Raises:
            TensorUnavailable: no step has written it, so far.
        """
        if not self.has_tensor(name):
            raise TensorUnavailable(name, nearest(name, self._tensors))
        return self._tensors[name]

    def has_tensor(self, name: str) -> bool:
        """Whether a step has written a tensor of that name."""
        if name not in self._tensors:
            self.maybe_refresh()
        return name in self._tensors

    def steps(
        self, mode: ModeKeys | str = ModeKeys.GLOBAL, show_incomplete_steps: bool = False
    ) -> list[int]:
        """The steps, in order: all of GLOBAL, or those of a mode as it counts them.

        A step counts once every worker has written it, or when it cannot be expected any more,
        because workers have written later ones or the training has ended.
        """
        self.maybe_refresh()
        mode = ModeKeys.of(mode)
        return [
            step
            for step, of_all in self._counted(mode)
            if show_incomplete_steps or self.is_complete(of_all)
        ]

    def modes(self) -> list[ModeKeys]:
        """The modes that steps were written in, without GLOBAL."""
        self.maybe_refresh()
        return sorted(self._global_steps, key=lambda mode: mode.value)

    def workers(self) -> list[str]:
        """The workers that have written steps, in order."""
        self.maybe_refresh()
        return sorted(set().union(*self._workers_of_step.values()))

    def collections(self) -> dict[str, Collection]:
        """The collections by name."""
        self.maybe_refresh()
        return dict(self._collections)

    def collection(self, name: str) -> Collection:
        """A collection by its name; an empty one where the training has none of that name."""
        self.maybe_refresh()
        return self._collections.get(name) or Collection(name)

    # Steps of a mode and of all.

    def mode(self, global_step: int) -> ModeKeys | None:
        """The mode of a global step; None where nothing was written in it."""
        return self.mode_modestep(global_step)[0]

    def mode_step(self, global_step: int) -> int | None:
        """A global step as its mode counts it; None where nothing was written in it."""
        return self.mode_modestep(global_step)[1]

    def mode_modestep(self, global_step: int) -> tuple[ModeKeys, int] | tuple[None, None]:
        """Mode and step in that mode of a global step; None twice where nothing was written."""
        if global_step not in self._steps:
            self.maybe_refresh()
        return self._steps.get(global_step, (None, None))

    def global_step(self, mode: ModeKeys | str, mode_step: int) -> int | None:
        """The global step of a step of a mode; None where nothing was written in it."""
        mode = ModeKeys.of(mode)
        found = self._known_global_step(mode, mode_step)
        if found is None:
            self.maybe_refresh()
            found = self._known_global_step(mode, mode_step)
        return found

    def has_passed_step(self, step: int, mode: ModeKeys | str = ModeKeys.GLOBAL) -> StepState:
        """Whether a step can be read, may still come, or never will."""
        self.maybe_refresh()
        counted = self._counted(ModeKeys.of(mode))
        at = bisect_left(counted, (step, -1))
        if at == len(counted):
            ended = self._loaded_all
            return StepState.UNAVAILABLE if ended else StepState.NOT_YET_AVAILABLE
        found, of_all = counted[at]
        if not self.is_complete(of_all):
            return StepState.NOT_YET_AVAILABLE
        return StepState.AVAILABLE if found == step else StepState.UNAVAILABLE

    def wait_for_steps(
        self,
        required_steps: Iterable[int],
        mode: ModeKeys | str = ModeKeys.GLOBAL,
        *,
        timeout: float | None = None,
        interval: float = 0.5,
    ) -> None:
        """Return as soon as all of these steps can be read.

        Args:
            required_steps: the steps, counted in ``mode``.
            mode: what they count.
            timeout: seconds after which to give up; None waits as long as the training runs.
            interval: seconds between two looks.

        Raises:
            StepUnavailable: the training has gone past one of them without writing it.
            NoMoreData: the training has ended before one of them.
            TimeoutError: the time is over.
        """
        mode = ModeKeys.of(mode)
        until = None if timeout is None else time.monotonic() + timeout
        for step in required_steps:
            while True:
                self.refresh()
                state = self.has_passed_step(step, mode)
                if state is StepState.AVAILABLE:
                    break
                if state is StepState.UNAVAILABLE:
                    raise self._reason(step, mode)
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError(f"Step {step} of mode {mode.name} was not written in time.")
                time.sleep(interval)

    # News.

    def maybe_refresh(self) -> None:
        """Look for new steps, unless all are known or that is switched off."""
        if self.dynamic_refresh and not self._loaded_all:
            self.refresh()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let everything stay as it is: no new steps come inside."""
        before, self.dynamic_refresh = self.dynamic_refresh, False
        try:
            yield
        finally:
            self.dynamic_refresh = before

    def refresh(self) -> None:
        """Read what has been written since.

        Raises:
            BrokenTensorFile: a file is not what the layout says.
        """
        # Asked first: what is listed after the end was written is everything.
        ended = self._source.exists(layout.END_OF_JOB)
        self._read_collections()
        after = self.last_complete_step + 1 if self.last_complete_step >= 0 else 0
        for name in self._source.index_names(after):
            found = layout.parsed_index_name(name)
            if found is None or name in self._seen:
                continue
            self._read_index(name, found)
            self._seen.add(name)
            if len(self._workers_of_step[found.step]) >= self.num_workers:
                self.last_complete_step = max(self.last_complete_step, found.step)
        if ended:
            self._loaded_all = True
            self.last_complete_step = max(self._steps, default=-1)

    def is_complete(self, step: int) -> bool:
        """Whether nothing more is to be expected of a global step that is known."""
        return (
            self._loaded_all
            or self.last_complete_step >= step
            or len(self._workers_of_step.get(step, ())) >= self.num_workers
        )

    def require_step(self, step: int, mode: ModeKeys) -> tuple[ModeKeys, int]:
        """The mode and the mode's step that a step means, once it can be read; else its reason."""
        of_all = self._known_global_step(mode, step)
        if of_all is None or not self.is_complete(of_all):
            self.maybe_refresh()
            of_all = self._known_global_step(mode, step)
        if of_all is None or not self.is_complete(of_all):
            raise self._reason(step, mode)
        return self._steps[of_all]

    def _reason(self, step: int, mode: ModeKeys) -> Exception:
        with self.frozen():
            state = self.has_passed_step(step, mode)
            last = max(self.steps(mode), default=-1)
        if state is StepState.NOT_YET_AVAILABLE:
            return StepNotYetAvailable(step, mode)
        if self._loaded_all and step > last:
            return NoMoreData(step, mode, last)
        return StepUnavailable(step, mode)

    def _known_global_step(self, mode: ModeKeys, step: int) -> int | None:
        if mode is ModeKeys.GLOBAL:
            return step if step in self._steps else None
        return self._global_steps.get(mode, {}).get(step)

    def _counted(self, mode: ModeKeys) -> list[tuple[int, int]]:
        """Steps as a mode counts them, in order, each with its global step."""
        if mode is ModeKeys.GLOBAL:
            return sorted((step, step) for step in self._steps)
        return sorted(self._global_steps.get(mode, {}).items())

    def _read_collections(self) -> None:
        for name, version in self._source.collection_files().items():
            if self._collections_seen.get(name) == version:
                continue
            found, workers = collections_file.read(self._source.read(name), name)
            self.num_workers = max(self.num_workers, workers)
            for one in found.values():
                known = self._collections.get(one.name)
                names = known.tensor_names if known else set()
                one.tensor_names |= names
                self._collections[one.name] = one
            self._collections_seen[name] = version

    def _read_index(self, name: str, of: layout.StepOfWorker) -> None:
        content = self._source.read(name)
        try:
            found = json.loads(content)
            meta = found["meta"]
            mode, mode_step = ModeKeys.of(meta["mode"]), int(meta["mode_step"])
            entries = [
                (str(one["tensorname"]), int(one["start_idx"]), int(one["length"]))
                for one in found.get("tensor_payload") or ()
            ]
            shapes = [
                (str(one["tensorname"]), tuple(int(size) for size in one["shape"]))
                for one in found.get("shape_payload") or ()
            ]
            file = str(meta["event_file_name"]) if entries else ""
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenTensorFile(f"{self.path}/{name} is not an index: {error}") from error
        names = self._names_of_step.setdefault(of.step, set())
        for tensor_name, start, length in entries:
            at = Location(file, start, length)
            if (reduced := parsed_tensor_name(tensor_name)) is not None:
                tensor_name, reduction = reduced
                self._tensor(tensor_name).written(mode, mode_step, of.worker).reductions[
                    reduction
                ] = at
            else:
                self._tensor(tensor_name).written(mode, mode_step, of.worker).location = at
            names.add(tensor_name)
        for tensor_name, shape in shapes:
            self._tensor(tensor_name).written(mode, mode_step, of.worker).shape = shape
            names.add(tensor_name)
        self._steps.setdefault(of.step, (mode, mode_step))
        if mode is not ModeKeys.GLOBAL:
            self._global_steps.setdefault(mode, {}).setdefault(mode_step, of.step)
        self._workers_of_step.setdefault(of.step, set()).add(of.worker)

    def _tensor(self, name: str) -> Tensor:
        if name not in self._tensors:
            self._tensors[name] = Tensor(name, self, self._fetch)
        return self._tensors[name]

    def _fetch(self, at: Location) -> Array:
        return records.decoded(self._source.read(at.file, at.start, at.length)).value
