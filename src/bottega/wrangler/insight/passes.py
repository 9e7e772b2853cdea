"""The queries of a profile. Each asks about many columns at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import Column, ColumnType
from bottega.wrangler.insight.asking import Share, pieces
from bottega.wrangler.insight.tokens import is_disguised_sql
from bottega.wrangler.sql_text import escaped, name

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
KEPT = 60
"""Values of a column that are brought here; more than there are bins."""
_COLUMNS_AT_ONCE = 200
_SETS_AT_ONCE = 32
"""Planning takes longer than in proportion; GROUPING() has 63 bits."""


@dataclass
class Moments:
    """What single aggregates say about a column."""

    present: int = 0
    invalid: int = 0
    distinct: int = 0
    """Approximately."""
    minimum: Any = None
    """Of finite values; of times, a text of ISO 8601."""
    maximum: Any = None
    mean: float | None = None
    deviation: float | None = None


def moments(relation: Relation, columns: Sequence[Column]) -> tuple[int, dict[str, Moments]]:
    """The rows of the table, and every column's moments, in one pass a few hundred columns."""
    found: dict[str, Moments] = {}
    rows = 0
    for some in pieces(columns, _COLUMNS_AT_ONCE):
        inner, wanted = [], []
        for number, column in enumerate(some):
            inner += _inner(column, number)
            wanted += [(column.name, key, sql) for key, sql in _aggregates(column, number)]
        answer = relation.row(
            escaped(f"SELECT count(*), {', '.join(sql for _, _, sql in wanted)}")
            + escaped(f" FROM (SELECT {', '.join(inner)} FROM ")
            + "{table})"
        )
        rows = answer[0]
        for (column_name, key, _), value in zip(wanted, answer[1:], strict=True):
            setattr(found.setdefault(column_name, Moments()), key, value)
    return rows, found


def _inner(column: Column, number: int) -> list[str]:
    value = name(column.name)
    if column.type is ColumnType.FLOAT:
        return [
            f"CASE WHEN NOT isnan({value}) THEN {value} END AS c{number}",
            f"CASE WHEN isfinite({value}) THEN {value} END AS f{number}",
        ]
    if column.type.is_time:
        return [
            f"{value} AS c{number}",
            f"CASE WHEN isfinite({value}) THEN {value} END AS f{number}",
        ]
    return [f"{value} AS c{number}"]


def _aggregates(column: Column, number: int) -> Iterator[tuple[str, str]]:
    value, finite = f"c{number}", f"f{number}"
    yield "present", f"count({value})"
    yield "distinct", f"approx_count_distinct({value})"
    kind = column.type
    if kind is ColumnType.LONG:
        finite = value
    if kind.is_number:
        yield "minimum", f"min({finite})"
        yield "maximum", f"max({finite})"
        yield "mean", f"avg({finite})::DOUBLE"
        yield "deviation", f"stddev_samp({finite})"
    elif kind.is_time:
        yield "minimum", _iso(f"min({finite})", kind)
        yield "maximum", _iso(f"max({finite})", kind)
    if kind is ColumnType.FLOAT or kind.is_time:
        yield "invalid", f"count({value}) - count({finite})"
    if kind is ColumnType.VECTOR:
        lengths = f"len({value})"
        yield (
            "invalid",
            f"coalesce(list_sum(map_values(histogram({lengths})))::BIGINT, 0) - "
            f"coalesce(list_max(map_values(histogram({lengths}))), 0)::BIGINT",
        )


def _iso(sql: str, kind: ColumnType) -> str:
    text = f"({sql})::VARCHAR"
    return text if kind is ColumnType.DATE else f"replace({text}, ' ', 'T')"


@dataclass
class Traits:
    """What a sample says about a column."""

    rows: int = 0
    quantile_values: Sequence[Any] = ()
    quantiles: Mapping[str, Any] = field(default_factory=dict)
    words: float = 0.0
    numbers: float = 0.0
    """Of texts, the share that can be read as a number."""
    moments: float = 0.0
    """Of texts, the share that can be read as a date or a moment."""


def traits(
    relation: Relation, columns: Sequence[Column], share: Share, sort_all: bool
) -> dict[str, Traits]:
    """Every column's traits.

    Args:
        relation: the table.
        columns: which.
        share: the sample.
        sort_all: whether quantiles are taken from all rows.
    """
    found = {column.name: Traits() for column in columns}
    texts = [column for column in columns if column.type is ColumnType.STRING]
    ordered = [column for column in columns if column.type.is_number or column.type.is_time]
    whole = Share(share.rows, 1)
    _ask(relation, texts, share, _text_traits, found)
    _ask(relation, ordered, whole if sort_all else share, _quantiles, found)
    for column in ordered:
        found[column.name].quantiles = _by_name(found[column.name].quantile_values)
    return found


def _ask(
    relation: Relation, columns: Sequence[Column], share: Share, wanted: Any, found: Any
) -> None:
    for some in pieces(columns, _COLUMNS_AT_ONCE):
        parts = [(column.name, key, sql) for column in some for key, sql in wanted(column)]
        listed = ", ".join(sql for _, _, sql in parts)
        answer = relation.row(escaped(f"SELECT count(*), {listed} FROM ") + "{table}" + share.where)
        for (column_name, key, _), value in zip(parts, answer[1:], strict=True):
            if value is not None:
                setattr(found[column_name], key, value)
            found[column_name].rows = answer[0]


