"""Default boxes and the arithmetic of boxes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.object_detection import box_geometry
from bottega.algorithms.object_detection.default_boxes import (
    boxes_per_cell,
    default_boxes,
    grid_sizes,
    scales,
)

CORNER = st.floats(0, 0.875, width=32)
SIDE = st.floats(0.0078125, 0.5, width=32)


@st.composite
def corner_boxes(draw: st.DrawFn, most: int = 12) -> torch.Tensor:
    rows = draw(st.lists(st.tuples(CORNER, CORNER, SIDE, SIDE), min_size=1, max_size=most))
    return torch.tensor([(x, y, x + w, y + h) for x, y, w, h in rows])


@pytest.mark.parametrize(("shape", "count"), [(300, 8732), (512, 24564)])
def test_as_many_default_boxes_as_the_paper_has(shape: int, count: int) -> None:
    boxes = default_boxes(shape)
    assert boxes.shape == (count, 4)
    assert boxes.dtype == np.float32
    sizes = grid_sizes(shape)
    each = [size * size * k for size, k in zip(sizes, boxes_per_cell(len(sizes)), strict=True)]
    assert sum(each) == count
    assert ((boxes[:, :2] > 0) & (boxes[:, :2] < 1)).all()


def test_default_boxes_go_row_by_row_and_keep_their_area() -> None:
    boxes = default_boxes(300)
    np.testing.assert_allclose(boxes[0], [0.5 / 38, 0.5 / 38, 0.07, 0.07], rtol=1e-6)
    np.testing.assert_allclose(boxes[4, :2], [1.5 / 38, 0.5 / 38], rtol=1e-6)
    np.testing.assert_allclose(boxes[2:4, 2:].prod(axis=1), 0.07**2, rtol=1e-5)
    np.testing.assert_allclose(boxes[2, 2] / boxes[2, 3], 2, rtol=1e-5)


@given(st.integers(300, 2048))
def test_grids_halve_until_one_cell_is_left(shape: int) -> None:
    sizes = grid_sizes(shape)
    assert sizes[-1] == 1
    assert all(before > after for before, after in pairwise(sizes))
    sides = scales(len(sizes))
    assert len(sides) == len(sizes) + 1
    assert list(sides) == sorted(sides)


@given(corner_boxes(), corner_boxes())
@settings(max_examples=50)
def test_overlaps_of_every_pair(first: torch.Tensor, second: torch.Tensor) -> None:
    found = box_geometry.overlaps(first, second)
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
            high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
            areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
            expected = wide * high / (sum(areas) - wide * high)
            assert found[i, j].item() == pytest.approx(expected, abs=1e-4)


def test_a_box_without_an_area_overlaps_nothing() -> None:
    boxes = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 1.0, 1.0]])
    found = box_geometry.overlaps(boxes, boxes)
    assert found.tolist() == [[0.0, 0.0], [0.0, 1.0]]


@given(corner_boxes())
@settings(max_examples=50)
def test_decode_is_the_inverse_of_encode(boxes: torch.Tensor) -> None:
    # Each box is told by a default box that it overlaps somewhat.
    defaults = box_geometry.to_centres(boxes) * torch.tensor([1.02, 0.97, 1.3, 0.8])
    again = box_geometry.decode(box_geometry.encode(boxes, defaults), defaults)
    torch.testing.assert_close(again, boxes, rtol=1e-4, atol=1e-5)


def test_nonsense_of_the_network_gives_finite_boxes() -> None:
    defaults = torch.from_numpy(default_boxes(300)[:3])
    assert torch.isfinite(box_geometry.decode(torch.full((3, 4), 1e6), defaults)).all()


def greedy(boxes: torch.Tensor, classes: torch.Tensor, threshold: float) -> list[bool]:
    """Suppression as it is usually told: one after another."""
    ratio = box_geometry.overlaps(boxes, boxes)
    stays: list[bool] = []
    for place in range(len(boxes)):
        rivals = [i for i in range(place) if stays[i] and classes[i] == classes[place]]
        stays.append(all(ratio[i, place] <= threshold for i in rivals))
    return stays


@given(st.lists(corner_boxes(30), min_size=1, max_size=3), st.floats(0.0, 0.9), st.data())
@settings(max_examples=80)
def test_suppression_is_the_greedy_one(
    images: list[torch.Tensor], threshold: float, data: st.DataObject
) -> None:
    most = max(map(len, images))
    boxes = torch.zeros(len(images), most, 4)
    classes = torch.full((len(images), most), -1)
    for row, (kinds, image) in enumerate(zip(classes, images, strict=True)):
        boxes[row, : len(image)] = image
        drawn = data.draw(st.lists(st.integers(0, 2), min_size=len(image), max_size=len(image)))
        kinds[: len(image)] = torch.tensor(drawn)
    found = box_geometry.suppress(boxes, classes, threshold)
    for row in range(len(images)):
        assert found[row].tolist() == greedy(boxes[row], classes[row], threshold)


def test_a_suppressed_box_suppresses_nothing() -> None:
    chain = torch.tensor([[[0.0, 0, 0.4, 0.4], [0.1, 0, 0.5, 0.4], [0.2, 0, 0.6, 0.4]]])
    found = box_geometry.suppress(chain, torch.zeros(1, 3, dtype=torch.long), 0.5)
    assert found.tolist() == [[True, False, True]]
