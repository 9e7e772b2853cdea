"""The compiled loop that predicts with the trees of an XGBoost model.

It does what the library does, in the same order and precision, so that its numbers are the same to
the last bit: a row's margin is a ``float32`` sum over the trees in their order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

IDENTITY, SIGMOID, EXPONENTIAL, SOFTMAX, LARGEST, SIGN = range(6)
"""What becomes of the margins."""

SIDE = 16
"""How many trees, or rows, a loop takes side by side."""
_FEW_ROWS = 8
"""For fewer rows trees are taken side by side, for more of them rows."""
_ZERO, _ONE = np.float32(0), np.float32(1)
_NEGATIVE_ZERO, _MAGNITUDE = np.int32(-(2**31)), np.int32(2**31 - 1)
_TINY, _FAR = np.float32(1e-16), np.float32(88.7)


@kernel("int32(int32)", inline="always")
def _key(bits: Any) -> Any:
    """The bits of a ``float32`` as an integer, so that integers are in the order of the numbers.
    Zero has two spellings, which are one number."""
    if bits == _NEGATIVE_ZERO:
        return np.int32(0)
    return bits ^ ((bits >> 31) & _MAGNITUDE)


@kernel("void(float32[::1])", fastmath=False)
def logarithms(numbers: Any) -> None:
    """Put the logarithm of each number into its place. It is the C library's, which the library
    calls, too; numpy's, and the nearest ``float32``, differ from it in the last bit at times."""
    for place in range(len(numbers)):
        numbers[place] = math.log(numbers[place])


@kernel("void(float32[:, ::1], int64)", fastmath=False)
def transform(out: Any, transformation: int) -> None:
    """Make the answers of the margins, in their place.

    Args:
        out: n x outputs; with ``LARGEST`` only its first column counts afterwards.
        transformation: one of the constants above.
    """
    outputs = out.shape[1]
    for row in range(out.shape[0]):
        if transformation == SIGMOID:
            for output in range(outputs):
                power = math.exp(min(-out[row, output], _FAR))
                out[row, output] = _ONE / (power + _ONE + _TINY)
        elif transformation == EXPONENTIAL:
            for output in range(outputs):
                out[row, output] = math.exp(out[row, output])
        elif transformation == SOFTMAX:
            largest = out[row, 0]
            for output in range(1, outputs):
                largest = max(largest, out[row, output])
            total = 0.0
            for output in range(outputs):
                out[row, output] = math.exp(out[row, output] - largest)
                total += out[row, output]
            for output in range(outputs):
                out[row, output] /= np.float32(total)
        elif transformation == LARGEST:
            best = 0
            for output in range(1, outputs):
                if out[row, output] > out[row, best]:
                    best = output
            out[row, 0] = np.float32(best)
        elif transformation == SIGN:
            for output in range(outputs):
                out[row, output] = _ONE if out[row, output] > _ZERO else _ZERO


@kernel(
    "void(float32[:, ::1], float32[::1], int32[::1], int32[::1], int32[::1], int32[::1],"
    " int32[::1], float32[::1], int64, float32[:, ::1])",
    fastmath=False,
)
def predict(
    rows: Any,
    values: Any,
    tests: Any,
    children: Any,
    roots: Any,
    depths: Any,
    groups: Any,
    base: Any,
    transformation: int,
    out: Any,
) -> None:
    """Predict some rows.

    Args:
        rows: n x features; NaN is a missing value.
        values: for each node, what its feature is compared with, or the value of a leaf.
        tests: for each node, its feature times 4, plus 2 where a missing value goes to the right,
            plus 1 where it is no leaf.
        children: for each node, its left child, which the right one follows; a leaf's is itself.
        roots: for each tree, its first node.
        depths: for each tree, how many nodes are passed on the longest way to a leaf.
        groups: for each tree, the output that it adds to.
        base: for each output, where its margin begins.
        transformation: one of the constants above.
        out: n x outputs, written; with ``LARGEST`` only its first column counts.
    """
    trees = roots.shape[0]
    outputs = base.shape[0]
    at = np.empty(4, np.int32)
    for row in range(rows.shape[0]):
        for output in range(outputs):
            out[row, output] = base[output]
    tree = 0
    while tree < trees:
        # Four trees at a time, for all rows: the processor waits for their nodes together, and
        # finds them nearby for the next row.
        side = min(4, trees - tree)
        depth = 0
        for number in range(side):
            depth = max(depth, depths[tree + number])
        for row in range(rows.shape[0]):
            for number in range(4):
                at[number] = roots[tree + number] if number < side else roots[tree]
            first, second, third, fourth = at[0], at[1], at[2], at[3]
            for _ in range(depth):
                test = tests[first]
                value = rows[row, test >> 2]
                right = (value >= values[first]) | ((value != value) & ((test & 2) != 0))
                first = children[first] + (test & 1 & np.int32(right))
                test = tests[second]
                value = rows[row, test >> 2]
                right = (value >= values[second]) | ((value != value) & ((test & 2) != 0))
                second = children[second] + (test & 1 & np.int32(right))
                test = tests[third]
                value = rows[row, test >> 2]
                right = (value >= values[third]) | ((value != value) & ((test & 2) != 0))
                third = children[third] + (test & 1 & np.int32(right))
                test = tests[fourth]
                value = rows[row, test >> 2]
                right = (value >= values[fourth]) | ((value != value) & ((test & 2) != 0))
                fourth = children[fourth] + (test & 1 & np.int32(right))
            at[0], at[1], at[2], at[3] = first, second, third, fourth
            for number in range(side):
                out[row, groups[tree + number]] += values[at[number]]
        tree += 4
    transform(out, transformation)


