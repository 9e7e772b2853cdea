"""Pairs of sequences in memory, and the padded batches that are made of them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.record_protobuf import MalformedRecord, decode_record
from bottega.algorithms.readers.recordio import MalformedRecordIO, read_records
from bottega.algorithms.readers.sources import Source, sources
from bottega.algorithms.seq2seq.vocabulary import BEGIN, END, PAD

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_CONTENT_TYPES = (
    "application/x-recordio-protobuf",
    "application/x-recordio",
    "application/octet-stream",
    "",
)


@dataclass(frozen=True)
class Side:
    """The sequences of one side, one after another."""

    tokens: Any
    """int32."""
    starts: Any
    """int64, where each sequence begins, and the end of the last."""

    @property
    def lengths(self) -> Any:
        return np.diff(self.starts)

    def padded(self, which: Any) -> tuple[Any, Any]:
        """Some sequences as rows of the longest's length: int64 ids and their lengths."""
        begins = self.starts[which]
        lengths = self.starts[which + 1] - begins
        places = np.arange(max(1, int(lengths.max(initial=0))))
        inside = places < lengths[:, None]
        rows = np.full(inside.shape, PAD, dtype=np.int64)
        rows[inside] = self.tokens[(begins[:, None] + places)[inside]]
        return rows, lengths

    def sequence(self, index: int) -> list[int]:
        """One sequence."""
        found: list[int] = self.tokens[self.starts[index] : self.starts[index + 1]].tolist()
        return found


@dataclass(frozen=True)
class Batch:
    """Pairs, padded with 0; arrays of int64."""

    source: Any
    """pairs x longest source."""
    source_lengths: Any
    target_input: Any
    """pairs x (longest target + 1): the target behind ``<s>``."""
    target_output: Any
    """The same, one step ahead: the target and ``</s>``."""

    @property
    def pairs(self) -> int:
        return int(self.source.shape[0])


