"""Rules over labels and predictions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.class_labels import classes
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.rule import EVERY, Collections, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_LABELS: Collections = {"labels": {"save_interval": "500"}, "predictions": {"save_interval": "500"}}


MOST_CLASSES = 1000
"""Whole numbers with more different values are no classes."""


@dataclass
class _OfClasses(Rule):
    frameworks: ClassVar[tuple[str, ...]] = EVERY
    tensors_wanted: ClassVar[str] = "labels that are classes, with predictions of the same samples"

    def pairs(
        self, at: Reading, labels: list[str], predictions: list[str], argmax: bool = False
    ) -> Iterator[tuple[Array, Array, tuple[str, str]]]:
        """True and predicted classes, and the two tensors' names; the first labels that have as
        many samples as the predictions belong to them."""
        for guess in predictions:
            guessed = at.value(guess)
            for name in labels if guessed is not None else ():
                true = at.value(name)
                if true is None or guessed is None:
                    continue
                pair = classes(true, guessed, argmax=argmax)
                if pair[0].size:
                    self.looked_at += 1
                    yield (*pair, (name, guess))
                    break


@dataclass
class ClassImbalance(_OfClasses):
    """Some class has far more samples than another one, or is predicted wrongly too often."""

    looks_for: ClassVar[str] = (
        "Classes with far fewer samples than others, or that are mostly predicted wrongly."
    )
    advice: ClassVar[str] = (
        "Weight the classes (scale_pos_weight of XGBoost, the weight of a loss in PyTorch, "
        "class_weight of scikit-learn), or sample the rare ones more often."
    )
    collections: ClassVar[Collections] = _LABELS

    threshold_imbalance: float = parameter(
        10.0, at_least=1, doc="Largest ratio of samples between the largest and smallest class."
    )
    threshold_misprediction: float = parameter(
        0.7, at_least=0, at_most=1, doc="Largest part of a class that may be predicted wrongly."
    )
    samples: int = parameter(500, at_least=1, doc="How many labels to see before judging.")
    argmax: bool = parameter(
        False, doc="Predictions are a row of scores for each sample; the largest is the class."
    )
    labels_regex: tuple[str, ...] = parameter(
        (".*labels",), pattern=True, doc="Expressions for the tensors of labels."
    )
    predictions_regex: tuple[str, ...] = parameter(
        (".*predictions",), pattern=True, doc="Expressions for the tensors of predictions."
    )

    _counts: dict[int, int] = field(default_factory=dict, init=False)
    """Samples of each class, of all steps."""
    _recent: dict[int, list[int]] = field(default_factory=dict, init=False)
    """Samples of each class, and those predicted wrongly, since the last judgement of that."""

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        labels, guesses = at.matching(self.labels_regex), at.matching(self.predictions_regex)
        for true, guessed, tensors in self.pairs(at, labels, guesses, self.argmax):
            found, counts = np.unique(true, return_counts=True)
            for one, count in zip(found.tolist(), counts.tolist(), strict=True):
                self._counts[one] = self._counts.get(one, 0) + count
                recent = self._recent.setdefault(one, [0, 0])
                recent[0] += count
                recent[1] += int(np.count_nonzero(guessed[true == one] != one))
            finding = self._imbalance(at, tensors) or self._mispredictions(at, tensors)
            if finding is not None:
                return finding
        return None

    def _imbalance(self, at: Reading, tensors: tuple[str, str]) -> Finding | None:
        if sum(self._counts.values()) < self.samples or len(self._counts) < 2:
            return None
        least = min(self._counts, key=self._counts.__getitem__)
        most = max(self._counts, key=self._counts.__getitem__)
        ratio = self._counts[most] / self._counts[least]
        if ratio <= self.threshold_imbalance:
            return None
        return self.found(
            at,
            f"Class {most} has {ratio:.3g} times the samples of class {least} "
            f"({self._counts[most]:,} and {self._counts[least]:,} labels were seen); up to "
            f"{self.threshold_imbalance:g} times is sound.",
            tensors[:1],
            ratio=number(ratio),
            threshold_imbalance=self.threshold_imbalance,
            smallest_class=least,
            largest_class=most,
        )

    def _mispredictions(self, at: Reading, tensors: tuple[str, str]) -> Finding | None:
        if sum(count for count, _ in self._recent.values()) < self.samples:
            return None
        shares = {one: wrong / count for one, (count, wrong) in self._recent.items()}
        self._recent = {}
        worst = max(shares, key=shares.__getitem__)
        if shares[worst] <= self.threshold_misprediction:
            return None
        return self.found(
            at,
            f"{100 * shares[worst]:.3g} % of the samples of class {worst} are predicted wrongly; "
            f"up to {100 * self.threshold_misprediction:g} % is sound.",
            tensors,
            misprediction=number(shares[worst]),
            threshold_misprediction=self.threshold_misprediction,
            worst_class=worst,
        )


@dataclass
class Confusion(_OfClasses):
    """Predictions of a class are too often wrong.

    For each class of those that were predicted: the part of them that truly is of that class (the
    diagonal), and the part that is of one other class.
    """

    looks_for: ClassVar[str] = "Classes that are too often predicted for samples of other classes."
    advice: ClassVar[str] = (
        "Look at samples of the two classes: labels that are wrong, features that do not tell them "
        "apart, or too few samples. Train longer if the training has just begun."
    )
    collections: ClassVar[Collections] = _LABELS

    category_no: int | None = parameter(
        None,
        kind=int,
        at_least=2,
        doc="Number of classes; as many as labels and predictions have without.",
    )
    labels: str = parameter("labels", doc="Name of the tensor of labels.")
    predictions: str = parameter("predictions", doc="Name of the tensor of predictions.")
    labels_collection: str = parameter("labels", doc="Collection that the labels are in.")
    predictions_collection: str = parameter(
        "predictions", doc="Collection that the predictions are in."
    )
    min_diag: float = parameter(
        0.9, at_least=0, at_most=1, doc="Smallest part of a class's predictions that is right."
    )
    max_off_diag: float = parameter(
        0.1, at_least=0, at_most=1, doc="Largest part that belongs to one other class."
    )

    _counts: dict[tuple[int, int], int] = field(default_factory=dict, init=False)
    """Samples by true and predicted class, since the matrix was last complete."""

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        labels = _named(at.of_collection(self.labels_collection), self.labels)
        guesses = _named(at.of_collection(self.predictions_collection), self.predictions)
        for true, guessed, tensors in self.pairs(at, labels, guesses):
            both, counts = np.unique(np.stack([true, guessed]), axis=1, return_counts=True)
            for one, other, count in zip(*both.tolist(), counts.tolist(), strict=True):
                self._counts[one, other] = self._counts.get((one, other), 0) + count
            finding = self._judge(at, tensors)
            if finding is not None:
                return finding
        return None

    def _judge(self, at: Reading, tensors: tuple[str, str]) -> Finding | None:
        import numpy as np

        seen = {one for one, _ in self._counts}
        # Batches are added up until each class has occurred.
        if self.category_no is not None and len(seen) < self.category_no:
            return None
        places = {one: at for at, one in enumerate(sorted(set().union(*self._counts)))}
        if len(places) > MOST_CLASSES:
            self._counts = {}
            return None
        matrix = np.zeros((len(places), len(places)), dtype=np.int64)
        for (one, other), count in self._counts.items():
            matrix[places[one], places[other]] = count
        self._counts = {}
        parts = matrix / np.maximum(matrix.sum(axis=0), 1)
        for one in sorted(seen):
            right = float(parts[places[one], places[one]])
            if right < self.min_diag:
                return self.found(
                    at,
                    f"{100 * right:.3g} % of the predictions of class {one} are right; it should "
                    f"be at least {100 * self.min_diag:g} %.",
                    tensors,
                    diagonal=number(right),
                    min_diag=self.min_diag,
                    predicted_class=one,
                )
        off = parts - np.diag(np.diag(parts))
        worst = int(off.argmax())
        true, predicted = (list(places)[place] for place in divmod(worst, len(places)))
        share = float(off.reshape(-1)[worst])
        if share <= self.max_off_diag:
            return None
        return self.found(
            at,
            f"{100 * share:.3g} % of the predictions of class {predicted} are samples of class "
            f"{true}; up to {100 * self.max_off_diag:g} % is sound.",
            tensors,
            off_diagonal=number(share),
            max_off_diag=self.max_off_diag,
            true_class=true,
            predicted_class=predicted,
        )


def _named(names: list[str], wanted: str) -> list[str]:
    """The tensor of that name, or whose name ends with it; all of the collection where none is."""
    return [name for name in names if name == wanted or name.endswith(f"/{wanted}")] or names
