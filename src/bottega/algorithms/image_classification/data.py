"""The channels as batches of pictures and of what is to be learned about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep.decoded import DecodedImages, in_order
from bottega.algorithms.deep.pixels import Pixels
from bottega.algorithms.image_classification.framing import NO_LIMIT, Framing
from bottega.algorithms.image_classification.settings import Settings
from bottega.algorithms.readers.images import RECORDIO, open_images

if TYPE_CHECKING:
    from bottega.algorithms.readers.images import ImageSet
    from bottega.container.environment import TrainingEnvironment


@dataclass(frozen=True)
class Batch:
    """Some images of a channel.

    Attributes:
        pictures: ``uint8`` (n, height, width, channels).
        targets: the class of each, int64 (n,); with several labels float32 (n, classes) of 0 and 1.
        draw: the source of chance for what varies in these images; None when nothing does.
    """

    pictures: Pixels
    targets: Any
    draw: np.random.Generator | None


class ImageChannel:
    """One channel, decoded.

    Attributes:
        targets: of all images, see :class:`Batch`.
        same_size: whether every image is exactly as large as what the network sees.
        enlarged: whether some image was smaller than that.
        sides: the least and the most pixels of a shorter side.
    """

    def __init__(
        self, images: ImageSet, targets: Any, framing: Framing, *, threads: int, seed: int
    ) -> None:
        self.targets = targets
        self.enlarged = False
        self._framing = framing
        self._threads = threads
        self._seed = seed
        self._decoded = DecodedImages(images, self._prepare, threads=threads)
        sizes = self._decoded.sizes
        self.same_size = bool((sizes == framing.shape[1:]).all())
        shorter = sizes.min(axis=1)
        self.sides = int(shorter.min()), int(shorter.max())

    def __len__(self) -> int:
        return len(self._decoded)

    @property
    def kept(self) -> int:
        """How many images stay decoded in memory."""
        return self._decoded.kept

    def batches(self, size: int) -> int:
        """How many batches of this size :meth:`shuffled` gives by itself."""
        return len(split(np.arange(len(self)), size))

    def all(self, size: int) -> Iterator[Batch]:
        """Every image once, in order, the middle of each."""
        orders = [np.arange(at, min(at + size, len(self))) for at in range(0, len(self), size)]
        return in_order(self._middle, orders, threads=self._workers())

    def shuffled(self, size: int, epoch: int, *, vary: bool, batches: int = 0) -> Iterator[Batch]:
        """The images in a random order that follows from the seed and the epoch.

        Args:
            size: images of a batch; one that would be left over alone goes with the batch before.
            epoch: counted from 0.
            vary: whether parts of images are chosen by chance, and batches have a generator.
            batches: how many are needed, where that is more than there are; it begins again then.
        """
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self))
        orders = split(order, size)
        numbers = range(max(batches, len(orders)))
        work = partial(self._varied, orders, epoch, vary)
        return in_order(work, numbers, threads=self._workers())

    def _prepare(self, data: bytes) -> Pixels:
        scaled = self._framing.scaled(data)
        picture = self._framing.covering(scaled)
        if picture is not scaled:
            self.enlarged = True
        return picture

    def _workers(self) -> int:
        # Cutting parts out of what is in memory is no work for many.
        return 1 if self.kept == len(self) else self._threads

    def _middle(self, order: NDArray[np.int64]) -> Batch:
        return self._batch(order, None, None)

    def _varied(self, orders: list[Any], epoch: int, vary: bool, number: int) -> Batch:
        draw = np.random.default_rng((self._seed, epoch, number)) if vary else None
        return self._batch(orders[number % len(orders)], draw, draw)

    def _batch(
        self, order: NDArray[np.int64], draw: Any, cutting: np.random.Generator | None
    ) -> Batch:
        channels, height, width = self._framing.shape
        pictures = np.empty((len(order), height, width, channels), dtype=np.uint8)
        for row, index in enumerate(order.tolist()):
            pictures[row] = self._framing.cut(self._decoded[index], cutting)
        return Batch(pictures, self.targets[order], draw)


def split(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Cut an order into batches, none of a single image where that can be helped.

    Statistics of a batch, which normalisation lives on, need more than one image.
    """
    starts = list(range(0, len(order), size))
    if len(starts) > 1 and size > 1 and len(order) - starts[-1] == 1:
        starts.pop()
    return np.split(order, starts[1:])


def open_channel(
    environment: TrainingEnvironment,
    name: str,
    settings: Settings,
    sides: tuple[int, int] = (1, NO_LIMIT),
) -> ImageChannel | None:
    """Open and decode a channel; None when the job has none of that name.

    Args:
        environment: of this host.
        name: of the channel.
        settings: of the job.
        sides: where there is no ``resize``, between which the shorter sides of images are to be.

    Raises:
        CustomerError: its images or labels cannot be trained on.
    """
    if name not in environment.input_data_config:
        return None
    media = str(environment.input_data_config[name].get("ContentType") or "")
    pipe = environment.input_data_config[name].get("TrainingInputMode") == "Pipe"
    listed = f"{name}_lst" in environment.input_data_config
    if not settings.resize and not pipe and listed and not media.startswith(RECORDIO):
        raise CustomerError(
            "Hyperparameter resize: required when images are files (content type "
            f"{media or 'application/x-image'} of the channel {name}); give the pixels of the "
            "shorter side, at least as many as in image_shape."
        )
    images = open_images(environment, name, kind="classification")
    if not len(images):
        raise CustomerError(
            f"The channel {name} has no images on the host {environment.current_host}; use fewer "
            "hosts, or more files."
        )
    targets = read_targets(images, name, settings)
    framing = Framing(settings.image_shape, (settings.resize,) * 2 if settings.resize else sides)
    rank = environment.hosts.index(environment.current_host)
    return ImageChannel(images, targets, framing, threads=environment.cpus, seed=rank)


def read_targets(images: ImageSet, channel: str, settings: Settings) -> Any:
    """What is to be learned: classes, or with several labels a 0 or 1 for each class.

    Raises:
        CustomerError: a label is no class of these, or is of the other kind.
    """
    classes = settings.num_classes
    labels = np.stack([images.label(index) for index in range(len(images))])
    width = labels.shape[1]
    if width > 1 and not settings.multi_label:
        raise CustomerError(
            f"{images.name(0)} of the channel {channel} has {width} labels; set multi_label to 1, "
            "or give each image one class."
        )
    if width > 1:
        return _several(images, labels, channel, classes)
    values = labels[:, 0]
    beyond = np.flatnonzero(values >= classes)
    if len(beyond):
        first = int(beyond[0])
        raise CustomerError(
            f"{images.name(first)} of the channel {channel} has the label {values[first]:g}; "
            f"num_classes={classes} allows 0 to {classes - 1}. Correct the label or num_classes."
        )
    targets = values.astype(np.int64)
    if not settings.multi_label:
        return targets
    return np.eye(classes, dtype=np.float32)[targets]


def _several(images: ImageSet, labels: Any, channel: str, classes: int) -> Any:
    if labels.shape[1] != classes:
        raise CustomerError(
            f"{images.name(0)} of the channel {channel} has {labels.shape[1]} labels where "
            f"num_classes is {classes}; with multi_label each image needs a 0 or 1 for each class."
        )
    odd = np.flatnonzero((labels > 1).any(axis=1))
    if len(odd):
        first = int(odd[0])
        raise CustomerError(
            f"{images.name(first)} of the channel {channel} has the label "
            f"{labels[first].max():g}; with multi_label labels are a 0 or 1 for each class."
        )
    return labels
