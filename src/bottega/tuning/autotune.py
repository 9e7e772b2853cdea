"""What Autotune decides for those who leave it open: ranges, early stopping, number of trials.

A range comes from what is known of a built-in algorithm, or else from the example value (ValueHint)
that every AutoParameter has.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bottega.tuning.search import Strategy
from bottega.tuning.spaces import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    Range,
    Scaling,
)

if TYPE_CHECKING:
    from bottega.algorithms.base import Hyperparameter, HyperparameterSchema

FACTOR = 10
"""A range around an example value reaches this many times further down and up."""

ALMOST_ZERO = 1e-30

TRIALS_EACH = 10
"""Training jobs for each hyperparameter that is tuned."""
FEWEST_TRIALS = 20
MOST_TRIALS = 100

COURSES = ("xgboost", "image-classification", "object-detection", "seq2seq")
"""Built-in algorithms that tell the objective after every epoch, so that weak trials can be
stopped. Linear Learner does with the metric ``objective_loss`` only."""


@dataclass(frozen=True)
class Decision:
    """What Autotune fills in."""

    ranges: tuple[Range, ...]
    """Of the AutoParameters, in their order."""
    strategy: Strategy
    early_stopping: Literal["Off", "Auto"]
    most_trials: int


class NotTunable(ValueError):
    """An AutoParameter of which no range can be made; the message says why and what to do."""


def decide(
    parameters: Sequence[tuple[str, str]],
    *,
    algorithm: str | None,
    metric: str,
    others: int = 0,
    strategy: Strategy | None = None,
    most_trials: int | None = None,
) -> Decision:
    """Decide what was left open.

    Args:
        parameters: the AutoParameters: (Name, ValueHint).
        algorithm: the name of the built-in algorithm; None for an image of one's own.
        metric: of the objective.
        others: how many hyperparameters are tuned besides, with ranges that were given.
        strategy: the one asked for; None to decide.
        most_trials: MaxNumberOfTrainingJobs; None to decide.

    Raises:
        NotTunable: no range can be made of an AutoParameter.
        KeyError: there is no such algorithm.
    """
    schema = None
    if algorithm is not None:
        from bottega.algorithms import registry

        schema = registry.algorithm(algorithm).hyperparameters
    ranges = tuple(automatic_range(name, hint, schema) for name, hint in parameters)
    chosen = strategy or "Bayesian"
    told = algorithm in COURSES or (
        algorithm == "linear-learner" and metric.rpartition(":")[2] == "objective_loss"
    )
    wanted = TRIALS_EACH * (len(ranges) + others)
    return Decision(
        ranges=ranges,
        strategy=chosen,
        early_stopping="Auto" if told and chosen != "Hyperband" else "Off",
        most_trials=most_trials or min(MOST_TRIALS, max(FEWEST_TRIALS, wanted)),
    )


def automatic_range(name: str, hint: str, schema: HyperparameterSchema | None) -> Range:
    """Where to search for one AutoParameter.

    A built-in algorithm's recommended range, widened to hold the hint; else around the hint, within
    what the algorithm takes.

    Raises:
        NotTunable: neither is possible.
    """
    if schema is None:
        return _around(name, hint, None)
    if name not in schema:
        raise NotTunable(f"AutoParameter {name}: the algorithm has no such hyperparameter.")
    parameter = schema[name]
    _check_hint(parameter, name, hint)
    tunable = parameter.tunable
    if tunable is not None and tunable.choices:
        return CategoricalRange(name, tunable.choices)
    if tunable is not None and tunable.minimum is not None and tunable.maximum is not None:
        low, high = tunable.minimum, tunable.maximum
        if (number := _number(hint)) is not None:
            low, high = min(low, number), max(high, number)
        low, high = _within(parameter, (low + high) / 2, low, high)
        scaling: Scaling = tunable.scaling
        if scaling == "Logarithmic" and low <= 0:
            scaling = "Auto"
        return _numeric(name, low, high, scaling, is_integer=parameter.kind == "integer")
    if parameter.kind == "categorical":
        return CategoricalRange(name, parameter.choices)
    if parameter.kind == "text":
        raise NotTunable(
            f"AutoParameter {name} is a text, of which no range can be made; give a categorical "
            "range with the values to try, or make it static."
        )
    return _around(name, hint, parameter)


def _check_hint(parameter: Hyperparameter, name: str, hint: str) -> None:
    from bottega.algorithms.base import HyperparameterError

    try:
        parameter.convert(hint)
    except HyperparameterError as error:
        raise NotTunable(f"AutoParameter {name}: the ValueHint does not fit. {error}") from error


def _around(name: str, hint: str, parameter: Hyperparameter | None) -> Range:
    number = _number(hint)
    if number is None:
        return CategoricalRange(name, _choices(name, hint))
    is_integer = (
        parameter.kind == "integer"
        if parameter is not None
        else _unquoted(hint).removeprefix("-").isdecimal()
    )
    if abs(number) < ALMOST_ZERO:
        low, high = min(0.0, number), 1.0
    elif number > 0:
        low, high = number / FACTOR, number * FACTOR
        if not is_integer and 1 / FACTOR < number < 1:  # most likely a share or a probability
            high = (1 + number) / 2
    else:
        low, high = number * FACTOR, number / FACTOR
    if is_integer:
        # An integer that is positive stays so: it most likely counts something.
        low, high = math.floor(low) if low < 0 else math.ceil(low), math.ceil(high)
    if parameter is not None:
        low, high = _within(parameter, number, low, high)
    return _numeric(name, low, high, "Auto", is_integer=is_integer)


def _within(
    parameter: Hyperparameter, number: float, low: float, high: float
) -> tuple[float, float]:
    """The part of a range that the algorithm takes; an end that it does not take moves half-way to
    the number."""
    interval = parameter.interval
    if interval is None:
        return low, high
    low, high = max(low, interval.minimum), min(high, interval.maximum)
    low = low if low in interval else (low + number) / 2
    high = high if high in interval else (high + number) / 2
    return low, high


def _numeric(name: str, low: float, high: float, scaling: Scaling, *, is_integer: bool) -> Range:
    if is_integer:
        return IntegerRange(name, math.ceil(low), math.floor(high), scaling)
    return ContinuousRange(name, float(low), float(high), scaling)


def _choices(name: str, hint: str) -> tuple[str, ...]:
    """What a text can be: true and false are known; of anything else only the example is."""
    pairs = (("true", "false"), ("True", "False"))
    for pair in pairs:
        for found in (pair, tuple(json.dumps(value) for value in pair)):
            if hint in found:
                return found
    raise NotTunable(
        f"AutoParameter {name}: no range can be made of the ValueHint {hint!r}; give a number, or "
        "a categorical range with the values to try."
    )


def _unquoted(text: str) -> str:
    """SDKs send values of scripts JSON-encoded."""
    return text.strip().strip('"')


def _number(text: str) -> float | None:
    try:
        found = float(_unquoted(text))
    except ValueError:
        return None
    return found if math.isfinite(found) else None
