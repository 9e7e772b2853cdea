"""Hashing words and their n-grams as fastText does, and the loops of its classifier.

A text is a run of token numbers that ends with that of the line's end. ``rows`` says what a token
is: a word's place in the vocabulary, a word that is not in it (its n-grams count all the same), or
a label. The features of a text are its words and its word n-grams, which are hashed into buckets
that are numbered on behind the words.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

UNKNOWN_WORD = -1
"""In ``rows``: a word that is not in the vocabulary. Label ``n`` is ``-2 - n``, and a label that
is not in the vocabulary is one more than there are."""
NOTHING, WRONG, RIGHT = -1, 0, 1
"""What ``judge`` says of a text."""

_FNV_OFFSET = np.uint32(2166136261)
_FNV_PRIME = np.uint32(16777619)
_NGRAM_PRIME = np.uint64(116049371)
_HIGH_BYTES = np.uint32(0xFFFFFF00)
_HIGH_BIT = np.uint8(0x80)
_UPPER = np.uint64(0xFFFFFFFF00000000)
_MULTIPLIER = np.uint64(6364136223846793005)
_INCREMENT = np.uint64(1442695040888963407)
_HALF = np.uint64(32)


@kernel("uint32(uint8[::1], int64, int64)")
def _hash(text: Any, start: Any, stop: Any) -> Any:
    """FNV-1a of 32 bits over signed bytes, as fastText takes them."""
    value = _FNV_OFFSET
    for place in range(start, stop):
        byte = np.uint32(text[place])
        if text[place] >= _HIGH_BIT:
            byte = np.uint32(byte | _HIGH_BYTES)
        value = np.uint32(np.uint32(value ^ byte) * _FNV_PRIME)
    return value


@kernel("void(uint8[::1], int64[::1], uint32[::1])")
def hash_words(text: Any, offsets: Any, hashes: Any) -> Any:
    """The hash of each word.

    Args:
        text: the words' bytes, one word after another.
        offsets: where each begins, and where the last one ends.
        hashes: filled.
    """
    for word in range(hashes.shape[0]):
        hashes[word] = _hash(text, offsets[word], offsets[word + 1])


@kernel("int64(uint8[::1], int64[::1], int64, int64, int64, int64, int64[::1], int32[::1])")
def split_words(
    text: Any,
    offsets: Any,
    first_row: Any,
    buckets: Any,
    shortest: Any,
    longest: Any,
    piece_offsets: Any,
    pieces: Any,
) -> Any:
    """The pieces of each word: itself, and its character n-grams.

    Args:
        text: as for ``hash_words``; each word between ``<`` and ``>``.
        offsets: likewise.
        first_row: of the buckets.
        buckets: how many there are.
        shortest: characters of the shortest n-gram.
        longest: of the longest.
        piece_offsets: filled: where the pieces of each word begin.
        pieces: filled, where it is long enough; rows of the input matrix.

    Returns:
        How many pieces there are.
    """
    count = 0
    for word in range(piece_offsets.shape[0] - 1):
        piece_offsets[word] = count
        if count < pieces.shape[0]:
            pieces[count] = word
        count += 1
        start, stop = offsets[word], offsets[word + 1]
        for begin in range(start, stop):
            if text[begin] & 0xC0 == 0x80:
                continue
            end = begin
            for length in range(1, longest + 1):
                if end >= stop:
                    break
                end += 1
                while end < stop and text[end] & 0xC0 == 0x80:
                    end += 1
                if length < shortest or (length == 1 and (begin == start or end == stop)):
                    continue
                if count < pieces.shape[0]:
                    pieces[count] = first_row + np.int64(_hash(text, begin, end)) % buckets
                count += 1
    piece_offsets[piece_offsets.shape[0] - 1] = count
    return count


@kernel(
    "Tuple((int64, int64))(int32[::1], int64, int64, int32[::1], uint32[::1], int64, int64, int64,"
    " int32[::1], uint64[::1], int32[::1])"
)
def _read(
    tokens: Any,
    start: Any,
    stop: Any,
    rows: Any,
    hashes: Any,
    first_row: Any,
    buckets: Any,
    ngrams: Any,
    features: Any,
    words: Any,
    labels: Any,
) -> Any:
    """The features and labels of a text; how many of each. ``first_row`` is the first bucket."""
    count, found, labelled = 0, 0, 0
    for place in range(start, stop):
        token = tokens[place]
        row = rows[token]
        if row >= UNKNOWN_WORD:
            if row >= 0:
                features[count] = row
                count += 1
            value = np.uint64(hashes[token])
            if hashes[token] >= np.uint32(0x80000000):
                # fastText keeps the hash in a signed number, which it then widens.
                value = value | _UPPER
            words[found] = value
            found += 1
        else:
            labels[labelled] = -2 - row
            labelled += 1
    if buckets > 0:
        for place in range(found):
            value = words[place]
            for other in range(place + 1, min(found, place + ngrams)):
                value = value * _NGRAM_PRIME + words[other]
                features[count] = first_row + np.int64(value % np.uint64(buckets))
                count += 1
    return count, labelled


@kernel("int64(int64[::1], int64, int64)")
def _longest(offsets: Any, first: Any, last: Any) -> Any:
    longest = 0
    for text in range(first, last):
        longest = max(longest, offsets[text + 1] - offsets[text])
    return longest


@kernel(
    "void(int32[::1], int64[::1], int64, int64, int32[::1], uint32[::1], int64, int64, int64,"
    " uint8[::1])"
)
def mark_features(
    tokens: Any,
    offsets: Any,
    first: Any,
    last: Any,
    rows: Any,
    hashes: Any,
    first_row: Any,
    buckets: Any,
    ngrams: Any,
    used: Any,
) -> Any:
    """Set ``used`` to 1 for each word and bucket that is a feature of the texts ``first`` to
    ``last``."""
    longest = _longest(offsets, first, last)
    features = np.empty(longest * ngrams, np.int32)
    words, labels = np.empty(longest, np.uint64), np.empty(longest, np.int32)
    for text in range(first, last):
        count, _ = _read(
            tokens, offsets[text], offsets[text + 1], rows, hashes, first_row, buckets, ngrams,
            features, words, labels,
        )  # fmt: skip
        for place in range(count):
            used[features[place]] = 1


@kernel("void(float32[:, ::1], int32[::1], int32[::1], int64, float32[::1])")
def _hidden(input: Any, places: Any, features: Any, count: Any, hidden: Any) -> Any:
    """The mean of the features' vectors; ``features`` become rows of ``input``."""
    for d in range(hidden.shape[0]):
        hidden[d] = 0
    for number in range(count):
        features[number] = places[features[number]]
        if features[number] < 0:
            continue
        row = input[features[number]]
        for d in range(hidden.shape[0]):
            hidden[d] += row[d]
    scale = np.float32(1) / np.float32(count)
    for d in range(hidden.shape[0]):
        hidden[d] *= scale


