"""Search expressions, turned once into a function over candidates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bottega.errors import ValidationException
from bottega.features.search.comparing import Test, condition
from bottega.features.search.kinds import Candidate, Searchable
from bottega.features.search.properties import element_property, nested_property, property_of
from bottega.specs.generated.search import Filter, NestedFilters, SearchExpression

Match = Callable[[Candidate], bool]

MOST_CONDITIONS = 50
"""How many filters, nested filters and subexpressions an expression may have altogether."""


def compile_expression(searchable: Searchable, expression: SearchExpression) -> Match:
    """What an expression says, as a function.

    Raises:
        ValidationException: it is empty, too large, or a filter in it makes no sense.
    """
    if _size(expression) > MOST_CONDITIONS:
        raise ValidationException(
            f"SearchExpression has more than {MOST_CONDITIONS} filters, nested filters and "
            "subexpressions altogether."
        )
    return _compile(searchable, expression)


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
    if not tests:
        raise ValidationException(
            "SearchExpression needs at least one filter, nested filter or subexpression."
        )
    if expression.get("Operator", "And") == "Or":
        return lambda candidate: any(test(candidate) for test in tests)
    return lambda candidate: all(test(candidate) for test in tests)


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
    return lambda candidate: any(
        all(test(element) for test in tests) for element in elements(candidate)
    )
