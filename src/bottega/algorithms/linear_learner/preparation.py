"""The channels of a training, what must be true of them, and how many models memory allows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.algorithm import CONTENT_TYPES
from bottega.algorithms.linear_learner.settings import PARALLEL_MODELS, Settings
from bottega.algorithms.readers.blocks import LabelRule
from bottega.algorithms.readers.record_channel import RecordChannel, open_records

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_COPIES = 6
"""How often the weights are in memory: with gradients, the optimizer's means and the best ones."""
_SHARE_OF_MEMORY = 4


@dataclass(frozen=True)
class Data:
    """The channels of this host; None where a channel has no data here."""

    train: RecordChannel | None
    validation: RecordChannel | None
    test: RecordChannel | None
    width: int
    """How many features a row has, on every host."""
    sparse: bool
    """Whether training rows are sparse, on any host."""
    has_validation: bool
    has_test: bool


def open_data(environment: TrainingEnvironment, settings: Settings, cluster: Cluster) -> Data:
    """Open the channels.

    Raises:
        CustomerError: there is no training data, or a channel cannot be read or does not fit.
    """
    rule = _label_rule(settings)

    def opened(name: str, width: int) -> RecordChannel | None:
        return open_records(environment, name, width=width, content_types=CONTENT_TYPES, rule=rule)

    train = opened("train", settings.feature_dim or 0)
    width = cluster.largest(0 if train is None else train.width)
    if not width:
        raise CustomerError("The channel train has no data on any host.")
    if train is not None and train.width != width:
        raise CustomerError(
            f"The rows of the channel train have {train.width} features on this host and {width} "
            "on another one; every row needs the same features."
        )
    given = environment.input_data_config
    validation = opened("validation", width) if "validation" in given else None
    test = opened("test", width) if "test" in given else None
    return Data(
        train=train,
        validation=validation,
        test=test,
        width=width,
        sparse=bool(cluster.largest(int(train is not None and train.sparse))),
        has_validation=bool(cluster.largest(int(validation is not None))),
        has_test=bool(cluster.largest(int(test is not None))),
    )


def _label_rule(settings: Settings) -> LabelRule | None:
    if settings.binary:
        return LabelRule(
            lambda labels: (labels != 0) & (labels != 1),
            "is neither 0 nor 1, the classes of a binary_classifier. Check that the label is where "
            "the content type says, or use multiclass_classifier or regressor.",
        )
    if settings.multiclass:
        classes = settings.num_classes
        return LabelRule(
            lambda labels: (labels < 0) | (labels >= classes) | (labels != np.floor(labels)),
            f"is not a whole number in [0,{classes}), the classes of num_classes={classes}.",
        )
    return None


def count_classes(train: RecordChannel | None, settings: Settings, cluster: Cluster) -> Any:
    """How many training rows each class has, over all hosts: a pass over the data.

    Raises:
        CustomerError: there is one class only.
    """
    counts = np.zeros(max(2, settings.num_classes), dtype=np.int64)
    if train is not None:
        for batch in train.batches(0):
            assert batch.labels is not None
            counts += np.bincount(batch.labels.astype(np.int64), minlength=counts.size)
    counts = cluster.sum(counts)
    refuse_single_class(counts)
    return counts


def refuse_single_class(counts: Any) -> None:
    """Raise CustomerError when all rows are of one class."""
    if (counts > 0).sum() == 1:
        raise CustomerError(
            f"Every label of the channel train is {int(counts.argmax())}; a classifier needs rows "
            "of at least two classes."
        )


def how_many_models(settings: Settings, width: int, cluster: Cluster) -> int:
    """How many models are trained: as many as were asked for, or 32 if memory allows it.

    Raises:
        CustomerError: not even one fits.
    """
    memory = _memory()
    each = 4 * _COPIES * (width + 1) * settings.num_classes
    wanted = settings.num_models or 1
    if each * wanted > memory:
        raise CustomerError(
            f"{wanted} model(s) of {width} features and {settings.num_classes} column(s) of "
            f"weights need about {each * wanted / 2**30:.0f} GiB, and this host has "
            f"{memory / 2**30:.0f} GiB. Use fewer features, classes or models, or a larger "
            "instance."
        )
    if settings.num_models is not None:
        return settings.num_models
    found = max(1, min(PARALLEL_MODELS, memory // _SHARE_OF_MEMORY // each))
    # The smallest of the hosts' numbers.
    return -cluster.largest(-found)


def _memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
