"""Categories that are probably one: they differ by case, spaces, or a slip of the keyboard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bottega.wrangler.insight.issues import Issue, counted, issue, quoted
from bottega.wrangler.sql_text import escaped, name

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_VALUES = 1000
_SHORTEST = 5
_LONGEST = 60
_LONG = 9
_TIMES = 10
"""The right spelling is so many times as frequent as the wrong one."""
_MOST = 50


@dataclass(frozen=True)
class Slip:
    """A spelling that is probably meant to be another one."""

    wrong: str
    right: str
    wrong_count: int
    right_count: int


def slips(relation: Relation, column: str) -> list[Slip]:
    """Rare spellings one letter away from a frequent one, or two in texts of nine letters.

    Letters are inserted, left out, replaced or swapped, but not the first. Looks at the thousand
    most frequent values; spellings with other digits are other values.
    """
    shown = name(column)
    values = (
        escaped(f"SELECT v, count(*) AS n FROM (SELECT {shown} AS v FROM ")
        + "{table}"
        + f") WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT {_VALUES}"
    )
    answer = relation.rows(
        f"SELECT v, w, n, m FROM (SELECT r.v AS v, f.v AS w, r.n AS n, f.n AS m, "
        f"damerau_levenshtein(lower(r.v), lower(f.v)) AS d FROM ({values}) r, ({values}) f "
        f"WHERE f.n >= {_TIMES} * r.n AND lower(r.v) <> lower(f.v) "
        f"AND length(r.v) BETWEEN {_SHORTEST} AND {_LONGEST} AND length(f.v) >= {_SHORTEST} "
        "AND abs(length(r.v) - length(f.v)) <= 2 AND lower(left(r.v, 1)) = lower(left(f.v, 1)) "
        "AND regexp_replace(r.v, '[^0-9]', '', 'g') = regexp_replace(f.v, '[^0-9]', '', 'g')) "
        f"WHERE d <= CASE WHEN length(v) >= {_LONG} THEN 2 ELSE 1 END "
        "QUALIFY row_number() OVER (PARTITION BY v ORDER BY d, m DESC, w) = 1 "
        f"ORDER BY n DESC, v LIMIT {_MOST}"
    )
    wrong = {row[0] for row in answer}
    return [Slip(*row) for row in answer if row[1] not in wrong]


def slips_issue(found: Sequence[Slip]) -> Issue:
    """What was found, for people."""
    shown = ", ".join(f"{quoted(one.wrong)} for {quoted(one.right)}" for one in found[:3])
    rows = sum(one.wrong_count for one in found)
    return issue(
        "categorical_typo_correction",
        "low",
        f"{counted(len(found), 'category')} may be misspelt ({counted(rows, 'row')}): {shown}.",
    )


@dataclass(frozen=True)
class Variants:
    """Texts that differ only by capitals and spaces.

    Attributes:
        spaced: rows with spaces before or behind, or with several in a row.
        groups: spellings of one text, the most frequent first.
        rows: rows with a spelling that is not the most frequent of its group.
    """

    spaced: int
    groups: tuple[tuple[str, ...], ...]
    rows: int


def variants(relation: Relation, column: str, where: str = "") -> Variants:
    """The spellings of a column that differ only by capitals and spaces around.

    Args:
        relation: the table.
        column: of text.
        where: which rows to look at, as a WHERE clause.
    """
    shown = name(column)
    rows = relation.rows(
        escaped(
            "SELECT v, n, k FROM (SELECT v, n, k, count(*) OVER (PARTITION BY k) AS c FROM ("
            f"SELECT v, count(*) AS n, lower(trim(v)) AS k FROM (SELECT {shown} AS v FROM "
        )
        + "{table}"
        + escaped(f"{where}) GROUP BY v)) WHERE v IS NOT NULL AND (c > 1 OR v <> trim(v)) ")
        + f"ORDER BY n DESC, v LIMIT {_VALUES}"
    )
    groups: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for value, count, key in rows:
        groups[key].append((value, count))
    several = [spellings for key, spellings in groups.items() if len(spellings) > 1 and key]
    return Variants(
        sum(count for value, count, key in rows if key and value != value.strip(" ")),
        tuple(tuple(value for value, _ in spellings) for spellings in several),
        sum(count for spellings in several for _, count in spellings[1:]),
    )