@kernel("int64(float32[::1], float32[:, ::1], float32[::1])")
def _scores(hidden: Any, output: Any, scores: Any) -> Any:
    """The score of each label; the best one."""
    best = 0
    for label in range(output.shape[0]):
        row = output[label]
        total = np.float32(0)
        for d in range(hidden.shape[0]):
            total += row[d] * hidden[d]
        scores[label] = total
        if total > scores[best]:
            best = label
    return best


@kernel(
    "void(int32[::1], int64[::1], int64, int64, int32[::1], uint32[::1], int64, int64, int64,"
    " int32[::1], float32[:, ::1], float32[:, ::1], float32, uint64)"
)
def classify(
    tokens: Any,
    offsets: Any,
    first: Any,
    last: Any,
    rows: Any,
    hashes: Any,
    first_row: Any,
    buckets: Any,
    ngrams: Any,
    places: Any,
    input: Any,
    output: Any,
    rate: Any,
    state: Any,
) -> Any:
    """Learn the texts ``first`` to ``last`` by softmax; of several labels one, by chance.

    Args:
        tokens: see the module.
        offsets: where each text begins, and where the last one ends.
        first: see above.
        last: likewise.
        rows: see the module.
        hashes: of each token.
        first_row: of the buckets.
        buckets: how many there are.
        ngrams: the most words of a word n-gram.
        places: the row of ``input`` that each word, and behind them each bucket, has; -1 for a
            bucket that no text to learn from uses, whose vector is 0.
        input: those words and buckets x dimensions.
        output: labels x dimensions.
        rate: the learning rate.
        state: of the random numbers.
    """
    longest = _longest(offsets, first, last)
    features = np.empty(longest * ngrams, np.int32)
    words, labels = np.empty(longest, np.uint64), np.empty(longest, np.int32)
    scores = np.empty(output.shape[0], np.float32)
    hidden = np.empty(output.shape[1], np.float32)
    gradient = np.empty(output.shape[1], np.float32)
    for text in range(first, last):
        count, labelled = _read(
            tokens, offsets[text], offsets[text + 1], rows, hashes, first_row, buckets, ngrams,
            features, words, labels,
        )  # fmt: skip
        if count == 0 or labelled == 0:
            continue
        wanted = labels[0]
        if labelled > 1:
            state = state * _MULTIPLIER + _INCREMENT
            wanted = labels[np.int64(((state >> _HALF) * np.uint64(labelled)) >> _HALF)]
        _hidden(input, places, features, count, hidden)
        highest = scores[_scores(hidden, output, scores)]
        total = np.float32(0)
        for label in range(output.shape[0]):
            scores[label] = np.exp(scores[label] - highest)
            total += scores[label]
        for d in range(gradient.shape[0]):
            gradient[d] = 0
        for label in range(output.shape[0]):
            step = -scores[label] / total * rate
            if label == wanted:
                step += rate
            row = output[label]
            for d in range(gradient.shape[0]):
                value = row[d]
                gradient[d] += step * value
                row[d] = value + step * hidden[d]
        scale = np.float32(1) / np.float32(count)
        for d in range(gradient.shape[0]):
            gradient[d] *= scale
        for place in range(count):
            row = input[features[place]]
            for d in range(gradient.shape[0]):
                row[d] += gradient[d]


