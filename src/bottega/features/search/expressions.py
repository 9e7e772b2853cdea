"""Search expressions, turned once into a function over candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.errors import ValidationException
from bottega.features.search.comparing import Test, condition
from bottega.features.search.kinds import Candidate, Searchable
from bottega.features.search.properties import element_property, nested_property, property_of
from bottega.specs.generated.search import Filter, NestedFilters, SearchExpression

Match = Callable[[Candidate], bool]

MOST_CONDITIONS = 50
"""How many filters, nested filters and subexpressions an expression may have altogether."""


@dataclass(frozen=True)
class Combination:
    """What a candidate has to satisfy: every part of it, or any."""

    parts: Sequence[Match]
    every: bool

    def __call__(self, candidate: Candidate) -> bool:
        together = all if self.every else any
        return together(part(candidate) for part in self.parts)


@dataclass(frozen=True)
class Nested:
    """Whether a list of a candidate has an element that passes every test."""

    elements: Callable[[Candidate], Sequence[Any]]
    tests: Sequence[Test]

    def __call__(self, candidate: Candidate) -> bool:
        return any(
            all(test(element) for test in self.tests) for element in self.elements(candidate)
        )


def compile_expression(searchable: Searchable, expression: SearchExpression) -> Match:
    """What an expression says, as a function.

    Raises:
        ValidationException: it is empty, too large, or a filter in it makes no sense.
    """
    check_expression(expression)
    return _compile(searchable, expression)


def check_expression(expression: SearchExpression) -> None:
    """Refuse an expression that is too large, or a part of one that is empty.

    Raises:
        ValidationException.
    """
    if _size(expression) > MOST_CONDITIONS:
        raise ValidationException(
            f"SearchExpression has more than {MOST_CONDITIONS} filters, nested filters and "
            "subexpressions altogether."
        )
    _refuse_empty(expression)


def _refuse_empty(expression: SearchExpression) -> None:
    inner = expression.get("SubExpressions", [])
    if not (inner or expression.get("Filters") or expression.get("NestedFilters")):
        raise ValidationException(
            "SearchExpression needs at least one filter, nested filter or subexpression."
        )
    for item in inner:
        _refuse_empty(item)


def _size(expression: SearchExpression) -> int:
    nested = expression.get("NestedFilters", [])
    inner = expression.get("SubExpressions", [])
    return (
        len(expression.get("Filters", []))
        + sum(1 + len(item["Filters"]) for item in nested)
        + sum(1 + _size(item) for item in inner)
    )


def _compile(searchable: Searchable, expression: SearchExpression) -> Match:
    tests: list[Match] = [
        *(_filter(searchable, item) for item in expression.get("Filters", [])),
        *(_nested(searchable, item) for item in expression.get("NestedFilters", [])),
        *(_compile(searchable, item) for item in expression.get("SubExpressions", [])),
    ]
    return Combination(tests, every=expression.get("Operator", "And") == "And")


def _filter(searchable: Searchable, item: Filter) -> Match:
    return _condition(property_of(searchable, item["Name"]), item)


def _condition(found: Any, item: Filter) -> Test:
    return condition(found, item.get("Operator", "Equals"), item.get("Value"))


def _nested(searchable: Searchable, item: NestedFilters) -> Match:
    outer = item["NestedPropertyName"]
    elements, shape = nested_property(searchable, outer)
    tests = [
        _condition(element_property(shape, outer, inner["Name"]), inner)
        for inner in item["Filters"]
    ]
    return Nested(elements, tests)
