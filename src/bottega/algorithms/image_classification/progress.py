"""How far a training has come, and when it is enough."""

from __future__ import annotations

from dataclasses import dataclass

from bottega.algorithms.image_classification.settings import Settings


@dataclass
class Progress:
    """What is known after so many epochs.

    Attributes:
        epochs: done.
        best: the best accuracy on validation; -1 before the first.
        best_epoch: how many epochs were done when it was reached; without validation, the last.
        reference: the accuracy that early stopping wants to see exceeded; -1 before the first.
        waited: epochs since it was.
    """

    epochs: int = 0
    best: float = -1.0
    best_epoch: int = 0
    reference: float = -1.0
    waited: int = 0

    def see(self, accuracy: float, tolerance: float) -> bool:
        """Take note of the accuracy of the last epoch; returns whether it is the best so far.

        Args:
            accuracy: on validation.
            tolerance: the part of the best accuracy by which one has to exceed it to end waiting.
        """
        gain = accuracy - self.reference
        if gain > 0 and (self.reference <= 0 or gain / self.reference >= tolerance):
            self.reference, self.waited = accuracy, 0
        else:
            self.waited += 1
        if accuracy <= self.best:
            return False
        self.best, self.best_epoch = accuracy, self.epochs
        return True

    def wanted(self, frequency: int) -> set[int]:
        """After which epochs the weights are to be kept.

        Args:
            frequency: also those of every so many epochs; 0 for none.
        """
        regular = range(frequency, self.epochs + 1, frequency) if frequency else ()
        return {self.best_epoch, *regular}

    def enough(self, settings: Settings) -> str:
        """Why training ends now; empty while it goes on."""
        least, patience, _ = settings.patience
        if self.epochs >= settings.epochs:
            return "all epochs are done"
        if settings.early_stopping and self.epochs >= least and self.waited >= patience:
            return f"the accuracy on validation has not risen for {self.waited} epochs"
        return ""