def _text_traits(column: Column) -> Iterator[tuple[str, str]]:
    value = name(column.name)
    yield "words", f"avg(len(string_split(trim({value}), ' ')))"
    # Numbers in words that casts know (inf, nan) are no sign of a column of numbers, and what
    # stands for a missing value is no sign of anything.
    for trait, readable in (("numbers", "DOUBLE"), ("moments", "TIMESTAMP")):
        reads = f"regexp_matches({value}, '[0-9]') AND try_cast({value} AS {readable}) IS NOT NULL"
        yield trait, f"avg(({reads})::INTEGER) FILTER (NOT ({is_disguised_sql(value)}))"


def _quantiles(column: Column) -> Iterator[tuple[str, str]]:
    value, wanted = name(column.name), list(QUANTILES)
    if column.type.is_time:
        yield (
            "quantile_values",
            f"quantile_disc({value}, {wanted}) FILTER (isfinite({value}))::VARCHAR[]",
        )
    elif column.type is ColumnType.FLOAT:
        yield "quantile_values", f"quantile_cont({value}, {wanted}) FILTER (isfinite({value}))"
    else:
        yield "quantile_values", f"quantile_cont({value}::DOUBLE, {wanted})"


def _by_name(values: Sequence[Any]) -> dict[str, Any]:
    return {
        str(quantile): value.replace(" ", "T") if isinstance(value, str) else value
        for quantile, value in zip(QUANTILES if values else (), values, strict=True)
    }


@dataclass(frozen=True)
class GroupSet:
    """Something of a column whose values are counted.

    Attributes:
        column: which column.
        role: what it is for; (column, role) is unique.
        type: of the values.
        expression: SQL of the value; null is not counted.
    """

    column: str
    role: str
    type: ColumnType
    expression: str


Counted = list[tuple[Any, int]]


class Groups:
    """Counted values."""

    def __init__(self) -> None:
        self._top: dict[tuple[str, str], Counted] = {}
        self._disguised: dict[str, Counted] = {}
        self._totals: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))

    def add(
        self, key: tuple[str, str], totals: tuple[int, int], top: Counted, disguised: Counted
    ) -> None:
        """Put in what was counted."""
        self._totals[key] = totals
        self._top[key] = top
        if disguised:
            self._disguised[key[0]] = disguised

    def disguised(self, column: str) -> Counted:
        """(text, count) of what stands for missing values."""
        return self._disguised.get(column, [])

    def top(self, column: str, role: str, most: int = KEPT) -> Counted:
        """(value, count): frequent ones first, then small ones."""
        return self._top.get((column, role), [])[:most]

    def distinct(self, column: str, role: str) -> int:
        """How many different values."""
        return self._totals[column, role][0]

    def rows(self, column: str, role: str) -> int:
        """How many rows have one of them."""
        return self._totals[column, role][1]


def group_sets(relation: Relation, sets: Iterable[GroupSet], share: Share | None = None) -> Groups:
    """Count the values of many columns, each for itself, in one pass about thirty of them."""
    groups = Groups()
    for some in pieces(sets, _SETS_AT_ONCE):
        statement = _counting(some, share.where if share is not None else "")
        for number, distinct, rows, *lists in relation.rows(statement):
            one = some[number]
            top, disguised = (
                [(_typed(entry["v"], one.type), -entry["n"]) for entry in entries or ()]
                for entries in lists
            )
            groups.add((one.column, one.role), (distinct, rows), top, disguised)
    return groups


def _counting(sets: Sequence[GroupSet], where: str) -> str:
    names = [f"c{number}" for number in range(len(sets))]
    bits = {
        number: (1 << len(sets)) - 1 - (1 << (len(sets) - 1 - number))
        for number in range(len(sets))
    }
    inner = ", ".join(f"{one.expression} AS c{number}" for number, one in enumerate(sets))
    number = "CASE s " + " ".join(f"WHEN {bits[i]} THEN {i}" for i in bits) + " END"
    text = "CASE s " + " ".join(f"WHEN {bits[i]} THEN c{i}::VARCHAR" for i in bits) + " END"
    present = "CASE s " + " ".join(f"WHEN {bits[i]} THEN c{i} IS NOT NULL" for i in bits) + " END"
    sizes = [f"WHEN {bits[i]} THEN c{i}::DOUBLE" for i in bits if sets[i].type.is_number]
    size = f"CASE s {' '.join(sizes)} END" if sizes else "0"
    grouping = ", ".join(f"({one})" for one in names)
    listed = ", ".join(names)
    entry = "{'n': -n, 'k': k, 'v': v}"
    texts = [str(i) for i, one in enumerate(sets) if one.type is ColumnType.STRING]
    hidden = f"i IN ({', '.join(texts) or '-1'}) AND {is_disguised_sql('v')}"
    head = escaped(
        f"SELECT i, count(*), sum(n)::BIGINT, min({entry}, {KEPT}), "
        f"min({entry}, {KEPT}) FILTER ({hidden}) FROM ("
        f"SELECT {number} AS i, n, {size} AS k, {text} AS v FROM ("
        f"SELECT grouping({listed}) AS s, {listed}, count(*) AS n FROM (SELECT {inner} FROM "
    )
    tail = escaped(f") GROUP BY GROUPING SETS ({grouping})) WHERE {present}) GROUP BY i")
    return f"{head}{{table}}{where}{tail}"


def _typed(text: str, kind: ColumnType) -> Any:
    match kind:
        case ColumnType.LONG:
            return int(text)
        case ColumnType.FLOAT:
            return float(text)
        case ColumnType.BOOLEAN:
            return text == "true"
        case ColumnType.DATE:
            return _or_text(date.fromisoformat, text)
        case ColumnType.DATETIME:
            return _or_text(datetime.fromisoformat, text)
    return text


def _or_text(read: Any, text: str) -> Any:
    """Times that Python's calendar does not have stay texts."""
    try:
        return read(text)
    except ValueError:
        return text
