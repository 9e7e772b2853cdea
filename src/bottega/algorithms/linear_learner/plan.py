"""What the training data decide before the first step: scales, weights of classes, the models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.grid import Candidate, candidates
from bottega.algorithms.linear_learner.losses import Loss, loss_of
from bottega.algorithms.linear_learner.preparation import count_classes
from bottega.algorithms.linear_learner.scaling import Moments, Scaling, largest_power
from bottega.algorithms.linear_learner.settings import Settings

if TYPE_CHECKING:
    from bottega.algorithms.readers.record_channel import Batch, RecordChannel

_SCALER_BYTES = 256 << 20
"""The most memory that the rows take from which means and deviations are found."""


class Passes:
    """The passes over the training rows of this host, each in another order.

    Args:
        train: the channel; None where this host has no data.
        size: rows in a batch.
        seed: of the orders.
    """

    def __init__(self, train: RecordChannel | None, size: int, seed: int) -> None:
        self._train = train
        self._size = size
        self._seed = seed
        self._begun: Iterator[Batch] | None = None

    def first(self, rows: int) -> list[Batch]:
        """The first batches, of so many rows or as many as memory allows; they come again in the
        first epoch."""
        batches, found, size = self._pass(0), [], 0
        for batch in batches:
            found.append(batch)
            rows -= batch.rows
            sparse = self._train is not None and self._train.sparse
            size += 8 * batch.features.nnz if sparse else batch.features.nbytes
            if rows <= 0 or size > _SCALER_BYTES:
                break
        self._begun = chain(found, batches)
        return list(found)

    def epoch(self, number: int) -> Iterator[Batch]:
        """All batches of an epoch, from 0."""
        begun, self._begun = self._begun, None
        return begun if begun is not None and number == 0 else self._pass(number)

    def _pass(self, number: int) -> Iterator[Batch]:
        if self._train is None:
            return iter(())
        return self._train.batches(self._size, epoch=number, seed=self._seed)


@dataclass(frozen=True)
class Plan:
    """What is known before the first step."""

    scaling: Scaling
    class_weights: Any
    """``float32``, what a row of each class weighs; multiclass only."""
    chosen: Sequence[Candidate]
    """The settings of each model."""

    @property
    def positive(self) -> Any:
        """For each model, what a row of class 1 weighs."""
        return np.array([model.positive_weight for model in self.chosen], dtype=np.float32)

    @property
    def judged_positive(self) -> Any:
        """The same where models are compared: models of different weights are without any."""
        weights = self.positive
        return weights if (weights == weights[0]).all() else np.ones_like(weights)

    def loss(self, settings: Settings, positive: Any) -> Loss:
        """The loss with these weights of class 1, one for each model."""
        return loss_of(settings, self.scaling, positive=positive, class_weights=self.class_weights)

    def arrays(self) -> dict[str, Any]:
        """Everything, as arrays."""
        scaling = {
            name: np.array(np.nan) if value is None else np.asarray(value)
            for name, value in asdict(self.scaling).items()
        }
        chosen = np.array(json.dumps([asdict(model) for model in self.chosen]))
        return {**scaling, "class_weights": self.class_weights, "chosen": chosen}

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> Plan:
        """What :meth:`arrays` gave."""
        shift, scale = arrays["shift"], arrays["scale"]
        return cls(
            scaling=Scaling(
                shift=shift if shift.ndim else None,
                scale=scale if scale.ndim else None,
                label_shift=float(arrays["label_shift"]),
                label_scale=float(arrays["label_scale"]),
            ),
            class_weights=arrays["class_weights"],
            chosen=[Candidate(**model) for model in json.loads(str(arrays["chosen"]))],
        )


def make_plan(
    settings: Settings,
    train: RecordChannel | None,
    passes: Passes,
    cluster: Cluster,
    *,
    width: int,
    sparse: bool,
    models: int,
) -> Plan:
    """Look at the training rows.

    Args:
        settings: of the training.
        train: the rows of this host; None where it has none.
        passes: over them, of which the first is begun.
        cluster: the hosts, which come to the same plan.
        width: how many features there are.
        sparse: whether rows are sparse, on any host.
        models: how many there shall be.

    Raises:
        CustomerError: weights of classes depend on the data, and there is one class only.
    """
    counted = (settings.multiclass and settings.balance_multiclass_weights) or (
        settings.binary and isinstance(settings.positive_example_weight_mult, str)
    )
    counts = count_classes(train, settings, cluster) if counted else None
    first = passes.first(settings.num_point_for_scaler)
    moments = Moments(width, sparse=sparse)
    for batch in first:
        moments.add(batch.features, batch.labels)
    moments = moments.together(cluster)
    scaling = moments.scaling(settings)
    stable = 1.0
    if settings.optimizer == "sgd" and settings.learning_rate is None:
        rows = [batch.features for batch in first]
        steepest = largest_power(rows, scaling, width, cluster)
        # A single row counts the more, the fewer there are in a batch; the bias counts as 1.
        noise = moments.power(scaling) / settings.mini_batch_size
        stable = 1 / (loss_of(settings, scaling).curvature * (steepest + noise + 1))
    chosen = candidates(
        settings, models, stable_rate=stable, positive_weights=_positive_weights(settings, counts)
    )
    return Plan(scaling, _class_weights(settings, counts), chosen)


def _positive_weights(settings: Settings, counts: Any) -> Sequence[float]:
    """Weights of rows of class 1 to try, best first."""
    given = settings.positive_example_weight_mult
    if not settings.binary:
        return (1.0,)
    if isinstance(given, float):
        return (given,)
    balanced = float(counts[0] / counts[1])
    if given == "balanced":
        return (balanced,)
    if settings.binary_classifier_model_selection_criteria in (
        "accuracy",
        "cross_entropy_loss",
        "loss_function",
    ):
        return (1.0, balanced**0.5, balanced)
    return (balanced**0.5, 1.0, balanced)


def _class_weights(settings: Settings, counts: Any) -> Any:
    """What a row of each class weighs: all classes the same together, or each row 1."""
    if counts is None or not settings.multiclass:
        return np.ones(settings.num_classes, dtype=np.float32)
    present = (counts > 0).sum()
    weights = np.where(counts > 0, counts.sum() / (present * np.maximum(counts, 1)), 1.0)
    return weights.astype(np.float32)