@dataclass(frozen=True)
class Corpus:
    """The pairs of a channel."""

    source: Side
    target: Side
    empty: int = 0
    """Records that were left out, for one of their sides has no token."""
    cut_sources: int = 0
    """Sources that were cut to the longest length allowed."""
    cut_targets: int = 0

    @property
    def pairs(self) -> int:
        return len(self.source.starts) - 1

    def ratio(self) -> tuple[float, float]:
        """Mean and standard deviation of target length by source length."""
        ratios = self.target.lengths / self.source.lengths
        return float(ratios.mean()), float(ratios.std())

    def batch(self, which: Any) -> Batch:
        """Some pairs as a batch."""
        source, source_lengths = self.source.padded(which)
        target, target_lengths = self.target.padded(which)
        rows = len(which)
        target_input = np.full((rows, target.shape[1] + 1), PAD, dtype=np.int64)
        target_input[:, 0] = BEGIN
        target_input[:, 1:] = target
        target_output = np.full_like(target_input, PAD)
        target_output[:, :-1] = target
        target_output[np.arange(rows), target_lengths] = END
        return Batch(source, source_lengths, target_input, target_output)

    def buckets(self, width: int, longest_source: int, longest_target: int) -> Any:
        """The bucket of each pair: int64, as ``bucket_width`` has it.

        The side that is longer on average goes up in steps of ``width``, the other one in steps
        that are shorter by the ratio of the averages.
        """
        ratio = max(1e-6, self.ratio()[0])
        source_step = width if ratio <= 1 else max(1, round(width / ratio))
        target_step = width if ratio >= 1 else max(1, round(width * ratio))
        bucket = np.maximum(
            -(-self.source.lengths // source_step), -(-self.target.lengths // target_step)
        )
        last = max(math.ceil(longest_source / source_step), math.ceil(longest_target / target_step))
        return np.minimum(bucket, last)

    def epoch(self, size: int, generator: Any, buckets: Any = None) -> Iterator[Batch]:
        """All pairs once, in batches of at most ``size`` in random order.

        Args:
            size: pairs in a batch.
            generator: numpy's, for the order.
            buckets: what :meth:`buckets` gave, so that a batch is from one bucket; None to take
                pairs as they come.
        """
        order = generator.permutation(self.pairs)
        if buckets is not None:
            order = order[np.argsort(buckets[order], kind="stable")]
            edges = np.flatnonzero(np.diff(buckets[order])) + 1
            groups = np.split(order, edges)
        else:
            groups = [order]
        batches = [
            group[start : start + size] for group in groups for start in range(0, len(group), size)
        ]
        for place in generator.permutation(len(batches)):
            yield self.batch(batches[place])

    def in_order_of_length(self, size: int) -> Iterator[tuple[Batch, Any]]:
        """All pairs once, the shortest first, in batches; each with the places of its pairs."""
        order = np.argsort(self.source.lengths + self.target.lengths, kind="stable")
        for start in range(0, self.pairs, size):
            which = order[start : start + size]
            yield self.batch(which), which

    def sample(self, size: int, generator: Any) -> Corpus:
        """Some pairs drawn without replacement; all of them when there are no more."""
        if size >= self.pairs:
            return self
        which = np.sort(generator.choice(self.pairs, size, replace=False))
        return corpus_of(
            [(self.source.sequence(index), self.target.sequence(index)) for index in which]
        )


def read_corpus(
    environment: TrainingEnvironment,
    channel: str,
    *,
    words: tuple[int, int],
    longest: tuple[int, int],
) -> Corpus:
    """Read the pairs of a channel.

    Args:
        environment: of the job.
        channel: its name.
        words: how many ids the source and the target vocabulary have.
        longest: what sources and targets are cut to.

    Raises:
        CustomerError: the channel has no pair or another content type, or a record is at fault.
    """
    given = environment.input_data_config[channel].get("ContentType") or ""
    if given.partition(";")[0].strip().lower() not in _CONTENT_TYPES:
        raise CustomerError(
            f"The channel {channel} has the content type {given}; Seq2Seq reads "
            f"{_CONTENT_TYPES[0]}, as its preparation writes it."
        )
    sides = _Growing(), _Growing()
    empty = 0
    for file in sources(environment, channel, 0):
        for pair in _pairs(file, words):
            if not all(sequence.size for sequence in pair):
                empty += 1
                continue
            for side, sequence, limit in zip(sides, pair, longest, strict=True):
                side.add(sequence, limit)
    if not sides[0].lengths:
        what = f"{empty} records, each with an empty source or target" if empty else "no records"
        raise CustomerError(f"The channel {channel} has {what}; it needs pairs of sequences.")
    return Corpus(sides[0].side(), sides[1].side(), empty, sides[0].cut, sides[1].cut)


def _pairs(file: Source, words: tuple[int, int]) -> Iterator[tuple[Any, Any]]:
    number = 0
    with file.open() as stream:
        try:
            for number, payload in enumerate(read_records(stream), start=1):  # noqa: B007
                features = decode_record(payload).features
                source = _sequence(features, "source", words[0])
                yield source, _sequence(features, "target", words[1])
        except MalformedRecordIO as error:
            raise CustomerError(f"{file.name}: {error}") from error
        except (MalformedRecord, _Refused) as error:
            raise CustomerError(f"{file.name}: record {number} {error}.") from error


class _Refused(ValueError):
    """A sequence cannot be taken; the message is the rest of a sentence about its record."""


def _sequence(features: dict[str, Any], name: str, words: int) -> Any:
    """A side of a record, without the symbols around it that some tools write."""
    values = features.get(name)
    if values is None:
        names = ", ".join(sorted(features)) or "nothing"
        raise _Refused(f"has no feature {name!r} but {names}; it needs source and target")
    if values.dtype != np.int32:
        raise _Refused(f"has {values.dtype} numbers as {name}; ids must be an int32 tensor")
    if values.size and (values.min() < 0 or values.max() >= words):
        wrong = values[(values < 0) | (values >= words)][0]
        side = "source" if name == "source" else "target"
        raise _Refused(
            f"has the id {wrong} as {name}, which the {side} vocabulary does not have: its ids go "
            f"from 0 to {words - 1}"
        )
    return bare(values)


def bare(ids: Any) -> Any:
    """An array of ids without ``<pad>``, a ``<s>`` at its beginning and a ``</s>`` at its end."""
    ids = ids[ids != PAD]
    if ids.size and ids[0] == BEGIN:
        ids = ids[1:]
    if ids.size and ids[-1] == END:
        ids = ids[:-1]
    return ids


def corpus_of(pairs: list[tuple[list[int], list[int]]]) -> Corpus:
    """A corpus of pairs at hand; none of them empty."""
    sides = _Growing(), _Growing()
    for pair in pairs:
        for side, sequence in zip(sides, pair, strict=True):
            side.add(np.array(sequence, dtype=np.int32), len(sequence))
    return Corpus(sides[0].side(), sides[1].side())


class _Growing:
    """A side that is being read: numbers without an object for each sequence."""

    def __init__(self) -> None:
        self._tokens = array("i")
        self.lengths = array("q")
        self.cut = 0

    def add(self, sequence: Any, limit: int) -> None:
        """Add a sequence, cut to a length."""
        self.cut += sequence.size > limit
        kept = sequence[:limit]
        self._tokens.frombytes(kept.astype(np.int32, copy=False).tobytes())
        self.lengths.append(kept.size)

    def side(self) -> Side:
        """What there is."""
        starts = np.zeros(len(self.lengths) + 1, dtype=np.int64)
        np.cumsum(self.lengths, out=starts[1:])
        return Side(np.frombuffer(self._tokens, dtype=np.int32), starts)
