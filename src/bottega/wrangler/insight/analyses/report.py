"""Data quality and insights report."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.errors import DataError
from bottega.wrangler.insight.analyses.duplicate_rows import (
    Duplicates,
    duplicates,
    duplicates_section,
)
from bottega.wrangler.insight.analyses.target_leakage import PROBLEM
from bottega.wrangler.insight.analysis import FEATURES, PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.asking import sample_frame
from bottega.wrangler.insight.issues import Issue, percent
from bottega.wrangler.insight.profile import ColumnProfile, profile
from bottega.wrangler.insight.spelling import slips, slips_issue
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_ROWS = 20_000
_FEATURE_SECTIONS = 100
_DEFINITIONS = (
    ("Missing", "No value: null, NaN. Empty text is a value."),
    ("Invalid", "An infinite number, or a text among texts that can be read as numbers or dates."),
    ("Duplicate row", "A row equal in all columns to an earlier one."),
    (
        "Anomalous row",
        "A row that an isolation forest sets apart more easily than the usual row, by "
        "three robust deviations or more; its score is negative.",
    ),
    (
        "Outlier",
        "A number further from the median than five robust standard deviations: those of "
        "the values clipped to the quantiles 0.05 and 0.95.",
    ),
    (
        "Prediction power",
        "How well a column alone predicts the target: 2 AUC - 1 of classes, R2 of "
        "quantities, between 0 and 1.",
    ),
    (
        "AUC",
        "The chance that a model ranks a row of the class above a row of another; 0.5 is guessing.",
    ),
    (
        "F1",
        "The harmonic mean of precision (how many found ones are right) and recall (how many "
        "right ones are found).",
    ),
    ("R2", "The share of the target's variance that a model explains."),
    (
        "Skewness, kurtosis",
        "How unequal, and how long, the tails of a distribution are; 0 for a normal one.",
    ),
    (
        "Pattern",
        "The form of a text: {digits:4-7} are four to seven digits, {upper} and {lower} "
        "letters, {name} a capital before small ones, {mixed} other letters, {alnum} letters and "
        "digits, {any} anything.",
    ),
)


class InsightsReport(Analysis):
    operator = PREFIX + "data_insights_report_0.1"
    name = "Data quality and insights report"
    sentence = (
        "Finds out what is wrong with the data and what they can predict. Columns and duplicates "
        "are counted over all rows, models look at about 20,000."
    )
    parameter_group = "insights_report_parameters"
    parameters = (
        Parameter(
            "target_column",
            "column",
            "Target column",
            "What shall be predicted; the report says more when it is known.",
            types=SCALARS,
        ),
        PROBLEM,
    )
    words = ("data quality", "overview", "profile", "warnings")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        from bottega.wrangler.insight.matrix import encoded
        from bottega.wrangler.insight.report_features import (
            anomalies_section,
            anomaly_scores,
            feature_section,
        )

        found = [_spelt(relation, one) for one in profile(relation)]
        rows = found[0].count if found else relation.count()
        if not rows:
            raise DataError("The table has no rows.")
        columns = relation.schema.names
        repeated = duplicates(relation, columns)
        usable = relation.schema.of_type(FEATURES)
        frame, _ = sample_frame(relation, usable, _ROWS)
        telling = [o.name for o in found if o.name in usable and not _names_rows(o)]
        scores = anomaly_scores(encoded(frame, relation.schema, telling))
        sections = [Section("Summary")]
        if values["target_column"] is not None:
            sections += _target(relation, values, found, telling)
        sections.append(duplicates_section(repeated, columns, rows))
        sections.append(anomalies_section(frame, scores))
        sections += [feature_section(one, frame) for one in found[:_FEATURE_SECTIONS]]
        if len(found) > _FEATURE_SECTIONS:
            sections.append(
                Section(
                    "Further columns",
                    f"Only the first {_FEATURE_SECTIONS} of {len(found):,} columns are described; "
                    "the warnings are of all.",
                )
            )
        sections.append(Section("Definitions", table=Table(("Word", "Meaning"), _DEFINITIONS)))
        warnings = _warnings(found[_FEATURE_SECTIONS:], sections)
        sections[0] = _summary(found, rows, repeated, scores, warnings)
        return sections, rows


def _warnings(rest: list[ColumnProfile], sections: list[Section]) -> list[Issue]:
    """All findings, the severe ones first, each with where it was found."""
    found = [
        Issue(i.id, i.severity, i.sentence if s.title in i.sentence else f"{s.title}: {i.sentence}")
        for s in sections
        for i in s.issues
    ]
    found += [replace(i, sentence=f"{o.name}: {i.sentence}") for o in rest for i in o.issues]
    order = {"high": 0, "medium": 1, "low": 2}
    return sorted(found, key=lambda one: order[one.severity])


def _summary(
    found: list[ColumnProfile],
    rows: int,
    repeated: Duplicates,
    scores: Any,
    warnings: list[Issue],
) -> Section:
    cells = rows * len(found)
    kinds = Counter(one.kind for one in found)
    severities = Counter(one.severity for one in warnings)
    odd = int((scores < 0).sum()) if scores is not None else None
    figures: list[tuple[str, Any]] = [
        ("Rows", rows),
        ("Columns", len(found)),
        ("Missing", percent(sum(one.missing for one in found), cells)),
        ("Invalid", percent(sum(one.invalid for one in found), cells)),
        ("Duplicate rows", percent(repeated.repeated, rows)),
        ("Anomalous rows", "not computed" if odd is None else percent(odd, len(scores))),
        *((f"Columns: {kind}", number) for kind, number in sorted(kinds.items())),
        *((f"Warnings: {s}", severities[s]) for s in ("high", "medium", "low")),
    ]
    return Section("Summary", table=Table(("Figure", "Value"), figures), issues=warnings)


def _target(
    relation: Relation, values: Values, found: list[ColumnProfile], telling: list[str]
) -> list[Section]:
    from bottega.wrangler.insight.matrix import learning
    from bottega.wrangler.insight.report_target import (
        model_section,
        power_section,
        target_section,
    )

    target = values["target_column"]
    of_target = next(one for one in found if one.name == target)
    try:
        learned = learning(relation, target, values["problem_type"], _ROWS, telling)
        return [target_section(of_target, learned), model_section(learned), power_section(learned)]
    except DataError as error:
        # A target that cannot be learnt is a finding, too; the rest of the report stands.
        issue = Issue("sagemaker.data_quality.target_not_learnable", "high", error.message)
        return [Section(f"Target column: {target}", "No model was made.", issues=[issue])]


def _spelt(relation: Relation, found: ColumnProfile) -> ColumnProfile:
    """The profile, with what is probably misspelt."""
    if found.type is not ColumnType.STRING or found.kind != "categorical" or found.mostly:
        return found
    wrong = slips(relation, found.name)
    return replace(found, issues=(*found.issues, slips_issue(wrong))) if wrong else found


def _names_rows(found: ColumnProfile) -> bool:
    return any(issue.id.endswith(".id_column") for issue in found.issues)
