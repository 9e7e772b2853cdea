"""Steps for columns of text and for categories."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.insight.asking import Share
from bottega.wrangler.insight.issues import counted, percent, quoted
from bottega.wrangler.insight.profile import ColumnProfile
from bottega.wrangler.insight.spelling import Slip, slips, variants
from bottega.wrangler.insight.suggestion import Suggestion
from bottega.wrangler.insight.tokens import is_disguised
from bottega.wrangler.sql_text import escaped, name

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_ROWS = 1_000_000
_TEXTS = 2000
_MOSTLY = 0.9
_UNITS = 12
_LONGEST_UNIT = 20
_ONE_HOT = 10
_ORDINAL = 50
_ID_WORDS = 2.0
_QUANTITY = re.compile(
    r"\s*[$€£¥]?\s*[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\d.,])(.*)", re.S
)
NUMBER_PATTERN = r"([+-]?\d+(?:\.\d+)?)"
_SHOWN_SLIPS = 20


def text_steps(relation: Relation, found: ColumnProfile) -> Iterator[Suggestion]:
    """What cleans a column of text: hidden missing values first, then types, then spelling."""
    if found.disguised:
        yield _to_missing(found)
    if found.mostly:
        yield _parse(found)
        return
    quantity = _quantity(relation, found)
    if quantity is not None:
        yield quantity
        return
    yield from _spellings(relation, found)


def _to_missing(found: ColumnProfile) -> Suggestion:
    total = sum(count for _, count in found.disguised)
    tokens = sorted({value.strip(" \t\n\r\xa0") for value, _ in found.disguised})
    written = "|".join(map(re.escape, tokens))
    pattern = rf"^\s*(?:{written})\s*$" if written else r"^\s*$"
    shown = ", ".join(quoted(value) for value, _ in found.disguised[:3])
    return Suggestion(
        "Make them missing",
        f"{total:,} values ({percent(total, found.count)}) stand for missing ones: {shown}.",
        "Search and edit",
        "Convert regex to missing",
        {"input_column": [found.name], "pattern": pattern},
    )


def _parse(found: ColumnProfile) -> Suggestion:
    odd = f" {found.invalid:,} cannot and become missing." if found.invalid else ""
    if found.mostly == "number":
        title, words, kind = "Parse as a number", "numbers", "float"
    else:
        title, words = "Parse as a date", "dates or moments"
        day = all(re.fullmatch(r"\s*\d+[-/.]\d+[-/.]\d+\s*", str(v)) for v, _ in found.top_values)
        kind = "date" if found.top_values and day else "datetime"
    return Suggestion(
        title,
        f"{percent(found.present - found.invalid, found.present)} of the values can be read as "
        f"{words}.{odd}",
        "Parse column as type",
        "Parse value as type",
        {"column": found.name, "data_type": kind},
    )


def _texts(relation: Relation, found: ColumnProfile) -> list[str]:
    share = Share.of(found.count, 10 * _TEXTS)
    column = escaped(name(found.name))
    rows = relation.rows(
        f"SELECT DISTINCT v FROM (SELECT {column} AS v FROM {{table}}{share.where}) "
        f"ORDER BY v LIMIT {_TEXTS}"
    )
    return [text for (text,) in rows if text is not None and not is_disguised(text)]


def _quantity(relation: Relation, found: ColumnProfile) -> Suggestion | None:
    """The extraction of numbers that have a unit behind them."""
    texts = _texts(relation, found)
    units: Counter[str] = Counter()
    example = ""
    for text in texts:
        match = _QUANTITY.fullmatch(text)
        unit = match[1].strip() if match is not None else ""
        if match is None or re.search(r"\d|^[-/:]", unit) or len(unit) > _LONGEST_UNIT:
            continue
        units[unit.lower().rstrip(".")] += 1
        example = example or (text if unit else "")
    if not example or sum(units.values()) < _MOSTLY * len(texts):
        return None
    # A number with a unit has one of few units, and more numbers than units.
    if len(units) > _UNITS or len(units) * 2 > sum(units.values()):
        return None
    shown = ", ".join(quoted(unit) for unit, _ in units.most_common(3) if unit)
    return Suggestion(
        "Extract the number",
        f"The values are numbers with a unit, such as {quoted(example)} ({shown}). Parse the "
        "result as a number afterwards.",
        "Search and edit",
        "Extract using regex",
        {"input_column": [found.name], "pattern": NUMBER_PATTERN},
    )


def _spellings(relation: Relation, found: ColumnProfile) -> Iterator[Suggestion]:
    share = Share.of(found.count, _ROWS)
    unlike = variants(relation, found.name, share.where)
    if unlike.spaced:
        yield Suggestion(
            "Strip spaces",
            f"{unlike.spaced:,} values have spaces before or behind them.",
            "Format string",
            "Strip left and right",
            {"input_column": [found.name]},
        )
    by_case = [group for group in unlike.groups if len({v.strip() for v in group}) > 1]
    if by_case:
        shown = ", ".join(quoted(value) for value in by_case[0][:3])
        yield Suggestion(
            "Use lower case",
            f"{counted(len(by_case), 'text')} written in several ways that differ by capitals "
            f"only: {shown}.",
            "Format string",
            "Lower case",
            {"input_column": [found.name]},
        )
    if found.kind not in ("categorical", "binary"):
        return
    wrong = slips(relation, found.name)
    if wrong:
        yield _corrected(found, wrong[:_SHOWN_SLIPS])


def _corrected(found: ColumnProfile, wrong: list[Slip]) -> Suggestion:
    column = "`" + found.name.replace("`", "``") + "`"
    cases = " ".join(f"WHEN {_text(one.wrong)} THEN {_text(one.right)}" for one in wrong)
    shown = ", ".join(f"{quoted(o.wrong)} → {quoted(o.right)}" for o in wrong[:3])
    return Suggestion(
        "Correct the spelling",
        f"{counted(len(wrong), 'rare value')} a letter or two away from a frequent one: {shown}.",
        "Custom formula",
        "Custom formula",
        {
            "formula": f"CASE {column} {cases} ELSE {column} END",
            "output_column": found.name,
        },
    )


def _text(value: str) -> str:
    """A text in a formula of Spark's."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _has_mean(relation: Relation, target: str) -> bool:
    """Whether a column is numbers or two classes."""
    if relation.schema.type(target).is_number:
        return True
    column = escaped(name(target))
    few = (
        f"SELECT DISTINCT v FROM (SELECT {column} AS v FROM {{table}}) WHERE v IS NOT NULL LIMIT 3"
    )
    return len(relation.rows(few)) == 2


