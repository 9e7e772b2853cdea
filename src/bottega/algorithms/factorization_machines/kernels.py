"""The compiled loops of Factorization Machines.

A batch is a CSR matrix; ``d`` is the number of features and ``f`` that of factors. The margin of a
row is ``b + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j``, and the last sum is half of
``|s|^2 - sum_i |v_i x_i|^2`` with ``s = sum_i v_i x_i``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

FIRST, SECOND = 0.9, 0.999
"""How much of the running means of gradients, and of their squares, each step keeps."""
_ZERO, _HALF = np.float32(0), np.float32(0.5)


@kernel(
    "void(int32[::1], int32[::1], float32[::1], int64, int64, float32, float32[::1],"
    " float32[:, ::1], float32[:, ::1], float32[::1])"
)
def forward(
    pointers: Any,
    indices: Any,
    values: Any,
    start: int,
    stop: int,
    bias: Any,
    linear: Any,
    factors: Any,
    sums: Any,
    margins: Any,
) -> None:
    """The margins of the rows from ``start`` to ``stop``.

    Args:
        pointers: n + 1.
        indices: of each value, its feature.
        values: that are not zero.
        start: the first row.
        stop: the row after the last.
        bias: b.
        linear: d, w.
        factors: d x f, v.
        sums: n x f, written: s.
        margins: n, written.
    """
    width = factors.shape[1]
    for row in range(start, stop):
        for f in range(width):
            sums[row, f] = _ZERO
        margin, own = bias, _ZERO
        for place in range(pointers[row], pointers[row + 1]):
            feature, value = indices[place], values[place]
            margin += linear[feature] * value
            for f in range(width):
                part = factors[feature, f] * value
                sums[row, f] += part
                own += part * part
        both = _ZERO
        for f in range(width):
            both += sums[row, f] * sums[row, f]
        margins[row] = margin + _HALF * (both - own)


@kernel(
    "int64(int32[::1], int32[::1], float32[::1], int64, int64, int32[::1], int32[::1], int64[::1],"
    " int32[::1], float32[::1])"
)
def turn(
    pointers: Any,
    indices: Any,
    values: Any,
    start: int,
    stop: int,
    slots: Any,
    features: Any,
    begins: Any,
    rows: Any,
    turned: Any,
) -> Any:
    """The rows from ``start`` to ``stop`` by their features: only those that occur, in that order.

    Args:
        pointers: n + 1.
        indices: of each value, its feature.
        values: that are not zero.
        start: the first row.
        stop: the row after the last.
        slots: d, -1 everywhere before and after.
        features: at least as many as values, written: the features that occur.
        begins: one longer, written: where the values of each begin, and the end.
        rows: as many as values, written: the row of each value.
        turned: as many as values, written: the values, by their feature.

    Returns:
        How many features occur.
    """
    count = 0
    for place in range(pointers[start], pointers[stop]):
        feature = indices[place]
        slot = slots[feature]
        if slot < 0:
            slot = count
            slots[feature] = slot
            features[slot] = feature
            begins[slot] = 0
            count += 1
        begins[slot] += 1
    end = 0
    for slot in range(count):
        end += begins[slot]
        begins[slot] = end
    begins[count] = end
    # From the back, so that the rows of each feature come in order.
    for row in range(stop - 1, start - 1, -1):
        for place in range(pointers[row + 1] - 1, pointers[row] - 1, -1):
            slot = slots[indices[place]]
            begins[slot] -= 1
            rows[begins[slot]] = row
            turned[begins[slot]] = values[place]
    for slot in range(count):
        slots[features[slot]] = -1
    return count


@kernel(
    "void(int32[::1], int64[::1], int32[::1], float32[::1], int64, int64, float32[::1],"
    " float32[:, ::1], float32[::1], float32[:, ::1], float32[:, ::1], float32[:, ::1],"
    " float32[:, ::1], float32[:, ::1], float32[::1], float32[::1])"
)
def update(
    features: Any,
    begins: Any,
    rows: Any,
    values: Any,
    start: int,
    stop: int,
    derivatives: Any,
    sums: Any,
    linear: Any,
    factors: Any,
    linear_first: Any,
    linear_second: Any,
    factors_first: Any,
    factors_second: Any,
    linear_rates: Any,
    factors_rates: Any,
) -> None:
    """Move the weights of the features from ``start`` to ``stop`` by one step of Adam.

    Args:
        features: the features of the batch, as ``turn`` found them.
        begins: where the values of each begin.
        rows: the row of each value.
        values: by feature.
        start: the first of the features.
        stop: the one after the last.
        derivatives: of the loss by the margin, n, with the rescaling in them.
        sums: n x f, s.
        linear: d, changed.
        factors: d x f, changed.
        linear_first: 1 x d, the running mean of the gradients, changed.
        linear_second: 1 x d, that of their squares, changed.
        factors_first: d x f, the same for the factors, changed.
        factors_second: d x f, changed.
        linear_rates: the step size with its correction, the weight decay, the bound of a gradient,
            and epsilon.
        factors_rates: the same for the factors.
    """
    keep_first, keep_second = np.float32(FIRST), np.float32(SECOND)
    add_first, add_second = np.float32(1 - FIRST), np.float32(1 - SECOND)
    step, decay, bound, epsilon = (
        factors_rates[0],
        factors_rates[1],
        factors_rates[2],
        factors_rates[3],
    )
    width = factors.shape[1]
    gradient = np.empty(width, np.float32)
    for slot in range(start, stop):
        feature = features[slot]
        for f in range(width):
            gradient[f] = _ZERO
        slope, own = _ZERO, _ZERO
        for place in range(begins[slot], begins[slot + 1]):
            row, value = rows[place], values[place]
            pull = derivatives[row] * value
            slope += pull
            own += pull * value
            for f in range(width):
                gradient[f] += pull * sums[row, f]
        for f in range(width):
            weight = factors[feature, f]
            found = gradient[f] - own * weight + decay * weight
            found = found if found < bound else bound
            found = found if found > -bound else -bound
            first = keep_first * factors_first[feature, f] + add_first * found
            second = keep_second * factors_second[feature, f] + add_second * found * found
            factors_first[feature, f] = first
            factors_second[feature, f] = second
            factors[feature, f] = weight - step * first / (np.sqrt(second) + epsilon)
        weight = linear[feature]
        slope += linear_rates[1] * weight
        slope = min(max(slope, -linear_rates[2]), linear_rates[2])
        first = keep_first * linear_first[0, feature] + add_first * slope
        second = keep_second * linear_second[0, feature] + add_second * slope * slope
        linear_first[0, feature] = first
        linear_second[0, feature] = second
        linear[feature] = weight - linear_rates[0] * first / (np.sqrt(second) + linear_rates[3])


@kernel("float64(float32[::1], float32[::1], int64, int64, boolean, float64, float32[::1])")
def differentiate(
    margins: Any,
    labels: Any,
    start: int,
    stop: int,
    binary: bool,
    scale: float,
    derivatives: Any,
) -> Any:
    """The derivatives of the loss by the margins of the rows from ``start`` to ``stop``.

    Args:
        margins: n.
        labels: n.
        start: the first row.
        stop: the row after the last.
        binary: whether the loss is that of classes 0 and 1; else it is half the squared error.
        scale: what derivatives are multiplied by; 0 for 1 over the rows.
        derivatives: n, written.

    Returns:
        Their sum.
    """
    factor = scale if scale > 0 else 1.0 / (stop - start)
    total = 0.0
    for row in range(start, stop):
        said = float(margins[row])
        if binary:
            power = math.exp(-abs(said))
            said = (1.0 if said >= 0 else power) / (1.0 + power)
        found = (said - labels[row]) * factor
        derivatives[row] = found
        total += found
    return total


@kernel("void(float32[::1], float64[::1], float64, float64, float64[::1])")
def update_bias(bias: Any, moments: Any, slope: float, correction: float, rates: Any) -> None:
    """Move the bias by one step of Adam.

    Args:
        bias: 1, changed.
        moments: the running means of its gradients and of their squares, changed.
        slope: the gradient.
        correction: of the step size, for moments that begin at 0.
        rates: learning rate, weight decay, bound of a gradient, epsilon.
    """
    slope = min(max(slope + rates[1] * bias[0], -rates[2]), rates[2])
    moments[0] = FIRST * moments[0] + (1 - FIRST) * slope
    moments[1] = SECOND * moments[1] + (1 - SECOND) * slope * slope
    bias[0] -= rates[0] * correction * moments[0] / (math.sqrt(moments[1]) + rates[3])


@kernel("float64(int64)")
def correction_of(step: int) -> Any:
    """What the step size is multiplied by, for moments that began at 0 some steps ago."""
    return math.sqrt(1.0 - SECOND**step) / (1.0 - FIRST**step)


@kernel(
    "int64(int32[::1], int32[::1], float32[::1], float32[::1], int64, int64, boolean, float64,"
    " float64[:, ::1], int32[::1], float32[::1], float32[::1], float32[:, ::1], float64[::1],"
    " float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[::1])"
)
def learn_many(
    pointers: Any,
    indices: Any,
    values: Any,
    labels: Any,
    size: int,
    step: int,
    binary: bool,
    scale: float,
    rates: Any,
    slots: Any,
    bias: Any,
    linear: Any,
    factors: Any,
    bias_moments: Any,
    linear_first: Any,
    linear_second: Any,
    factors_first: Any,
    factors_second: Any,
    margins: Any,
) -> Any:
    """Learn from rows by the batch, one after the other: for batches too small to be shared out.

    Args:
        pointers: n + 1.
        indices: of each value, its feature.
        values: that are not zero.
        labels: n.
        size: how many rows a batch has.
        step: how many steps were made before.
        binary: as in ``differentiate``.
        scale: as in ``differentiate``.
        rates: of the bias, the linear weights and the factors: learning rate, weight decay, bound
            of a gradient, epsilon.
        slots: d, -1 everywhere before and after.
        bias: 1, changed.
        linear: d, changed.
        factors: d x f, changed.
        bias_moments: 2, changed.
        linear_first: 1 x d, changed.
        linear_second: 1 x d, changed.
        factors_first: d x f, changed.
        factors_second: d x f, changed.
        margins: n, written: before the rows were learned from.

    Returns:
        How many steps were made; fewer than there are batches when a derivative is not finite.
    """
    count = labels.size
    widest = 0
    for start in range(0, count, size):
        widest = max(widest, pointers[min(start + size, count)] - pointers[start])
    features = np.empty(widest, np.int32)
    begins = np.empty(widest + 1, np.int64)
    value_rows = np.empty(widest, np.int32)
    turned = np.empty(widest, np.float32)
    sums = np.empty((count, factors.shape[1]), np.float32)
    derivatives = np.empty(count, np.float32)
    single = np.empty((2, 4), np.float32)
    steps = 0
    for start in range(0, count, size):
        stop = min(start + size, count)
        forward(pointers, indices, values, start, stop, bias[0], linear, factors, sums, margins)
        slope = differentiate(margins, labels, start, stop, binary, scale, derivatives)
        if not math.isfinite(slope):
            break
        steps += 1
        correction = correction_of(step + steps)
        for part in range(2):
            for number in range(4):
                single[part, number] = rates[part + 1, number]
            single[part, 0] = rates[part + 1, 0] * correction
        met = turn(
            pointers, indices, values, start, stop, slots, features, begins, value_rows, turned
        )
        update(
            features,
            begins,
            value_rows,
            turned,
            0,
            met,
            derivatives,
            sums,
            linear,
            factors,
            linear_first,
            linear_second,
            factors_first,
            factors_second,
            single[0],
            single[1],
        )
        update_bias(bias, bias_moments, slope, correction, rates[0])
    return steps
