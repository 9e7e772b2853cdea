"""ParameterRanges of a request: read, and judged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bottega.algorithms.base import Algorithm, HyperparameterError
from bottega.errors import ValidationException
from bottega.jobs.trial_courses import OBJECTIVE_HYPERPARAMETER
from bottega.tuning import spaces
from bottega.tuning.spaces import CategoricalRange, ContinuousRange, IntegerRange, Range

MOST_TUNED = 30
MOST_HYPERPARAMETERS = 100


def read(given: Mapping[str, Any], where: str) -> tuple[Range, ...]:
    """The ranges of a request, in its order; without AutoParameters.

    Args:
        where: the member they stand in, for refusals.

    Raises:
        ValidationException: one of them cannot be searched.
    """
    found: list[Range] = []
    for item in given.get("ContinuousParameterRanges", ()):
        low, high = (_number(item, member, where) for member in ("MinValue", "MaxValue"))
        found.append(ContinuousRange(item["Name"], low, high, item.get("ScalingType", "Auto")))
    for item in given.get("IntegerParameterRanges", ()):
        low, high = (_integer(item, member, where) for member in ("MinValue", "MaxValue"))
        found.append(IntegerRange(item["Name"], low, high, item.get("ScalingType", "Auto")))
    for item in given.get("CategoricalParameterRanges", ()):
        found.append(CategoricalRange(item["Name"], tuple(item["Values"])))
    for one in found:
        if said := spaces.problem(one):
            raise ValidationException(f"{where}: {said}")
    return tuple(found)


def _number(item: Mapping[str, Any], member: str, where: str) -> float:
    text = item[member]
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValidationException(
            f"{where}: {member} of hyperparameter {item['Name']} is {text!r}; it must be a number."
        )
    return number


def _integer(item: Mapping[str, Any], member: str, where: str) -> int:
    number = _number(item, member, where)
    if number != int(number):
        raise ValidationException(
            f"{where}: {member} of the integer hyperparameter {item['Name']} is "
            f"{item[member]!r}; it must be a whole number."
        )
    return int(number)


def check_names(names: Sequence[str], static: Mapping[str, str], where: str) -> None:
    """Refuse names that are given twice, and too many of them.

    Args:
        names: of everything that is tuned.
        static: StaticHyperParameters as they were sent.

    Raises:
        ValidationException: with the name.
    """
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise ValidationException(
            f"{where}: hyperparameter {name} has {count} ranges; give it one."
        )
    if both := sorted(set(names) & set(static)):
        raise ValidationException(
            f"{where}: hyperparameter(s) {', '.join(both)} cannot be both static and tunable. "
            "Remove the range or the static value."
        )
    if OBJECTIVE_HYPERPARAMETER in names:
        raise ValidationException(
            f"{where}: {OBJECTIVE_HYPERPARAMETER} names the objective metric and cannot be tuned."
        )
    if len(names) > MOST_TUNED:
        raise ValidationException(
            f"{where}: {len(names)} hyperparameters are tunable; at most {MOST_TUNED} can be."
        )
    total = len(names) + len(static) + (OBJECTIVE_HYPERPARAMETER not in static)
    if total > MOST_HYPERPARAMETERS:
        raise ValidationException(
            f"{where}: there are {total} static and tunable hyperparameters with "
            f"{OBJECTIVE_HYPERPARAMETER}; at most {MOST_HYPERPARAMETERS} can be."
        )


def check_fit(builtin: Algorithm, ranges: Sequence[Range], where: str) -> None:
    """Refuse ranges with values that a built-in algorithm does not take.

    Raises:
        ValidationException: with the hyperparameter, the value and what is allowed.
    """
    schema = builtin.hyperparameters
    for searched in ranges:
        try:
            if searched.name not in schema:
                # The schema's own words, with the name that was probably meant.
                schema.check({searched.name: ""})
            kind = schema[searched.name].kind
            if kind == "integer" and isinstance(searched, ContinuousRange):
                raise ValidationException(
                    f"{where}: hyperparameter {searched.name} of the algorithm {builtin.name} is "
                    "an integer; give it as an IntegerParameterRange."
                )
            for value in _outermost(searched):
                schema[searched.name].convert(value)
        except HyperparameterError as error:
            raise ValidationException(
                f"{where}: {error} The range has to fit the algorithm {builtin.name}."
            ) from error


def _outermost(searched: Range) -> Iterator[str]:
    if isinstance(searched, CategoricalRange):
        yield from searched.values
    else:
        yield spaces.written(searched, searched.low)
        yield spaces.written(searched, searched.high)
