"""Variations of training images, a batch at a time on the device that trains.

What is drawn comes from a numpy generator, so that the same seed gives the same images on any
device.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

# Ranges of SageMaker's augmentation_type, in the units of 8-bit images: hue has 180 steps.
_HUE, _SATURATION, _LIGHTNESS = 36 / 180, 50 / 255, 50 / 255
_ANGLE = math.radians(10)
_SHEAR = 0.1
_ASPECT = 0.25
_SHIFT_SHARE = 8


def augment(pictures: Any, kind: str, draw: np.random.Generator, *, shift: bool) -> Any:
    """Vary a batch.

    Args:
        pictures: ``uint8`` (n, channels, height, width).
        kind: ``crop``, ``crop_color``, ``crop_color_transform``, or empty for no change.
        draw: where chance comes from.
        shift: whether images are exactly as large as what the network sees. There is nothing to
            choose a part from then, so ``crop`` moves them by up to an eighth, with what leaves on
            one side mirrored at its edge.

    Returns:
        A tensor of the same shape, ``uint8`` or float, from 0 to 255.
    """
    if not kind:
        return pictures
    if shift:
        pictures = _shifted(pictures, draw)
    if kind == "crop_color_transform":
        pictures = _transformed(pictures.float(), draw)
    pictures = _mirrored(pictures, draw)
    return pictures if kind == "crop" else _recoloured(pictures.float(), draw)


def _mirrored(pictures: Any, draw: np.random.Generator) -> Any:
    chosen = torch.from_numpy(draw.random(len(pictures)) < 0.5).to(pictures.device)
    return torch.where(chosen.view(-1, 1, 1, 1), pictures.flip(3), pictures)


def _shifted(pictures: Any, draw: np.random.Generator) -> Any:
    count, _, height, width = pictures.shape
    rows = _reflected(count, height, draw).to(pictures.device)
    columns = _reflected(count, width, draw).to(pictures.device)
    which = torch.arange(count, device=pictures.device).view(-1, 1, 1)
    # Indexing puts the channels last.
    return pictures[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _reflected(count: int, size: int, draw: np.random.Generator) -> Any:
    """For each picture where its pixels along an axis come from."""
    most = size // _SHIFT_SHARE
    by = draw.integers(-most, most + 1, size=(count, 1))
    place = np.abs(np.arange(size) + by)
    return torch.from_numpy(np.where(place >= size, 2 * (size - 1) - place, place))


def _transformed(pictures: Any, draw: np.random.Generator) -> Any:
    """Rotated, sheared and stretched about the middle, with mirrored edges."""
    count, _, height, width = pictures.shape
    angle = draw.uniform(-_ANGLE, _ANGLE, count)
    shear = draw.uniform(-_SHEAR, _SHEAR, count)
    stretch = np.sqrt(draw.uniform(1 - _ASPECT, 1 + _ASPECT, count))
    cosine, sine = np.cos(angle), np.sin(angle)
    # Rotation times shear times stretch, in pixels.
    matrix = np.stack(
        [
            cosine * stretch,
            (cosine * shear - sine) / stretch,
            sine * stretch,
            (sine * shear + cosine) / stretch,
        ],
        axis=1,
    ).reshape(count, 2, 2)
    # The grid's unit is half the picture, which is another length each way.
    size = np.array([width, height])
    matrix = matrix * size[None, None, :] / size[None, :, None]
    theta = np.concatenate([matrix, np.zeros((count, 2, 1))], axis=2).astype(np.float32)
    grid = functional.affine_grid(
        torch.from_numpy(theta).to(pictures.device), list(pictures.shape), align_corners=False
    )
    return functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _recoloured(pictures: Any, draw: np.random.Generator) -> Any:
    """Other hue, saturation and lightness; a grey picture has only the last."""
    count, channels = pictures.shape[:2]
    moves = draw.uniform(-1, 1, size=(3, count, 1, 1)).astype(np.float32)
    hue, saturation, lightness = torch.from_numpy(moves).to(pictures.device)
    if channels == 1:
        return (pictures + 255 * _LIGHTNESS * lightness[:, None]).clamp(0, 255)
    h, s, x = to_hsl(pictures[:, :3] / 255)
    h = (h + _HUE * hue) % 1
    s = (s + _SATURATION * saturation).clamp(0, 1)
    x = (x + _LIGHTNESS * lightness).clamp(0, 1)
    return torch.cat([255 * from_hsl(h, s, x), pictures[:, 3:]], dim=1)


def to_hsl(colours: Any) -> tuple[Any, Any, Any]:
    """Hue, saturation and lightness, each (n, height, width) in 0..1.

    Args:
        colours: red, green and blue in 0..1, (n, 3, height, width).
    """
    red, green, blue = colours.unbind(1)
    most, least = colours.amax(1), colours.amin(1)
    chroma = most - least
    safe = chroma.clamp(min=1e-8)
    sector = torch.where(
        most == red,
        ((green - blue) / safe) % 6,
        torch.where(most == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    lightness = (most + least) / 2
    saturation = chroma / (1 - (2 * lightness - 1).abs()).clamp(min=1e-8)
    return sector / 6, saturation.clamp(0, 1), lightness


def from_hsl(hue: Any, saturation: Any, lightness: Any) -> Any:
    """The opposite of :func:`to_hsl`."""
    span = saturation * torch.minimum(lightness, 1 - lightness)

    def channel(offset: float) -> Any:
        k = (offset + 12 * hue) % 12
        return lightness - span * torch.minimum(k - 3, 9 - k).clamp(-1, 1)

    return torch.stack([channel(0), channel(8), channel(4)], dim=1)
