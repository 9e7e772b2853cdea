"""Rules over any tensors: what their values are, and whether they change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bottega.debugger.findings import Finding, number
from bottega.debugger.rules.parameters import parameter
from bottega.debugger.rules.reading import Reading, listed
from bottega.debugger.rules.rule import EVERY, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class OfTensors(Rule):
    """A rule that looks at the union of what collections and expressions name; at all tensors where
    neither is given."""

    collection_names: tuple[str, ...] = parameter((), doc="Collections to look at.")
    tensor_regex: tuple[str, ...] = parameter(
        (), pattern=True, doc="Expressions for names of tensors to look at."
    )

    def chosen(self, at: Reading) -> dict[str, NDArray[Any]]:
        """The numbers to look at, by tensor; empty tensors and texts are left out."""
        values = {}
        for name in at.selected(self.collection_names, self.tensor_regex):
            value = at.value(name)
            if value is not None and value.size:
                values[name] = value
        self.looked_at += len(values)
        return values


@dataclass
class ExplodingTensor(OfTensors):
    """A tensor has a value that is no finite number."""

    looks_for: ClassVar[str] = "Tensors with NaN or infinite values."
    advice: ClassVar[str] = (
        "Lower the learning rate, clip gradients (torch.nn.utils.clip_grad_norm_), look for "
        "logarithms and divisions of zero, and for missing values in the data."
    )

    only_nan: bool = parameter(False, doc="Look for NaN alone, not for infinity.")

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        found = {}
        for name, value in self.chosen(at).items():
            wrong = np.isnan(value) if self.only_nan else ~np.isfinite(value)
            if wrong.any():
                found[name] = (int(np.count_nonzero(wrong)), value.size)
        if not found:
            return None
        first = next(iter(found))
        count, size = found[first]
        what = "NaN" if self.only_nan else "NaN or infinite"
        return self.found(
            at,
            f"{count:,} of {size:,} values of {first} are {what}"
            + (f"; so are some of {listed(list(found)[1:])}." if len(found) > 1 else "."),
            list(found),
            values=count,
            size=size,
            tensors_found=len(found),
        )


@dataclass
class AllZero(OfTensors):
    """All values of a tensor, or a percentage of them, are zero."""

    looks_for: ClassVar[str] = "Tensors in which all values, or a given percentage, are zero."
    advice: ClassVar[str] = (
        "Gradients: see whether the layer is reached by the loss. Activations: look for dead "
        "units. Data: look for empty columns or a wrong normalisation."
    )
    frameworks: ClassVar[tuple[str, ...]] = EVERY

    threshold: float = parameter(
        100.0, at_least=0, at_most=100, doc="Percentage of zeros at which a tensor counts."
    )

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        found = {}
        for name, value in self.chosen(at).items():
            zeros = 100.0 * (value.size - np.count_nonzero(value)) / value.size
            if zeros >= self.threshold:
                found[name] = zeros
        if not found:
            return None
        worst = max(found, key=found.__getitem__)
        return self.found(
            at,
            f"{found[worst]:.4g} % of the values of {listed(found)} are zero; "
            f"less than {self.threshold:g} % would be sound.",
            list(found),
            zeros_percent=found[worst],
            threshold=self.threshold,
            tensors_found=len(found),
        )


@dataclass
class TensorVariance(OfTensors):
    """A tensor's variance is out of limits."""

    looks_for: ClassVar[str] = "Tensors whose variance is below or above given limits."
    advice: ClassVar[str] = (
        "Very low: units learn the same; see the initialisation and the learning rate. Very high: "
        "add normalisation or regularisation, or lower the learning rate."
    )
    frameworks: ClassVar[tuple[str, ...]] = EVERY

    max_threshold: float | None = parameter(None, kind=float, at_least=0, doc="Largest variance.")
    min_threshold: float | None = parameter(None, kind=float, at_least=0, doc="Smallest variance.")

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        if self.max_threshold is None and self.min_threshold is None:
            return None
        for name, value in self.chosen(at).items():
            variance = float(np.var(value, dtype=np.float64))
            if self.max_threshold is not None and not variance <= self.max_threshold:
                return self._out(at, name, variance, "more", self.max_threshold)
            if self.min_threshold is not None and not variance >= self.min_threshold:
                return self._out(at, name, variance, "less", self.min_threshold)
        return None

    def _out(self, at: Reading, name: str, variance: float, how: str, limit: float) -> Finding:
        return self.found(
            at,
            f"The variance of {name} is {variance:.4g}, {how} than {limit:g}.",
            [name],
            variance=number(variance),
            threshold=limit,
        )

    def remark(self) -> str:
        if self.max_threshold is None and self.min_threshold is None:
            return (
                "Neither max_threshold nor min_threshold was given, so no variance was wrong. Give "
                "one of them in the rule's parameters."
            )
        return super().remark()


@dataclass
class UnchangedTensor(OfTensors):
    """A tensor is the same, within a tolerance, at its last saved steps."""

    looks_for: ClassVar[str] = "Tensors that are the same at several saved steps in a row."
    advice: ClassVar[str] = (
        "See whether the optimizer got these parameters, whether they are frozen, and whether the "
        "learning rate is far too small or scheduled to zero."
    )
    frameworks: ClassVar[tuple[str, ...]] = EVERY

    num_steps: int = parameter(3, at_least=2, doc="How many saved steps in a row have to be alike.")
    rtol: float = parameter(1e-5, at_least=0, doc="Relative tolerance, as of numpy.allclose.")
    atol: float = parameter(1e-8, at_least=0, doc="Absolute tolerance, as of numpy.allclose.")
    equal_nan: bool = parameter(False, doc="Whether NaN equals NaN.")

    _last: dict[tuple[str, str], tuple[NDArray[Any], int]] = field(default_factory=dict, init=False)
    """By mode and name: the last value, and at how many steps in a row it has been."""

    def look(self, at: Reading) -> Finding | None:
        import numpy as np

        unchanged = []
        for name, value in self.chosen(at).items():
            before, steps = self._last.get((at.mode, name), (None, 0))
            same = (
                before is not None
                and before.shape == value.shape
                and np.allclose(
                    value, before, rtol=self.rtol, atol=self.atol, equal_nan=self.equal_nan
                )
            )
            steps = steps + 1 if same else 1
            self._last[at.mode, name] = (value, steps)
            if steps >= self.num_steps:
                unchanged.append(name)
        if not unchanged:
            return None
        return self.found(
            at,
            f"{listed(unchanged)} did not change over the last {self.num_steps} saved steps.",
            unchanged,
            num_steps=self.num_steps,
            tensors_found=len(unchanged),
        )
