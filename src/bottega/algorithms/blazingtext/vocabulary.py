"""Words as numbers: the tokens of a channel in a file, and which of them the model knows.

A text is read once. Each new token gets the next number as it comes, and the numbers go to a
temporary file, which is mapped into memory afterwards: how long a text may be depends on the disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.blazingtext.features import END, LABEL_PREFIX
from bottega.algorithms.blazingtext.kernels import LONGEST_LINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 1 << 22


class Numbers(dict[bytes, int]):
    """The number of each token that was seen, in the order of their coming; ``END`` has 0."""

    def __init__(self) -> None:
        super().__init__({END: 0})

    def __missing__(self, token: bytes) -> int:
        number = self[token] = len(self)
        return number

    def encode(self, blocks: Iterable[bytes]) -> Tokens:
        """Turn text into numbers; a text ends with a line's end.

        Args:
            blocks: text that ends between words.
        """
        count = 0
        with tempfile.TemporaryFile() as file:
            for block in blocks:
                words = block.replace(b"\n", b" </s> ").split()
                np.fromiter(map(self.__getitem__, words), np.int32, len(words)).tofile(file)
                count += len(words)
            file.flush()
            if not count:
                return Tokens(np.empty(0, np.int32))
            # Kernels take plain arrays only.
            return Tokens(np.asarray(np.memmap(file, np.int32, "r+", shape=(count,))))


class Tokens:
    """A row of numbers, in a file where they come from text.

    Args:
        values: the numbers.
    """

    def __init__(self, values: NDArray[np.int32]) -> None:
        self.values = values

    def counts(self, size: int) -> NDArray[np.int64]:
        """How often each of the numbers below ``size`` occurs."""
        counts = np.zeros(size, np.int64)
        for begin in range(0, len(self.values), _CHUNK):
            counts += np.bincount(self.values[begin : begin + _CHUNK], minlength=size)
        return counts

    def ends(self) -> NDArray[np.int64]:
        """The places behind the tokens that end a text."""
        found = [
            np.flatnonzero(self.values[begin : begin + _CHUNK] == 0) + begin + 1
            for begin in range(0, len(self.values), _CHUNK)
        ]
        return np.concatenate([*found, np.empty(0, np.int64)])

    def texts(self) -> NDArray[np.int64]:
        """Where each text begins, and where the last one ends."""
        return np.concatenate([[0], self.ends()]).astype(np.int64)

    def keep(self, ranks: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Leave only the words that have a rank, in place.

        Args:
            ranks: for each number the word's place in the vocabulary, or -1.

        Returns:
            The ranks of the words, and where each line begins in them and the last one ends; a
            line has at most ``LONGEST_LINE`` words.
        """
        written = 0
        ends: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
        for begin in range(0, len(self.values), _CHUNK):
            numbers = self.values[begin : begin + _CHUNK]
            found = ranks[numbers]
            kept = found >= 0
            ends.append(written + np.cumsum(kept)[numbers == 0])
            found = found[kept]
            self.values[written : written + len(found)] = found
            written += len(found)
        ends.append(np.array([written]))
        return self.values[:written], _cut(np.unique(np.concatenate(ends)))


def _cut(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut long lines."""
    long = np.flatnonzero(np.diff(offsets) > LONGEST_LINE)
    cuts = [np.arange(offsets[i], offsets[i + 1], LONGEST_LINE) for i in long]
    return np.unique(np.concatenate([offsets, *cuts])).astype(np.int64)


@dataclass(frozen=True)
class Vocabulary:
    """The words and labels that a model knows, the most frequent first."""

    words: list[bytes]
    counts: NDArray[np.int64]
    """How often each word occurs in the text."""
    labels: list[bytes]
    label_counts: NDArray[np.int64]
    tokens: int
    """All tokens of the text, with those that are not known."""

    @classmethod
    def of(
        cls, tokens: Sequence[bytes], counts: NDArray[np.int64], min_count: int, *, labelled: bool
    ) -> Vocabulary:
        """Choose the words that occur often enough.

        Args:
            tokens: those that were seen, the first of them ``END``.
            counts: how often, for each of them.
            min_count: how often a word has to occur.
            labelled: whether tokens that begin with ``__label__`` are labels, and the end of a text
                is a word, as fastText's classifier has it.
        """
        is_label = cls.is_label(tokens) & labelled
        wanted = (counts >= max(1, min_count)) & ~is_label
        wanted[0] &= labelled
        words = _by_count(np.flatnonzero(wanted), counts)
        labels = _by_count(np.flatnonzero(is_label & (counts > 0)), counts)
        return cls(
            words=[tokens[number] for number in words],
            counts=counts[words],
            labels=[tokens[number] for number in labels],
            label_counts=counts[labels],
            tokens=int(counts.sum()) - (0 if labelled else int(counts[0])),
        )

    @staticmethod
    def is_label(tokens: Sequence[bytes]) -> NDArray[np.bool_]:
        """Which of the tokens are labels, for a classifier."""
        return np.fromiter((token.startswith(LABEL_PREFIX) for token in tokens), bool, len(tokens))

    def ranks(self, numbers: Numbers) -> NDArray[np.int32]:
        """For each number the word's place in the vocabulary, or -1."""
        ranks = np.full(len(numbers), -1, np.int32)
        known = [numbers[word] for word in self.words if word in numbers]
        ranks[known] = [rank for rank, word in enumerate(self.words) if word in numbers]
        return ranks


def _by_count(found: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return found[np.argsort(-counts[found], kind="stable")]


def joined_text(words: Sequence[bytes]) -> tuple[Any, NDArray[np.int64]]:
    """Words as kernels take them: their bytes one after another, and where each begins."""
    text = np.frombuffer(b"".join(words), np.uint8).copy()
    lengths = np.fromiter(map(len, words), np.int64, len(words))
    return text, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
