"""Random views of training images: windows, mirror images, other colours.

What is random is drawn on the host for a whole batch, boxes are moved with it, and the device then
makes every picture in one go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bottega.algorithms.deep.pixels import normalise

Floats = NDArray[np.float32]

_ZOOM_IN, _ZOOM_OUT = 0.5, 0.25
"""How often a part of the image is shown, and how often the image with an empty frame."""
_SMALLEST_PART = 0.3
"""Of the image's area."""
_STRETCH = 1.5
"""How much wider or higher than in proportion a part may be."""
_LARGEST_FRAME = 2.0
"""Side of an image with its frame, as a multiple of the image's."""
_COVERED = (0.1, 0.3, 0.5, 0.7, 0.9)
"""At least so much of some object is in a part; one of these is drawn for each image."""
_TRIES = 24
_MIRROR, _JITTER = 0.5, 0.5
_BRIGHTNESS, _CONTRAST, _SATURATION, _HUE = 32 / 255, 0.5, 0.5, 18.0
"""The hue is in degrees."""

# Luma and two differences of colours: there, saturation is a factor and hue a rotation.
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_FROM_YIQ = np.linalg.inv(_TO_YIQ)


@dataclass(frozen=True)
class Views:
    """How each image of a batch is shown.

    Attributes:
        windows: (b, 4) float32, the part of the image as corners; beyond 0..1 it is empty.
        mirrored: (b,) bool, left and right change places.
        colours: (b, 3, 3) float32, multiplied with RGB.
        brightness: (b,) float32, added to RGB of 0..1.
    """

    windows: Floats
    mirrored: NDArray[np.bool_]
    colours: Floats
    brightness: Floats


def draw_views(objects: Floats, rng: np.random.Generator) -> Views:
    """Draw views of a batch.

    Args:
        objects: (b, m, 5) class and corners; a row of class -1 is no object.
        rng: the source of what is random.
    """
    batch = len(objects)
    windows = np.tile(np.array([0, 0, 1, 1], dtype=np.float32), (batch, 1))
    kind = rng.random(batch)
    parts, found = _parts(objects, rng)
    zoomed_in = (kind < _ZOOM_IN) & found
    windows[zoomed_in] = parts[zoomed_in]
    zoomed_out = (kind >= _ZOOM_IN) & (kind < _ZOOM_IN + _ZOOM_OUT)
    frames = _frames(batch, rng)
    windows[zoomed_out] = frames[zoomed_out]
    return Views(
        windows=windows,
        mirrored=rng.random(batch) < _MIRROR,
        colours=_colours(batch, rng),
        brightness=(
            rng.uniform(-_BRIGHTNESS, _BRIGHTNESS, batch) * (rng.random(batch) < _JITTER)
        ).astype(np.float32),
    )


