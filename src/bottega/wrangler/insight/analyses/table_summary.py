"""Table summary: a row of figures for each column, over all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottega.wrangler.columns import SCALARS
from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.profile import ColumnProfile, profile
from bottega.wrangler.sql_text import escaped, name
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation


class TableSummary(Analysis):
    operator = PREFIX + "describe_0.1"
    name = "Table summary"
    sentence = "Shows count, extremes, mean and deviation of numbers, and the values of the rest."
    words = ("describe", "statistics")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        found = profile(relation)
        rows = found[0].count if found else relation.count()
        numbers = [one for one in found if one.type.is_number]
        others = [one for one in found if not one.type.is_number and one.type in SCALARS]
        sections = []
        if numbers:
            table = Table(
                ("Column", "Count", "Min", "Max", "Mean", "Standard deviation"),
                [
                    (o.name, o.present, o.minimum, o.maximum, o.mean, o.standard_deviation)
                    for o in numbers
                ],
            )
            sections.append(
                Section("Numbers", "Missing and infinite values are left out.", table=table)
            )
        if others:
            rarest = _least_frequent(relation, others)
            table = Table(
                ("Column", "Count", "Different values", "Most frequent", "Least frequent"),
                [(o.name, o.present, o.distinct, _most(o), rarest.get(o.name)) for o in others],
            )
            sections.append(Section("Text, booleans and times", table=table))
        return sections, rows


def _most(found: ColumnProfile) -> object:
    return found.top_values[0][0] if found.top_values else None


def _least_frequent(relation: Relation, found: list[ColumnProfile]) -> dict[str, object]:
    """Of columns whose values are all counted; of equally rare ones the smallest."""
    rarest: dict[str, object] = {}
    for one in found:
        if not one.distinct_exact or not one.present:
            continue
        if one.distinct <= len(one.top_values):
            least = min(count for _, count in one.top_values)
            rarest[one.name] = next(v for v, count in one.top_values if count == least)
            continue
        column = escaped(name(one.name))
        rarest[one.name] = relation.row(
            f"SELECT v::VARCHAR FROM (SELECT {column} AS v FROM {{table}}) WHERE v IS NOT NULL "
            "GROUP BY v ORDER BY count(*), v LIMIT 1"
        )[0]
    return rarest
