"""The compiled loops of Linear Learner.

``P`` is the number of columns: one for each class of each of the models that train side by side.
Arrays of weights have a row for each feature and a last one for the bias, ``d + 1`` in all.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

_LOGARITHM_EVERY = 512
_ZERO, _ONE = np.float32(0), np.float32(1)


@kernel(
    "void(int64[::1], int32[::1], float32[::1], float32[::1], float32[:, ::1], float32[:, ::1])"
)
def sparse_forward(
    pointers: Any, indices: Any, values: Any, scale: Any, weights: Any, margins: Any
) -> None:
    """Add the product of CSR rows and weights to ``margins``, with each feature scaled."""
    columns = margins.shape[1]
    for row in range(margins.shape[0]):
        for place in range(pointers[row], pointers[row + 1]):
            feature = indices[place]
            value = values[place] * scale[feature]
            for column in range(columns):
                margins[row, column] += value * weights[feature, column]


@kernel(
    "int64(int64[::1], int32[::1], float32[::1], float32[::1], float32[:, ::1], float32[:, ::1],"
    " int64, int64, int64[::1], int64, int64[::1], int64)"
)
def sparse_backward(
    pointers: Any,
    indices: Any,
    values: Any,
    scale: Any,
    derivatives: Any,
    gradient: Any,
    start: int,
    stop: int,
    marks: Any,
    mark: int,
    touched: Any,
    count: int,
) -> Any:
    """Add the product of transposed CSR rows and ``derivatives`` to ``gradient``.

    Only columns from ``start`` to ``stop`` are looked at, so that several threads can share them.
    Features that are met for the first time under this ``mark`` are appended to ``touched``, of
    which the first ``count`` are there, unless the mark is 0; returns the new count.
    """
    for row in range(derivatives.shape[0]):
        for place in range(pointers[row], pointers[row + 1]):
            feature = indices[place]
            if mark and marks[feature] != mark:
                marks[feature] = mark
                touched[count] = feature
                count += 1
            value = values[place] * scale[feature]
            for column in range(start, stop):
                gradient[feature, column] += value * derivatives[row, column]
    return count


@kernel(
    "void(float32[:, ::1], float32[:, ::1], float32[::1], float32[::1], float64[::1], float64[::1])"
)
def logistic(
    margins: Any, powers: Any, labels: Any, positive: Any, losses: Any, weights: Any
) -> None:
    """Turn margins into derivatives of the logistic loss, and add the losses up by column.

    Args:
        margins: rows x P; overwritten.
        powers: ``exp(-abs(margins))``.
        labels: 0 or 1 for each row.
        positive: for each column, what a row of label 1 weighs.
        losses: the sum of weighted losses by column is added here.
        weights: and that of weights here.
    """
    rows, columns = margins.shape
    # A product of many numbers between 1 and 2 needs one logarithm only.
    products = np.ones((2, columns))
    since = 0
    for row in range(rows):
        is_one = labels[row] > _ZERO
        which = 1 if is_one else 0
        for column in range(columns):
            margin, power = margins[row, column], powers[row, column]
            weight = positive[column] if is_one else _ONE
            # The probability of the other class, without cancellation.
            share = _ONE / (_ONE + power)
            likely = share if margin >= _ZERO else power * share
            unlikely = power * share if margin >= _ZERO else share
            away = max(-margin, _ZERO) if is_one else max(margin, _ZERO)
            losses[column] += weight * away
            weights[column] += weight
            products[which, column] *= _ONE + power
            margins[row, column] = -weight * unlikely if is_one else likely
        since += 1
        if since == _LOGARITHM_EVERY or row == rows - 1:
            for column in range(columns):
                losses[column] += math.log(products[0, column])
                losses[column] += positive[column] * math.log(products[1, column])
            products[:] = 1.0
            since = 0


@kernel("void(float32[:, ::1], float32[::1], int64, float32[:, ::1])")
def softmax_shift(margins: Any, labels: Any, models: int, true: Any) -> None:
    """Subtract each model's largest margin of each row; ``true`` gets what the label's becomes."""
    rows, columns = margins.shape
    classes = columns // models
    for row in range(rows):
        label = int(labels[row])
        for model in range(models):
            first = model * classes
            largest = margins[row, first]
            for column in range(first + 1, first + classes):
                largest = max(largest, margins[row, column])
            for column in range(first, first + classes):
                margins[row, column] -= largest
            true[row, model] = margins[row, first + label]


@kernel(
    "void(float32[:, ::1], float32[:, ::1], float32[::1], float32[::1], float64[::1], float64[::1])"
)
def softmax(
    powers: Any, true: Any, labels: Any, class_weights: Any, losses: Any, weights: Any
) -> None:
    """Turn powers of shifted margins into derivatives of the cross entropy, and add losses up.

    Args:
        powers: rows x P, ``exp`` of what :func:`softmax_shift` left; overwritten.
        true: rows x models, from there too.
        labels: the class of each row.
        class_weights: what a row of each class weighs.
        losses: the sum of weighted losses by model is added here.
        weights: and that of weights here.
    """
    rows, models = true.shape
    classes = powers.shape[1] // models
    for row in range(rows):
        label = int(labels[row])
        weight = class_weights[label]
        for model in range(models):
            first = model * classes
            total = _ZERO
            for column in range(first, first + classes):
                total += powers[row, column]
            losses[model] += weight * (math.log(total) - true[row, model])
            weights[model] += weight
            share = weight / total
            for column in range(first, first + classes):
                powers[row, column] *= share
            powers[row, first + label] -= weight


@kernel(
    "void(int64[::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1],"
    " int64[::1], int64[::1], boolean[::1], int64, float32, float32[:, ::1], float32[:, ::1],"
    " float32[:, ::1], float32, float32)"
)
def adaptive_update(
    rows: Any,
    weights: Any,
    gradient: Any,
    means: Any,
    squares: Any,
    counts: Any,
    last: Any,
    seen: Any,
    step: int,
    share: Any,
    rates: Any,
    decays: Any,
    shrinks: Any,
    beta_1: Any,
    beta_2: Any,
) -> None:
    """One step of Adam (of RMSprop with ``beta_1`` 0) on these rows; clears their gradient.

    The penalties are applied after the step, in the metric of the step, so that the L1 penalty
    gives weights that are exactly 0. A row that was left out of earlier steps makes up for their
    penalties, and its means are as old as the gradients it has had.

    Args:
        rows: which rows of the weights.
        weights: (d + 1) x P, as are gradient, means and squares.
        gradient: a sum over training rows.
        means: decaying mean of the gradient.
        squares: decaying mean of its square.
        counts: how many steps each row has had.
        last: the step each row had last.
        seen: set for rows that ever had a gradient.
        step: the number of this step, from 1.
        share: what to multiply the gradient by.
        rates: 2 x P: learning rates of features and of the bias.
        decays: 2 x P: L2 penalties.
        shrinks: 2 x P: L1 penalties.
        beta_1: decay of the means.
        beta_2: decay of the squares.
    """
    columns, bias = weights.shape[1], weights.shape[0] - 1
    tiny = np.float32(1e-8)
    for place in range(rows.shape[0]):
        row = rows[place]
        kind = 1 if row == bias else 0
        counts[row] += 1
        elapsed = np.float32(step - last[row])
        last[row] = step
        first = _ONE / (_ONE - np.float32(beta_1 ** counts[row]))
        second = _ONE / (_ONE - np.float32(beta_2 ** counts[row]))
        found = False
        for column in range(columns):
            slope = gradient[row, column] * share
            gradient[row, column] = _ZERO
            found = found or slope != _ZERO
            mean = beta_1 * means[row, column] + (_ONE - beta_1) * slope
            square = beta_2 * squares[row, column] + (_ONE - beta_2) * slope * slope
            means[row, column] = mean
            squares[row, column] = square
            size = rates[kind, column] / (np.float32(math.sqrt(square * second)) + tiny)
            weight = weights[row, column] - size * mean * first
            size *= elapsed
            shrink = size * shrinks[kind, column]
            weight = max(weight - shrink, _ZERO) + min(weight + shrink, _ZERO)
            weights[row, column] = weight / (_ONE + size * decays[kind, column])
        if found:
            seen[row] = True


@kernel(
    "void(int64[::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], int64[::1], boolean[::1],"
    " int64, float32, float32[:, ::1], float32[:, ::1], float32[:, ::1], float32)"
)
def momentum_update(
    rows: Any,
    weights: Any,
    gradient: Any,
    speeds: Any,
    last: Any,
    seen: Any,
    step: int,
    share: Any,
    rates: Any,
    decays: Any,
    shrinks: Any,
    momentum: Any,
) -> None:
    """One step of gradient descent with momentum on these rows; clears their gradient.

    Arguments are those of :func:`adaptive_update`; ``speeds`` is what goes on from step to step.
    """
    columns, bias = weights.shape[1], weights.shape[0] - 1
    lasting = _ONE / (_ONE - momentum)
    for place in range(rows.shape[0]):
        row = rows[place]
        kind = 1 if row == bias else 0
        elapsed = np.float32(step - last[row]) * lasting
        last[row] = step
        found = False
        for column in range(columns):
            slope = gradient[row, column] * share
            gradient[row, column] = _ZERO
            found = found or slope != _ZERO
            speed = momentum * speeds[row, column] + slope
            speeds[row, column] = speed
            size = rates[kind, column]
            weight = weights[row, column] - size * speed
            size *= elapsed
            shrink = size * shrinks[kind, column]
            weight = max(weight - shrink, _ZERO) + min(weight + shrink, _ZERO)
            weights[row, column] = weight / (_ONE + size * decays[kind, column])
        if found:
            seen[row] = True
