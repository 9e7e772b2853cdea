"""The compiled loops beside the same steps written out plainly, in double precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bottega.algorithms.blazingtext import kernels, text_kernels
from bottega.algorithms.blazingtext.word_vectors import alias_table

RATE = 0.1
ALL = 2**32 - 1
WORDS, DIMENSIONS = 7, 5
LINES = [[0, 1, 2, 3, 1], [4, 5], [6], [2, 2, 5, 0]]


class Random:
    """The kernels' random numbers."""

    def __init__(self, state: int) -> None:
        self.state = state

    def next(self) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 32

    def below(self, limit: int) -> int:
        return self.next() * limit >> 32


class Plain:
    """Skip-gram and CBOW, a step at a time.

    Args:
        pieces: the rows of each word.
        keep: the chance of each word to be kept.
    """

    def __init__(self, pieces: list[list[int]], keep: np.ndarray, window: int, negatives: int):
        self.pieces, self.keep, self.window, self.negatives = pieces, keep, window, negatives
        rng = np.random.default_rng(1)
        self.input = rng.normal(size=(12, DIMENSIONS))
        self.output = rng.normal(size=(WORDS, DIMENSIONS))
        self.chances, self.aliases = alias_table(np.arange(1, WORDS + 1))
        self.random = Random(99)

    def negative(self) -> int:
        word = self.random.below(WORDS)
        return int(self.aliases[word]) if self.random.next() > self.chances[word] else word

    def contexts(self, line: list[int]) -> Iterator[tuple[int, list[int]]]:
        """Each kept word and those around it; lazily, for all draw from the same numbers."""
        kept = [word for word in line if self.random.next() <= self.keep[word]]
        for place, word in enumerate(kept):
            reach = 1 + self.random.below(self.window)
            around = kept[max(0, place - reach) : place] + kept[place + 1 : place + reach + 1]
            if around:
                yield word, around

    def step(self, hidden: np.ndarray, target: int) -> np.ndarray:
        """Change the output rows; returns the change of ``hidden``."""
        change = np.zeros(DIMENSIONS)
        for number in range(self.negatives + 1):
            word = target if number == 0 else self.negative()
            if number > 0 and word == target:
                continue
            error = (number == 0) - 1 / (1 + np.exp(-hidden @ self.output[word]))
            change += RATE * error * self.output[word]
            self.output[word] += RATE * error * hidden
        return change

    def skipgram(self) -> None:
        for line in LINES:
            for word, around in self.contexts(line):
                for other in around:
                    change = self.step(self.input[self.pieces[word]].mean(axis=0), other)
                    self.input[self.pieces[word]] += change

    def cbow(self) -> None:
        for line in LINES:
            for word, around in self.contexts(line):
                rows = [row for other in around for row in self.pieces[other]]
                change = self.step(self.input[rows].mean(axis=0), word)
                np.add.at(self.input, rows, change)

    def batch_skipgram(self, size: int) -> None:
        for line in LINES:
            pairs: list[tuple[int, int]] = []
            kept = [word for word in line if self.random.next() <= self.keep[word]]
            for place, word in enumerate(kept):
                reach = 1 + self.random.below(self.window)
                for other in range(max(0, place - reach), min(len(kept), place + reach + 1)):
                    if other != place:
                        pairs.append((kept[other], word))
                    if len(pairs) == size:
                        self.batch(pairs)
                        pairs = []
                full = len(pairs) + 2 * self.window > size
                if pairs and (full or place == len(kept) - 1):
                    self.batch(pairs)
                    pairs = []

    def batch(self, pairs: list[tuple[int, int]]) -> None:
        drawn = [self.negative() for _ in range(self.negatives)]
        inputs = self.input[[source for source, _ in pairs]].copy()
        noise = self.output[drawn].copy()
        right = [
            1 / (1 + np.exp(-x @ self.output[target]))
            for x, (_, target) in zip(inputs, pairs, strict=True)
        ]
        for (source, target), x, found in zip(pairs, inputs, right, strict=True):
            row = self.output[target].copy()
            self.input[source] += RATE * (1 - found) * row
            self.output[target] += RATE * (1 - found) * x
        for number, word in enumerate(drawn):
            for (source, target), x in zip(pairs, inputs, strict=True):
                if target != word:
                    found = 1 / (1 + np.exp(-x @ noise[number]))
                    self.input[source] -= RATE * found * noise[number]
                    self.output[word] -= RATE * found * x


