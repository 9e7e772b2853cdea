"""Learning of several steps in one pass over the data.

A step learns from the table that the step before it gives. But where the steps between only compute
other columns, the statistics of several steps can be asked of one table in one query. They are
asked for in advance, on trust, and used only when the trust was justified: the rows are the same
and no column they read has been changed since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Node
from bottega.wrangler.sql_text import escaped
from bottega.wrangler.transform import Columns, Rendering, Transform, Values
from bottega.wrangler.transforms.registry import transform_of

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"((?:[^"]|"")*)\"""")


@dataclass(frozen=True)
class Foreseen:
    """The statistics of one step, from the table of an earlier one."""

    statistics: Mapping[str, str]
    found: Mapping[str, Any]
    base: int
    """How many steps the earlier table had behind it."""

    def holds(self, statistics: Mapping[str, str], between: Sequence[Rendering]) -> bool:
        """Whether it is what the step would find itself.

        Args:
            statistics: what the step asks for, now that its table is known.
            between: the steps since the earlier table.
        """
        if statistics != self.statistics:
            return False
        changed: set[str] = set()
        for rendering in between:
            if not isinstance(rendering, Columns):
                return False
            changed.update(rendering.set, rendering.drop)
        return not changed & columns_read(statistics.values())


def columns_read(expressions: Sequence[str] | Any) -> frozenset[str]:
    """The quoted names in SQL expressions."""
    return frozenset(
        match[1].replace('""', '"')
        for expression in expressions
        for match in _QUOTED.finditer(expression)
        if match[1] is not None
    )


def foresee(
    table: Relation, base: int, steps: Sequence[tuple[Node, Transform]]
) -> dict[str, Foreseen]:
    """Ask the statistics of several steps of one table.

    Args:
        table: what the first step takes.
        base: how many steps it has behind it.
        steps: enabled steps in a row, each with one input.

    Returns:
        By node, for the steps for which it is worth trying; nothing when those are fewer than two.
    """
    wanted: dict[str, Mapping[str, str]] = {}
    touched: set[str] = set()
    for node, transform in steps:
        try:
            values: Values = transform.parameter_set().check(
                transform.parameter_set().read(node.told), table.schema
            )
            statistics = transform.statistics(table.schema, values) if transform.learns else {}
        except (FlowError, KeyError):
            break  # it needs what a step before it makes; it is judged when its turn comes
        if transform.learns and not statistics:
            break
        if statistics and not touched & columns_read(statistics.values()):
            wanted[node.id] = statistics
        touched |= transform.touches(table.schema, values)
        if transform.serving_of(values) != "apply":
            break
    if len(wanted) < 2:
        return {}
    expressions = [sql for statistics in wanted.values() for sql in statistics.values()]
    distinct = list(dict.fromkeys(expressions))
    text = escaped(", ".join(distinct))
    row = dict(zip(distinct, table.row(f"SELECT {text} FROM {{table}}"), strict=True))
    return {
        node_id: Foreseen(statistics, {k: row[sql] for k, sql in statistics.items()}, base)
        for node_id, statistics in wanted.items()
    }


def enabled(steps: Sequence[Node]) -> list[tuple[Node, Transform]]:
    """The steps that are not switched off, up to the first that is unknown, with their
    transforms."""
    found = []
    for node in steps:
        if node.disabled:
            continue
        try:
            found.append((node, transform_of(node.operator, node.parameters)))
        except FlowError:
            break  # it is refused when its turn comes
    return found
