"""Views of images: boxes go where the pixels go."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.object_detection import augmentation
from bottega.algorithms.object_detection.augmentation import Views, draw_views, move_objects, show

SIDE = 120
NOTHING = (-1, 0, 0, 0, 0)


def views(windows: list[list[float]], mirrored: list[bool]) -> Views:
    count = len(windows)
    return Views(
        windows=np.array(windows, dtype=np.float32),
        mirrored=np.array(mirrored),
        colours=np.tile(np.eye(3, dtype=np.float32), (count, 1, 1)),
        brightness=np.zeros(count, dtype=np.float32),
    )


def plain(drawn: Views) -> Views:
    """The same windows in the original colours."""
    return views(drawn.windows.tolist(), drawn.mirrored.tolist())


def picture(box: np.ndarray) -> np.ndarray:
    """Black, with a white rectangle."""
    pixels = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
    left, top, right, bottom = np.rint(box * SIDE).astype(int)
    pixels[top:bottom, left:right] = 255
    return pixels


def tensor(*pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


def white(shown: torch.Tensor) -> np.ndarray:
    """The corners of what is white, as parts of the side."""
    rows, columns = np.nonzero(shown.mean(dim=0).numpy() > 1.0)
    side = shown.shape[-1]
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / side


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_boxes_move_with_the_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.integers(10, 60, (4, 2)) / SIDE
    boxes = np.concatenate([corner, corner + rng.integers(20, 50, (4, 2)) / SIDE], axis=1)
    objects = np.concatenate([np.zeros((4, 1)), boxes], axis=1)[:, None].astype(np.float32)
    drawn = plain(draw_views(objects, rng))
    moved = move_objects(objects, drawn)
    shown = show(tensor(*map(picture, boxes)), drawn, SIDE)
    assert shown.shape == (4, 3, SIDE, SIDE)
    for found, image in zip(moved[:, 0], shown, strict=True):
        if found[0] >= 0:
            np.testing.assert_allclose(white(image), found[1:], atol=2.5 / SIDE)


def test_the_whole_image_is_shown_as_inference_sees_it() -> None:
    from bottega.algorithms.deep.pixels import normalise

    pixels = np.random.default_rng(1).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    shown = show(images, views([[0, 0, 1, 1]], [False]), SIDE)
    torch.testing.assert_close(shown, normalise(images), rtol=1e-4, atol=1e-4)


def test_the_mirror_image() -> None:
    box = np.array([0.1, 0.2, 0.4, 0.6])
    drawn = views([[0, 0, 1, 1]], [True])
    objects = np.array([[[1, *box]]], dtype=np.float32)
    np.testing.assert_allclose(move_objects(objects, drawn)[0, 0], [1, 0.6, 0.2, 0.9, 0.6])
    np.testing.assert_allclose(
        white(show(tensor(picture(box)), drawn, SIDE)[0]), [0.6, 0.2, 0.9, 0.6], atol=1.5 / SIDE
    )


def test_an_object_whose_centre_is_outside_is_none() -> None:
    objects = np.array([[[0, 0.0, 0.0, 0.2, 0.2], [1, 0.4, 0.4, 0.6, 0.7], NOTHING]], np.float32)
    moved = move_objects(objects, views([[0.15, 0.15, 0.65, 0.65]], [False]))
    assert moved[0, :, 0].tolist() == [-1, 1, -1]
    np.testing.assert_allclose(moved[0, 1, 1:], [0.5, 0.5, 0.9, 1.0], atol=1e-6)
    assert (moved[0, ::2, 1:] == 0).all()


def test_a_frame_has_the_mean_colour() -> None:
    shown = show(tensor(picture(np.array([0, 0, 1, 1]))), views([[-1, -1, 1, 1]], [False]), SIDE)
    assert float(shown[0, :, : SIDE // 2 - 2].abs().max()) == 0
    assert float(shown[0, :, SIDE // 2 + 2 :, SIDE // 2 + 2 :].min()) > 1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_part_has_an_object_wherever_objects_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 0.9, (8, 3, 2))
    boxes = np.concatenate([np.zeros((8, 3, 1)), corner, corner + 0.05], axis=-1)
    objects = boxes.astype(np.float32)
    drawn = draw_views(objects, rng)
    inside = (drawn.windows[:, :2] >= 0).all(axis=1)
    moved = move_objects(objects, drawn)
    assert ((moved[..., 0] >= 0).any(axis=1) | ~inside).all()
    real = moved[moved[..., 0] >= 0]
    assert ((real[:, 1:] >= 0) & (real[:, 1:] <= 1)).all()
    assert (real[:, 3:] > real[:, 1:3]).all()
    sides = drawn.windows[:, 2:] - drawn.windows[:, :2]
    assert (sides <= augmentation._LARGEST_FRAME + 1e-6).all()
    assert (sides.prod(axis=1) > 0.29).all()


def test_images_without_objects_have_views_too() -> None:
    rng = np.random.default_rng(0)
    for objects in (np.zeros((6, 0, 5), np.float32), np.full((6, 2, 5), -1, np.float32)):
        drawn = draw_views(objects, rng)
        assert move_objects(objects, drawn).shape == objects.shape
        assert (drawn.windows[:, 2:] > drawn.windows[:, :2]).all()


def test_views_are_drawn_again_from_the_same_seed() -> None:
    objects = np.array([[[0, 0.2, 0.2, 0.5, 0.5]]] * 5, dtype=np.float32)
    first, again = (draw_views(objects, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(first.windows, again.windows)
    np.testing.assert_array_equal(first.colours, again.colours)
    assert len(np.unique(first.brightness)) > 1
    assert 0 < first.mirrored.sum() < 5


def test_grey_stays_grey_when_only_hue_and_saturation_change() -> None:
    colours = augmentation._colours(50, np.random.default_rng(4))
    grey = colours @ np.ones(3, dtype=np.float32)
    np.testing.assert_allclose(grey, grey[:, :1].repeat(3, axis=1), rtol=1e-4)
    assert np.ptp(grey[:, 0]) > 0.5
    assert pytest.approx(1.0, abs=1e-3) == float(np.median(grey[:, 0]))
