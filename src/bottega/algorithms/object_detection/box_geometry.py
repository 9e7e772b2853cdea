"""Arithmetic of boxes in batches, on any device.

Corners are (x minimum, y minimum, x maximum, y maximum), centres (x, y, width, height), both as
parts of the image's width and height.
"""

from __future__ import annotations

from typing import Any

import torch

# The deviations that the network's outputs are scaled with, so that all four are about as large.
_CENTRE_SCALE, _SIZE_SCALE = 0.1, 0.2
_LARGEST_GROWTH = 4.0
"""A box is never decoded to more than e**4 times its default box."""


def to_corners(centres: Any) -> Any:
    """(..., 4) centres as corners."""
    middle, half = centres[..., :2], centres[..., 2:] / 2
    return torch.cat([middle - half, middle + half], dim=-1)


def to_centres(corners: Any) -> Any:
    """(..., 4) corners as centres."""
    low, high = corners[..., :2], corners[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def overlaps(first: Any, second: Any) -> Any:
    """Intersection over union of every pair.

    Args:
        first: (..., n, 4) corners.
        second: (..., m, 4) corners.

    Returns:
        (..., n, m), 0 where a box has no area.
    """
    first, second = first.unsqueeze(-2), second.unsqueeze(-3)
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp_(min=0).prod(dim=-1)
    union = _area(first) + _area(second) - shared
    return shared / union.clamp(min=1e-12)


def _area(corners: Any) -> Any:
    return (corners[..., 2:] - corners[..., :2]).clamp(min=0).prod(dim=-1)


def encode(corners: Any, defaults: Any) -> Any:
    """What the network has to say of a box at a default box.

    Args:
        corners: (..., n, 4) boxes of positive width and height.
        defaults: (n, 4) centres.
    """
    centres = to_centres(corners)
    move = (centres[..., :2] - defaults[..., :2]) / defaults[..., 2:] / _CENTRE_SCALE
    growth = torch.log(centres[..., 2:].clamp(min=1e-6) / defaults[..., 2:]) / _SIZE_SCALE
    return torch.cat([move, growth], dim=-1)


def decode(outputs: Any, defaults: Any) -> Any:
    """The inverse of :func:`encode`: corners, (..., n, 4)."""
    middle = outputs[..., :2] * _CENTRE_SCALE * defaults[..., 2:] + defaults[..., :2]
    growth = (outputs[..., 2:] * _SIZE_SCALE).clamp(max=_LARGEST_GROWTH)
    return to_corners(torch.cat([middle, torch.exp(growth) * defaults[..., 2:]], dim=-1))


def suppress(corners: Any, classes: Any, threshold: float) -> Any:
    """Non-maximum suppression, each class for itself.

    Args:
        corners: (b, k, 4) boxes of b images, the best first.
        classes: (b, k) whole numbers.
        threshold: a box is left out when a better one of its class that stays overlaps it by more.

    Returns:
        (b, k) true for those that stay.
    """
    same = classes.unsqueeze(-1) == classes.unsqueeze(-2)
    against = (overlaps(corners, corners) > threshold) & same
    # [i, j]: i is better than j and would suppress it.
    against = against.triu(diagonal=1).float()
    stays = torch.ones(classes.shape, dtype=torch.bool, device=corners.device)
    # One pass judges with what stayed in the pass before. The best box is right from the start and
    # each pass makes at least one more right for good, so this ends, and at the one solution.
    while True:
        suppressors = torch.bmm(stays.unsqueeze(1).float(), against).squeeze(1)
        now = suppressors == 0
        if bool((now == stays).all()):
            return now
        stays = now
