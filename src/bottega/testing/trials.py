"""Trials in memory: real files, written and read by what writes and reads them on a disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bottega.container.debugging import torch_hook, xgboost_hook
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.configuration import PATTERNS
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.source import MemorySource
from bottega.debugger.tensors.trial import Trial
from bottega.debugger.tensors.writer import MemorySink, TensorWriter

_PATTERNS = {**PATTERNS, **xgboost_hook.FRAMEWORK.patterns, **torch_hook.FRAMEWORK.patterns}
"""What hooks would save. Losses are those of PyTorch; XGBoost's are metrics, too."""


class RecordedTrial:
    """A training that a test plays, and the trial that shows it.

    >>> played = RecordedTrial()
    >>> played.step({"train-rmse": 0.5})
    0
    >>> played.step({"train-rmse": 0.4})
    1
    >>> float(played.trial.tensor("train-rmse").value(1))
    0.4
    """

    def __init__(
        self, collections: Mapping[str, str | Iterable[str]] | None = None, workers: int = 1
    ) -> None:
        """Begin one.

        Args:
            collections: patterns by collection, beside those of the frameworks.
            workers: how many write.
        """
        self.files: dict[str, bytes] = {}
        self.collections = {name: Collection(name, [one]) for name, one in _PATTERNS.items()}
        for name, patterns in (collections or {}).items():
            self.collections[name] = Collection(name)
            self.collections[name].include(patterns)
        self._writers = [
            TensorWriter(MemorySink(self.files), f"worker_{rank}", workers)
            for rank in range(workers)
        ]
        for writer in self._writers:
            writer.collections(self.collections.values())
        self._counts = dict.fromkeys(ModeKeys, -1)
        self.trial = Trial(MemorySource(self.files), name="recorded")

    def step(
        self,
        tensors: Mapping[str, Any],
        mode: ModeKeys | str = ModeKeys.TRAIN,
        *,
        workers: Iterable[int] | None = None,
    ) -> int:
        """Write a step, by all workers or by these, and return its global number."""
        mode = ModeKeys.of(mode)
        self._counts[ModeKeys.GLOBAL] += 1
        step = self._counts[ModeKeys.GLOBAL]
        if mode is not ModeKeys.GLOBAL:
            self._counts[mode] += 1
        for rank in range(len(self._writers)) if workers is None else workers:
            writer = self._writers[rank].step(step, mode, self._counts[mode])
            for name, value in tensors.items():
                writer.add(name, value)
            writer.close()
        return step

    def end(self) -> None:
        """The training has ended."""
        self._writers[0].end()


def trial_of(
    values: Mapping[str, Iterable[Any]],
    mode: ModeKeys | str = ModeKeys.GLOBAL,
    *,
    collections: Mapping[str, str | Iterable[str]] | None = None,
) -> Trial:
    """The trial of a training that has ended, from the values of each tensor at steps 0, 1, ..."""
    played = RecordedTrial(collections)
    columns = {name: list(course) for name, course in values.items()}
    for step in range(max(map(len, columns.values()), default=0)):
        played.step({name: all_[step] for name, all_ in columns.items() if step < len(all_)}, mode)
    played.end()
    played.trial.refresh()
    return played.trial
