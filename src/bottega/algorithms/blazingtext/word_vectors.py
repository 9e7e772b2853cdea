"""Learning word vectors: skip-gram, CBOW, and skip-gram in batches on one or several hosts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.blazingtext import kernels
from bottega.algorithms.blazingtext.pace import Pace, Piece, cut_into_pieces
from bottega.algorithms.blazingtext.schema import BATCH_SKIPGRAM
from bottega.algorithms.blazingtext.text_kernels import split_words
from bottega.algorithms.blazingtext.vocabulary import Vocabulary, joined_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bottega.algorithms.blazingtext.exchange import Exchange

    Floats = NDArray[np.float32]

_ALL = np.uint32(2**32 - 1)
_NOISE_POWER = 0.75
_SYNC_TOKENS, _LEAST_SYNCS = 400_000, 4
"""How often hosts exchange what they learned: after so many tokens of all together, and at least so
often an epoch."""


@dataclass(frozen=True)
class WordVectors:
    """What is learned."""

    used: NDArray[np.int64]
    """The words and, numbered on behind them, the buckets that are in use, in order."""
    input: Floats
    """A vector for each of these."""
    output: Floats
    """Words x dimensions."""
    piece_offsets: NDArray[np.int64]
    """Where the pieces of each word begin in ``pieces``, and where those of the last one end."""
    pieces: NDArray[np.int32]
    """Rows of ``input``: each word's own, and those of its n-grams."""

    @classmethod
    def start(cls, vocabulary: Vocabulary, settings: Mapping[str, Any]) -> WordVectors:
        """Vectors before the first step: small random numbers, the same for the same words."""
        words, dimensions = len(vocabulary.words), settings["vector_dim"]
        buckets = settings["buckets"] if settings["subwords"] else 0
        offsets = np.arange(words + 1, dtype=np.int64)
        pieces = np.arange(words, dtype=np.int32)
        if buckets:
            offsets, pieces = _split(vocabulary.words, buckets, settings)
        used, places = np.unique(pieces, return_inverse=True)
        return cls(
            used.astype(np.int64),
            random_rows(len(used), dimensions),
            np.zeros((words, dimensions), np.float32),
            offsets,
            places.astype(np.int32),
        )

    def of_words(self) -> Floats:
        """The vector of each word: the mean of its pieces."""
        if len(self.pieces) == len(self.output):
            return self.input[: len(self.output)]
        counts = np.diff(self.piece_offsets)
        vectors = np.empty_like(self.output)
        for begin in range(0, len(vectors), 4096):
            end = min(begin + 4096, len(vectors))
            first, last = self.piece_offsets[begin], self.piece_offsets[end]
            rows = self.input[self.pieces[first:last]]
            sums = np.add.reduceat(rows, self.piece_offsets[begin:end] - first, axis=0)
            vectors[begin:end] = sums / counts[begin:end, None].astype(np.float32)
        return vectors


def random_rows(rows: int, columns: int) -> Floats:
    """Random numbers between -1/columns and 1/columns, the same each time."""
    values = np.random.default_rng(0).random((rows, columns), np.float32)
    values *= np.float32(2 / columns)
    values -= np.float32(1 / columns)
    return values


