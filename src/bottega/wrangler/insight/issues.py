"""What is wrong with a column, in one sentence with figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bottega.wrangler.columns import ColumnType

if TYPE_CHECKING:
    from bottega.wrangler.insight.profile import ColumnProfile

Severity = Literal["high", "medium", "low"]
PREFIX = "sagemaker.data_quality."
_FEW = 20
_MANY_MISSING = 0.5
_UNIQUE = 0.9
_ID = 0.97
_RARE = 0.01
_MOST_ID_WORDS = 2.0


@dataclass(frozen=True)
class Issue:
    """One finding."""

    id: str
    severity: Severity
    sentence: str

    def as_answer(self) -> dict[str, str]:
        """For the API; names as in the shape ``FlowIssue``."""
        return {"Id": self.id, "Severity": self.severity, "Sentence": self.sentence}


def issue(name: str, severity: Severity, sentence: str) -> Issue:
    """A finding about the quality of data."""
    return Issue(PREFIX + name, severity, sentence)


def percent(part: float, whole: float) -> str:
    """A share for people: ``0.4%``, ``<0.1%``, ``100%``."""
    if not whole:
        return "0%"
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "<0.1%"
    if 99.9 < share < 100:
        return ">99.9%"
    return f"{share:.1f}".removesuffix(".0") + "%"


def counted(number: int, noun: str) -> str:
    """A number of things: ``1 value``, ``1,200 values``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{number:,} {noun}s"


def quoted(value: object, longest: int = 40) -> str:
    """A value for a sentence, cut where it is long."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= longest else text[: longest - 1] + "…")


def column_issues(found: ColumnProfile) -> Iterator[Issue]:
    """What is wrong with a column. Its near-duplicates of spelling are found by ``spelling``."""
    if found.count == 0:
        return
    if found.missing / found.count > _MANY_MISSING:
        yield issue(
            "high_missing_ratio",
            "high" if found.present == 0 else "medium",
            f"{percent(found.missing, found.count)} of the values are missing "
            f"({found.missing:,} of {found.count:,}).",
        )
    if found.disguised:
        total = sum(count for _, count in found.disguised)
        shown = ", ".join(quoted(value) for value, _ in found.disguised[:3])
        yield issue(
            "disguised_missing_values",
            "medium",
            f"{total:,} values ({percent(total, found.count)}) look like missing ones: {shown}.",
        )
    hidden = {value for value, _ in found.disguised}
    if found.invalid and not (found.odd_values and {v for v, _ in found.odd_values} <= hidden):
        yield _invalid(found)
    if found.kind == "constant":
        value = found.top_values[0][0] if found.top_values else ""
        also = f"; {found.missing:,} are missing" if found.missing else ""
        yield issue(
            "constant_column",
            "medium",
            f"Every value is {quoted(value)}{also}. It tells a model nothing.",
        )
    yield from _distinct(found)
    yield from _rare(found)


def _invalid(found: ColumnProfile) -> Issue:
    share = f"{found.invalid:,} values ({percent(found.invalid, found.count)})"
    if found.type is ColumnType.FLOAT:
        return issue("infinite_values", "medium", f"{share} are infinite.")
    if found.type is ColumnType.VECTOR:
        return issue(
            "vector_lengths", "high", f"{share} have another number of elements than most."
        )
    if found.type.is_time:
        return issue("infinite_values", "medium", f"{share} are infinitely far away.")
    what = "numbers" if found.mostly == "number" else "dates"
    shown = ", ".join(quoted(value) for value, _ in found.odd_values[:3])
    name = "non_numeric_values" if found.mostly == "number" else "non_date_values"
    return issue(name, "medium", f"Most values can be read as {what}; {share} cannot: {shown}.")


def _distinct(found: ColumnProfile) -> Iterator[Issue]:
    if found.present < _FEW or found.type not in (ColumnType.STRING, ColumnType.LONG):
        return
    about = "" if found.distinct_exact else "about "
    limit = 1.0 if found.distinct_exact else _ID
    text = found.type is ColumnType.STRING
    if found.distinct >= limit * found.present and (
        found.type is ColumnType.LONG or found.words <= _MOST_ID_WORDS
    ):
        if found.mostly == "moment":
            return
        yield issue(
            "id_column",
            "medium",
            f"{about.capitalize()}{found.distinct:,} different values in {found.present:,} rows: "
            "it names the rows and tells a model nothing.",
        )
    elif text and not found.mostly and found.distinct > _UNIQUE * found.present:
        yield issue(
            "high_cardinality",
            "low",
            f"{percent(found.distinct, found.present)} of the values are different "
            f"({about}{found.distinct:,} of {found.present:,}).",
        )


def _rare(found: ColumnProfile) -> Iterator[Issue]:
    if found.type is not ColumnType.STRING or found.kind != "categorical":
        return
    if found.present < 10 * _FEW or found.distinct > len(found.top_values):
        return
    rare = [(value, n) for value, n in found.top_values if n < _RARE * found.present]
    if rare and len(rare) < found.distinct:
        total = sum(n for _, n in rare)
        yield issue(
            "categorical_rare_categories",
            "low",
            f"{len(rare):,} of {found.distinct:,} categories have less than 1% of the rows each, "
            f"{total:,} rows together, such as {quoted(rare[-1][0])}.",
        )
