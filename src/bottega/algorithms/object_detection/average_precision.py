"""Mean average precision, as Pascal VOC has counted since 2010.

For each class: detections of all images are taken from the surest to the least sure. Each is right
when it overlaps an object of its class enough that no surer one has found already. Average
precision is the area under the curve of precision over recall, where precision is taken as the best
there is at that recall or more. The mean goes over the classes that occur.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def average_precisions(
    detections: Sequence[Floats], objects: Sequence[Floats], *, classes: int, overlap: float
) -> NDArray[np.float64]:
    """The average precision of each class.

    Args:
        detections: of each image, (k, 6) class, score, corners.
        objects: of each image, (m, 5) class, corners.
        classes: how many there are.
        overlap: the least intersection over union of a right detection.

    Returns:
        (classes,), NaN for classes without any object.
    """
    return np.array([_one_class(detections, objects, k, overlap) for k in range(classes)])


def mean_average_precision(values: NDArray[np.float64]) -> float:
    """The mean over the classes that occur; 0 when none does."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _one_class(
    detections: Sequence[Floats], objects: Sequence[Floats], kind: int, overlap: float
) -> float:
    total = sum(int((found[:, 0] == kind).sum()) for found in objects)
    if not total:
        return float("nan")
    scores: list[Floats] = []
    right: list[NDArray[np.bool_]] = []
    for found, there in zip(detections, objects, strict=True):
        mine = found[found[:, 0] == kind]
        mine = mine[np.argsort(-mine[:, 1], kind="stable")]
        scores.append(mine[:, 1])
        right.append(_right(mine[:, 2:], there[there[:, 0] == kind, 1:], overlap))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits = np.cumsum(np.concatenate(right)[order])
    recall = hits / total
    precision = hits / np.arange(1, len(hits) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * best_from_here).sum())


def _right(found: Floats, there: Floats, overlap: float) -> NDArray[np.bool_]:
    """Which detections of an image, the surest first, are right.

    As VOC does, a detection is compared with the object that it overlaps most, even when that one
    has been found already.
    """
    right = np.zeros(len(found), dtype=np.bool_)
    if not len(found) or not len(there):
        return right
    low = np.maximum(found[:, None, :2], there[None, :, :2])
    high = np.minimum(found[:, None, 2:], there[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    areas = [np.clip(box[:, 2:] - box[:, :2], 0, None).prod(axis=-1) for box in (found, there)]
    ratio = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-12)
    taken = np.zeros(len(there), dtype=np.bool_)
    for place, nearest in enumerate(ratio.argmax(axis=1).tolist()):
        if ratio[place, nearest] >= overlap and not taken[nearest]:
            taken[nearest] = right[place] = True
    return right
