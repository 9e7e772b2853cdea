"""Rules over what goes into and comes out of activation functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.debugger.findings import Finding
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading
from bottega.debugger.rules.rule import Collections, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class _InactiveUnits(Rule):
    """Fires when too large a part of a layer's units is active for too few samples of a batch.

    A unit is one place in what the layer gives for one sample: the first axis of a tensor counts
    samples, all others count units.
    """

    def judge(
        self, at: Reading, active: dict[str, NDArray[Any]], inactivity: float, layer: float
    ) -> tuple[str, float, dict[str, float]] | None:
        """The worst layer, its percentage, and all that are beyond the limit; None for none.

        Args:
            active: for each layer which unit is active for which sample, boolean.
            inactivity: percentage of samples below which a unit counts as inactive.
            layer: percentage of inactive units up to which a layer is sound.
        """
        import numpy as np

        found = {}
        for name, which in active.items():
            if not which.size:
                continue
            self.looked_at += 1
            # A vector is one unit over samples.
            units = which.reshape(len(which), -1) if which.ndim else which.reshape(1, 1)
            activity = 100 * units.mean(axis=0, dtype=np.float64)
            share = 100 * float(np.mean(activity < inactivity))
            if share > layer:
                found[name] = share
        if not found:
            return None
        worst = max(found, key=found.__getitem__)
        return worst, found[worst], found


@dataclass
class SaturatedActivation(_InactiveUnits):
    """The inputs of tanh or sigmoid lie where the function is flat, for too many units."""

    looks_for: ClassVar[str] = (
        "Layers in which most inputs of tanh or sigmoid lie where the function is flat, so that no "
        "gradient comes through."
    )
    advice: ClassVar[str] = (
        "Normalise the inputs (also between layers), initialise weights with xavier_uniform_, "
        "lower the learning rate, or use an activation that does not saturate, such as ReLU."
    )
    tensors_wanted: ClassVar[str] = "inputs of tanh or sigmoid"

    tensor_regex: tuple[str, ...] = parameter(
        (".*tanh_input|.*sigmoid_input",),
        pattern=True,
        doc="Expressions for the inputs of activations; those with sigmoid in their name are held "
        "to the limits of sigmoid, others to those of tanh.",
    )
    collection_names: tuple[str, ...] = parameter((), doc="Collections to look at besides.")
    threshold_tanh_min: float = parameter(-9.4999, doc="Below this tanh is flat.")
    threshold_tanh_max: float = parameter(9.4999, doc="Above this tanh is flat.")
    threshold_sigmoid_min: float = parameter(-23.0, doc="Below this sigmoid is flat.")
    threshold_sigmoid_max: float = parameter(16.99999, doc="Above this sigmoid is flat.")
    threshold_inactivity: float = parameter(
        1.0,
        at_least=0,
        at_most=100,
        doc="A unit that is within the limits for less than this percentage of samples is "
        "saturated.",
    )
    threshold_layer: float = parameter(
        50.0, at_least=0, at_most=100, doc="Percentage of saturated units that a layer may have."
    )

    def look(self, at: Reading) -> Finding | None:
        active = {}
        for name in at.selected(self.collection_names, self.tensor_regex):
            value = at.value(name)
            if value is not None:
                low, high = self._limits(name)
                active[name] = (value > low) & (value < high)
        judged = self.judge(at, active, self.threshold_inactivity, self.threshold_layer)
        if judged is None:
            return None
        worst, share, every = judged
        low, high = self._limits(worst)
        return self.found(
            at,
            f"{share:.4g} % of the units of {worst} get inputs outside of {low:g} to {high:g} in "
            f"nearly every sample; up to {self.threshold_layer:g} % is sound.",
            list(every),
            saturated_percent=share,
            threshold_layer=self.threshold_layer,
            threshold_inactivity=self.threshold_inactivity,
        )

    def _limits(self, name: str) -> tuple[float, float]:
        if "sigmoid" in name.lower():
            return self.threshold_sigmoid_min, self.threshold_sigmoid_max
        return self.threshold_tanh_min, self.threshold_tanh_max


@dataclass
class DeadRelu(_InactiveUnits):
    """Too many units of a ReLU layer give zero for nearly every sample."""

    looks_for: ClassVar[str] = "ReLU layers in which most units give zero for nearly every sample."
    advice: ClassVar[str] = (
        "Lower the learning rate, initialise weights with kaiming_normal_ and biases not below "
        "zero, normalise inputs, or use LeakyReLU."
    )
    collections: ClassVar[Collections] = {
        "relu_output": {"include_regex": ".*relu_output", "save_interval": "500"}
    }
    tensors_wanted: ClassVar[str] = "outputs of ReLU"

    tensor_regex: tuple[str, ...] = parameter(
        (".*relu_output",), pattern=True, doc="Expressions for the outputs of ReLU."
    )
    threshold_inactivity: float = parameter(
        1.0,
        at_least=0,
        at_most=100,
        doc="A unit that is above zero for less than this percentage of samples is dead.",
    )
    threshold_layer: float = parameter(
        50.0, at_least=0, at_most=100, doc="Percentage of dead units that a layer may have."
    )

    def look(self, at: Reading) -> Finding | None:
        active = {}
        for name in at.matching(self.tensor_regex):
            value = at.value(name)
            if value is not None:
                active[name] = value > 0
        judged = self.judge(at, active, self.threshold_inactivity, self.threshold_layer)
        if judged is None:
            return None
        worst, share, every = judged
        return self.found(
            at,
            f"{share:.4g} % of the units of {worst} are dead: they give zero for nearly every "
            f"sample. Up to {self.threshold_layer:g} % is sound.",
            list(every),
            dead_percent=share,
            threshold_layer=self.threshold_layer,
            threshold_inactivity=self.threshold_inactivity,
        )
