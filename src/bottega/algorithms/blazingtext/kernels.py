"""The inner loops of BlazingText.

All of them work on the same arrays: ``tokens`` are numbers of words one after another, ``offsets``
where each line begins in them (and where the last one ends). A call takes the lines ``first`` to
``last``; several threads may work on different lines of the same matrices at a time, without locks:
an update that is lost now and then does no harm to stochastic gradient descent.

``input`` holds the vectors that are learned for, ``output`` those that predict. The vector of a
word is the mean of some rows of ``input``, its pieces: its own row and, with subwords, the rows of
its character n-grams.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

LONGEST_LINE = 1000
"""The most tokens of a line that the kernels of word vectors take."""
SIGMOID_LIMIT = 8
"""Beyond it the logistic function is taken as 0 or 1."""
SIGMOID_STEPS = 64
"""Entries of the table of the logistic function for each unit."""

_LIMIT = np.float32(SIGMOID_LIMIT)
_STEPS = np.float32(SIGMOID_STEPS)
_MULTIPLIER = np.uint64(6364136223846793005)
_INCREMENT = np.uint64(1442695040888963407)
_HALF = np.uint64(32)


@kernel("uint64(uint64)")
def _next(state: Any) -> Any:
    """The next state of the random numbers, of which the upper half is used."""
    return state * _MULTIPLIER + _INCREMENT


@kernel("uint64(uint64, uint64)")
def _below(state: Any, limit: Any) -> Any:
    """A random number from 0 to ``limit - 1``; the limit has at most 32 bits."""
    return ((state >> _HALF) * limit) >> _HALF


@kernel("Tuple((int64, uint64))(int32[::1], int64, int64, uint32[::1], int32[::1], uint64)")
def _subsample(tokens: Any, start: Any, stop: Any, keep: Any, kept: Any, state: Any) -> Any:
    """Leave out frequent words by chance; how many are kept, and the random state."""
    count = 0
    for place in range(start, stop):
        word = tokens[place]
        state = _next(state)
        if np.uint32(state >> _HALF) <= keep[word]:
            kept[count] = word
            count += 1
    return count, state


@kernel("Tuple((int32, uint64))(uint32[::1], int32[::1], uint64)")
def _negative(chances: Any, aliases: Any, state: Any) -> Any:
    """Draw a word in proportion to the noise distribution (Walker's alias method)."""
    state = _next(state)
    word = np.int32(_below(state, np.uint64(chances.shape[0])))
    state = _next(state)
    if np.uint32(state >> _HALF) > chances[word]:
        word = aliases[word]
    return word, state


@kernel(
    "uint64(float32[::1], float32[::1], float32[::1], int32[::1], int64, int64, int64,"
    " float32[:, ::1], uint32[::1], int32[::1], float32[::1], int64, float32, uint64)"
)
def _predict_words(
    hidden: Any,
    change: Any,
    gradient: Any,
    targets: Any,
    begin: Any,
    end: Any,
    skipped: Any,
    output: Any,
    chances: Any,
    aliases: Any,
    logistic: Any,
    negatives: Any,
    rate: Any,
    state: Any,
) -> Any:
    """Predict the words from ``begin`` to ``end``, without ``skipped``, from the vector ``hidden``.

    It moves with each of them, and ``change`` becomes the sum of its moves. Nearly all of the time
    is spent here, which is why the loops call nothing.
    """
    dimensions = hidden.shape[0]
    size = np.uint64(output.shape[0])
    for d in range(dimensions):
        change[d] = 0
    for place in range(begin, end):
        if place == skipped:
            continue
        target = targets[place]
        for d in range(dimensions):
            gradient[d] = 0
        for number in range(negatives + 1):
            word, wanted = target, np.float32(1)
            if number > 0:
                # As _negative does.
                state = state * _MULTIPLIER + _INCREMENT
                word = np.int32(((state >> _HALF) * size) >> _HALF)
                state = state * _MULTIPLIER + _INCREMENT
                if np.uint32(state >> _HALF) > chances[word]:
                    word = aliases[word]
                if word == target:
                    continue
                wanted = np.float32(0)
            row = output[word]
            product = np.float32(0)
            for d in range(dimensions):
                product += hidden[d] * row[d]
            # What is not a number, as too large a rate gives, must not look into the table.
            if -_LIMIT < product < _LIMIT:
                found = logistic[np.int32((product + _LIMIT) * _STEPS)]
            else:
                found = np.float32(1) if product >= _LIMIT else np.float32(0)
            step = (wanted - found) * rate
            for d in range(dimensions):
                value = row[d]
                gradient[d] += step * value
                row[d] = value + step * hidden[d]
        for d in range(dimensions):
            hidden[d] += gradient[d]
            change[d] += gradient[d]
    return state


@kernel("void(float32[:, ::1], int32[::1], int64, int64, float32[::1])")
def _mean(input: Any, pieces: Any, begin: Any, end: Any, mean: Any) -> Any:
    row = input[pieces[begin]]
    for d in range(mean.shape[0]):
        mean[d] = row[d]
    if end - begin > 1:
        for piece in range(begin + 1, end):
            row = input[pieces[piece]]
            for d in range(mean.shape[0]):
                mean[d] += row[d]
        scale = np.float32(1) / np.float32(end - begin)
        for d in range(mean.shape[0]):
            mean[d] *= scale


@kernel("void(float32[:, ::1], int32[::1], int64, int64, float32[::1])")
def _move(input: Any, pieces: Any, begin: Any, end: Any, change: Any) -> Any:
    for piece in range(begin, end):
        row = input[pieces[piece]]
        for d in range(change.shape[0]):
            row[d] += change[d]


_WORD_VECTORS = (
    "int64(int32[::1], int64[::1], int64, int64, float32[:, ::1], float32[:, ::1], int64[::1],"
    " int32[::1], uint32[::1], uint32[::1], int32[::1], float32[::1], int64, int64, float32, uint64"
)


@kernel(_WORD_VECTORS + ")")
def skipgram(
    tokens: Any,
    offsets: Any,
    first: Any,
    last: Any,
    input: Any,
    output: Any,
    piece_offsets: Any,
    pieces: Any,
    keep: Any,
    chances: Any,
    aliases: Any,
    logistic: Any,
    window: Any,
    negatives: Any,
    rate: Any,
    state: Any,
) -> Any:
    """Predict each word around a word from the vector of that word.

    Args:
        tokens: see the module.
        offsets: likewise.
        first: likewise.
        last: likewise.
        input: pieces x dimensions.
        output: words x dimensions.
        piece_offsets: where the pieces of each word begin in ``pieces``.
        pieces: rows of ``input``.
        keep: the chance of each word to be kept, of 2**32 - 1.
        chances: the alias method's threshold for each word, of 2**32 - 1.
        aliases: and the word that is taken above it.
        logistic: the table of the logistic function.
        window: the most words to each side.
        negatives: how many words are drawn beside each that is right.
        rate: the learning rate.
        state: of the random numbers.

    Returns:
        How many words were kept.
    """
    dimensions = input.shape[1]
    kept = np.empty(LONGEST_LINE, np.int32)
    hidden = np.empty(dimensions, np.float32)
    change = np.empty(dimensions, np.float32)
    gradient = np.empty(dimensions, np.float32)
    total = 0
    for line in range(first, last):
        count, state = _subsample(tokens, offsets[line], offsets[line + 1], keep, kept, state)
        total += count
        for place in range(count):
            state = _next(state)
            reach = 1 + np.int64(_below(state, np.uint64(window)))
            low: Any = max(0, place - reach)
            high: Any = min(count, place + reach + 1)
            if high - low < 2:
                continue
            word = kept[place]
            begin, end = piece_offsets[word], piece_offsets[word + 1]
            _mean(input, pieces, begin, end, hidden)
            # All pieces move by the gradient, and so does their mean.
            state = _predict_words(
                hidden, change, gradient, kept, low, high, place, output, chances, aliases,
                logistic, negatives, rate, state,
            )  # fmt: skip
            _move(input, pieces, begin, end, change)
    return total


@kernel(_WORD_VECTORS + ")")
def cbow(
    tokens: Any,
    offsets: Any,
    first: Any,
    last: Any,
    input: Any,
    output: Any,
    piece_offsets: Any,
    pieces: Any,
    keep: Any,
    chances: Any,
    aliases: Any,
    logistic: Any,
    window: Any,
    negatives: Any,
    rate: Any,
    state: Any,
) -> Any:
    """Predict each word from the mean of all pieces of the words around it; see ``skipgram``."""
    dimensions = input.shape[1]
    kept = np.empty(LONGEST_LINE, np.int32)
    hidden = np.empty(dimensions, np.float32)
    change = np.empty(dimensions, np.float32)
    gradient = np.empty(dimensions, np.float32)
    total = 0
    for line in range(first, last):
        count, state = _subsample(tokens, offsets[line], offsets[line + 1], keep, kept, state)
        total += count
        for place in range(count):
            state = _next(state)
            reach = 1 + np.int64(_below(state, np.uint64(window)))
            low: Any = max(0, place - reach)
            high: Any = min(count, place + reach + 1)
            if high - low < 2:
                continue
            hidden[:] = 0
            parts = 0
            for other in range(low, high):
                if other == place:
                    continue
                word = kept[other]
                for piece in range(piece_offsets[word], piece_offsets[word + 1]):
                    row = input[pieces[piece]]
                    parts += 1
                    for d in range(dimensions):
                        hidden[d] += row[d]
            scale = np.float32(1) / np.float32(parts)
            for d in range(dimensions):
                hidden[d] *= scale
            state = _predict_words(
                hidden, change, gradient, kept, place, place + 1, -1, output, chances, aliases,
                logistic, negatives, rate, state,
            )  # fmt: skip
            for other in range(low, high):
                if other != place:
                    word = kept[other]
                    _move(input, pieces, piece_offsets[word], piece_offsets[word + 1], change)
    return total


@kernel(
    "uint64(float32[:, ::1], float32[:, ::1], int32[::1], int32[::1], int64, int32[::1],"
    " float32[:, ::1], float32[:, ::1], float32[:, ::1], uint32[::1], int32[::1], float32[::1],"
    " float32, uint64)"
)
def _predict_batch(
    input: Any,
    output: Any,
    sources: Any,
    targets: Any,
    count: Any,
    drawn: Any,
    inputs: Any,
    noise: Any,
    steps: Any,
    chances: Any,
    aliases: Any,
    logistic: Any,
    rate: Any,
    state: Any,
) -> Any:
    """One batch: all products with the vectors as they are, then all updates."""
    dimensions = input.shape[1]
    negatives = drawn.shape[0]
    for number in range(negatives):
        word, state = _negative(chances, aliases, state)
        drawn[number] = word
        vector, row = noise[number], output[word]
        for d in range(dimensions):
            vector[d] = row[d]
    for pair in range(count):
        vector = inputs[pair]
        row = input[sources[pair]]
        for d in range(dimensions):
            vector[d] = row[d]
        for number in range(negatives + 1):
            row = noise[number] if number < negatives else output[targets[pair]]
            product = np.float32(0)
            for d in range(dimensions):
                product += vector[d] * row[d]
            # What is not a number must not look into the table.
            if -_LIMIT < product < _LIMIT:
                found = logistic[np.int32((product + _LIMIT) * _STEPS)]
            else:
                found = np.float32(1) if product >= _LIMIT else np.float32(0)
            if number == negatives:
                steps[pair, number] = (np.float32(1) - found) * rate
            elif drawn[number] == targets[pair]:
                steps[pair, number] = 0
            else:
                steps[pair, number] = -found * rate
    for pair in range(count):
        source, target, vector = input[sources[pair]], output[targets[pair]], inputs[pair]
        step = steps[pair, negatives]
        for d in range(dimensions):
            value = target[d]
            source[d] += step * value
            target[d] = value + step * vector[d]
        for number in range(negatives):
            step = steps[pair, number]
            row = noise[number]
            for d in range(dimensions):
                source[d] += step * row[d]
    for number in range(negatives):
        row = output[drawn[number]]
        for pair in range(count):
            step, vector = steps[pair, number], inputs[pair]
            for d in range(dimensions):
                row[d] += step * vector[d]
    return state


@kernel(_WORD_VECTORS + ", int64)")
def batch_skipgram(
    tokens: Any,
    offsets: Any,
    first: Any,
    last: Any,
    input: Any,
    output: Any,
    piece_offsets: Any,
    pieces: Any,
    keep: Any,
    chances: Any,
    aliases: Any,
    logistic: Any,
    window: Any,
    negatives: Any,
    rate: Any,
    state: Any,
    size: Any,
) -> Any:
    """Skip-gram in batches that share the words drawn: products of small matrices.

    A batch has the words around one word, and those around the next ones where they still fit; it
    is cut at ``size`` pairs. A word has one piece here. See ``skipgram`` for the arguments.
    """
    kept = np.empty(LONGEST_LINE, np.int32)
    sources = np.empty(size, np.int32)
    targets = np.empty(size, np.int32)
    drawn = np.empty(negatives, np.int32)
    inputs = np.empty((size, input.shape[1]), np.float32)
    noise = np.empty((negatives, input.shape[1]), np.float32)
    steps = np.empty((size, negatives + 1), np.float32)
    total = 0
    for line in range(first, last):
        count, state = _subsample(tokens, offsets[line], offsets[line + 1], keep, kept, state)
        total += count
        filled = 0
        for place in range(count):
            state = _next(state)
            reach = 1 + np.int64(_below(state, np.uint64(window)))
            low: Any = max(0, place - reach)
            high: Any = min(count, place + reach + 1)
            for other in range(low, high):
                if other == place:
                    continue
                sources[filled] = kept[other]
                targets[filled] = kept[place]
                filled += 1
                if filled == size:
                    state = _predict_batch(
                        input, output, sources, targets, filled, drawn, inputs, noise, steps,
                        chances, aliases, logistic, rate, state,
                    )  # fmt: skip
                    filled = 0
            if filled > 0 and (filled + 2 * window > size or place == count - 1):
                state = _predict_batch(
                    input, output, sources, targets, filled, drawn, inputs, noise, steps, chances,
                    aliases, logistic, rate, state,
                )  # fmt: skip
                filled = 0
    return total
