"""A channel of rows of numbers, in any of its formats and input modes, as batches.

Data are decoded by the block while the block before is used. They are kept for further passes while
they fit a budget of memory; else every pass reads them again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import (
    Block,
    LabelRule,
    check_finite,
    check_labels,
    fitted,
)
from bottega.algorithms.readers.formats import channel_format, layout
from bottega.algorithms.readers.prefetch import ahead
from bottega.algorithms.readers.row_store import BUDGET, Budget, RowStore, weight
from bottega.algorithms.readers.sources import is_piped, sources

if TYPE_CHECKING:
    from bottega.algorithms.readers.blocks import Decoder, Floats, Layout
    from bottega.container.environment import TrainingEnvironment

_AHEAD = 64 << 20
_LEAST_WINDOW = 1 << 20


@dataclass(frozen=True)
class Batch:
    """Some rows of a channel. They may be a view of what is kept: never change them."""

    features: Any
    """``float32``, rows x columns: a C-contiguous array, or a scipy CSR matrix whose indices are
    sorted."""
    labels: Floats | None
    """None when the channel was opened without labels."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.features.shape[0])


class RecordChannel:
    """A channel that was opened: its width and form are known, its rows come by the batch."""

    def __init__(self, name: str, width: int, *, sparse: bool, reading: _Reading) -> None:
        self.name = name
        self.width = width
        """How many features a row has."""
        self.sparse = sparse
        """Whether features come as CSR matrices."""
        self._reading = reading
        self._kept: RowStore | None = None
        self._may_keep = True

    @property
    def kept(self) -> bool:
        """Whether all rows are in memory, so that further passes read nothing."""
        return self._kept is not None

    def batches(self, size: int, *, epoch: int = 0, seed: int | None = None) -> Iterator[Batch]:
        """One pass over the channel.

        In Pipe mode each pass reads the next FIFO, whatever the epoch is called, until the rows
        are in memory.

        Args:
            size: how many rows each batch has, but the last; 0 for blocks as they come.
            epoch: which pass it is, for the order of a shuffle.
            seed: shuffles the rows when given; the same seed and epoch give the same order. Rows
                that are all in memory are shuffled as a whole; of others the files are, and the
                rows within a window of half the budget.

        Raises:
            CustomerError: something in the data is wrong.
        """
        random = None if seed is None else np.random.default_rng([abs(seed), epoch])
        if self._kept is not None:
            yield from _read(self._kept, size, random)
            return
        # Rows that are kept are in the order of the files, whoever reads them first.
        order = None if self._may_keep else random
        with closing(self._reading.blocks(self.width, self.sparse, order)) as blocks:
            if random is None:
                yield from _regrouped(self._keeping(blocks), size, self.width, sparse=self.sparse)
            else:
                yield from self._shuffled(blocks, size, random)

    def _keeping(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The same blocks, which are kept when there is room for all of them."""
        store = self._store(BUDGET) if self._may_keep else None
        for block in blocks:
            if store is not None and not store.append(block.features, block.labels):
                store, self._may_keep = None, False
            yield block
        if store is not None:
            self._keep(store)

    def _keep(self, store: RowStore) -> None:
        store.finish()
        self._kept = store

    def _shuffled(
        self, blocks: Iterator[Block], size: int, random: np.random.Generator
    ) -> Iterator[Batch]:
        """A shuffled pass over rows that are not in memory: as many as there is room for are read
        before it begins, which may be all."""
        if not self._may_keep:
            yield from self._windows(blocks, self._store(None), size, random)
            return
        store = self._store(BUDGET)
        for block in blocks:
            if not store.append(block.features, block.labels):
                self._may_keep = False
                store.unbind()
                yield from self._windows(chain([block], blocks), store, size, random)
                return
        self._keep(store)
        yield from _read(store, size, random)

    def _windows(
        self, blocks: Iterator[Block], window: RowStore, size: int, random: np.random.Generator
    ) -> Iterator[Batch]:
        """Batches that are shuffled within windows, the first of which is filled already; what is
        left over of a window goes into the next one."""
        limit = _window_bytes()
        for block in blocks:
            if window.rows and window.bytes >= limit:
                following = self._store(None)
                yield from _emptied(window, following, size, random)
                window = following
            window.append(block.features, block.labels)
        yield from _read(window, size, random)

    def _store(self, budget: Budget | None) -> RowStore:
        return RowStore(self.width, sparse=self.sparse, budget=budget)


def open_records(
    environment: TrainingEnvironment,
    channel: str,
    *,
    labels: bool = True,
    width: int = 0,
    content_types: Sequence[str],
    missing_ok: bool = False,
    rule: LabelRule | None = None,
) -> RecordChannel | None:
    """Open a channel of rows of numbers.

    Args:
        environment: the job.
        channel: which of its channels.
        labels: whether the algorithm learns from labels; otherwise those in the data are passed
            over.
        width: how many features a row has, where a hyperparameter says so; 0 when the data do.
        content_types: those that the algorithm reads; the first is meant where the channel has
            none.
        missing_ok: whether features may be missing, NaN or infinite.
        rule: which labels the algorithm cannot learn from; refused by file and line.

    Returns:
        The channel; None when the job has several hosts and this one has no data of it.

    Raises:
        CustomerError: the job has no such channel, or it has no data, or they cannot be read.
    """
    if channel not in environment.input_data_config:
        raise CustomerError(f"The job has no channel {channel!r}; this algorithm needs it.")
    found = channel_format(environment, channel, content_types)
    reading = _Reading(
        environment=environment,
        channel=channel,
        decoder=found.decoder(),
        layout=layout(found, channel, labels=labels, width=width),
        rule=rule,
        missing_ok=missing_ok,
    )
    block = reading.begin()
    if block is None:
        if len(environment.hosts) == 1:
            raise CustomerError(f"The channel {channel} has no data.")
        return None
    if width:
        reading.whose = "by feature_dim or by the other channels"
    else:
        width = int(block.features.shape[1]) if found.tells_width else reading.widest()
    return RecordChannel(
        channel, width, sparse=not isinstance(block.features, np.ndarray), reading=reading
    )


@dataclass
class _Reading:
    """The passes over a channel."""

    environment: TrainingEnvironment
    channel: str
    decoder: Decoder
    layout: Layout
    rule: LabelRule | None
    missing_ok: bool
    whose: str = "as in the first row"
    _passes: int = 0
    _begun: Iterator[Block] | None = None

    def begin(self) -> Block | None:
        """Begin the first pass; its first block, or None when there is no data."""
        raw = self._decoded(None)
        block = next(raw, None)
        if block is not None:
            self._begun = chain([block], raw)
        return block

    def widest(self) -> int:
        """The largest number of features that a row has: a pass over all of them."""
        if is_piped(self.environment, self.channel):
            raise CustomerError(
                f"The channel {self.channel} is libsvm in Pipe mode, which does not tell how many "
                "features there are; set feature_dim."
            )
        self._begun, self._passes = None, 0
        found = max(int(block.features.shape[1]) for block in self._decoded(None))
        self._passes = 0
        return found

    def blocks(
        self, width: int, sparse: bool, random: np.random.Generator | None
    ) -> Generator[Block, None, None]:
        """The blocks of the next pass, as the channel needs them, decoded ahead."""
        begun, self._begun = self._begun, None
        raw = begun if begun is not None else self._decoded(random)
        checked = (self._checked(block, width, sparse) for block in raw)
        budget = min(_AHEAD, _window_bytes())
        return ahead(checked, lambda block: weight(block.features, block.labels), budget)

    def _decoded(self, random: np.random.Generator | None) -> Iterator[Block]:
        number = self._passes
        self._passes += 1
        found = sources(self.environment, self.channel, number)
        if random is not None:
            random.shuffle(found)
        for source in found:
            with source.open() as stream:
                yield from self.decoder(stream, self.layout)

    def _checked(self, block: Block, width: int, sparse: bool) -> Block:
        block = fitted(block, width, sparse=sparse, whose=self.whose)
        if not self.missing_ok:
            check_finite(block)
        if self.rule is not None:
            check_labels(block, self.rule)
        return block


def _window_bytes() -> int:
    """How much is shuffled at once of what does not fit into memory."""
    return max(_LEAST_WINDOW, BUDGET.limit // 2)


def _read(store: RowStore, size: int, random: np.random.Generator | None) -> Iterator[Batch]:
    """All rows of a store, in order or shuffled."""
    size = size or max(1, min(store.rows, 1 << 14))
    order = None if random is None else random.permutation(store.rows)
    for start in range(0, store.rows, size):
        if order is None:
            yield Batch(*store.slice(start, start + size))
        else:
            yield Batch(*store.take(order[start : start + size]))


def _emptied(
    store: RowStore, following: RowStore, size: int, random: np.random.Generator
) -> Iterator[Batch]:
    """Whole batches of a store in random order; what is left over goes into the following one."""
    order = random.permutation(store.rows)
    whole = store.rows - store.rows % size if size else store.rows
    step = size or max(1, min(store.rows, 1 << 14))
    for start in range(0, whole, step):
        yield Batch(*store.take(order[start : min(start + step, whole)]))
    if whole < store.rows:
        following.append(*store.take(order[whole:]))


def _regrouped(blocks: Iterator[Block], size: int, width: int, *, sparse: bool) -> Iterator[Batch]:
    """Batches of ``size`` rows from blocks of any."""
    if not size:
        for block in blocks:
            yield Batch(block.features, block.labels)
        return
    rest = RowStore(width, sparse=sparse)
    for block in blocks:
        start = 0
        if rest.rows:
            start = min(size - rest.rows, block.count)
            rest.append(*_part(block, 0, start))
            if rest.rows < size:
                continue
            yield Batch(*rest.slice(0, size))
            rest = RowStore(width, sparse=sparse)
        end = start + (block.count - start) // size * size
        for begin in range(start, end, size):
            yield Batch(*_part(block, begin, begin + size))
        if end < block.count:
            rest.append(*_part(block, end, block.count))
    if rest.rows:
        yield Batch(*rest.slice(0, rest.rows))


def _part(block: Block, start: int, stop: int) -> tuple[Any, Floats | None]:
    labels = None if block.labels is None else block.labels[start:stop]
    return block.features[start:stop], labels
