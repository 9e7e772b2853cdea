"""The images of a channel with their objects, and how they come in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep.decoded import DecodedImages, in_order
from bottega.algorithms.deep.pixels import Pixels, decode, resize
from bottega.algorithms.readers.images import ImageItem, ImageSet, boxes, open_images

if TYPE_CHECKING:
    from bottega.algorithms.object_detection.settings import Settings
    from bottega.container.environment import TrainingEnvironment

Floats = NDArray[np.float32]

_HEADER, _OBJECT = 2, 5
_MOST_THREADS = 4


@dataclass(frozen=True)
class Batch:
    """Some images.

    Attributes:
        pictures: ``uint8`` (b, side, side, 3).
        objects: (b, m, 5) float32, class and corners as parts of the side; class -1 fills up.
    """

    pictures: Pixels
    objects: Floats


@dataclass(frozen=True)
class Examples:
    """The images of a channel, scaled to squares.

    Attributes:
        pictures: each ``uint8`` (side, side, 3).
        objects: of each image, (k, 5) class and corners.
        threads: how many of them fetch images ahead.
    """

    pictures: DecodedImages
    objects: Sequence[Floats]
    threads: int

    def __len__(self) -> int:
        return len(self.objects)

    def in_turn(self, size: int) -> Iterator[Batch]:
        """Every image once, in order; the last batch may be smaller."""
        order = np.arange(len(self))
        return self._batches([order[i : i + size] for i in range(0, len(self), size)])

    def shuffled(self, size: int, count: int, rng: np.random.Generator) -> Iterator[Batch]:
        """As many full batches as wanted, in random order; begins anew when all were there.

        Raises:
            ValueError: there are no images.
        """
        if not len(self):
            raise ValueError("no images to make batches of")
        rounds = -(-size * count // len(self))
        order = np.concatenate([rng.permutation(len(self)) for _ in range(rounds)])
        return self._batches([order[i * size : (i + 1) * size] for i in range(count)])

    def _batches(self, orders: Sequence[NDArray[np.int64]]) -> Iterator[Batch]:
        return in_order(self._batch, orders, threads=min(_MOST_THREADS, self.threads))

    def _batch(self, order: NDArray[np.int64]) -> Batch:
        indices = order.tolist()
        return Batch(
            np.stack([self.pictures[index] for index in indices]),
            padded([self.objects[index] for index in indices]),
        )


def padded(objects: Sequence[Floats]) -> Floats:
    """Objects of several images as one array; rows of class -1 fill up."""
    longest = max((len(each) for each in objects), default=0)
    found = np.zeros((len(objects), longest, _OBJECT), dtype=np.float32)
    found[:, :, 0] = -1
    for row, each in zip(found, objects, strict=True):
        row[: len(each)] = each
    return found


def read_examples(
    environment: TrainingEnvironment, channel: str, settings: Settings, *, side: int
) -> Examples:
    """Read a channel and decode all of its images once.

    Args:
        environment: of the job.
        channel: its name.
        settings: of the job.
        side: height and width to keep images in.

    Raises:
        CustomerError: the channel is missing or empty, an image is broken, or a label does not fit
            ``num_classes`` or ``label_width``.
    """
    images = open_images(environment, channel, kind="detection")
    objects = [_objects(images, index, settings) for index in range(len(images))]
    pictures = DecodedImages(images, partial(_square, side=side), threads=environment.cpus)
    return Examples(pictures, objects, environment.cpus)


def _square(data: bytes, *, side: int) -> Pixels:
    return resize(decode(data, at_least=side), side, side)


def _objects(images: ImageSet, index: int, settings: Settings) -> Floats:
    name = images.name(index)
    found = boxes(ImageItem(name, b"", images.label(index)))
    room = (settings.label_width - _HEADER) // _OBJECT
    if len(found) > room:
        raise CustomerError(
            f"{name} has {len(found)} objects, and label_width {settings.label_width} has room for "
            f"{room}; set label_width to {_OBJECT * len(found) + _HEADER} or more."
        )
    if len(found) and found[:, 0].max() >= settings.num_classes:
        raise CustomerError(
            f"{name} has an object of class {found[:, 0].max():g}; with num_classes "
            f"{settings.num_classes} there are the classes 0 to {settings.num_classes - 1}. "
            "Correct the label or set num_classes."
        )
    return found
