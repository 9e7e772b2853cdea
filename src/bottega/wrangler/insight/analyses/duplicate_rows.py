"""Duplicate rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.issues import issue, percent
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, names
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_SHOWN = 10


@dataclass(frozen=True)
class Duplicates:
    """Rows that are there more than once.

    Attributes:
        repeated: rows that an equal one comes before.
        groups: different rows that are there more than once.
        examples: (count, cells) of the most frequent ones.
    """

    repeated: int
    groups: int
    examples: tuple[tuple[int, tuple[Any, ...]], ...]


def duplicates(relation: Relation, columns: list[str]) -> Duplicates:
    """Equal rows, over the whole table. Missing values equal each other.

    Rows are counted by a digest first, so that the memory grows with the rows, not with their
    width; those that share one are then compared cell by cell.
    """
    if not columns:
        return Duplicates(0, 0, ())
    listed = names(columns)
    twice = (
        escaped(f"SELECT hash({listed}) AS __h FROM ") + "{table} GROUP BY __h HAVING count(*) > 1"
    )
    answer = relation.rows(
        escaped(
            f"SELECT __n, (sum(__n - 1) OVER ())::BIGINT, count(*) OVER (), {listed} FROM ("
            f"SELECT {listed}, count(*) AS __n FROM "
        )
        + "{table}"
        + escaped(f" WHERE hash({listed}) IN (")
        + twice
        + escaped(f") GROUP BY {listed} HAVING __n > 1) ORDER BY __n DESC, {listed} LIMIT {_SHOWN}")
    )
    if not answer:
        return Duplicates(0, 0, ())
    return Duplicates(answer[0][1], answer[0][2], tuple((r[0], tuple(r[3:])) for r in answer))


class DuplicateRows(Analysis):
    operator = PREFIX + "duplicate_rows_0.1"
    name = "Duplicate rows"
    sentence = "Counts the rows that are there more than once, over all rows."
    parameters = (
        Parameter("columns", "columns", "Columns", "What is compared; all when none is named."),
    )
    words = ("distinct", "repeated")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        columns = values["columns"] or relation.schema.names
        rows = relation.count()
        found = duplicates(relation, columns)
        return [duplicates_section(found, columns, rows)], rows


def duplicates_section(found: Duplicates, columns: list[str], rows: int) -> Section:
    """What was found, for people."""
    if not found.repeated:
        return Section("Duplicate rows", f"No row is there twice among {rows:,}.")
    sentence = (
        f"{found.repeated:,} rows ({percent(found.repeated, rows)}) repeat an earlier one; "
        f"{found.groups:,} different rows are there more than once."
    )
    table = Table(("Times", *columns), [(count, *cells) for count, cells in found.examples])
    return Section(
        "Duplicate rows",
        f"{sentence} The most frequent ones:",
        table=table,
        issues=[issue("duplicate_rows", "medium", sentence)],
    )