def arguments(plain: Plain) -> tuple[Any, ...]:
    tokens = np.array([word for line in LINES for word in line], np.int32)
    offsets = np.cumsum([0, *map(len, LINES)]).astype(np.int64)
    pieces = np.array([row for rows in plain.pieces for row in rows], np.int32)
    piece_offsets = np.cumsum([0, *map(len, plain.pieces)]).astype(np.int64)
    limit, steps = kernels.SIGMOID_LIMIT, kernels.SIGMOID_STEPS
    x = (np.arange(2 * limit * steps + 1) + 0.5) / steps - limit
    return (
        tokens, offsets, 0, len(LINES), plain.input.astype(np.float32),
        plain.output.astype(np.float32), piece_offsets, pieces, plain.keep, plain.chances,
        plain.aliases, (1 / (1 + np.exp(-x))).astype(np.float32), plain.window, plain.negatives,
        np.float32(RATE), np.uint64(99),
    )  # fmt: skip


def assert_same(given: tuple[Any, ...], plain: Plain) -> None:
    # The table of the logistic function is right to 1/4 of half its step.
    assert np.abs(given[4] - Plain([], plain.keep, 1, 1).input).max() > 0.05
    np.testing.assert_allclose(given[4], plain.input, atol=3e-3)
    np.testing.assert_allclose(given[5], plain.output, atol=3e-3)