def category_steps(
    relation: Relation, found: ColumnProfile, target: str | None
) -> Iterator[Suggestion]:
    """What makes categories ready for a model."""
    rare = next((i for i in found.issues if i.id.endswith(".categorical_rare_categories")), None)
    if rare is not None:
        yield Suggestion(
            "Replace rare values",
            rare.sentence,
            "Handle outliers",
            "Replace rare values",
            {
                "input_column": [found.name],
                "replacement_string": "Other",
                "fraction_threshold": 0.01,
            },
        )
    if found.type is not ColumnType.STRING or found.mostly:
        return
    several = f"{found.distinct:,} categories."
    if found.kind == "text":
        if found.words > _ID_WORDS:
            yield Suggestion(
                "Make features of the words",
                f"Free text of {found.words:.0f} words on average.",
                "Featurize text",
                "Vectorize",
                {"input_column": found.name},
            )
        return
    if found.distinct <= _ONE_HOT:
        yield Suggestion(
            "One-hot encode",
            f"{several} Few enough for a column each.",
            "Encode categorical",
            "One-hot encode",
            {"input_column": [found.name], "output_style": "Columns"},
        )
    elif found.distinct > _ORDINAL:
        if target is not None and _has_mean(relation, target):
            yield Suggestion(
                "Encode by the target's mean",
                f"{several} Too many for a column each.",
                "Encode categorical",
                "Target encode",
                {"input_column": [found.name], "target_column": target},
            )
        yield Suggestion(
            "Encode by frequency",
            f"{several} Too many for a column each; how frequent a value is may tell enough.",
            "Encode categorical",
            "Count encode",
            {"input_column": [found.name], "style": "Frequency"},
        )
    yield Suggestion(
        "Ordinal encode",
        f"{several} A number for each, which trees can use.",
        "Encode categorical",
        "Ordinal encode",
        {"input_column": [found.name]},
    )
