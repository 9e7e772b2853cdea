"""Rules over gradients, and over how a network begins."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading, listed
from bottega.debugger.rules.rule import Collections, Rule


@dataclass
class VanishingGradient(Rule):
    """The mean of a gradient's absolute values is below a threshold."""

    looks_for: ClassVar[str] = (
        "Gradients whose mean absolute value is so small that their weights no longer learn."
    )
    advice: ClassVar[str] = (
        "Try ReLU-like activations, normalisation layers or residual connections, weights that are "
        "initialised for the activation (He, Xavier), or a loss that is not saturated."
    )
    collections: ClassVar[Collections] = {"gradients": {"save_interval": "500"}}
    tensors_wanted: ClassVar[str] = "gradients"

    threshold: float = parameter(
        1e-7, at_least=0, doc="Below this mean absolute value a gradient counts as vanishing."
    )

    def look(self, at: Reading) -> Finding | None:
        small = {}
        for name in at.of_collection("gradients"):
            mean = at.reduction(name, "mean", absolute=True)
            if mean is None:
                continue
            self.looked_at += 1
            if mean < self.threshold:
                small[name] = mean
        if not small:
            return None
        worst = min(small, key=small.__getitem__)
        return self.found(
            at,
            f"The mean absolute gradient of {listed(small)} is below {self.threshold:g}; the "
            f"smallest, of {worst}, is {small[worst]:.3g}.",
            list(small),
            mean_abs=number(small[worst]),
            threshold=self.threshold,
            tensors_found=len(small),
        )


@dataclass
class PoorWeightInitialization(Rule):
    """In the first steps, activations' variances differ too much between layers, gradients are all
    alike, or the loss does not move."""

    looks_for: ClassVar[str] = (
        "First steps in which layers get inputs of very different variance, gradients have no "
        "spread, or the loss does not fall."
    )
    advice: ClassVar[str] = (
        "Initialise weights for their activation: torch.nn.init.kaiming_normal_ before ReLU, "
        "xavier_uniform_ before tanh or sigmoid; biases with zeros."
    )
    collections: ClassVar[Collections] = {
        "relu_input": {"include_regex": ".*relu_input", "save_interval": "500"}
    }
    tensors_wanted: ClassVar[str] = "activation inputs, gradients or losses in its first steps"

    activation_inputs_regex: tuple[str, ...] = parameter(
        (".*relu_input",), pattern=True, doc="Expressions for the inputs of activations."
    )
    threshold: float = parameter(
        10.0, at_least=1, doc="Largest ratio of the activation inputs' variances, over layers."
    )
    distribution_range: float = parameter(
        0.001,
        at_least=0,
        doc="Smallest distance between the 5th and the 95th percentile of a gradient.",
    )
    patience: int = parameter(
        5, at_least=1, doc="Saved steps in a row without a lower loss that are one too many."
    )
    steps: int = parameter(10, at_least=1, doc="How many saved steps are looked at.")

    _seen: int = field(default=0, init=False)
    _lowest: float = field(default=math.inf, init=False)
    _waited: int = field(default=0, init=False)

    def look(self, at: Reading) -> Finding | None:
        if self._seen >= self.steps or not at.trains:
            return None
        inputs = at.matching(self.activation_inputs_regex)
        gradients = at.of_collection("gradients")
        losses = at.of_collection("losses")
        if not (inputs or gradients or losses):
            return None
        self._seen += 1
        return (
            self._variances(at, inputs) or self._spreads(at, gradients) or self._course(at, losses)
        )

    def _variances(self, at: Reading, names: Iterable[str]) -> Finding | None:
        found = {}
        for name in names:
            variance = at.reduction(name, "variance")
            if variance is not None and math.isfinite(variance):
                self.looked_at += 1
                found[name] = variance
        if len(found) < 2:
            return None
        least = min(found, key=found.__getitem__)
        most = max(found, key=found.__getitem__)
        if found[most] <= self.threshold * found[least]:
            return None
        ratio = found[most] / found[least] if found[least] else math.inf
        return self.found(
            at,
            f"The inputs of {most} have {ratio:.3g} times the variance of those of {least}; up to "
            f"{self.threshold:g} times is sound.",
            [least, most],
            ratio=number(ratio),
            threshold=self.threshold,
            smallest_variance=number(found[least]),
            largest_variance=number(found[most]),
        )

    def _spreads(self, at: Reading, names: Iterable[str]) -> Finding | None:
        import numpy as np

        found = {}
        for name in names:
            value = at.value(name)
            # One number has no distribution.
            if value is None or value.size < 2 or not np.isfinite(value).all():
                continue
            self.looked_at += 1
            low, high = np.percentile(value, (5, 95))
            found[name] = float(high - low)
        small = {name: spread for name, spread in found.items() if spread < self.distribution_range}
        if not small:
            return None
        worst = min(small, key=small.__getitem__)
        return self.found(
            at,
            f"90 % of the gradient of {worst} lie within {small[worst]:.3g} of one another; less "
            f"than {self.distribution_range:g} says that its units learn the same or nothing.",
            list(small),
            spread=number(small[worst]),
            distribution_range=self.distribution_range,
        )

    def _course(self, at: Reading, names: Iterable[str]) -> Finding | None:
        values = [value for name in names if (value := at.scalar(name)) is not None]
        if not values:
            return None
        self.looked_at += 1
        loss = sum(values)
        if loss < self._lowest:
            self._lowest, self._waited = loss, 0
            return None
        self._waited += 1
        if self._waited < self.patience:
            return None
        return self.found(
            at,
            f"The loss has not fallen below {self._lowest:.6g} for {self._waited} saved steps at "
            "the training's very beginning.",
            list(names),
            lowest_loss=number(self._lowest),
            loss=number(loss),
            patience=self.patience,
        )
