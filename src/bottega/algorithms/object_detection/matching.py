"""Which default box answers for which object, and what the network is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from bottega.algorithms.object_detection.box_geometry import encode, overlaps, to_corners

MATCHING_OVERLAP = 0.5
"""A default box answers for an object that it overlaps by at least this much."""
_NEGATIVES = 3
"""Default boxes without an object that count, for each one that has an object."""
_FEWEST_NEGATIVES = 8
"""So many count in any image: one without objects has something to teach too."""
_PAIRS = 2**24


@dataclass(frozen=True)
class Targets:
    """What default boxes should say, for b images and n default boxes."""

    classes: Any
    """(b, n) whole numbers: 0 for background, else 1 + the class."""
    offsets: Any
    """(b, n, 4) encoded boxes; of no meaning where the class is 0."""


def match(objects: Any, defaults: Any) -> Targets:
    """Assign objects to default boxes.

    First every object gets one default box for itself, pair by pair the one that overlaps most;
    then each other default box takes the object that it overlaps most, if by at least
    :data:`MATCHING_OVERLAP`.

    Args:
        objects: (b, m, 5) class and corners; a row of class -1 is no object.
        defaults: (n, 4) centres.
    """
    batch, count = objects.shape[:2]
    boxes = len(defaults)
    if not count:
        return Targets(
            torch.zeros((batch, boxes), dtype=torch.long, device=objects.device),
            torch.zeros((batch, boxes, 4), device=objects.device),
        )
    # Every object is compared with every default box: a few images at a time when they are many.
    together = max(1, _PAIRS // (count * boxes))
    parts = [_match(part, defaults) for part in objects.split(together)]
    return Targets(
        torch.cat([part.classes for part in parts]), torch.cat([part.offsets for part in parts])
    )


def _match(objects: Any, defaults: Any) -> Targets:
    real = objects[..., 0] >= 0
    shared = overlaps(objects[..., 1:], to_corners(defaults))
    shared.masked_fill_(~real.unsqueeze(-1), -1.0)
    best, owner = shared.max(dim=1)
    matched = best >= MATCHING_OVERLAP
    for chosen, box, valid in _own_boxes(shared, objects.shape[1]):
        owner.scatter_(1, box, torch.where(valid, chosen, owner.gather(1, box)))
        matched.scatter_(1, box, valid | matched.gather(1, box))
    taken = objects.gather(1, owner.unsqueeze(-1).expand(-1, -1, 5))
    classes = torch.where(matched, taken[..., 0].long() + 1, torch.zeros_like(owner))
    return Targets(classes, encode(taken[..., 1:], defaults))


def _own_boxes(shared: Any, count: int) -> Iterator[tuple[Any, Any, Any]]:
    """One pair of object and default box an image at a time, the largest overlap first.

    An object never needs more than its ``count`` best default boxes, as the other objects cannot
    take more than that.

    Yields:
        The object, the default box, and whether there is such a pair: each (b, 1).
    """
    values, places = shared.topk(min(count, shared.shape[-1]), dim=-1)
    width = values.shape[-1]
    for _ in range(count):
        largest, at = values.flatten(1).max(dim=1, keepdim=True)
        chosen = at // width
        box = places.flatten(1).gather(1, at)
        yield chosen, box, largest > 0
        values.masked_fill_(places == box.unsqueeze(-1), -1.0)
        values.scatter_(1, chosen.unsqueeze(-1).expand(-1, 1, width), -1.0)


@dataclass(frozen=True)
class Losses:
    """The two parts of the loss, each for a matched default box on average."""

    cross_entropy: Any
    smooth_l1: Any


def losses(offsets: Any, logits: Any, targets: Targets) -> Losses:
    """Compare what the network says with what it should say.

    Of the default boxes without an object, those that look most like one count, three for each
    default box that has one (hard negative mining).

    Args:
        offsets: (b, n, 4) float.
        logits: (b, n, 1 + classes) float.
        targets: of the same images.
    """
    has_object = targets.classes > 0
    each = functional.cross_entropy(logits.transpose(1, 2), targets.classes, reduction="none")
    with torch.no_grad():
        positives = has_object.sum(dim=1, keepdim=True)
        wanted = (_NEGATIVES * positives).clamp(min=_FEWEST_NEGATIVES)
        hardness = each.masked_fill(has_object, -1.0)
        order = hardness.argsort(dim=1, descending=True)
        rank = torch.empty_like(order)
        steps = torch.arange(order.shape[1], device=order.device).expand_as(order)
        rank.scatter_(1, order, steps)
        counts = has_object | ((rank < wanted) & ~has_object)
        matched = positives.sum().clamp(min=1)
    near = functional.smooth_l1_loss(offsets, targets.offsets, reduction="none").sum(dim=-1)
    return Losses(
        cross_entropy=(each * counts).sum() / matched,
        smooth_l1=torch.where(has_object, near, torch.zeros_like(near)).sum() / matched,
    )
