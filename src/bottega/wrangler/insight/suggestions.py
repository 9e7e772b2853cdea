"""Which steps the data call for, column by column, and for the whole table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.insight.analyses.duplicate_rows import duplicates
from bottega.wrangler.insight.issues import counted, percent, quoted
from bottega.wrangler.insight.profile import ColumnProfile, profile
from bottega.wrangler.insight.suggest_numbers import derivation_steps, number_steps
from bottega.wrangler.insight.suggest_text import category_steps, text_steps
from bottega.wrangler.insight.suggestion import Suggestion

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_TYPING = ("Parse value as type", "Extract using regex")
"""Steps after which a column is another one; what comes then is seen then."""
_FEW_MISSING = 0.05
_MANY_MISSING = 0.5
_DUPLICATES_UP_TO = 2_000_000
"""Rows; finding duplicates of larger tables takes longer than a suggestion may."""


def suggest(
    relation: Relation,
    column: str | None = None,
    profiles: Sequence[ColumnProfile] | None = None,
    target: str | None = None,
) -> list[Suggestion]:
    """Steps that make the table, or one column of it, better; the most useful first.

    Args:
        relation: the table.
        column: which column; for the whole table when None.
        profiles: what is known of the columns already; computed when None.
        target: what shall be predicted, if that is known.

    Raises:
        ParameterError: the column does not exist.
    """
    if column is None:
        found = list(profiles) if profiles is not None else profile(relation)
        return list(_table_steps(relation, found))
    relation.schema[column]
    known = next((one for one in profiles or () if one.name == column), None)
    one = known if known is not None else profile(relation, [column])[0]
    return list(_column_steps(relation, one, target))


def _column_steps(
    relation: Relation, found: ColumnProfile, target: str | None
) -> Iterator[Suggestion]:
    if not found.count:
        return
    useless = _useless(found)
    if useless:
        yield _drop([found.name], useless)
    if found.kind in ("empty", "constant"):
        return
    if found.type is ColumnType.STRING:
        cleaning = list(text_steps(relation, found))
        yield from cleaning
        if any(step.name in _TYPING for step in cleaning):
            yield from _missing_steps(found)
            return
    if found.type.is_number:
        yield from derivation_steps(relation, found)
    yield from _missing_steps(found)
    if useless:
        return
    if found.type.is_number:
        yield from number_steps(found)
    elif found.type.is_time:
        yield _date_features(found)
    elif found.type in (ColumnType.STRING, ColumnType.BOOLEAN) and found.name != target:
        yield from category_steps(relation, found, target)


def _useless(found: ColumnProfile) -> str:
    """Why a column tells nothing; empty when it does."""
    if found.kind == "empty":
        return "Every value is missing."
    for one in found.issues:
        if one.id.endswith((".constant_column", ".id_column")):
            return one.sentence
    return ""


def _drop(columns: list[str], sentence: str) -> Suggestion:
    title = "Drop the column" if len(columns) == 1 else f"Drop {len(columns)} columns"
    return Suggestion(title, sentence, "Manage columns", "Drop column", {"column_to_drop": columns})


def _missing_steps(found: ColumnProfile) -> Iterator[Suggestion]:
    if not found.missing:
        return
    share = found.missing / found.count
    figures = (
        f"{found.missing:,} of {found.count:,} values ({percent(found.missing, found.count)}) "
        "are missing."
    )
    if share > _MANY_MISSING:
        yield _drop([found.name], figures)
    if found.type.is_number:
        median = found.quantiles.get("0.5")
        shown = f" The median is {median:,.6g}." if median is not None else ""
        yield Suggestion(
            "Impute with the median",
            figures + shown,
            "Handle missing",
            "Impute",
            {
                "column_type": "Numeric",
                "strategy": "Approximate Median",
                "input_column": [found.name],
            },
        )
    elif found.kind in ("categorical", "binary") and found.top_values:
        yield Suggestion(
            "Impute with the most frequent value",
            f"{figures} The most frequent is {quoted(found.top_values[0][0])}.",
            "Handle missing",
            "Impute",
            {"column_type": "Categorical", "input_column": [found.name]},
        )
    if found.type is ColumnType.STRING:
        yield Suggestion(
            "Fill with 'missing'",
            f"{figures} A word of their own keeps them apart.",
            "Handle missing",
            "Fill missing",
            {"input_column": [found.name], "fill_value": "missing"},
        )
    if share <= _FEW_MISSING:
        yield Suggestion(
            "Drop the rows",
            f"{figures} So few rows can be left out.",
            "Handle missing",
            "Drop missing",
            {"dimension": "Drop Rows", "input_column": [found.name]},
        )
    elif share <= _MANY_MISSING:
        yield Suggestion(
            "Mark the missing ones",
            f"{figures} That a value is missing may itself tell something.",
            "Handle missing",
            "Add indicator for missing",
            {"input_column": [found.name]},
        )


def _date_features(found: ColumnProfile) -> Suggestion:
    parts = {"minute": False, "second": False, "hour": found.type is ColumnType.DATETIME}
    return Suggestion(
        "Make features of the date",
        f"From {found.minimum} to {found.maximum}; models take numbers such as month and hour.",
        "Featurize date/time",
        "Featurize datetime",
        {"input_column": found.name, "output_column": found.name, **parts},
    )


def _table_steps(relation: Relation, found: Sequence[ColumnProfile]) -> Iterator[Suggestion]:
    if not found or not found[0].count:
        return
    rows = found[0].count
    if rows <= _DUPLICATES_UP_TO:
        repeated = duplicates(relation, relation.schema.names)
        if repeated.repeated:
            yield Suggestion(
                "Drop duplicate rows",
                f"{counted(repeated.repeated, 'row')} ({percent(repeated.repeated, rows)}) "
                f"{'repeats' if repeated.repeated == 1 else 'repeat'} an earlier one.",
                "Manage rows",
                "Drop duplicates",
                {},
            )
    useless = [one.name for one in found if _useless(one)]
    if useless and len(useless) < len(found):
        shown = ", ".join(map(quoted, useless[:5])) + (", …" if len(useless) > 5 else "")
        yield _drop(useless, f"Constant, empty, or different in every row: {shown}.")
    for one in found:
        if one.name not in useless and one.missing > _MANY_MISSING * rows:
            yield _drop([one.name], f"{percent(one.missing, rows)} of {one.name!r} is missing.")
    numbers = [o.name for o in found if o.type.is_number and o.missing and o.name not in useless]
    if len(numbers) > 1:
        yield Suggestion(
            "Impute the numbers with their medians",
            f"{len(numbers)} numeric columns have missing values.",
            "Handle missing",
            "Impute",
            {
                "column_type": "Numeric",
                "strategy": "Approximate Median",
                "input_column": numbers,
            },
        )
