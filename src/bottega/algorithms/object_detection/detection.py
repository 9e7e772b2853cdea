"""From what the network says to the objects that are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from bottega.algorithms.object_detection.box_geometry import decode, suppress
from bottega.algorithms.object_detection.precision import precision

if TYPE_CHECKING:
    from bottega.algorithms.object_detection.network import Detector

Floats = NDArray[np.float32]

LEAST_SCORE = 0.01
"""What the network is less sure of is no detection."""
_CANDIDATES = 400
"""So many of the best default boxes of an image are looked at."""


def detect(offsets: Any, logits: Any, defaults: Any, *, nms_threshold: float) -> list[Floats]:
    """The objects in each image.

    Each default box speaks for the class that it finds most likely.

    Args:
        offsets: (b, n, 4), see ``Detector.forward``.
        logits: (b, n, 1 + classes).
        defaults: (n, 4) centres.
        nms_threshold: see :func:`bottega.algorithms.object_detection.box_geometry.suppress`.

    Returns:
        For each image (k, 6) float32: class, score, and corners within 0..1, the best score first.
    """
    scores, classes = logits.softmax(dim=-1)[..., 1:].max(dim=-1)
    best, at = scores.topk(min(_CANDIDATES, scores.shape[1]), dim=1)
    kinds = classes.gather(1, at)
    chosen = offsets.gather(1, at.unsqueeze(-1).expand(-1, -1, 4))
    corners = decode(chosen, defaults[at]).clamp(0.0, 1.0)
    sound = (best >= LEAST_SCORE) & (corners[..., 2:] > corners[..., :2]).all(dim=-1)
    # What does not count must not suppress what does: it gets a class of its own.
    stays = suppress(corners, kinds.masked_fill(~sound, -1), nms_threshold) & sound
    found = torch.cat([kinds.unsqueeze(-1).float(), best.unsqueeze(-1), corners], dim=-1)
    table, kept = found.float().cpu().numpy(), stays.cpu().numpy()
    return [rows[mask] for rows, mask in zip(table, kept, strict=True)]


def see(model: Detector, images: Any, *, nms_threshold: float) -> list[Floats]:
    """Show images to a network and tell what it sees; see :func:`detect`.

    Args:
        model: in evaluation mode.
        images: normalised, float (b, 3, side, side), on the network's device.
    """
    with torch.inference_mode():
        images = images.contiguous(memory_format=torch.channels_last)
        with precision(images.device):
            offsets, logits = model(images)
        return detect(offsets, logits, model.defaults, nms_threshold=nms_threshold)