def _parts(objects: Floats, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    """A window inside each image with enough of some object in it, and whether one was found."""
    batch = len(objects)
    area = rng.uniform(_SMALLEST_PART, 1.0, (batch, _TRIES))
    stretch = np.exp(rng.uniform(-math.log(_STRETCH), math.log(_STRETCH), (batch, _TRIES)))
    width = np.minimum(np.sqrt(area * stretch), 1.0)
    height = np.minimum(np.sqrt(area / stretch), 1.0)
    left = rng.random((batch, _TRIES)) * (1 - width)
    top = rng.random((batch, _TRIES)) * (1 - height)
    windows = np.stack([left, top, left + width, top + height], axis=-1)
    enough = rng.choice(_COVERED, (batch, 1))
    corners = objects[:, None, :, 1:]
    real = objects[:, :, 0] >= 0
    low = np.maximum(corners[..., :2], windows[:, :, None, :2])
    high = np.minimum(corners[..., 2:], windows[:, :, None, 2:])
    inside = np.clip(high - low, 0, None).prod(axis=-1)
    whole = np.clip(corners[..., 2:] - corners[..., :2], 1e-9, None).prod(axis=-1)
    shown = (inside / whole >= enough[..., None]) & _centred(corners, windows[:, :, None])
    good = (shown & real[:, None]).any(axis=-1)
    # An image without objects may be shown in any part.
    good |= ~real.any(axis=-1, keepdims=True)
    first = good.argmax(axis=1)
    return windows[np.arange(batch), first].astype(np.float32), good.any(axis=1)


def _centred(corners: NDArray[Any], windows: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the centre of each box is in its window."""
    centres = (corners[..., :2] + corners[..., 2:]) / 2
    inside = (centres > windows[..., :2]) & (centres < windows[..., 2:])
    return np.asarray(inside.all(axis=-1), dtype=np.bool_)


def _frames(batch: int, rng: np.random.Generator) -> Floats:
    side = rng.uniform(1.0, _LARGEST_FRAME, (batch, 1))
    corner = -rng.random((batch, 2)) * (side - 1)
    return np.asarray(np.concatenate([corner, corner + side], axis=1), dtype=np.float32)


def _colours(batch: int, rng: np.random.Generator) -> Floats:
    chosen = rng.random((3, batch)) < _JITTER
    contrast = np.where(chosen[0], rng.uniform(1 - _CONTRAST, 1 + _CONTRAST, batch), 1.0)
    saturation = np.where(chosen[1], rng.uniform(1 - _SATURATION, 1 + _SATURATION, batch), 1.0)
    hue = np.radians(np.where(chosen[2], rng.uniform(-_HUE, _HUE, batch), 0.0))
    turn = np.zeros((batch, 3, 3))
    turn[:, 0, 0] = 1.0
    turn[:, 1, 1] = turn[:, 2, 2] = saturation * np.cos(hue)
    turn[:, 1, 2] = -saturation * np.sin(hue)
    turn[:, 2, 1] = saturation * np.sin(hue)
    mixed = contrast[:, None, None] * (_FROM_YIQ @ turn @ _TO_YIQ)
    return np.asarray(mixed, dtype=np.float32)


def move_objects(objects: Floats, views: Views) -> Floats:
    """Where objects are in the views; those whose centre is outside are no objects any more.

    Args:
        objects: (b, m, 5), see :func:`draw_views`.
        views: of the same batch.

    Returns:
        (b, m, 5), cut off at the view's edges; class -1 and zeros where there is no object.
    """
    windows = views.windows[:, None]
    size = windows[..., 2:] - windows[..., :2]
    corners = objects[..., 1:]
    stays = (objects[..., 0] >= 0) & _centred(corners, windows)
    moved = (corners - np.tile(windows[..., :2], 2)) / np.tile(size, 2)
    flipped = np.stack(
        [1 - moved[..., 2], moved[..., 1], 1 - moved[..., 0], moved[..., 3]], axis=-1
    )
    moved = np.where(views.mirrored[:, None, None], flipped, moved).clip(0.0, 1.0)
    found = np.concatenate([objects[..., :1], moved], axis=-1).astype(np.float32)
    found[~stays] = (-1, 0, 0, 0, 0)
    return found


def show(pictures: Any, views: Views, side: int) -> Any:
    """Make the views.

    Args:
        pictures: ``uint8`` tensor (b, 3, height, width).
        views: of the same batch.
        side: height and width of the result.

    Returns:
        Normalised float32 tensor (b, 3, side, side) on the same device.
    """
    place = pictures.device
    windows = torch.from_numpy(views.windows).to(place)
    size = windows[:, 2:] - windows[:, :2]
    turn = torch.zeros((len(pictures), 2, 3), device=place)
    mirrored = torch.from_numpy(views.mirrored).to(place)
    turn[:, 0, 0] = torch.where(mirrored, -size[:, 0], size[:, 0])
    turn[:, 1, 1] = size[:, 1]
    turn[:, :, 2] = windows[:, :2] + windows[:, 2:] - 1
    grid = functional.affine_grid(turn, [len(pictures), 3, side, side], align_corners=False)
    colours = torch.from_numpy(views.colours).to(place)
    brightness = torch.from_numpy(views.brightness).to(place)
    # The mean becomes zero before the window is cut out, so that what is empty has mean colour.
    shown = functional.grid_sample(
        normalise(pictures), grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    mixed = torch.einsum("bij,bjhw->bihw", colours, shown)
    return mixed + (brightness / _DEVIATION).view(-1, 1, 1, 1)


_DEVIATION = 0.226
"""Of the normalised pixels, about the same for the three colours."""
