"""The compiled loops of K-Means.

Rows are compared by ``half - x . c`` with ``half = |c|^2 / 2``: it is least where the distance is.
``lanes`` below are rows that are worked on side by side, so that the processor's wide registers are
full whatever the number of features is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.algorithms.kernels import kernel

LANES = 64
NARROW = 128
"""The most features for which the lanes of a block stay in the processor's first cache; the matrix
product of BLAS is faster with more."""

_ACROSS = 32
_INFINITY = np.float32(np.inf)
_ZERO = np.float32(0)


@kernel(
    "void(float32[:, ::1], float32[::1], float32[:, ::1], float32[::1],"
    " float64[:, ::1], float64[::1], float64[::1])"
)
def narrow_totals(
    rows: Any, shift: Any, centers: Any, half: Any, sums: Any, counts: Any, squares: Any
) -> None:
    """Add each row, less ``shift``, to the totals of its nearest centre.

    Args:
        rows: n x d.
        shift: d.
        centers: K x d, of an even K; a centre whose ``half`` is infinite is nearest to nothing.
        half: K.
        sums: K x d, added to: the rows of each centre.
        counts: K, added to: how many they are.
        squares: K, added to: their squared lengths.
    """
    count, width = rows.shape
    lanes = np.empty((width, LANES), np.float32)
    first = np.empty(LANES, np.float32)
    second = np.empty(LANES, np.float32)
    best = np.empty(LANES, np.float32)
    nearest = np.empty(LANES, np.int32)
    norms = np.empty(LANES, np.float32)
    by_four = width // 4 * 4
    for start in range(0, count, LANES):
        block = min(LANES, count - start)
        for lane in range(block):
            norm = _ZERO
            for i in range(width):
                value = rows[start + lane, i] - shift[i]
                lanes[i, lane] = value
                norm += value * value
            norms[lane] = norm
        for lane in range(block, LANES):
            for i in range(width):
                lanes[i, lane] = _ZERO
        for lane in range(LANES):
            best[lane] = _INFINITY
            nearest[lane] = 0
        for j in range(0, half.size, 2):
            one, other = half[j], half[j + 1]
            for lane in range(LANES):
                first[lane] = one
                second[lane] = other
            for i in range(0, by_four, 4):
                a0, a1, a2, a3 = (
                    centers[j, i],
                    centers[j, i + 1],
                    centers[j, i + 2],
                    centers[j, i + 3],
                )
                b0, b1, b2, b3 = (
                    centers[j + 1, i],
                    centers[j + 1, i + 1],
                    centers[j + 1, i + 2],
                    centers[j + 1, i + 3],
                )
                for lane in range(LANES):
                    x0, x1 = lanes[i, lane], lanes[i + 1, lane]
                    x2, x3 = lanes[i + 2, lane], lanes[i + 3, lane]
                    first[lane] -= x0 * a0 + x1 * a1 + x2 * a2 + x3 * a3
                    second[lane] -= x0 * b0 + x1 * b1 + x2 * b2 + x3 * b3
            for i in range(by_four, width):
                a0, b0 = centers[j, i], centers[j + 1, i]
                for lane in range(LANES):
                    first[lane] -= lanes[i, lane] * a0
                    second[lane] -= lanes[i, lane] * b0
            for lane in range(LANES):
                closer = first[lane] < best[lane]
                least = first[lane] if closer else best[lane]
                which = np.int32(j) if closer else nearest[lane]
                closer = second[lane] < least
                best[lane] = second[lane] if closer else least
                nearest[lane] = np.int32(j + 1) if closer else which
        for lane in range(block):
            center = nearest[lane]
            counts[center] += 1.0
            squares[center] += norms[lane]
            for i in range(width):
                sums[center, i] += lanes[i, lane]


@kernel("void(float32[:, ::1], float32[:, ::1], float64[:, ::1], float64[::1], float64[::1])")
def wide_totals(products: Any, rows: Any, sums: Any, counts: Any, squares: Any) -> None:
    """The same for rows whose comparisons with all centres are there.

    Args:
        products: n x K, what each row is compared by.
        rows: n x d, less the shift.
        sums: K x d, added to.
        counts: K, added to.
        squares: K, added to.
    """
    centers = products.shape[1]
    width = rows.shape[1]
    whole = centers // _ACROSS * _ACROSS
    best = np.empty(_ACROSS, np.float32)
    block = np.empty(_ACROSS, np.int32)
    for row in range(products.shape[0]):
        for lane in range(_ACROSS):
            best[lane] = _INFINITY
            block[lane] = 0
        for j in range(0, whole, _ACROSS):
            for lane in range(_ACROSS):
                value = products[row, j + lane]
                closer = value < best[lane]
                best[lane] = value if closer else best[lane]
                block[lane] = np.int32(j) if closer else block[lane]
        least, center = _INFINITY, 0
        for lane in range(_ACROSS):
            if best[lane] < least:
                least, center = best[lane], block[lane] + lane
        for j in range(whole, centers):
            if products[row, j] < least:
                least, center = products[row, j], j
        norm = _ZERO
        for i in range(width):
            value = rows[row, i]
            norm += value * value
            sums[center, i] += value
        counts[center] += 1.0
        squares[center] += norm


@kernel(
    "void(int32[::1], int32[::1], float32[::1], float32[:, ::1], float32[::1], int32[::1])",
    "void(int64[::1], int64[::1], float32[::1], float32[:, ::1], float32[::1], int32[::1])",
)
def sparse_nearest(
    pointers: Any, indices: Any, values: Any, centers: Any, half: Any, nearest: Any
) -> None:
    """The nearest centre of each CSR row.

    Args:
        pointers: n + 1.
        indices: of each value, its feature.
        values: that are not zero.
        centers: d x K.
        half: K.
        nearest: n, written.
    """
    products = np.empty(half.size, np.float32)
    for row in range(nearest.size):
        for j in range(half.size):
            products[j] = half[j]
        for place in range(pointers[row], pointers[row + 1]):
            feature, value = indices[place], values[place]
            for j in range(half.size):
                products[j] -= value * centers[feature, j]
        center = 0
        for j in range(half.size):
            if products[j] < products[center]:
                center = j
        nearest[row] = center
