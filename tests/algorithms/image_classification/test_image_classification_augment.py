"""Variations of images: within bounds, reproducible, and what their names say."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.image_classification.augment import augment, from_hsl, to_hsl

KINDS = ("crop", "crop_color", "crop_color_transform")


def batch(count: int = 6, channels: int = 3, height: int = 16, width: int = 24) -> torch.Tensor:
    draw = np.random.default_rng(1)
    pictures = draw.integers(0, 256, (count, channels, height, width), dtype=np.uint8)
    return torch.from_numpy(pictures)


def varied(pictures: torch.Tensor, kind: str, seed: int = 0, *, shift: bool = True) -> torch.Tensor:
    return augment(pictures, kind, np.random.default_rng(seed), shift=shift)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shape_and_range_stay(kind: str, channels: int):
    pictures = batch(channels=channels)
    found = varied(pictures, kind)
    assert found.shape == pictures.shape
    assert float(found.min()) >= 0
    assert float(found.max()) <= 255.001
    assert not torch.equal(found.float(), pictures.float())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_images(kind: str):
    pictures = batch()
    assert torch.equal(varied(pictures, kind, 3), varied(pictures, kind, 3))
    assert not torch.equal(varied(pictures, kind, 3), varied(pictures, kind, 4))


def test_nothing_is_done_when_nothing_is_asked():
    pictures = batch()
    assert varied(pictures, "") is pictures


def test_crop_only_mirrors_where_parts_were_cut_already():
    pictures = batch(64)
    found = varied(pictures, "crop", shift=False)
    same = (found == pictures).flatten(1).all(dim=1)
    mirrored = (found == pictures.flip(3)).flatten(1).all(dim=1)
    assert bool((same | mirrored).all())
    assert 10 < int(mirrored.sum()) < 54


def test_crop_moves_by_up_to_an_eighth():
    # Each pixel tells where it comes from.
    place = torch.arange(16, dtype=torch.uint8)
    pictures = torch.stack([place[:, None].expand(16, 16), place[None, :].expand(16, 16)])
    found = varied(pictures[None].repeat(200, 1, 1, 1), "crop").int()
    rows = found[:, 0, 8, 8] - 8
    assert set(rows.tolist()) == {-2, -1, 0, 1, 2}
    # What leaves on one side comes back mirrored: neighbours stay neighbours.
    steps = (found[:, 0, 1:, 0] - found[:, 0, :-1, 0]).abs()
    assert int(steps.max()) == 1


def test_colour_leaves_shapes_alone():
    pictures = torch.zeros(32, 3, 8, 8, dtype=torch.uint8)
    pictures[:, :, :, 4:] = torch.tensor([200, 90, 40], dtype=torch.uint8).view(1, 3, 1, 1)
    found = varied(pictures, "crop_color", shift=False)
    halves = found[:, :, :, :4], found[:, :, :, 4:]
    for half in halves:
        assert float(half.flatten(2).std(dim=2).max()) < 1e-3
    # Not all images get the same colour.
    assert float(found[:, 0].amax(dim=(1, 2)).std()) > 5


def test_alpha_keeps_its_values():
    pictures = batch(channels=4)
    pictures[:, 3] = 77
    assert torch.equal(varied(pictures, "crop_color")[:, 3], torch.full((6, 16, 24), 77.0))


def test_a_transformation_keeps_the_middle():
    pictures = torch.zeros(50, 1, 33, 33, dtype=torch.uint8)
    pictures[:, :, 14:19, 14:19] = 255
    found = varied(pictures, "crop_color_transform", shift=False)
    middle = found[:, 0, 16, 16]
    edges = found[:, 0, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert bool((middle > edges.amax(dim=1) + 100).all())


def test_transformations_turn_by_up_to_ten_degrees():
    pictures = torch.zeros(300, 1, 101, 101, dtype=torch.uint8)
    pictures[:, :, 48:53, :] = 255
    found = varied(pictures, "crop_color_transform", 5, shift=False)[:, 0]
    rows = torch.arange(101.0)
    bright = found - found.amin(dim=(1, 2), keepdim=True)
    at = [(bright[:, :, x] * rows).sum(1) / bright[:, :, x].sum(1) for x in (25, 75)]
    angle = torch.rad2deg(torch.atan2(at[1] - at[0], torch.tensor(50.0))).abs()
    assert 8 < float(angle.max()) < 20
    assert float(angle.median()) > 1


_COLOUR = st.tuples(*[st.integers(0, 255)] * 3)


@settings(deadline=None)
@given(_COLOUR)
def test_hsl_is_what_python_says(colour: tuple[int, int, int]):
    scaled = [value / 255 for value in colour]
    hue, lightness, saturation = colorsys.rgb_to_hls(*scaled)
    pixels = torch.tensor(scaled, dtype=torch.float64).view(1, 3, 1, 1)
    found = to_hsl(pixels)
    assert [float(part) for part in found] == pytest.approx([hue, saturation, lightness], abs=1e-5)
    assert from_hsl(*found).flatten().tolist() == pytest.approx(scaled, abs=1e-5)