@kernel(
    "void(int32[::1], int64[::1], int64, int64, int32[::1], uint32[::1], int64, int64, int64,"
    " int32[::1], float32[:, ::1], float32[:, ::1], int8[::1])"
)
def judge(
    tokens: Any,
    offsets: Any,
    first: Any,
    last: Any,
    rows: Any,
    hashes: Any,
    first_row: Any,
    buckets: Any,
    ngrams: Any,
    places: Any,
    input: Any,
    output: Any,
    verdicts: Any,
) -> Any:
    """Whether the best label of each text is one of its own: ``RIGHT``, ``WRONG``, or ``NOTHING``
    where it has no label or no feature; see ``classify`` for the arguments."""
    longest = _longest(offsets, first, last)
    features = np.empty(longest * ngrams, np.int32)
    words, labels = np.empty(longest, np.uint64), np.empty(longest, np.int32)
    scores = np.empty(output.shape[0], np.float32)
    hidden = np.empty(output.shape[1], np.float32)
    for text in range(first, last):
        verdicts[text] = NOTHING
        count, labelled = _read(
            tokens, offsets[text], offsets[text + 1], rows, hashes, first_row, buckets, ngrams,
            features, words, labels,
        )  # fmt: skip
        if count == 0 or labelled == 0:
            continue
        _hidden(input, places, features, count, hidden)
        best = _scores(hidden, output, scores)
        verdicts[text] = WRONG
        for place in range(labelled):
            if labels[place] == best:
                verdicts[text] = RIGHT
