"""Ranges of hyperparameters: how a value is drawn from one, written as text, and read back.

A value travels as text, as training jobs get it: integers without a decimal point, continuous ones
as Python's ``repr``, categories as they were given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]

MAGNITUDES = 100.0
"""An Auto range is searched by its logarithm when its ends differ by this factor or more."""

NARROWEST = 1e-100
"""A range of this width at least leaves room for computing with squares of distances."""


@dataclass(frozen=True)
class ContinuousRange:
    """Real numbers from ``low`` to ``high``, both included."""

    name: str
    low: float
    high: float
    scaling: Scaling


@dataclass(frozen=True)
class IntegerRange:
    """Whole numbers from ``low`` to ``high``, both included."""

    name: str
    low: int
    high: int
    scaling: Scaling


@dataclass(frozen=True)
class CategoricalRange:
    """One of some texts."""

    name: str
    values: tuple[str, ...]


Range: TypeAlias = ContinuousRange | IntegerRange | CategoricalRange

Parameters: TypeAlias = Mapping[str, str]


def resolved(scaling: Scaling, low: float, high: float) -> Scaling:
    """What ``Auto`` means for a range: Logarithmic where it spans orders of magnitude above zero,
    else Linear. The only place that decides it.

    >>> resolved("Auto", 1e-4, 0.1), resolved("Auto", 0, 1)
    ('Logarithmic', 'Linear')
    """
    if scaling != "Auto":
        return scaling
    return "Logarithmic" if low > 0 and high / low >= MAGNITUDES else "Linear"


def problem(searched: Range) -> str:
    """Why a range cannot be searched, as a sentence; empty when it can."""
    if isinstance(searched, CategoricalRange):
        if not searched.values:
            return f"Hyperparameter {searched.name} has no values; give at least one."
        if len(set(searched.values)) < len(searched.values):
            return f"Hyperparameter {searched.name} has a value twice; give each value once."
        return ""
    name, low, high = searched.name, searched.low, searched.high
    shown = f"[{low}, {high}]"
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"Hyperparameter {name}: {shown} is not a range of finite numbers."
    if not math.isfinite(high - low):
        return f"Hyperparameter {name}: {shown} is too wide to be searched; make it narrower."
    if low < high and _is_blur(searched):
        return (
            f"Hyperparameter {name}: {shown} is too narrow to be searched; give one value, or make "
            "it wider."
        )
    if low > high:
        return f"Hyperparameter {name}: MinValue {low} is greater than MaxValue {high}."
    if searched.scaling == "Logarithmic" and low <= 0:
        return (
            f"Hyperparameter {name}: Logarithmic scaling needs a MinValue greater than 0, not "
            f"{low}. Use Linear."
        )
    if searched.scaling == "ReverseLogarithmic":
        if isinstance(searched, IntegerRange):
            return (
                f"Hyperparameter {name}: ReverseLogarithmic scaling is only for continuous ranges. "
                "Use Linear or Logarithmic."
            )
        if low < 0 or high >= 1:
            return (
                f"Hyperparameter {name}: ReverseLogarithmic scaling needs a range within [0, 1), "
                f"not {shown}. Use Linear."
            )
    return ""


def _is_blur(searched: ContinuousRange | IntegerRange) -> bool:
    """Whether the numbers of a range cannot be told from one another in its scale."""
    if searched.scaling == "ReverseLogarithmic" and 1 - searched.high == 1 - searched.low:
        return True
    return searched.high - searched.low < NARROWEST


def from_unit(searched: Range, unit: float) -> str:
    """The value at a place of the range, as text.

    Args:
        unit: the place in the scaled range, from 0 to 1 (1 is not reached). Equal stretches are
            equally likely values.
    """
    if isinstance(searched, CategoricalRange):
        return searched.values[min(int(unit * len(searched.values)), len(searched.values) - 1)]
    if isinstance(searched, IntegerRange):
        # Half a step on either side, so that the ends are as likely as what is between them.
        number = round(_scaled(searched, searched.low - 0.5, searched.high + 0.5, unit))
        return str(min(max(number, searched.low), searched.high))
    real = _scaled(searched, searched.low, searched.high, unit)
    return written(searched, min(max(real, searched.low), searched.high))


def _scaled(
    searched: ContinuousRange | IntegerRange, low: float, high: float, unit: float
) -> float:
    scaling = resolved(searched.scaling, searched.low, searched.high)
    if scaling == "Logarithmic":
        return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    if scaling == "ReverseLogarithmic":
        first, last = math.log1p(-low), math.log1p(-high)
        return -math.expm1(first + unit * (last - first))
    # Two products, because the difference of the ends may be too large for a float.
    return (1 - unit) * low + unit * high


def parsed(searched: Range, text: str) -> float | int | str:
    """The value that a text means.

    Raises:
        ValueError: it is none of the range.
    """
    value: float | int | str
    if isinstance(searched, CategoricalRange):
        inside, value = text in searched.values, text
    else:
        value = int(text) if isinstance(searched, IntegerRange) else float(text)
        inside = searched.low <= value <= searched.high
    if not inside:
        raise ValueError(f"{text!r} is not in the range of hyperparameter {searched.name}")
    return value


def written(searched: Range, value: float | int | str) -> str:
    """The text of a value of the range; :func:`parsed` reads it back."""
    if isinstance(searched, CategoricalRange):
        return str(value)
    # There is one zero: -0.0 + 0.0 is 0.0.
    return str(int(value)) if isinstance(searched, IntegerRange) else repr(float(value) + 0.0)


def contains(ranges: Sequence[Range], parameters: Parameters) -> bool:
    """Whether a configuration has a value of every range."""
    try:
        return all(
            searched.name in parameters and parsed(searched, parameters[searched.name]) is not None
            for searched in ranges
        )
    except ValueError:
        return False


def normal(ranges: Sequence[Range], parameters: Parameters) -> dict[str, str]:
    """A configuration that :func:`contains` holds for, with the ranges' values only, each in its
    one way of writing."""
    return {
        searched.name: written(searched, parsed(searched, parameters[searched.name]))
        for searched in ranges
    }


def size(ranges: Sequence[Range]) -> int | None:
    """How many configurations there are; None when a continuous range makes them endless."""
    count = 1
    for searched in ranges:
        if isinstance(searched, CategoricalRange):
            count *= len(searched.values)
        elif isinstance(searched, IntegerRange):
            count *= searched.high - searched.low + 1
        elif searched.low < searched.high:
            return None
    return count


def at(ranges: Sequence[Range], place: int) -> dict[str, str]:
    """The configuration with this number of a finite space, counted from 0.

    The last range changes fastest. Every number below :func:`size` gives a different one.
    """
    found: dict[str, str] = {}
    for searched in reversed(ranges):
        if isinstance(searched, CategoricalRange):
            place, digit = divmod(place, len(searched.values))
            found[searched.name] = searched.values[digit]
        elif isinstance(searched, IntegerRange):
            place, digit = divmod(place, searched.high - searched.low + 1)
            found[searched.name] = str(searched.low + digit)
        else:
            found[searched.name] = written(searched, searched.low)
    return {searched.name: found[searched.name] for searched in ranges}


def key(ranges: Sequence[Range], parameters: Parameters) -> tuple[str, ...]:
    """What makes two configurations the same: the texts in the order of the ranges."""
    return tuple(parameters[searched.name] for searched in ranges)
