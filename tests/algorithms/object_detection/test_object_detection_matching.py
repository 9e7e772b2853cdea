"""Objects meet default boxes, and what the network is told of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.object_detection import box_geometry, matching
from bottega.algorithms.object_detection.default_boxes import default_boxes

DEFAULTS = torch.from_numpy(default_boxes(300))
NOTHING = (-1.0, 0.0, 0.0, 0.0, 0.0)


def objects(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor([list(rows)], dtype=torch.float32)


def test_a_default_box_answers_for_what_it_overlaps_by_half() -> None:
    targets = matching.match(objects((2, 0.2, 0.3, 0.5, 0.7)), DEFAULTS)
    ratio = box_geometry.overlaps(
        torch.tensor([[0.2, 0.3, 0.5, 0.7]]), box_geometry.to_corners(DEFAULTS)
    )[0]
    assert set(targets.classes.unique().tolist()) == {0, 3}
    assert torch.equal(targets.classes[0] == 3, ratio >= 0.5)
    matched = targets.classes[0] > 0
    boxes = box_geometry.decode(targets.offsets[0][matched], DEFAULTS[matched])
    torch.testing.assert_close(
        boxes, torch.tensor([[0.2, 0.3, 0.5, 0.7]]).expand_as(boxes), rtol=0, atol=1e-5
    )


def test_a_tiny_object_gets_the_default_box_that_fits_best() -> None:
    targets = matching.match(objects((0, 0.5, 0.5, 0.505, 0.505)), DEFAULTS)
    assert int((targets.classes > 0).sum()) == 1


def test_objects_at_the_same_place_get_default_boxes_of_their_own() -> None:
    same = (0.40, 0.40, 0.41, 0.41)
    targets = matching.match(objects((0, *same), (1, *same), (2, *same)), DEFAULTS)
    assert sorted(targets.classes[0][targets.classes[0] > 0].tolist()) == [1, 2, 3]


def test_rows_that_fill_up_are_no_objects() -> None:
    alone = matching.match(objects((0, 0.1, 0.1, 0.4, 0.4)), DEFAULTS)
    filled = matching.match(objects((0, 0.1, 0.1, 0.4, 0.4), NOTHING, NOTHING), DEFAULTS)
    assert torch.equal(alone.classes, filled.classes)
    nobody = matching.match(objects(NOTHING), DEFAULTS)
    assert int(nobody.classes.sum()) == 0
    assert torch.isfinite(nobody.offsets).all()
    none = matching.match(torch.zeros(2, 0, 5), DEFAULTS)
    assert none.classes.shape == (2, len(DEFAULTS))


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_every_object_is_answered_for_in_any_crowd(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner, side = rng.uniform(0, 0.8, (count, 2)), rng.uniform(0.01, 0.2, (count, 2))
    # A class for each object tells them apart.
    rows = np.column_stack([np.arange(count), corner, corner + side]).astype(np.float32)
    targets = matching.match(torch.from_numpy(rows)[None], DEFAULTS)
    assert set(targets.classes.unique().tolist()) == set(range(count + 1))


def test_many_images_at_once_are_matched_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    corner = rng.uniform(0, 0.7, (3, 4, 2))
    rows = np.concatenate([np.zeros((3, 4, 1)), corner, corner + 0.2], axis=-1)
    batch = torch.from_numpy(rows.astype(np.float32))
    together = matching.match(batch, DEFAULTS)
    monkeypatch.setattr(matching, "_PAIRS", 1)
    apart = matching.match(batch, DEFAULTS)
    assert torch.equal(together.classes, apart.classes)
    assert torch.equal(together.offsets, apart.offsets)


def test_the_loss_of_what_is_right_is_small_and_of_what_is_wrong_large() -> None:
    targets = matching.match(objects((1, 0.2, 0.3, 0.5, 0.7)), DEFAULTS)
    right = torch.nn.functional.one_hot(targets.classes, 4).float() * 20
    found = matching.losses(targets.offsets, right, targets)
    assert float(found.cross_entropy) < 1e-3
    assert float(found.smooth_l1) == 0
    wrong = matching.losses(targets.offsets + 2, -right, targets)
    assert float(wrong.cross_entropy) > 10
    # Each of four numbers is off by 2: smooth L1 of 2 is 1.5.
    assert float(wrong.smooth_l1) == pytest.approx(6.0)


def test_three_of_the_hardest_backgrounds_count_for_each_object() -> None:
    targets = matching.match(objects((0, 0.2, 0.3, 0.5, 0.7)), DEFAULTS)
    matched = int((targets.classes > 0).sum())
    logits = torch.zeros(1, len(DEFAULTS), 2, requires_grad=True)
    found = matching.losses(targets.offsets, logits, targets)
    assert found.cross_entropy.item() == pytest.approx(4 * math.log(2), rel=1e-4)
    found.cross_entropy.backward()
    assert logits.grad is not None
    assert int((logits.grad.abs().sum(dim=-1) > 0).sum()) == 4 * matched


def test_the_background_that_looks_most_like_an_object_counts() -> None:
    targets = matching.match(objects((0, 0.2, 0.3, 0.5, 0.7)), DEFAULTS)
    place = int((targets.classes[0] == 0).nonzero()[-1])
    logits = torch.zeros(1, len(DEFAULTS), 2)
    logits[0, place, 1] = 5
    logits.requires_grad_()
    matching.losses(targets.offsets, logits, targets).cross_entropy.backward()
    assert logits.grad is not None
    assert float(logits.grad[0, place].abs().sum()) > 0


def test_an_image_without_objects_teaches_the_background() -> None:
    targets = matching.match(objects(NOTHING), DEFAULTS)
    logits = torch.zeros(1, len(DEFAULTS), 2, requires_grad=True)
    found = matching.losses(torch.zeros(1, len(DEFAULTS), 4), logits, targets)
    assert float(found.smooth_l1) == 0
    assert found.cross_entropy.item() > 0
