"""The default boxes of SSD: where in an image, and in which shapes, objects are looked for.

Boxes are laid over grids of several sizes, fine ones for small objects and coarse ones for large.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SMALLEST = 0.07
"""Side of the smallest boxes, as a part of the image's."""
_SECOND, _LAST = 0.15, 1.05
_FEW_RATIOS = (2.0,)
_MANY_RATIOS = (2.0, 3.0)


def grid_sizes(image_shape: int) -> tuple[int, ...]:
    """How many cells the grids have along a side, from the finest (an eighth of the image) to 1.

    >>> grid_sizes(300)
    (38, 19, 10, 5, 3, 1)
    >>> grid_sizes(512)
    (64, 32, 16, 8, 4, 2, 1)
    """
    sizes = [math.ceil(image_shape / 8)]
    while sizes[-1] > 1:
        sizes.append(1 if sizes[-1] == 3 else math.ceil(sizes[-1] / 2))
    return tuple(sizes)


def scales(grids: int) -> tuple[float, ...]:
    """The side of each grid's boxes as a part of the image's, and one more for the next grid's.

    >>> [round(scale, 2) for scale in scales(6)]
    [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]
    """
    step = (_LAST - _SECOND) / max(1, grids - 1)
    return (SMALLEST, *(_SECOND + step * place for place in range(grids)))


def ratios(grids: int) -> tuple[tuple[float, ...], ...]:
    """Width by height of each grid's boxes besides the squares; each stands for its inverse too."""
    return tuple(
        _FEW_RATIOS if place == 0 or place >= grids - 2 else _MANY_RATIOS for place in range(grids)
    )


def boxes_per_cell(grids: int) -> tuple[int, ...]:
    """How many boxes each grid has in a cell: two squares, and two for each ratio."""
    return tuple(2 + 2 * len(shapes) for shapes in ratios(grids))


def default_boxes(image_shape: int) -> NDArray[np.float32]:
    """All boxes of a square image.

    Returns:
        (n, 4) float32: centre x, centre y, width, height as parts of the image's side; grid by
        grid, row by row, cell by cell. Boxes at the edge reach beyond the image.
    """
    sizes = grid_sizes(image_shape)
    sides, shapes = scales(len(sizes)), ratios(len(sizes))
    found = [
        _grid(size, _cell(sides[place], sides[place + 1], shapes[place]))
        for place, size in enumerate(sizes)
    ]
    return np.concatenate(found).astype(np.float32)


def _cell(side: float, next_side: float, shapes: Sequence[float]) -> NDArray[np.float64]:
    """Widths and heights of the boxes of a cell, (k, 2)."""
    between = math.sqrt(side * next_side)
    found = [(side, side), (between, between)]
    for ratio in shapes:
        root = math.sqrt(ratio)
        found += [(side * root, side / root), (side / root, side * root)]
    return np.array(found)


def _grid(size: int, cell: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = (np.arange(size) + 0.5) / size
    y, x = np.meshgrid(middle, middle, indexing="ij")
    centres = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    centres = np.broadcast_to(centres, (size * size, len(cell), 2))
    return np.concatenate(
        [centres, np.broadcast_to(cell, (size * size, *cell.shape))], axis=-1
    ).reshape(-1, 4)
