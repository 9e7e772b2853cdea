"""What can be said about a job's images before the first epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.image_classification.data import ImageChannel
from bottega.algorithms.image_classification.settings import Settings
from bottega.algorithms.reports import Reporter

_NAMED = 20


def introduce(name: str, channel: ImageChannel, settings: Settings, reporter: Reporter) -> None:
    """Print what a channel holds."""
    reporter.info(f"The channel {name} has {len(channel)} images.")
    if channel.kept < len(channel):
        reporter.info(
            f"{channel.kept} of them stay decoded in memory; the others are decoded in each epoch."
        )
    if channel.enlarged:
        shape = ",".join(map(str, settings.image_shape))
        reporter.warning(
            f"Some images of the channel {name} are smaller than image_shape {shape}; they are "
            "enlarged."
        )


def check_train(
    train: ImageChannel, settings: Settings, smallest: int, cluster: Cluster, reporter: Reporter
) -> None:
    """Compare the images with what the user said about them.

    Args:
        train: the channel train of this host.
        settings: of the job.
        smallest: by how much the network's last stage is smaller than an image.
        cluster: the hosts; all of them take part.
        reporter: prints what is odd.

    Raises:
        CustomerError: there is nothing to learn from them.
    """
    everywhere = int(cluster.sum(np.array([len(train)], dtype=np.int64))[0])
    if settings.num_training_samples not in (len(train), everywhere):
        reporter.warning(
            f"num_training_samples is {settings.num_training_samples}, but the channel train has "
            f"{everywhere} images; an epoch goes over all of them."
        )
    counts = _class_counts(train, settings, cluster)
    absent = np.flatnonzero(counts == 0).tolist()
    if absent:
        more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
        reporter.warning(
            "No image of the channel train is of class "
            f"{', '.join(map(str, absent[:_NAMED]))}{more}."
        )
    if not settings.multi_label and len(absent) == settings.num_classes - 1:
        raise CustomerError(
            f"All {everywhere} images of the channel train have the label "
            f"{int(np.argmax(counts))}; a classifier needs images of two classes at least."
        )
    _, height, width = settings.image_shape
    if min(settings.mini_batch_size, len(train)) == 1 and max(height, width) <= smallest:
        raise CustomerError(
            f"One image of {height} x {width} at a time is too little to take statistics of: give "
            "mini_batch_size 2 or more, and at least two images."
        )


def _class_counts(train: ImageChannel, settings: Settings, cluster: Cluster) -> Any:
    """How many images each class has, on all hosts."""
    if settings.multi_label:
        return cluster.sum(train.targets.sum(axis=0, dtype=np.float64))
    counts = np.bincount(train.targets, minlength=settings.num_classes)
    return cluster.sum(counts.astype(np.float64))