@kernel(
    "boolean(float32[:, ::1], int32[::1], int32[::1], float32[::1], int64, int32[::1],"
    " float32[::1], int64, float32[:, ::1])",
    fastmath=False,
)
def predict_complete(
    rows: Any,
    features: Any,
    keys: Any,
    leaves: Any,
    depth: int,
    groups: Any,
    base: Any,
    transformation: int,
    out: Any,
) -> bool:
    """Predict some rows with trees that are complete: every leaf is at the same depth, so that a
    node's place tells those of its children and nothing but comparisons is left to do.

    Numbers are compared as integers in the same order (``_key``), which the processor does faster.

    Args:
        rows: n x features.
        features: for each inner node of each tree, level by level, the feature it looks at; with
            :data:`SIDE` trees more than there are.
        keys: what that is compared with; the largest number where a row always goes to the left.
        leaves: for each leaf of each tree its value.
        depth: how many nodes are passed on the way to a leaf.
        groups: for each tree, the output that it adds to.
        base: for each output, where its margin begins.
        transformation: one of the constants above.
        out: n x outputs, written; with ``LARGEST`` only its first column counts.

    Returns:
        False, with nothing of use written, when a value is missing: the way of a missing value
        depends on the node, which this loop does not look at.
    """
    count, width = rows.shape
    trees, inner = groups.shape[0], (1 << depth) - 1
    bits = rows.view(np.int32)
    at = np.empty(SIDE, np.int32)
    for row in range(count):
        for output in range(base.shape[0]):
            out[row, output] = base[output]
    if count < _FEW_ROWS:
        own = np.empty(width, np.int32)
        for row in range(count):
            for feature in range(width):
                if rows[row, feature] != rows[row, feature]:
                    return False
                own[feature] = _key(bits[row, feature])
            for tree in range(0, trees, SIDE):
                # Several trees side by side: the processor waits for their nodes together.
                at[:] = 0
                for _ in range(depth):
                    for side in range(SIDE):
                        node = at[side] + np.int32((tree + side) * inner)
                        right = np.int32(own[features[node]] >= keys[node])
                        at[side] = 2 * at[side] + 1 + right
                for side in range(min(SIDE, trees - tree)):
                    leaf = (tree + side) * (inner + 1) + at[side] - inner
                    out[row, groups[tree + side]] += leaves[leaf]
    else:
        block = np.empty((width, SIDE), np.int32)
        for first in range(0, count, SIDE):
            some = min(SIDE, count - first)
            for side in range(SIDE):
                row = first + min(side, some - 1)
                for feature in range(width):
                    if rows[row, feature] != rows[row, feature]:
                        return False
                    block[feature, side] = _key(bits[row, feature])
            for tree in range(trees):
                start = np.int32(tree * inner)
                at[:] = 0
                for _ in range(depth):
                    for side in range(SIDE):
                        node = at[side] + start
                        right = np.int32(block[features[node], side] >= keys[node])
                        at[side] = 2 * at[side] + 1 + right
                for side in range(some):
                    leaf = tree * (inner + 1) + at[side] - inner
                    out[first + side, groups[tree]] += leaves[leaf]
    transform(out, transformation)
    return True