def _split(
    words: Sequence[bytes], buckets: int, settings: Mapping[str, Any]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    text, ends = joined_text([b"<" + word + b">" for word in words])
    offsets = np.empty(len(words) + 1, np.int64)
    pieces = np.empty(0, np.int32)
    for _ in range(2):  # The first time tells how many there are.
        count = split_words(
            text, ends, len(words), buckets, settings["min_char"], settings["max_char"], offsets,
            pieces,
        )  # fmt: skip
        if count > len(pieces):
            pieces = np.empty(count, np.int32)
    return offsets, pieces


def learn(
    model: WordVectors,
    vocabulary: Vocabulary,
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    settings: Mapping[str, Any],
    threads: int,
    exchange: Exchange,
) -> None:
    """Go through the text ``epochs`` times.

    Args:
        model: changed in place.
        vocabulary: of the tokens.
        tokens: words by their place in the vocabulary.
        offsets: where each line begins in them, and where the last one ends.
        settings: the hyperparameters.
        threads: how many may work at a time.
        exchange: the other hosts.
    """
    pieces = exchange.share(cut_into_pieces(offsets))
    own = sum(count for _, _, count in pieces)
    pace = Pace(
        own * settings["epochs"],
        settings["learning_rate"],
        seed=exchange.rank << 40,
        speaks=exchange.leads,
    )
    keep = _chances_to_stay(vocabulary.counts, settings["sampling_threshold"])
    chances, aliases = alias_table(vocabulary.counts**_NOISE_POWER)
    logistic = _logistic_table()
    step = {"skipgram": kernels.skipgram, "cbow": kernels.cbow}.get(settings["mode"])
    size = settings["batch_size"]

    def work(first: int, last: int, rate: np.float32, state: np.uint64) -> None:
        arguments = (
            tokens, offsets, first, last, model.input, model.output, model.piece_offsets,
            model.pieces, keep, chances, aliases, logistic, settings["window_size"],
            settings["negative_samples"], rate, state,
        )  # fmt: skip
        if step is None:
            kernels.batch_skipgram(*arguments, size)
        else:
            step(*arguments)

    syncs = exchange.largest(_syncs(own, exchange.hosts)) if exchange.hosts > 1 else 1
    with pace.clock():
        for part in _parts(pieces, syncs) * settings["epochs"]:
            pace.run(part, threads, work)
            exchange.share_changes(model.input, model.output)
    pace.finish("Training finished!")
    if not (np.isfinite(model.input).all() and np.isfinite(model.output).all()):
        raise CustomerError(
            f"The vectors became infinite with learning_rate {settings['learning_rate']:g}; "
            "use a smaller one, such as 0.05."
        )


def _syncs(tokens: int, hosts: int) -> int:
    return max(_LEAST_SYNCS, math.ceil(tokens * hosts / _SYNC_TOKENS))


def _parts(pieces: Sequence[Piece], count: int) -> list[Sequence[Piece]]:
    cuts = [len(pieces) * number // count for number in range(count + 1)]
    return [pieces[begin:end] for begin, end in pairwise(cuts)]


def _chances_to_stay(counts: NDArray[np.int64], threshold: float) -> NDArray[np.uint32]:
    """How likely each word is kept where it occurs, of 2**32 - 1: less for frequent ones."""
    if threshold == 0:
        return np.full(len(counts), _ALL, np.uint32)
    ratio = threshold / (counts / counts.sum())
    share = np.minimum(1.0, np.sqrt(ratio) + ratio)
    chances: NDArray[np.uint32] = (share * float(_ALL)).astype(np.uint32)
    return chances


def alias_table(weights: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Tables to draw in proportion to weights in constant time (Walker's alias method, Vose's way).

    Returns:
        For each entry the chance to stay with it, of 2**32 - 1, and the entry taken otherwise.
    """
    scaled = (weights / weights.sum() * len(weights)).tolist()
    chances, aliases = [1.0] * len(scaled), list(range(len(scaled)))
    small = [entry for entry, value in enumerate(scaled) if value < 1]
    large = [entry for entry, value in enumerate(scaled) if value >= 1]
    while small and large:
        entry, other = small.pop(), large[-1]
        chances[entry], aliases[entry] = scaled[entry], other
        scaled[other] -= 1 - scaled[entry]
        if scaled[other] < 1:
            small.append(large.pop())
    whole: NDArray[np.uint32] = (np.array(chances) * float(_ALL)).astype(np.uint32)
    return whole, np.array(aliases, np.int32)


def _logistic_table() -> Floats:
    limit, steps = kernels.SIGMOID_LIMIT, kernels.SIGMOID_STEPS
    # The middle of each step, and one more entry for what is rounded up to the limit.
    x = (np.arange(2 * limit * steps + 1) + 0.5) / steps - limit
    return (1 / (1 + np.exp(-x))).astype(np.float32)


def may_be_shared(mode: str) -> bool:
    """Whether several hosts can train in a mode."""
    return mode == BATCH_SKIPGRAM
