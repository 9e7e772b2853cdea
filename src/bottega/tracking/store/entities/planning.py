"""How a search for entities goes: where it starts, and what is looked up for each.

A filter that few entities satisfy is where a search starts: the others are looked up for those, and
what is left is sorted. Where many are expected to satisfy all of them, or no filter has few, the
search walks an index in the wanted order and looks every entity up until the page is full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bottega.tracking.store.connections import Reader
from bottega.tracking.store.entities.filters import Leaf, leaf, nested
from bottega.tracking.store.entities.properties import KINDS, Kind, Property
from bottega.tracking.store.statements import Sql, joined

FEW = 25_000
"""Entities from which a search starts; where no filter has so few, it walks."""
LOOKUPS = 3
"""Looking so many entities up one by one costs what listing one more match does not."""
WALK_MARGIN = 4
"""A walk has to be expected so many times shorter, as filters need not be independent."""
START = "d.owner"
"""The keys of those from which a search starts, in its statement."""
TRIALS = Sql(
    "SELECT t.trial_id FROM bottega_trials t"
    " JOIN experiments e ON e.experiment_id = t.experiment_id WHERE e.lifecycle_stage = 'active'"
)
_MOST_TRIALS = 500
"""By their numbers; searches for components of more look at the trials of each."""


@dataclass(frozen=True)
class Search:
    """A question, with its conditions as SQL."""

    kind: Kind
    tests: tuple[Sql, ...]
    start: Leaf | None
    """The filter that it starts from; None for a walk."""
    sort: Property
    descending: bool


def plan(reader: Reader, asked: Mapping[str, Any]) -> Search:
    """How a question of :func:`~bottega.tracking.store.entities.finding.find` is answered.

    Raises:
        Refusal: the expression or the order makes no sense.
    """
    kind = KINDS[asked["kind"]]
    sort = kind.find(asked["sort_by"])
    expression = asked["expression"] or {}
    tests: list[Sql] = []
    start = None
    owner = kind.owner
    if expression.get("Operator", "And") == "And":
        leaves = [_resolved(reader, leaf(kind, item)) for item in expression.get("Filters", [])]
        start, fewest = _start(reader, leaves)
        limit = asked["limit"]
        if start is not None and _walk_is_shorter(reader, kind, leaves, sort, fewest, limit):
            start, fewest = None, 0
        # The plus has SQLite stay with the order of the statement.
        owner = kind.owner if start is None else f"+{START}"
        tests += [_test(reader, each, owner, fewest) for each in leaves if each is not start]
        expression = {**expression, "Filters": []}
    if any(expression.get(part) for part in ("Filters", "NestedFilters", "SubExpressions")):
        tests.append(_expression(reader, kind, expression, owner))
    for key, value in asked["visible"]:
        tag = kind.find(f"Tags.{key}")
        absent = Leaf(tag, None, negated=True).holds(owner, one=True)
        equal = Leaf(tag, tag.value + Sql(" = ?", (value,)), negated=False).holds(owner, one=True)
        tests.append(Sql("(") + absent + " OR " + equal + ")")
    return Search(kind, tuple(tests), start, sort, asked["descending"])


def _walk_is_shorter(
    reader: Reader,
    kind: Kind,
    leaves: Sequence[Leaf],
    sort: Property,
    fewest: int,
    limit: int,
) -> bool:
    """Whether walking in the wanted order soon has a page full, as if filters were independent."""
    if not (sort.always or sort.table) or not all(each.is_quick for each in leaves):
        return False
    total = max(1, remembered(reader, Sql(f"SELECT count(*) FROM {kind.table}")))
    expected = float(total)
    for each in leaves:
        if each.negated:
            return False
        expected *= min(1.0, _few(reader, each) / total)
    return limit * total / max(1.0, expected) * WALK_MARGIN < fewest


def _resolved(reader: Reader, item: Leaf) -> Leaf:
    """A filter on a component's trials, as one on their numbers, where those are not many."""
    if item.condition is None or item.found.owner != "m.run_uuid":
        return item
    statement = TRIALS + " AND " + item.condition + f" LIMIT {_MOST_TRIALS + 1}"
    trials = [number for (number,) in reader.connection.execute(statement.text, statement.values)]
    if len(trials) > _MOST_TRIALS:
        return item
    rows = Sql(f"FROM bottega_members m WHERE m.trial_id IN ({', '.join(map(str, trials))})")
    found = replace(item.found, rows=rows, several=len(trials) > 1)
    return Leaf(found, None, item.negated)


def _start(reader: Reader, leaves: Sequence[Leaf]) -> tuple[Leaf | None, int]:
    """The filter that fewest entities satisfy, if they are few, and how many they are at most.

    Those that are counted through an index come first; with one of them nothing else is counted.
    """
    positive = [each for each in leaves if each.found.rows is not None and not each.negated]
    for quick in (True, False):
        counted = [
            (_few(reader, each), number)
            for number, each in enumerate(positive)
            if each.is_quick is quick
        ]
        number, place = min(counted, default=(FEW + 1, 0))
        if number <= FEW:
            return positive[place], number
    return None, FEW


def _test(reader: Reader, item: Leaf, owner: str, fewest: int) -> Sql:
    """Listing all that satisfy a filter is the cheaper way, unless they are much more than there is
    to look up."""
    one = not item.found.grouped and (
        not item.is_quick or _few(reader, item) > min(FEW, fewest * LOOKUPS)
    )
    return item.holds(owner, one=one)


def _few(reader: Reader, item: Leaf) -> int:
    """How many rows satisfy a filter, or one more than :data:`FEW`."""
    return remembered(reader, Sql("SELECT count(*) FROM (") + item.listed() + f" LIMIT {FEW + 1})")


def remembered(reader: Reader, statement: Sql) -> int:
    """The number that a statement gives, as long as nobody writes."""
    identity = ("entities", statement.text, statement.values)
    known = reader.totals.get(identity)
    if known is None:
        (known,) = reader.connection.execute(statement.text, statement.values).fetchone()
        reader.totals[identity] = known
    return known


def _expression(reader: Reader, kind: Kind, expression: Mapping[str, Any], owner: str) -> Sql:
    tests = [
        _test(reader, _resolved(reader, leaf(kind, item)), owner, FEW)
        if kind.find(item["Name"]).rows is not None
        else leaf(kind, item).holds(owner, one=True)
        for item in expression.get("Filters", [])
    ]
    tests += [nested(kind, item, owner) for item in expression.get("NestedFilters", [])]
    tests += [
        _expression(reader, kind, item, owner) for item in expression.get("SubExpressions", [])
    ]
    operator = " OR " if expression.get("Operator", "And") == "Or" else " AND "
    return Sql("(") + joined(tests, operator) + ")"
