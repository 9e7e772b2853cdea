"""Comparing the values of a property with the text of a filter."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bottega.errors import ValidationException
from bottega.features.search.properties import Property

Test = Callable[[Any], bool]

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"Equals": operator.eq, **_ORDERS}
_TEXT_OPERATORS = ("Contains", "In")


@dataclass(frozen=True)
class Condition:
    """A filter as a function that says whether what has the property satisfies it.

    Of several values one that satisfies is enough, except for NotEquals, which all must. What does
    not have the property satisfies NotEquals and NotExists only.
    """

    property: Property
    test: Test | None
    """Of one value; None asks only whether there is one."""
    negated: bool = False
    """Whether no value may pass the test."""
    number_test: Test | None = None
    """Where the test compares texts as numbers: the same of such a number; NaN passes it never."""

    def __call__(self, item: Any) -> bool:
        values = self.property.values(item)
        test = self.test
        found = bool(values) if test is None else any(test(value) for value in values)
        return found is not self.negated


def condition(found: Property, comparison: str, wanted: str | None) -> Condition:
    """The filter on a property.

    Args:
        comparison: the filter's Operator.
        wanted: the filter's Value.

    Raises:
        ValidationException: the property cannot be compared so, or not with this value.
    """
    if comparison == "Exists":
        return Condition(found, None)
    if comparison == "NotExists":
        return Condition(found, None, negated=True)
    if wanted is None:
        raise ValidationException(
            f"The filter on {found.name} has no Value, which the operator {comparison} needs."
        )
    if comparison == "NotEquals":
        comparison, negated = "Equals", True
    else:
        negated = False
    numbers = None
    if found.type == "mixed" and comparison in _COMPARISONS:
        numbers = _number_test(comparison, wanted)
    return Condition(found, _single(found, comparison, wanted), negated, numbers)


def _single(found: Property, comparison: str, wanted: str) -> Test:
    """A test of one value."""
    textual = found.type in ("text", "mixed")
    if comparison in _TEXT_OPERATORS and not textual:
        raise _unsupported(found, comparison)
    if comparison in _ORDERS and found.type in ("text", "boolean", "compound"):
        raise _unsupported(found, comparison)
    if comparison == "Contains":
        part = wanted.lower()
        return lambda value: part in value.lower()
    if comparison == "In":
        choices = {choice.strip() for choice in wanted.split(",")}
        return lambda value: value in choices
    match found.type:
        case "text":
            return lambda value: bool(value == wanted)
        case "mixed":
            return _mixed(found, comparison, wanted)
        case "number":
            return _ordered(comparison, _number_of(found, wanted))
        case "time":
            return _time(found, comparison, wanted)
        case "boolean":
            if wanted.lower() not in ("true", "false"):
                raise _bad_value(found, wanted, "true or false")
            flag = wanted.lower() == "true"
            return lambda value: value is flag
        case "compound":
            raise _unsupported(found, comparison)


def _ordered(comparison: str, wanted: float) -> Test:
    compare = _COMPARISONS[comparison]
    return lambda value: compare(value, wanted)


def _mixed(found: Property, comparison: str, wanted: str) -> Test:
    """Numbers in texts: with a whole number they are compared as whole numbers."""
    compare = _number_test(comparison, wanted)
    if compare is None:
        if comparison in _ORDERS:
            raise _bad_value(found, wanted, "an integer or floating-point decimal")
        return lambda value: bool(value == wanted)

    def test(value: str) -> bool:
        present = as_number(value)
        return present is not None and compare(present)

    return test


def _number_test(comparison: str, wanted: str) -> Test | None:
    """A comparison with the number that a text is; None where it is none."""
    number = as_number(wanted)
    if number is None:
        return None
    compare = _COMPARISONS[comparison]
    if wanted.strip().lstrip("+-").isdigit():
        return lambda present: present == present and compare(int(present), number)
    return lambda present: compare(present, number)


def as_number(text: str) -> float | None:
    """The finite number that a text is, if it is one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) != float("inf") and number == number else None


def _number_of(found: Property, wanted: str) -> float:
    number = as_number(wanted)
    if number is None:
        raise _bad_value(found, wanted, "an integer or floating-point decimal")
    return number


def _time(found: Property, comparison: str, wanted: str) -> Test:
    try:
        moment = datetime.fromisoformat(wanted)
    except ValueError as error:
        raise _bad_value(found, wanted, "an ISO 8601 time: YYYY-mm-dd'T'HH:MM:SS") from error
    # Times without a zone are UTC.
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if comparison == "Equals" and seconds == int(seconds):
        return lambda value: int(value) == int(seconds)
    return _ordered(comparison, seconds)


def _unsupported(found: Property, comparison: str) -> ValidationException:
    kind = {"mixed": "text", "compound": "structure"}.get(found.type, found.type)
    return ValidationException(
        f"The operator {comparison} is not supported for the {kind} property {found.name}."
    )


def _bad_value(found: Property, wanted: str, need: str) -> ValidationException:
    return ValidationException(
        f"The value {wanted!r} of the filter on {found.name} must be {need}."
    )
