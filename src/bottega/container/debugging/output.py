"""Where the tensors of this process go, and how its steps are counted, for all of its hooks."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from bottega.debugger.tensors import layout
from bottega.debugger.tensors.background import BackgroundSink
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.writer import FolderSink, StepWriter, TensorWriter

Place = Callable[[], tuple[int, int]]
"""Rank of this process among the workers of its framework, and their number."""


class Output:
    """The folder of a job's tensors as one process writes it.

    When it fails, it says so once and takes nothing more: the training goes on.

    Args:
        folder: where to.
        all_workers: whether every worker writes, or the first alone.
        dry: whether nothing is to be written.
    """

    def __init__(self, folder: Path, *, all_workers: bool = False, dry: bool = False) -> None:
        self.folder = folder
        self.step = -1
        """The last global step that was begun."""
        self.mode_steps = dict.fromkeys(ModeKeys, -1)
        self._all_workers = all_workers
        self._collections: list[dict[str, Collection]] = []
        self._shown: list[tuple[str, int, int]] = []
        self._sink: BackgroundSink | None = None
        self._on_its_way = -1
        """The global step that is being written, or was last."""
        self._writer: TensorWriter | None = None
        self._workers = 1
        self._claim: Path | None = None
        self._process = os.getpid()
        self.stopped = dry

    def begin(self, mode: ModeKeys, step: int | None = None) -> int:
        """Begin a step, and count it; returns its number in its mode.

        Args:
            mode: what it is a step of.
            step: its global number; the next one without it.
        """
        self.step = self.step + 1 if step is None else step
        self.mode_steps[mode] += 1
        self.mode_steps[ModeKeys.GLOBAL] = self.step
        if self._sink is not None and self._sink.failed:
            self.settle()
        return self.mode_steps[mode]

    def show(self, collections: dict[str, Collection]) -> None:
        """Have a hook's collections be written, too, as they are when a step is written."""
        self._collections.append(collections)

    def write(self, step: StepWriter, place: Place) -> None:
        """Have a step be written, whole, if this process is one that writes.

        The one before it is written then: a process that is killed loses one step at most.

        Args:
            step: what was saved in it.
            place: asked when the first step is written, for a script joins its workers after it has
                imported the framework.
        """
        if self.stopped or not step:
            return
        if self._writer is None and not self._opened(*place()):
            self.stop()
            return
        assert self._writer is not None
        if not self.settle():
            return
        self._on_its_way = step.step
        known = [
            (name, len(one.tensor_names), len(one.include_regex))
            for part in self._collections
            for name, one in part.items()
        ]
        if known != self._shown:
            self._writer.collections(_merged(self._collections))
            self._shown = known
        step.write_with(self._writer)

    def close(self) -> None:
        """Say that nothing more comes, where no other worker writes, and let go of the folder."""
        if self.settle() and self._writer is not None and self._workers == 1:
            self._writer.end()
            self.settle()
        self.stop()

    def settle(self) -> bool:
        """Wait until what was saved is in the folder, or say why it cannot be.

        Returns:
            Whether more may come.
        """
        if self._sink is not None and os.getpid() == self._process:
            try:
                self._sink.flush()
            except Exception as error:
                self.fail(error, self._on_its_way)
        return not self.stopped

    def stop(self) -> None:
        """Take nothing more."""
        self.stopped = True
        if self._claim is not None and os.getpid() == self._process:
            self._claim.unlink(missing_ok=True)
            self._claim = None

    def fail(self, error: Exception, step: int | None = None) -> None:
        """Say what went wrong at a step, the last that was begun without one; take nothing more."""
        if self.stopped:
            return
        reason = "".join(traceback.format_exception_only(error)).strip()
        print(
            "Debugger: no more tensors are saved, for saving one failed at step "
            f"{self.step if step is None else step}: {reason}",
            file=sys.stderr,
            flush=True,
        )
        self.stop()

    def _opened(self, rank: int, workers: int) -> bool:
        if rank and not self._all_workers:
            return False
        if workers == 1 and not self._claimed():
            return False
        self._workers = workers
        writing = workers if self._all_workers else 1
        self._sink = BackgroundSink(FolderSink(self.folder))
        self._writer = TensorWriter(self._sink, f"worker_{rank}", writing)
        return True

    def _claimed(self) -> bool:
        """Whether this process is the one that writes here: the first that wanted to."""
        claim = self.folder / layout.CLAIM
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            try:
                with open(claim, "x") as file:
                    file.write(str(self._process))
            except FileExistsError:
                if _alive(claim):
                    print(
                        "Debugger: another process of this job saves its tensors; process "
                        f"{self._process} saves none.",
                        file=sys.stderr,
                        flush=True,
                    )
                    return False
                claim.unlink(missing_ok=True)  # its process was killed
            else:
                self._claim = claim
                return True
        return False


def _merged(parts: Iterable[dict[str, Collection]]) -> list[Collection]:
    """The collections of all hooks; those of one name are one, with the patterns of all."""
    found: dict[str, Collection] = {}
    for part in parts:
        for name, one in part.items():
            if name not in found:
                found[name] = one
                continue
            both = Collection(
                name,
                list(dict.fromkeys(found[name].include_regex + one.include_regex)),
                found[name].tensor_names | one.tensor_names,
                found[name].save_config,
                found[name].reduction_config,
                found[name].save_histogram,
            )
            found[name] = both
    return list(found.values())


def _alive(claim: Path) -> bool:
    try:
        process = int(claim.read_text() or 0)
        if process <= 0:
            return False
        os.kill(process, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
