"""The probabilities of a classifier's labels, for each loss that fastText has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bottega.algorithms.blazingtext.fasttext_file import (
    HIERARCHICAL_SOFTMAX,
    SOFTMAX,
    FastTextModel,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_NEVER = 1e15
"""The count of a node that is not made yet."""


class Scorer:
    """Gives the probability of each label.

    Args:
        model: a classifier.
    """

    def __init__(self, model: FastTextModel) -> None:
        self._loss = model.settings.loss
        self._output = np.array(model.output, np.float32)
        self._paths: list[tuple[NDArray[np.int64], NDArray[np.bool_]]] = []
        if self._loss == HIERARCHICAL_SOFTMAX:
            self._paths = _huffman_paths(model.label_counts.tolist())

    def probabilities(self, hidden: Floats) -> Floats:
        """One number for each label, in the order of the model's labels."""
        scores = self._output @ hidden
        if self._loss == SOFTMAX:
            found = np.exp(scores - scores.max())
            softmax: Floats = found / found.sum()
            return softmax
        logistic: Floats = 1 / (1 + np.exp(-scores))
        if self._loss != HIERARCHICAL_SOFTMAX:
            return logistic
        steps = (np.where(turns, logistic[nodes], 1 - logistic[nodes]).prod()
                 for nodes, turns in self._paths)  # fmt: skip
        return np.fromiter(steps, np.float32, len(self._paths))


def _huffman_paths(counts: list[int]) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """For each label the nodes from the root to it, and whether it turns right at each.

    The tree is built as fastText builds it, so that the rows of the output matrix are its nodes.

    Args:
        counts: how often each label occurs, falling.
    """
    labels = len(counts)
    weights: list[float] = [*counts, *([_NEVER] * (labels - 1))]
    parents, right = [-1] * len(weights), [False] * len(weights)
    leaf, node = labels - 1, labels
    for made in range(labels, len(weights)):
        pair = []
        for _ in range(2):
            if leaf >= 0 and weights[leaf] < weights[node]:
                pair.append(leaf)
                leaf -= 1
            else:
                pair.append(node)
                node += 1
        weights[made] = weights[pair[0]] + weights[pair[1]]
        for child in pair:
            parents[child] = made
        right[pair[1]] = True
    paths = []
    for label in range(labels):
        nodes, turns, at = [], [], label
        while parents[at] >= 0:
            nodes.append(parents[at] - labels)
            turns.append(right[at])
            at = parents[at]
        paths.append((np.array(nodes, np.int64), np.array(turns, np.bool_)))
    return paths