WHOLE = [[word] for word in range(WORDS)]
PARTS = [[0, 7, 8], [1], [2, 9], [3, 10, 11, 8], [4, 7], [5], [6, 9, 10]]
EVERY = np.full(WORDS, ALL, np.uint32)
SOME = np.array([ALL // 2, ALL, ALL // 3, ALL, ALL, ALL // 2, 0], np.uint32)


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("pieces", [WHOLE, PARTS], ids=["words", "subwords"])
@pytest.mark.parametrize("keep", [EVERY, SOME], ids=["every", "some"])
@pytest.mark.parametrize(("window", "negatives"), [(1, 1), (3, 4)])
def test_word_vectors(
    mode: str, pieces: list[list[int]], keep: np.ndarray, window: int, negatives: int
) -> None:
    plain = Plain(pieces, keep, window, negatives)
    given = arguments(plain)
    kept = getattr(kernels, mode)(*given)
    getattr(plain, mode)()
    assert_same(given, plain)
    assert kept == sum(map(len, LINES)) if keep is EVERY else kept < sum(map(len, LINES))


@pytest.mark.parametrize("size", [1, 3, 11, 40])
@pytest.mark.parametrize("keep", [EVERY, SOME], ids=["every", "some"])
def test_batches(size: int, keep: np.ndarray) -> None:
    plain = Plain(WHOLE, keep, 2, 3)
    given = arguments(plain)
    kernels.batch_skipgram(*given, size)
    plain.batch_skipgram(size)
    assert_same(given, plain)


def test_alias_table_draws_in_proportion() -> None:
    weights = np.array([5.0, 1.0, 0.0, 10.0, 4.0])
    chances, aliases = alias_table(weights)
    share = chances / ALL
    found = share / len(weights)
    np.add.at(found, aliases, (1 - share) / len(weights))
    np.testing.assert_allclose(found, weights / weights.sum(), atol=1e-8)


# Tokens: 0 ends a text, 1-3 are words (3 is not known), 4 and 5 are labels.
ROWS = np.array([0, 1, 2, text_kernels.UNKNOWN_WORD, -2, -3], np.int32)
HASHES = np.array([11, 22, 2**32 - 33, 44, 55, 66], np.uint32)
TEXTS = [[4, 1, 3, 2, 0], [5, 2, 2, 0], [1, 2, 0], [4, 0], [4, 5, 3, 1, 0]]
BUCKETS = 9


def classifier_arguments(rows: np.ndarray, ngrams: int) -> tuple[Any, ...]:
    tokens = np.array([token for text in TEXTS for token in text], np.int32)
    offsets = np.cumsum([0, *map(len, TEXTS)]).astype(np.int64)
    return tokens, offsets, 0, len(TEXTS), rows, HASHES, 3, BUCKETS if ngrams > 1 else 0, ngrams


def feature_rows(text: list[int], ngrams: int) -> list[int]:
    words = [token for token in text if ROWS[token] >= -1]
    rows = [int(ROWS[token]) for token in words if ROWS[token] >= 0]
    signed = HASHES.astype(np.int32).astype(int)
    for first in range(len(words)):
        value = int(signed[words[first]])
        for other in words[first + 1 : first + ngrams]:
            value = (value * 116049371 + int(signed[other])) % 2**64
            rows.append(3 + value % BUCKETS)
    return rows


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_classifier(ngrams: int) -> None:
    rng = np.random.default_rng(4)
    input, output = rng.normal(size=(3 + BUCKETS, 4)), rng.normal(size=(2, 4))
    learned = input.astype(np.float32), output.astype(np.float32)
    places = np.arange(3 + BUCKETS, dtype=np.int32)
    text_kernels.classify(
        *classifier_arguments(ROWS, ngrams), places, *learned, np.float32(RATE), np.uint64(99)
    )
    random = Random(99)
    for text in TEXTS:
        labels = [-2 - int(ROWS[token]) for token in text if ROWS[token] < -1]
        if not labels:
            continue
        label = labels[0] if len(labels) == 1 else labels[random.below(len(labels))]
        rows = feature_rows(text, ngrams)
        hidden = input[rows].mean(axis=0)
        odds = np.exp(output @ hidden)
        errors = (np.arange(2) == label) - odds / odds.sum()
        change = RATE * errors @ output / len(rows)
        output += RATE * np.outer(errors, hidden)
        np.add.at(input, rows, change)
    np.testing.assert_allclose(learned[0], input, atol=1e-5)
    np.testing.assert_allclose(learned[1], output, atol=1e-5)

    verdicts = np.empty(len(TEXTS), np.int8)
    text_kernels.judge(*classifier_arguments(ROWS, ngrams), places, *learned, verdicts)
    for text, verdict in zip(TEXTS, verdicts.tolist(), strict=True):
        labels = [-2 - int(ROWS[token]) for token in text if ROWS[token] < -1]
        best = int((output @ input[feature_rows(text, ngrams)].mean(axis=0)).argmax())
        right = text_kernels.RIGHT if best in labels else text_kernels.WRONG
        assert verdict == (right if labels else text_kernels.NOTHING)


def test_a_label_that_is_not_known_is_never_right() -> None:
    rows = np.where(ROWS < -1, np.int32(-2 - 2), ROWS).astype(np.int32)
    verdicts = np.empty(len(TEXTS), np.int8)
    matrices = np.zeros((3 + BUCKETS, 4), np.float32), np.zeros((2, 4), np.float32)
    places = np.arange(3 + BUCKETS, dtype=np.int32)
    text_kernels.judge(*classifier_arguments(rows, 2), places, *matrices, verdicts)
    assert verdicts.tolist() == [0, 0, text_kernels.NOTHING, 0, 0]


def test_a_bucket_that_is_not_used_is_zero() -> None:
    tokens = np.array([1, 2, 0], np.int32)
    texts = tokens, np.array([0, 3], np.int64), 0, 1
    kept = np.array([0, 1, 2], np.int32)
    rows = np.array([0, 1, 2, -1, -2, -3], np.int32)
    labelled = np.array([4, 1, 2, 0], np.int32), np.array([0, 4], np.int64), 0, 1
    places = np.full(3 + BUCKETS, -1, np.int32)
    places[kept] = [2, 0, 1]
    used = np.zeros(3 + BUCKETS, np.uint8)
    text_kernels.mark_features(*texts, rows, HASHES, 3, BUCKETS, 2, used)
    assert used[3:].sum() == 2
    input = np.array([[1, 0], [0, 3], [2, 2]], np.float32)
    output = np.array([[1, 0], [0, 1]], np.float32)
    verdicts = np.empty(1, np.int8)
    # The words' vectors are in other places: 1 is (1, 0), 2 is (0, 3), and the end is (2, 2).
    text_kernels.judge(*labelled, rows, HASHES, 3, BUCKETS, 2, places, input, output, verdicts)
    assert verdicts.tolist() == [text_kernels.WRONG]
