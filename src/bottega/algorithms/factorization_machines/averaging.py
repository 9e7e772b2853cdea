"""Several hosts: after each epoch they agree on what they learned from their own rows.

A weight becomes the mean over the hosts whose rows had its feature; the others have not moved it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bottega.algorithms.cluster import Cluster
    from bottega.algorithms.factorization_machines.learner import Learner

_BLOCK = 1 << 22
"""How many numbers go over the wire at a time."""


class Averaging:
    """Which features this host has met since the hosts last agreed."""

    def __init__(self, cluster: Cluster, width: int) -> None:
        self._cluster = cluster
        self._met = np.zeros(width if cluster.hosts > 1 else 0, dtype=bool)
        self._rows = 0

    def note(self, features: Any, rows: int) -> None:
        """This host has learned from some rows in which these features occur."""
        if self._cluster.hosts > 1:
            self._met[features] = True
            self._rows += rows

    def agree(self, learner: Learner) -> None:
        """Give every host the same weights and moments."""
        if self._cluster.hosts == 1:
            return
        hosts = self._cluster.sum(self._met.astype(np.float32))
        weights = learner.weights
        width = weights.factors.shape[1]
        step = max(1, _BLOCK // (3 * (width + 1)))
        for start in range(0, weights.width, step):
            part = slice(start, start + step)
            changed = np.flatnonzero(hosts[part] > 0) + start
            if not changed.size:
                continue
            tables = [
                weights.linear[:, None],
                learner.linear_moments[0][:, None],
                learner.linear_moments[1][:, None],
                weights.factors,
                learner.factors_moments[0],
                learner.factors_moments[1],
            ]
            own = np.concatenate([table[changed] for table in tables], axis=1)
            own *= self._met[changed, None]
            mean = self._cluster.sum(own) / hosts[changed, None]
            column = 0
            for table in tables:
                table[changed] = mean[:, column : column + table.shape[1]]
                column += table.shape[1]
        self._agree_on_bias(learner)
        self._met[:] = False
        self._rows = 0

    def _agree_on_bias(self, learner: Learner) -> None:
        """The bias is the mean over rows, for every row moves it."""
        own = np.array([1.0, learner.weights.bias[0], *learner.bias_moments]) * self._rows
        total = self._cluster.sum(own)
        if total[0] > 0:
            learner.weights.bias[0] = total[1] / total[0]
            learner.bias_moments[:] = total[2:] / total[0]
