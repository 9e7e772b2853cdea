"""Numbers that stand for a tensor: the names of smdebug, and how each is computed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

REDUCTIONS = ("min", "max", "median", "mean", "std", "variance", "sum", "prod")
NORMS = ("l1", "l2")
_PREFIX = "smdebug/reductions/"
_INDEX = re.compile(r":\d+")


class Reduction(NamedTuple):
    """One number of a tensor, or of its absolute values."""

    name: str
    abs: bool = False

    @classmethod
    def parse(cls, text: str) -> Reduction:
        """``mean``, ``abs_max``, ``l2_norm``, ``abs_l1_norm``.

        Raises:
            ValueError: there is no such reduction.
        """
        absolute = text.startswith("abs_")
        name = text.removeprefix("abs_").removesuffix("_norm")
        if name not in REDUCTIONS + NORMS:
            known = ", ".join([*REDUCTIONS, *(f"{norm}_norm" for norm in NORMS)])
            raise ValueError(
                f"There is no reduction {text!r}; there are {known}, each also as abs_NAME."
            )
        return cls(name, absolute)

    def __str__(self) -> str:
        norm = "_norm" if self.name in NORMS else ""
        return f"{'abs_' if self.abs else ''}{self.name}{norm}"

    def tensor_name(self, tensor: str) -> str:
        """The name under which the reduction of a tensor is written."""
        plain = _INDEX.sub("", tensor)
        return f"{_PREFIX}{'abs_' if self.abs else ''}{self.name}/{plain}"

    def of(self, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The reduction of an array, as an array without dimensions.

        Raises:
            TypeError: the values are not numbers.
        """
        import numpy as np

        if value.dtype.kind not in "biufc":
            raise TypeError(f"Values of type {value.dtype} have no {self}.")
        flat = np.abs(value).ravel() if self.abs else value.ravel()
        match self.name:
            case "variance":
                found = np.var(flat)
            case "l1" | "l2":
                found = np.linalg.norm(flat, ord=int(self.name[1]))
            case _:
                found = getattr(np, self.name)(flat)
        return np.asarray(found)


def parsed_tensor_name(name: str) -> tuple[str, Reduction] | None:
    """The tensor and the reduction that a written name stands for; None for a tensor itself."""
    _, found, rest = name.partition(_PREFIX)
    if not found:
        return None
    reduction, _, tensor = rest.partition("/")
    return tensor, Reduction(reduction.removeprefix("abs_"), reduction.startswith("abs_"))
