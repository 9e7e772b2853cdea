"""What each column is like: three passes over the table, however many columns it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import Column, ColumnType
from bottega.wrangler.insight.asking import Share, cell
from bottega.wrangler.insight.bins import Binning, number_binning, time_binning
from bottega.wrangler.insight.issues import Issue, column_issues
from bottega.wrangler.insight.passes import (
    KEPT,
    Groups,
    GroupSet,
    Moments,
    Traits,
    group_sets,
    moments,
    traits,
)
from bottega.wrangler.insight.tokens import is_disguised_sql
from bottega.wrangler.sql_text import literal, name

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

COUNTED_ROWS = 200_000
"""Up to so many rows, every value of every column is counted."""
COUNTED_VALUES = 20_000
"""In larger tables, the values of columns that have up to about so many different ones."""
SORTED_ROWS = 1_000_000
"""Up to so many rows, quantiles are exact; of larger tables they come from the sample."""
SAMPLE_ROWS = 100_000
SHOWN_VALUES = 10
_CANDIDATES = 30
_MOSTLY = 0.8
_WORDS_OF_TEXT = 4.0
_CATEGORIES = 1000
_TOO_LARGE = 1e150


@dataclass(frozen=True)
class Bin:
    """A bar of a histogram: from its lower border to below its upper one; the last has both."""

    low: Any
    high: Any
    count: int


@dataclass(frozen=True)
class ColumnProfile:
    """What one column is like. Figures of numbers leave infinite values out."""

    name: str
    type: ColumnType
    kind: str
    """numeric, categorical, binary, text, datetime, vector, constant or empty."""
    count: int
    """Rows."""
    missing: int
    invalid: int
    """Infinite numbers; texts among numbers or among dates; vectors of another length than most."""
    distinct: int
    distinct_exact: bool
    minimum: Any = None
    maximum: Any = None
    mean: float | None = None
    standard_deviation: float | None = None
    """Of the sample: over n - 1."""
    quantiles: Mapping[str, Any] = field(default_factory=dict)
    quantile_rows: int = 0
    """How many rows the quantiles were computed from."""
    top_values: tuple[tuple[Any, int], ...] = ()
    """(value, count), the most frequent first, the smaller of equally frequent ones first. Counts
    are exact. In a column with more values than are all counted, those that the sample shows."""
    histogram: tuple[Bin, ...] = ()
    issues: tuple[Issue, ...] = ()
    disguised: tuple[tuple[str, int], ...] = ()
    """Texts that stand for missing ones, with their counts."""
    odd_values: tuple[tuple[str, int], ...] = ()
    """Of the invalid texts, the most frequent ones."""
    mostly: str = ""
    """``number`` or ``moment`` where most texts can be read as one."""
    words: float = 0.0
    """Of texts: words on average, in the sample."""

    @property
    def present(self) -> int:
        """Rows that are not missing."""
        return self.count - self.missing

    def as_answer(self) -> dict[str, Any]:
        """For the API; names as in the shape ``FlowColumnProfile``."""
        answer: dict[str, Any] = {
            "Name": self.name,
            "Type": str(self.type),
            "Kind": self.kind,
            "Count": self.count,
            "Missing": self.missing,
            "Invalid": self.invalid,
            "Distinct": self.distinct,
            "DistinctExact": self.distinct_exact,
            "TopValues": [
                {"Value": cell(value), "Count": count}
                for value, count in self.top_values[:SHOWN_VALUES]
            ],
            "Histogram": [
                {"From": cell(b.low), "To": cell(b.high), "Count": b.count} for b in self.histogram
            ],
            "Issues": [issue.as_answer() for issue in self.issues],
        }
        for key, value in (
            ("Minimum", self.minimum),
            ("Maximum", self.maximum),
            ("Mean", self.mean),
            ("StandardDeviation", self.standard_deviation),
        ):
            if value is not None:
                answer[key] = cell(value)
        if self.quantiles:
            answer["Quantiles"] = {key: cell(value) for key, value in self.quantiles.items()}
        return answer


def profile(relation: Relation, columns: Sequence[str] | None = None) -> list[ColumnProfile]:
    """What columns are like; all when none is named.

    The first pass computes what single aggregates say, the second looks at a sample (at all rows up
    to a million), the third counts values and fills histograms. Only sketches and counts are held,
    so the memory does not grow with the rows.

    Raises:
        ParameterError: a column does not exist.
    """
    chosen = [relation.schema[c] for c in (relation.schema.names if columns is None else columns)]
    if not chosen:
        return []
    rows, found = moments(relation, chosen)
    seen = traits(relation, chosen, Share.of(rows, SAMPLE_ROWS), rows <= SORTED_ROWS)
    drafts = [_Draft(column, rows, found[column.name], seen[column.name]) for column in chosen]
    candidates = _candidates(relation, drafts)
    groups = group_sets(relation, [s for d in drafts for s in d.sets(candidates)])
    return [draft.finished(groups) for draft in drafts]


def binning_of(kind: ColumnType, minimum: Any, maximum: Any) -> Binning | None:
    """The bins for a column with these extremes; None where values are counted one by one."""
    if minimum is None or maximum is None:
        return None
    if kind.is_number:
        return number_binning(minimum, maximum, whole=kind is ColumnType.LONG)
    return time_binning(minimum, maximum, kind) if kind.is_time else None


def _candidates(relation: Relation, drafts: Sequence[_Draft]) -> Groups:
    """The frequent values of columns with many, as the sample shows them."""
    many = [draft for draft in drafts if draft.has_values and not draft.counts_all]
    if not many:
        return Groups()
    share = Share.of(drafts[0].rows, SAMPLE_ROWS)
    sets = [GroupSet(d.column.name, "values", d.column.type, d.value) for d in many]
    return group_sets(relation, sets, share)


class _Draft:
    """A column on its way to a profile."""

    def __init__(self, column: Column, rows: int, found: Moments, seen: Traits) -> None:
        self.column = column
        self.rows = rows
        self.found = found
        self.seen = seen
        self.binning = binning_of(column.type, found.minimum, found.maximum)
        share = seen.numbers if column.type is ColumnType.STRING else 0.0
        self.mostly = "number" if share >= _MOSTLY else ""
        if not self.mostly and seen.moments >= _MOSTLY:
            self.mostly = "moment"

    @property
    def has_values(self) -> bool:
        return self.column.type not in (ColumnType.VECTOR, ColumnType.ARRAY)

    @property
    def counts_all(self) -> bool:
        return self.rows <= COUNTED_ROWS or self.found.distinct <= COUNTED_VALUES

    @property
    def bins_from_values(self) -> bool:
        """Whether the counted values say how full the bins are. There are fewer than what is kept
        by a margin that the sketch never errs by; ``_histogram`` checks it all the same."""
        return self.column.type.is_number and self.counts_all and self.found.distinct <= KEPT // 2

    @property
    def value(self) -> str:
        column = name(self.column.name)
        if self.column.type is ColumnType.FLOAT:
            return f"CASE WHEN NOT isnan({column}) THEN {column} END"
        return column

    def sets(self, candidates: Groups) -> Iterator[GroupSet]:
        """What the last pass counts of this column."""
        column, kind = self.column.name, self.column.type
        if self.has_values and self.counts_all:
            yield GroupSet(column, "values", kind, self.value)
        elif self.has_values:
            known = [v for v, n in candidates.top(column, "values", _CANDIDATES) if n > 1]
            if known:
                among = ", ".join(f"{literal(v)}::{kind.duckdb}" for v in known)
                yield GroupSet(
                    column,
                    "values",
                    kind,
                    f"CASE WHEN {name(column)} IN ({among}) THEN {name(column)} END",
                )
        if self.binning is not None and not self.bins_from_values:
            place = self.binning.of(name(column))
            yield GroupSet(column, "bins", ColumnType.FLOAT, place)
        if kind is ColumnType.STRING:
            if not self.counts_all:
                text = name(column)
                found = f"CASE WHEN {is_disguised_sql(text)} THEN {text} END"
                yield GroupSet(column, "disguised", kind, found)
            if self.mostly:
                readable = "DOUBLE" if self.mostly == "number" else "TIMESTAMP"
                yield GroupSet(
                    column,
                    "odd",
                    kind,
                    f"CASE WHEN try_cast({name(column)} AS {readable}) IS NULL "
                    f"THEN {name(column)} END",
                )

    def finished(self, groups: Groups) -> ColumnProfile:
        column, found = self.column, self.found
        exact = (self.has_values and self.counts_all) or found.present == 0
        distinct = min(found.distinct, found.present)
        if self.has_values and self.counts_all:
            distinct = groups.distinct(column.name, "values")
        odd = groups.top(column.name, "odd")
        disguised = groups.disguised(column.name)
        top = groups.top(column.name, "values")
        draft = ColumnProfile(
            name=column.name,
            type=column.type,
            kind=self._kind(distinct),
            count=self.rows,
            missing=self.rows - found.present,
            invalid=found.invalid + groups.rows(column.name, "odd"),
            distinct=distinct,
            distinct_exact=exact,
            minimum=found.minimum,
            maximum=found.maximum,
            mean=_finite(found.mean),
            standard_deviation=self._deviation(),
            quantiles=self.seen.quantiles,
            quantile_rows=self.seen.rows,
            top_values=tuple(top),
            histogram=self._histogram(groups),
            disguised=tuple(disguised),
            odd_values=tuple(odd),
            mostly=self.mostly,
            words=self.seen.words,
        )
        return _with_issues(draft)

    def _histogram(self, groups: Groups) -> tuple[Bin, ...]:
        if self.binning is None:
            return ()
        places = groups.top(self.column.name, "bins")
        if self.bins_from_values:
            values = groups.top(self.column.name, "values")
            assert groups.distinct(self.column.name, "values") == len(values)
            places = [(self.binning.place(value), count) for value, count in values]
        counts = self.binning.counts(places)
        edges = self.binning.edges
        return tuple(map(Bin, edges, edges[1:], counts))

    def _deviation(self) -> float | None:
        large = (
            max(abs(self.found.minimum or 0), abs(self.found.maximum or 0))
            if (self.column.type.is_number)
            else 0
        )
        return None if large > _TOO_LARGE else _finite(self.found.deviation)

    def _kind(self, distinct: int) -> str:
        kind = self.column.type
        if self.found.present == 0:
            return "empty"
        if not self.has_values:
            return "vector"
        if distinct == 1:
            return "constant"
        if kind.is_time:
            return "datetime"
        if distinct == 2:
            return "binary"
        if kind.is_number:
            return "numeric"
        if self.seen.words >= _WORDS_OF_TEXT and distinct > SHOWN_VALUES:
            return "text"
        few = distinct <= max(SHOWN_VALUES, min(_CATEGORIES, self.found.present // 2))
        return "categorical" if few else "text"


def _with_issues(draft: ColumnProfile) -> ColumnProfile:
    return replace(draft, issues=tuple(column_issues(draft)))


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
