"""What an image is labelled with: classes, or boxes with their classes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    from bottega.algorithms.readers.rows import Floats

LabelFormat = Literal["multi-hot", "class-id"]

HEADER_WIDTH = 2
OBJECT_WIDTH = 5
"""A box: class, left, top, right, bottom."""
_FAR_OUT = 1.0
"""How far beyond an edge, in widths or heights of the image, a box may reach before it is taken for
pixels instead of fractions."""


class LabelCheck(Protocol):
    """Refuses a label that cannot be trained on."""

    def __call__(self, label: Floats, name: str) -> None:
        """Raises: CustomerError, naming the image."""


class ClassLabels:
    """The labels of a channel for classification: whole numbers from 0, equally many an image."""

    def __init__(self) -> None:
        self._width = 0
        self._first = ""

    def __call__(self, label: Floats, name: str) -> None:
        for value in label.tolist():
            if not math.isfinite(value) or value < 0 or value != int(value):
                raise CustomerError(
                    f"The label {value:g} of {name} is no class: classes are whole numbers from 0."
                )
        if not self._width:
            self._width, self._first = len(label), name
        if len(label) != self._width or not self._width:
            raise CustomerError(
                f"{name} has {len(label)} label(s) and {self._first} has {self._width}; every "
                "image needs one class, or a 0 or 1 for each class."
            )


class BoxLabels:
    """The labels of a channel for detection."""

    def __call__(self, label: Floats, name: str) -> None:
        parse_boxes(label, name)


def parse_boxes(label: Floats, name: str) -> Floats:
    """The boxes of a label.

    Args:
        label: header width (at least 2), object width (at least 5), the rest of the header, and
            for each object class, left, top, right and bottom as fractions of the image, and what
            else the object width has room for. Objects of a negative class only fill up.
        name: what messages call the image.

    Returns:
        Boxes x 5: class, left, top, right, bottom, cut off at the image's edges.

    Raises:
        CustomerError: it is no such label, or a box is empty or outside of its image.
    """
    if len(label) < HEADER_WIDTH:
        raise CustomerError(
            f"{name} has a label of {len(label)} number(s), which holds no boxes. Pack images for "
            "detection with labels of: 2, 5, and class, xmin, ymin, xmax, ymax for each object."
        )
    if not np.isfinite(label).all():
        raise CustomerError(f"The label of {name} has a number that is not finite.")
    header, width = float(label[0]), float(label[1])
    objects = label[int(header) :] if header >= HEADER_WIDTH else label[:0]
    if header < HEADER_WIDTH or width < OBJECT_WIDTH or len(objects) % int(width):
        raise CustomerError(
            f"The label of {name} begins with header width {header:g} and object width {width:g} "
            f"and has {len(label)} numbers, which does not fit: it must be 2, 5, and 5 numbers for "
            "each object."
        )
    rows = objects.reshape(-1, int(width))[:, :OBJECT_WIDTH]
    rows = rows[rows[:, 0] >= 0]
    corners = np.clip(rows[:, 1:], 0.0, 1.0)
    far = (np.abs(rows[:, 1:] - 0.5) > 0.5 + _FAR_OUT).any(axis=1)
    empty = (corners[:, 2:] <= corners[:, :2]).any(axis=1)
    for number in np.flatnonzero((rows[:, 0] != np.floor(rows[:, 0])) | far | empty).tolist():
        shown = ", ".join(f"{value:g}" for value in rows[number].tolist())
        raise CustomerError(
            f"Box {number + 1} of {name} is (class, xmin, ymin, xmax, ymax) = ({shown}): the class "
            "must be a whole number, and the corners fractions of the image's width and height "
            "between 0 and 1 with xmin < xmax and ymin < ymax. Correct or remove it."
        )
    return np.ascontiguousarray(np.concatenate([rows[:, :1], corners], axis=1), dtype=np.float32)


def boxes_label(document: Any, where: str) -> Floats:
    """The label of an annotation with pixels, as SageMaker's ``image_size`` and ``annotations``.

    Raises:
        CustomerError: a member is missing or no number.
    """
    if not isinstance(document, Mapping):
        raise CustomerError(f"{where} must be a JSON object with image_size and annotations.")
    size = document.get("image_size")
    size = size[0] if isinstance(size, list) and len(size) == 1 else size
    annotations = document.get("annotations")
    if not isinstance(size, Mapping) or not isinstance(annotations, list):
        raise CustomerError(
            f'{where} needs "image_size": [{{"width": .., "height": .., "depth": 3}}] and '
            '"annotations": [..] (empty for an image without objects).'
        )
    width, height = (_number(size, member, f"image_size of {where}") for member in _SIZE)
    if width <= 0 or height <= 0:
        raise CustomerError(f"image_size of {where} is {width:g} x {height:g}.")
    label = [float(HEADER_WIDTH), float(OBJECT_WIDTH)]
    for number, each in enumerate(annotations, start=1):
        place = f"annotation {number} of {where}"
        if not isinstance(each, Mapping):
            raise CustomerError(f"{place} must be a JSON object.")
        kind, left, top, wide, high = (_number(each, member, place) for member in _BOX)
        if kind < 0:
            raise CustomerError(f"class_id of {place} is {kind:g}; classes count from 0.")
        label += [kind, left / width, top / height, (left + wide) / width, (top + high) / height]
    return np.array(label, dtype=np.float32)


_SIZE = ("width", "height")
_BOX = ("class_id", "left", "top", "width", "height")


def class_label(value: Any, where: str, form: LabelFormat, classes: int) -> Floats:
    """The label of an image from the JSON value of an augmented manifest.

    Args:
        value: a class, or a list: a 0 or 1 for each class, or the classes that apply.
        where: what messages call the image.
        form: what a list means.
        classes: how many there are, needed for ``class-id`` only.

    Raises:
        CustomerError: it is neither, or names a class that there is not.
    """
    items = value if isinstance(value, list) else [value]
    numbers = [
        float(each) if isinstance(each, str) and _is_number(each) else each for each in items
    ]
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
        raise CustomerError(
            f"The label of {where} is {json.dumps(value)[:80]}; it must be a class or a list of "
            "numbers."
        )
    if not isinstance(value, list):
        return np.array(numbers, dtype=np.float32)
    if form == "multi-hot":
        if any(each not in (0, 1) for each in numbers):
            raise CustomerError(
                f"The label of {where} is {json.dumps(value)[:80]}; a list must have a 0 or 1 for "
                "each class. For a list of classes use the content type "
                "'application/x-recordio; label-format=class-id'."
            )
        return np.array(numbers, dtype=np.float32)
    label = np.zeros(classes, dtype=np.float32)
    for each in numbers:
        if not 0 <= each < classes or each != int(each):
            raise CustomerError(
                f"The label of {where} names class {each:g}; num_classes={classes} has 0 to "
                f"{classes - 1}."
            )
        label[int(each)] = 1.0
    return label


def _number(members: Mapping[str, Any], name: str, where: str) -> float:
    value = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CustomerError(f"{name} of {where} is {json.dumps(value)}; it must be a number.")
    return float(value)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
