"""Passes over a channel: the losses of all models, or the metrics of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.losses import Loss, LossSums
from bottega.algorithms.linear_learner.margins import CHUNK, Margins
from bottega.algorithms.linear_learner.metrics import Evaluation, gather
from bottega.algorithms.linear_learner.scaling import Scaling
from bottega.algorithms.linear_learner.workers import Workers

if TYPE_CHECKING:
    from bottega.algorithms.readers.record_channel import RecordChannel


@dataclass(frozen=True)
class Sample:
    """The rows of a channel that are looked at on this host."""

    channel: RecordChannel | None
    """None where this host has no data of it."""
    rows: int | None = None
    """How many of them at most; None for all."""
    seed: int | None = None
    """Shuffles them, so that the first ones are like all; None for their own order."""

    def chunks(self, columns: int) -> Iterator[tuple[Any, Any]]:
        """Features and labels of rows whose margins are not too many to be in memory."""
        if self.channel is None:
            return
        left, most = self.rows, max(1, CHUNK // columns)
        for batch in self.channel.batches(0, seed=self.seed):
            for start in range(0, batch.rows, most):
                stop = min(start + most, batch.rows)
                if left is not None:
                    stop = min(stop, start + left)
                    left -= stop - start
                assert batch.labels is not None
                whole = start == 0 and stop == batch.rows
                features = batch.features if whole else batch.features[start:stop]
                yield features, batch.labels[start:stop]
                if left == 0:
                    return


@dataclass(frozen=True)
class Scored:
    """What models do on a sample, over all hosts."""

    losses: Any
    """The mean loss of each model; infinite for one that is broken."""
    rows: int
    """How many rows there were."""
    margins: Any
    """Rows x P of the first rows, as many as were asked for."""
    labels: Any
    """Of those rows."""


@dataclass(frozen=True)
class Scorer:
    """Scores models on samples.

    Each host has a sample of its own; what comes out is of all of them together.
    """

    scaling: Scaling
    loss: Loss
    models: int
    cluster: Cluster
    workers: Workers

    def score(self, sample: Sample, weights: Any, *, keep: int = 0) -> Scored:
        """The losses of all models.

        Args:
            sample: the rows.
            weights: of the models, (d + 1) x P.
            keep: how many rows' margins to keep on this host.
        """
        sums, rows = LossSums.of(self.models), 0
        kept: list[Any] = [np.empty((0, weights.shape[1]), dtype=np.float32)]
        labels_kept: list[Any] = [np.empty(0, dtype=np.float32)]
        for margins, labels in self._passes(sample, weights, sums, copies=keep > 0):
            rows += labels.size
            if keep > 0:
                kept.append(margins[:keep])
                labels_kept.append(labels[:keep])
                keep -= labels_kept[-1].size
        losses, rows = self._together(sums, rows)
        return Scored(
            losses,
            rows,
            gather(self.cluster, np.concatenate(kept)),
            gather(self.cluster, np.concatenate(labels_kept)),
        )

    def evaluate(self, sample: Sample, weights: Any, into: Evaluation) -> tuple[float, int]:
        """Evaluate one model.

        Args:
            sample: the rows.
            weights: of the model, (d + 1) x classes.
            into: collects what the model gives, in the units of the labels, and the labels.

        Returns:
            The mean loss and the number of rows.
        """
        sums, rows = LossSums.of(1), 0
        scale, shift = np.float32(self.scaling.label_scale), np.float32(self.scaling.label_shift)
        for margins, labels in self._passes(sample, weights, sums, copies=True):
            into.add(margins * scale + shift, labels)
            rows += labels.size
        losses, rows = self._together(sums, rows)
        return float(losses[0]), rows

    def _passes(
        self, sample: Sample, weights: Any, sums: LossSums, *, copies: bool
    ) -> Iterator[tuple[Any, Any]]:
        """Margins (where they are asked for) and labels, a chunk at a time."""
        margins = Margins(self.scaling, weights)
        for features, labels in sample.chunks(weights.shape[1]):
            scaled = self.scaling.labels(labels)

            def part(rows: slice, features: Any = features, scaled: Any = scaled) -> Any:
                here = LossSums.of(self.models)
                found = margins.of(features[rows])
                kept = found.copy() if copies else found[:0]
                self.loss.slope(found, scaled[rows], here)
                return kept, here

            found = self.workers.run(part, self.workers.parts(labels.size, weights.size))
            for _, here in found:
                sums.add(here)
            yield np.concatenate([kept for kept, _ in found]), labels

    def _together(self, sums: LossSums, rows: int) -> tuple[Any, int]:
        sums = LossSums(self.cluster.sum(sums.losses), self.cluster.sum(sums.weights))
        return sums.means(), int(self.cluster.sum(np.array([rows], dtype=np.int64))[0])
