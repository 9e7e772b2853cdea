"""Adam on mini-batches: only the weights of features that occur in a batch are moved by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.factorization_machines.batches import WORTH_SHARING, TurnedRows
from bottega.algorithms.factorization_machines.kernels import (
    correction_of,
    differentiate,
    forward,
    learn_many,
    update,
    update_bias,
)
from bottega.algorithms.factorization_machines.schema import BINARY, PARTS

if TYPE_CHECKING:
    from bottega.algorithms.factorization_machines.batches import SparseRows
    from bottega.algorithms.factorization_machines.weights import Weights

_EPSILON = 1e-8


class Learner:
    """Moves weights; to be used in a ``with`` statement.

    The result does not depend on how many threads there are: each feature is moved by one of them.

    Args:
        weights: changed in place.
        values: the hyperparameters, with defaults.
        threads: how many to use.
    """

    def __init__(self, weights: Weights, values: Mapping[str, Any], threads: int) -> None:
        self.weights = weights
        self.linear_moments = np.zeros((2, weights.width), dtype=np.float32)
        """The running means of the gradients and of their squares, 2 x d."""
        self.factors_moments = np.zeros((2, *weights.factors.shape), dtype=np.float32)
        """The same of the factors, 2 x d x f."""
        self.bias_moments = np.zeros(2)
        self._steps = 0
        self._binary = values["predictor_type"] == BINARY
        self._batch = values["mini_batch_size"]
        self._scale = float(values.get("rescale_grad", 0.0))
        self._rates = np.array(
            [
                [
                    values[f"{part}_lr"],
                    values[f"{part}_wd"],
                    values.get("clip_gradient", np.inf),
                    values.get("eps", _EPSILON),
                ]
                for part in PARTS
            ]
        )
        self._slots = np.full(weights.width, -1, dtype=np.int32)
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fm")

    def __enter__(self) -> Learner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def margins(self, rows: SparseRows) -> Any:
        """What the model says of some rows: ``float32``, n."""
        return self._forward(rows)[0]

    def learn(self, rows: SparseRows) -> Any:
        """Learn from a batch, or from several small ones; returns the margins of the rows before.

        Raises:
            CustomerError: the weights have become infinite.
        """
        if isinstance(rows, TurnedRows):
            return self._learn_together(rows)
        weights = self.weights
        margins = np.empty(rows.rows, np.float32)
        steps = learn_many(
            rows.pointers,
            rows.indices,
            rows.values,
            rows.labels,
            self._batch,
            self._steps,
            self._binary,
            self._scale,
            self._rates,
            self._slots,
            weights.bias,
            weights.linear,
            weights.factors,
            self.bias_moments,
            self.linear_moments[:1],
            self.linear_moments[1:],
            self.factors_moments[0],
            self.factors_moments[1],
            margins,
        )
        self._steps += steps
        if steps * self._batch < rows.rows:
            raise diverged()
        return margins

    def _learn_together(self, rows: TurnedRows) -> Any:
        """Learn from one batch with several threads."""
        margins, sums = self._forward(rows)
        derivatives = np.empty(rows.rows, np.float32)
        slope = differentiate(
            margins, rows.labels, 0, rows.rows, self._binary, self._scale, derivatives
        )
        if not np.isfinite(slope):
            raise diverged()
        self._steps += 1
        correction = correction_of(self._steps)
        rates = self._rates.copy()
        rates[:, 0] *= correction
        linear, factors = rates[1:].astype(np.float32)
        weights = self.weights

        def move(start: int, stop: int) -> None:
            update(
                rows.features,
                rows.begins,
                rows.value_rows,
                rows.turned,
                start,
                stop,
                derivatives,
                sums,
                weights.linear,
                weights.factors,
                self.linear_moments[:1],
                self.linear_moments[1:],
                self.factors_moments[0],
                self.factors_moments[1],
                linear,
                factors,
            )

        self._share(move, rows.begins)
        update_bias(weights.bias, self.bias_moments, slope, correction, self._rates[0])
        return margins

    def _forward(self, rows: SparseRows) -> tuple[Any, Any]:
        weights = self.weights
        margins = np.empty(rows.rows, np.float32)
        sums = np.empty((rows.rows, weights.factors.shape[1]), np.float32)

        def run(start: int, stop: int) -> None:
            forward(
                rows.pointers,
                rows.indices,
                rows.values,
                start,
                stop,
                weights.bias[0],
                weights.linear,
                weights.factors,
                sums,
                margins,
            )

        self._share(run, rows.pointers)
        return margins, sums

    def _share(self, function: Callable[[int, int], None], begins: Any) -> None:
        """Run a function over ranges of about as many values each.

        Args:
            function: gets the first of a range and the one after its last.
            begins: where the values of each thing begin, and the end.
        """
        size, things = int(begins[-1]), len(begins) - 1
        parts = min(self._threads, 1 + size * self.weights.factors.shape[1] // WORTH_SHARING)
        if parts == 1:
            function(0, things)
            return
        marks = [size * part // parts for part in range(1, parts)]
        bounds = [0, *np.searchsorted(begins, marks).tolist(), things]
        list(self._pool.map(lambda bound: function(*bound), pairwise(bounds)))


def diverged() -> CustomerError:
    """What to say when the weights have become infinite."""
    return CustomerError(
        "The training diverged: the loss has become infinite. Lower linear_lr and factors_lr, set "
        "clip_gradient, or scale the features."
    )
