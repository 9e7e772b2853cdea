"""Linear models that learn side by side: one matrix product a batch for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner import kernels
from bottega.algorithms.linear_learner.grid import Candidate
from bottega.algorithms.linear_learner.losses import Loss, LossSums
from bottega.algorithms.linear_learner.margins import Gradient
from bottega.algorithms.linear_learner.rates import Rates
from bottega.algorithms.linear_learner.scaling import Scaling
from bottega.algorithms.linear_learner.settings import Settings
from bottega.algorithms.linear_learner.workers import Workers

_RMSPROP_DECAY = 0.9
_SEED = 0


class ParallelModels:
    """The models of a training, and the state of their optimizer.

    Args:
        settings: of the training.
        chosen: the settings of each model.
        scaling: of the data.
        loss: what is minimised.
        width: how many features there are.
        sparse: whether training rows come as CSR matrices.
        cluster: the hosts that train together; each gives a part of every gradient.
        workers: the threads that share a batch.
    """

    def __init__(
        self,
        settings: Settings,
        chosen: Sequence[Candidate],
        scaling: Scaling,
        loss: Loss,
        *,
        width: int,
        sparse: bool,
        cluster: Cluster,
        workers: Workers,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._workers = workers
        self._classes = settings.num_classes
        self.weights = _first_weights(settings, len(chosen), width)
        """``float32``, (d + 1) x P: a row for each feature and one for the bias, a column for each
        class of each model."""
        self._gradient = Gradient(scaling, loss, self.weights, len(chosen), workers)
        self._means = np.zeros_like(self.weights)
        adaptive = settings.optimizer != "sgd"
        self._squares = np.zeros_like(self.weights) if adaptive else self.weights[:0].copy()
        self._counts = np.zeros(width + 1 if adaptive else 0, dtype=np.int64)
        self._last = np.zeros(width + 1, dtype=np.int64)
        self._seen = np.zeros(width + 1, dtype=bool)
        self._steps = 0
        # Features that no row of a batch has can wait, unless a shift gives them a value anyway.
        self._lazy = sparse and scaling.shift is None
        self._all = np.arange(width + 1 if settings.use_bias else width)
        self._rates = Rates(settings, chosen)

    def columns(self, model: int) -> slice:
        """Where a model's weights are."""
        return slice(model * self._classes, (model + 1) * self._classes)

    def learn(self, features: Any, labels: Any, sums: LossSums, batches: int | None) -> int:
        """One step on a batch, which may be empty where other hosts have more.

        Args:
            features: rows as they are in the data.
            labels: on the scale of the training.
            sums: the losses before the step are added here.
            batches: how many batches an epoch has; None while that is not known.

        Returns:
            How many rows all hosts gave.
        """
        touched = self._gradient.add(features, labels, sums)
        wanted = self._touched_anywhere(touched) if self._lazy else self._all
        total = self._together(wanted, int(features.shape[0]))
        if total:
            self._update(wanted, total, batches)
        return total

    def penalties(self, weights: Any) -> Any:
        """What the L1 and L2 penalties of these weights add to the loss of each model, on the scale
        of the training."""
        decays, shrinks = self._rates.penalties
        features, bias = weights[:-1], weights[-1].astype(np.float64)
        costs = decays[0] / 2 * np.einsum("ij,ij->j", features, features, dtype=np.float64)
        costs += shrinks[0] * np.abs(features).sum(axis=0, dtype=np.float64)
        costs += decays[1] / 2 * bias**2
        return costs.reshape(-1, self._classes).sum(axis=1)

    def forget_unseen(self, weights: Any) -> None:
        """A feature that was 0 in every row keeps no weight from chance."""
        weights[:-1][~self._seen[:-1]] = 0

    def stop_broken(self) -> None:
        """Models whose weights are no numbers any more are put to 0 and learn no more."""
        broken = ~np.isfinite(self.weights).all(axis=0)
        if broken.any():
            # All classes of a model are broken when one of them is.
            models = broken.reshape(-1, self._classes).any(axis=1)
            broken = np.repeat(models, self._classes)
            for array in (self.weights, self._means, self._squares):
                array[:, broken] = 0
            self._rates.stop(broken)

    @property
    def stopped(self) -> Any:
        """For each model, whether it was broken."""
        return self._rates.stopped.reshape(-1, self._classes).any(axis=1)

    def state(self) -> dict[str, Any]:
        """Everything that changes while they learn, as arrays."""
        return {
            **self._arrays(),
            "steps": np.array(self._steps),
            "stopped": self._rates.stopped,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` gave.

        Raises:
            ValueError: the state is of other models.
        """
        for name, array in self._arrays().items():
            if state[name].shape != array.shape:
                raise ValueError(f"{name} has the shape {state[name].shape}, not {array.shape}")
            array[:] = state[name]
        self._steps = int(state["steps"])
        self._rates.stop(state["stopped"])

    def _arrays(self) -> dict[str, Any]:
        return {
            "weights": self.weights,
            "means": self._means,
            "squares": self._squares,
            "counts": self._counts,
            "last": self._last,
            "seen": self._seen,
        }

    def _touched_anywhere(self, touched: Any) -> Any:
        """The features that a row of this batch has on any host, and the bias."""
        if self._cluster.hosts > 1:
            here = np.zeros(self.weights.shape[0], dtype=np.int32)
            here[touched] = 1
            touched = np.flatnonzero(self._cluster.sum(here))
        bias = self.weights.shape[0] - 1
        return np.append(touched, bias) if self._settings.use_bias else touched.copy()

    def _together(self, rows: Any, count: int) -> int:
        """Add up what the hosts found for these rows of the gradient."""
        if self._cluster.hosts == 1:
            return count
        total = int(self._cluster.sum(np.array([count], dtype=np.int64))[0])
        if total:
            self._gradient.values[rows] = self._cluster.sum(self._gradient.values[rows])
        return total

    def _update(self, rows: Any, total: int, batches: int | None) -> None:
        rates, decays, shrinks = self._rates.at(self._steps, batches)
        self._steps += 1
        settings, share = self._settings, np.float32(1 / total)
        adam = settings.optimizer == "adam"
        beta_1 = np.float32(settings.beta_1 if adam else 0)
        beta_2 = np.float32(settings.beta_2 if adam else _RMSPROP_DECAY)
        momentum = np.float32(settings.momentum)

        def part(some: slice) -> None:
            if settings.optimizer == "sgd":
                kernels.momentum_update(
                    rows[some],
                    self.weights,
                    self._gradient.values,
                    self._means,
                    self._last,
                    self._seen,
                    self._steps,
                    share,
                    rates,
                    decays,
                    shrinks,
                    momentum,
                )
            else:
                kernels.adaptive_update(
                    rows[some],
                    self.weights,
                    self._gradient.values,
                    self._means,
                    self._squares,
                    self._counts,
                    self._last,
                    self._seen,
                    self._steps,
                    share,
                    rates,
                    decays,
                    shrinks,
                    beta_1,
                    beta_2,
                )

        # A weight takes as long as a few dozen multiplications.
        work = 32 * self.weights.shape[1]
        self._workers.run(part, self._workers.parts(rows.size, work))
        # Where there is no bias, its row of the gradient was filled all the same.
        self._gradient.values[-1] = 0


def _first_weights(settings: Settings, models: int, width: int) -> Any:
    classes = settings.num_classes
    weights = np.empty((width + 1, models * classes), dtype=np.float32)
    for model in range(models):
        random = np.random.default_rng([_SEED, model])
        shape = (width, classes)
        if settings.init_method == "normal":
            drawn = random.standard_normal(shape, dtype=np.float32) * settings.init_sigma
        else:
            drawn = (random.random(shape, dtype=np.float32) * 2 - 1) * settings.init_scale
        weights[:-1, model * classes : (model + 1) * classes] = drawn
    weights[-1] = settings.init_bias if settings.use_bias else 0
    return weights
