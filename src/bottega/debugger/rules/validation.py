"""Rules that hold the loss on the training data against the one on other data."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.loss_pairs import LossPair, LossPairs
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.rule import EVERY, Collections, Rule
from bottega.debugger.tensors.trial import Trial


@dataclass
class _OfLossPairs(Rule):
    """Looks at each evaluation, once it is complete."""

    frameworks: ClassVar[tuple[str, ...]] = EVERY
    collections: ClassVar[Collections] = {"losses": {"save_interval": "500"}}
    tensors_wanted: ClassVar[str] = (
        "losses of both training and validation (train-* and validation-*, or steps of the modes "
        "TRAIN and EVAL)"
    )

    tensor_regex: tuple[str, ...] = parameter(
        (), pattern=True, doc="Expressions for names of losses; the collection losses without."
    )

    _pairs: LossPairs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pairs = LossPairs(self._names)

    def look(self, at: Reading) -> Finding | None:
        return self._all(self._pairs.next(at))

    def conclude(self, trial: Trial) -> Finding | None:
        return self._all(self._pairs.rest())

    @abstractmethod
    def judge(self, pair: LossPair) -> Finding | None:
        """What one evaluation says."""

    def _all(self, pairs: Iterable[LossPair]) -> Finding | None:
        findings = []
        for pair in pairs:
            self.looked_at += 1
            findings.append(self.judge(pair))
        return next((finding for finding in findings if finding is not None), None)

    def _names(self, at: Reading) -> list[str]:
        if self.tensor_regex:
            return at.matching(self.tensor_regex)
        return at.of_collection("losses") or at.of_collection("metrics")


@dataclass
class Overfit(_OfLossPairs):
    """The loss on other data is larger than the one on the training data by too large a part."""

    looks_for: ClassVar[str] = "A validation loss that is much larger than the training loss."
    advice: ClassVar[str] = (
        "Regularise (weight decay, dropout, max_depth, min_child_weight, subsample, lambda), give "
        "more data or augment it, make the model smaller, or stop earlier."
    )

    start_step: int = parameter(0, at_least=0, doc="The step from which evaluations count.")
    patience: int = parameter(
        1, at_least=1, doc="Evaluations in a row beyond the ratio at which it fires."
    )
    ratio_threshold: float = parameter(
        0.1, doc="Largest (validation loss - training loss) / training loss."
    )

    _beyond: dict[str, int] = field(default_factory=dict, init=False)

    def judge(self, pair: LossPair) -> Finding | None:
        if pair.step < self.start_step:
            return None
        if pair.train:
            ratio = (pair.validation - pair.train) / abs(pair.train)
        else:
            ratio = math.inf if pair.validation > 0 else 0.0
        beyond = self._beyond.get(pair.metric, 0) + 1 if ratio > self.ratio_threshold else 0
        self._beyond[pair.metric] = beyond
        if beyond < self.patience:
            return None
        return self.found(
            pair.step,
            f"The {pair.metric} on the validation data is {pair.validation:.6g}, on the training "
            f"data {pair.train:.6g}: {100 * ratio:.3g} % more, for {beyond} "
            f"evaluation{'s' if beyond > 1 else ''}; up to {100 * self.ratio_threshold:g} % is "
            "sound.",
            pair.tensors,
            train_loss=number(pair.train),
            validation_loss=number(pair.validation),
            ratio=number(ratio),
            ratio_threshold=self.ratio_threshold,
            patience=self.patience,
        )


@dataclass
class _Best:
    loss: float = math.inf
    step: int = -1
    waited: int = 0

    def next(self, loss: float, step: int, delta: float) -> None:
        if loss < self.loss - delta:
            self.loss, self.step, self.waited = loss, step, 0
        else:
            self.waited += 1


@dataclass
class Overtraining(_OfLossPairs):
    """Neither the loss on the training data nor the one on other data gets better any more."""

    looks_for: ClassVar[str] = "A training that goes on although neither loss gets better."
    advice: ClassVar[str] = (
        "Stop: use early stopping (early_stopping_rounds of XGBoost) or fewer epochs, and keep the "
        "model of the best step."
    )

    patience_train: int = parameter(
        5, at_least=1, doc="Evaluations without a better training loss."
    )
    patience_validation: int = parameter(
        10, at_least=1, doc="Evaluations without a better validation loss."
    )
    delta: float = parameter(
        0.01, at_least=0, doc="By how much a loss has to be lower to count as better."
    )

    _best: dict[str, tuple[_Best, _Best]] = field(default_factory=dict, init=False)

    def judge(self, pair: LossPair) -> Finding | None:
        train, validation = self._best.setdefault(pair.metric, (_Best(), _Best()))
        train.next(pair.train, pair.step, self.delta)
        validation.next(pair.validation, pair.step, self.delta)
        if train.waited < self.patience_train or validation.waited < self.patience_validation:
            return None
        return self.found(
            pair.step,
            f"The {pair.metric} on the validation data has not become better than "
            f"{validation.loss:.6g} (step {validation.step}) for {validation.waited} evaluations, "
            f"nor the one on the training data than {train.loss:.6g} for {train.waited}.",
            pair.tensors,
            best_train_loss=number(train.loss),
            best_validation_loss=number(validation.loss),
            best_step=validation.step,
            waited_train=train.waited,
            waited_validation=validation.waited,
            delta=self.delta,
        )
