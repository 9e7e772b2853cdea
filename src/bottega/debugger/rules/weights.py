"""Rules over weights and how they change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading, listed
from bottega.debugger.rules.rule import Collections, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class WeightUpdateRatio(Rule):
    """The size of a weight's update, in terms of the weight's own size, is out of limits."""

    looks_for: ClassVar[str] = "Updates that are far too large or too small for their weights."
    advice: ClassVar[str] = (
        "Too large: lower the learning rate or clip gradients. Too small: raise the learning rate, "
        "and see whether the layer is frozen or its gradients vanish."
    )
    collections: ClassVar[Collections] = {"weights": {"save_interval": "500"}}
    tensors_wanted: ClassVar[str] = "weights at two steps"

    num_steps: int | None = parameter(
        None,
        kind=int,
        at_least=1,
        doc="Compare with the earliest saved step at most so many steps before; with the saved "
        "step before where this is not given.",
    )
    large_threshold: float = parameter(10.0, at_least=0, doc="Largest ratio of update to weight.")
    small_threshold: float = parameter(1e-8, at_least=0, doc="Smallest ratio.")
    epsilon: float = parameter(
        1e-9, at_least=0, doc="Added to a weight's size, so that nothing is divided by zero."
    )

    _earlier: dict[str, list[tuple[int, NDArray[Any]]]] = field(default_factory=dict, init=False)

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        if not at.trains:
            return None
        large, small = {}, {}
        for name in at.of_collection("weights"):
            value = at.value(name)
            if value is None:
                continue
            before = self._before(name, at.step)
            self._earlier.setdefault(name, []).append((at.step, value))
            if before is None or before.shape != value.shape:
                continue
            self.looked_at += 1
            weight = float(np.abs(before).mean(dtype=np.float64))
            update = float(np.abs(value - before).mean(dtype=np.float64))
            ratio = update / (weight + self.epsilon) if weight + self.epsilon else np.inf
            if ratio > self.large_threshold:
                large[name] = ratio
            elif ratio < self.small_threshold:
                small[name] = ratio
        if not large and not small:
            return None
        found = large or small
        worst = max(large, key=large.__getitem__) if large else min(small, key=small.__getitem__)
        limit = self.large_threshold if large else self.small_threshold
        return self.found(
            at,
            f"Updates of {listed(found)} are too {'large' if large else 'small'}: that of {worst} "
            f"is {found[worst]:.3g} times its weight, {'more' if large else 'less'} than "
            f"{limit:g}.",
            list(found),
            ratio=number(found[worst]),
            large_threshold=self.large_threshold,
            small_threshold=self.small_threshold,
        )

    def _before(self, name: str, step: int) -> NDArray[Any] | None:
        """What to compare with; forgets what no later step will be compared with."""
        kept = self._earlier.get(name, [])
        if self.num_steps is None:
            del kept[:-1]
        else:
            kept[:] = [pair for pair in kept if pair[0] >= step - self.num_steps]
        return kept[0][1] if kept else None
