"""The best score so far, and when no better one is to be expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bottega.algorithms.object_detection.settings import EarlyStopping


class Progress:
    """Follows a score of which more is better.

    Attributes:
        best: the best score; None before the first.
    """

    def __init__(self, rule: EarlyStopping) -> None:
        self._rule = rule
        self.best: float | None = None
        self._epochs = 0
        self._idle = 0
        self._reference: float | None = None

    def add(self, score: float) -> tuple[bool, bool]:
        """Take the score of an epoch.

        Returns:
            Whether it is the best so far, and whether early stopping wants to end here: it is
            switched on, the epochs that must be were, and in as many in a row as its patience, the
            score was not better than the best by the tolerance, as a part of the best.
        """
        self._epochs += 1
        reference = self._reference
        if reference is None or score > reference * (1 + self._rule.tolerance):
            self._reference, self._idle = score, 0
        else:
            self._idle += 1
        better = self.best is None or score > self.best
        if better:
            self.best = score
        patient = self._idle < self._rule.patience or self._epochs < self._rule.min_epochs
        return better, self._rule.wanted and not patient

    def document(self) -> dict[str, Any]:
        """As numbers that a checkpoint can hold."""
        return {
            "best": self.best,
            "reference": self._reference,
            "epochs": self._epochs,
            "idle": self._idle,
        }

    def restore(self, document: dict[str, Any]) -> None:
        """Go on from what :meth:`document` gave. Raises: KeyError."""
        self.best = document["best"]
        self._reference = document["reference"]
        self._epochs = int(document["epochs"])
        self._idle = int(document["idle"])
