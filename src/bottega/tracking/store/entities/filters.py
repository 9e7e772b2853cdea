"""SageMaker's search expressions over entities, as conditions in SQL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bottega.tracking.store.catalogue import Refusal
from bottega.tracking.store.entities.properties import PARENTS, Kind, Property, any_point, parent
from bottega.tracking.store.statements import Sql, joined

_ORDERS: Mapping[str, str] = {
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}
_COMPARISONS: Mapping[str, str] = {"Equals": "=", **_ORDERS}
NUMBERS_END = "CAST(9e999 AS REAL)"
"""Texts come after every number in SQLite's order."""


@dataclass(frozen=True)
class Leaf:
    """One filter: whether an entity has a value of a property that passes a test.

    Of several values one that passes is enough, except for NotEquals, which all must. An entity
    that does not have the property satisfies NotEquals and NotExists only.
    """

    found: Property
    condition: Sql | None
    """The test of one value; None where any value will do."""
    negated: bool

    @property
    def is_quick(self) -> bool:
        """Whether an index has what passes side by side."""
        if self.found.rows is None or self.found.grouped:
            return False
        if self.condition is None or self.found.type in ("number", "time"):
            return True
        value = self.found.value.text
        return self.condition.text.startswith((f"{value} = ?", f"{value} IN ("))

    def listed(self) -> Sql:
        """The owners of all rows that pass; some may come several times."""
        assert self.found.rows is not None
        statement = Sql(f"SELECT {self.found.owner} AS owner ") + self.found.rows
        return statement if self.condition is None else statement + " AND " + self.condition

    def holds(self, owner: str, *, one: bool) -> Sql:
        """Whether the filter holds for an entity.

        Args:
            owner: the entity's key, as the statement has it.
            one: look the entity's own rows up, instead of finding all that pass.
        """
        found, condition = self.found, self.condition
        if found.rows is None:
            inner = found.value + " IS NOT NULL" if condition is None else condition
            return Sql("NOT coalesce(") + inner + ", 0)" if self.negated else Sql("(") + inner + ")"
        if one:
            inner = Sql("EXISTS (SELECT 1 ") + found.rows + f" AND {found.owner} = {owner}"
            inner = (inner if condition is None else inner + " AND " + condition) + ")"
        else:
            inner = Sql(f"{owner} IN (") + self.listed() + ")"
        return Sql("NOT ") + inner if self.negated else inner


def leaf(kind: Kind, item: Mapping[str, Any]) -> Leaf:
    """What a filter says.

    Raises:
        Refusal: there is no such property, or it is not compared so, or not with this value.
    """
    found = kind.find(item["Name"])
    operator, condition = _comparison(found, item)
    if point := any_point(found, operator):
        found, condition = point, test(point, operator, item["Value"])
    return Leaf(found, condition, operator in ("NotEquals", "NotExists"))


def _comparison(found: Property, item: Mapping[str, Any]) -> tuple[str, Sql | None]:
    operator = item.get("Operator", "Equals")
    if operator in ("Exists", "NotExists"):
        return operator, None
    if (wanted := item.get("Value")) is None:
        raise Refusal(
            f"The filter on {found.name} has no Value, which the operator {operator} needs."
        )
    return operator, test(found, "Equals" if operator == "NotEquals" else operator, wanted)


def test(found: Property, operator: str, wanted: Any) -> Sql:
    """Whether one value satisfies an operator.

    Raises:
        Refusal: it is not compared so, or not with this.
    """
    textual = found.type in ("text", "mixed")
    if operator in ("Contains", "In") and not textual:
        raise _unsupported(found, operator)
    if operator in _ORDERS and found.type == "text":
        raise _unsupported(found, operator)
    if operator == "Contains":
        return Sql("instr(lower(") + found.value + Sql("), lower(?)) > 0", (wanted,))
    if operator == "In":
        choices = tuple(dict.fromkeys(choice.strip() for choice in wanted.split(",")))
        return found.value + Sql(f" IN ({', '.join('?' * len(choices))})", choices)
    if found.type == "text":
        return found.value + Sql(" = ?", (wanted,))
    if found.type == "time":
        return _time(found, operator, wanted)
    number = _number(wanted)
    if number is None:
        if found.type == "mixed" and operator == "Equals":
            return found.value + Sql(" = ?", (wanted,))
        raise _bad_value(found, wanted, "an integer or floating-point decimal")
    if found.squared:
        number *= abs(number)
    # The cast has SQLite compare a text as the number that it is, if it is one.
    compared = found.value + Sql(f" {_COMPARISONS[operator]} CAST(? AS REAL)", (number,))
    if found.type == "mixed" and operator.startswith("Greater"):
        return Sql("(") + compared + " AND " + found.value + f" <= {NUMBERS_END})"
    return compared


def _number(wanted: Any) -> float | None:
    try:
        number = float(wanted)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _time(found: Property, operator: str, wanted: Any) -> Sql:
    """Compare with an ISO 8601 time, or with seconds since the epoch where the daemon asks."""
    if isinstance(wanted, str):
        try:
            moment = datetime.fromisoformat(wanted)
        except ValueError as error:
            need = "an ISO 8601 time: YYYY-mm-dd'T'HH:MM:SS"
            raise _bad_value(found, wanted, need) from error
        # Times without a zone are UTC.
        wanted = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    milliseconds = round(wanted * 1000)
    if operator == "Equals" and milliseconds % 1000 == 0:
        last = milliseconds + 999
        return found.value + Sql(" BETWEEN ? AND ?", (milliseconds, last))
    return found.value + Sql(f" {_COMPARISONS[operator]} ?", (milliseconds,))


def _unsupported(found: Property, operator: str) -> Refusal:
    kind = "text" if found.type == "mixed" else found.type
    return Refusal(
        f"The operator {operator} is not supported for the {kind} property {found.name}."
    )


def _bad_value(found: Property, wanted: Any, need: str) -> Refusal:
    return Refusal(f"The value {wanted!r} of the filter on {found.name} must be {need}.")


def nested(kind: Kind, item: Mapping[str, Any], owner: str) -> Sql:
    """Whether one of a component's parents satisfies all filters.

    Args:
        owner: the component's key, as the statement has it.

    Raises:
        Refusal: the list is another one, or a filter makes no sense.
    """
    outer = item["NestedPropertyName"]
    if outer != "Parents" or kind.owner != "c.run_uuid":
        raise Refusal(
            f"NestedPropertyName {outer} is not a list of structures that is searched here; only "
            "Parents of ExperimentTrialComponent is. Use Filters for the others."
        )
    tests = []
    for inner in item["Filters"]:
        member = inner["Name"].removeprefix(f"{outer}.")
        if member not in PARENTS or not inner["Name"].startswith(f"{outer}."):
            raise Refusal(
                f"The name {inner['Name']} of a nested filter must be one of "
                f"{', '.join(f'{outer}.{name}' for name in PARENTS)}."
            )
        operator, condition = _comparison(parent(inner["Name"], member), inner)
        if condition is None:
            tests.append(Sql("1" if operator == "Exists" else "0"))
        else:
            tests.append(Sql("NOT ") + condition if operator == "NotEquals" else condition)
    rows = parent(outer, "TrialName")
    assert rows.rows is not None
    return (
        Sql("EXISTS (SELECT 1 ")
        + rows.rows
        + f" AND {rows.owner} = {owner} AND "
        + joined(tests, " AND ")
        + ")"
    )
