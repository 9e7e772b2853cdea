"""Bias report: whether a group fares differently in the data, before any model.

The measures and their names are SageMaker Clarify's pre-training metrics. The facet *d* is the
group in question, *a* everybody else. P(y) is the share of a label within a group.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import SCALARS, Column
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.figures import bars, figure
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Values
from bottega.wrangler.typed_values import typed_value

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

METRICS = {
    "CI": "Class imbalance",
    "DPL": "Difference in proportions of labels",
    "JS": "Jensen-Shannon divergence",
    "KL": "Kullback-Leibler divergence",
    "LP": "Lp-norm",
    "TVD": "Total variation distance",
    "KS": "Kolmogorov-Smirnov distance",
    "CDDL": "Conditional demographic disparity in labels",
}
_MEANINGS = {
    "CI": "(n_a - n_d) / n: near 1, the group has few rows; near -1, the others have.",
    "DPL": "q_a - q_d, the shares of positive outcomes: above 0, the group has fewer.",
    "JS": "How far both distributions of labels are from their mean; 0 is the same.",
    "KL": "How far the others' distribution of labels is from the group's; 0 is the same.",
    "LP": "The Euclidean distance of the distributions; 0 is the same, √2 the most.",
    "TVD": "Half the sum of the differences of the distributions; 0 is the same, 1 the most.",
    "KS": "The greatest difference of the distributions; 0 is the same, 1 the most.",
    "CDDL": "The group's share of rejected minus its share of accepted, mean over the subgroups: "
    "above 0, the group is rejected more often than accepted.",
}
_BY_VALUE = "Value"
_BY_THRESHOLD = "Threshold"
_MOST_LABELS = 1000


class BiasReport(Analysis):
    operator = PREFIX + "bias_report_0.1"
    name = "Bias report"
    sentence = "Measures over all rows whether a group has other outcomes than everybody else."
    parameters = (
        Parameter(
            "label", "column", "Label", "The column of outcomes.", required=True, types=SCALARS
        ),
        Parameter(
            "label_by",
            "choice",
            "Positive outcome by",
            "Whether values or a threshold make an outcome positive.",
            default=_BY_VALUE,
            choices=(_BY_VALUE, _BY_THRESHOLD),
        ),
        Parameter(
            "label_values",
            "texts",
            "Positive values",
            "The outcomes that people want.",
            when=("label_by", (_BY_VALUE,)),
        ),
        Parameter(
            "label_threshold",
            "number",
            "Positive above",
            "Greater numbers are positive outcomes.",
            when=("label_by", (_BY_THRESHOLD,)),
        ),
        Parameter(
            "facet",
            "column",
            "Facet",
            "The column that makes the group.",
            required=True,
            types=SCALARS,
        ),
        Parameter(
            "facet_by",
            "choice",
            "Group by",
            "Whether values or a threshold make the group.",
            default=_BY_VALUE,
            choices=(_BY_VALUE, _BY_THRESHOLD),
        ),
        Parameter(
            "facet_values",
            "texts",
            "Group's values",
            "Rows with these values are the group in question.",
            when=("facet_by", (_BY_VALUE,)),
        ),
        Parameter(
            "facet_threshold",
            "number",
            "Group above",
            "Rows with greater numbers are the group in question.",
            when=("facet_by", (_BY_THRESHOLD,)),
        ),
        Parameter(
            "metrics",
            "texts",
            "Metrics",
            f"Which of {', '.join(METRICS)}; all when empty.",
        ),
        Parameter(
            "group_variable",
            "column",
            "Subgroups",
            "Within whose values CDDL compares; it is left out when empty.",
            types=SCALARS,
        ),
    )
    words = ("fairness", "Clarify", "discrimination", "CI", "DPL")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        wanted = _wanted(values)
        schema = relation.schema
        positive = _condition("label", values, schema[values["label"]])
        in_group = _condition("facet", values, schema[values["facet"]])
        counts = _counted(relation, values, positive, in_group)
        if not counts.advantaged or not counts.group:
            which = "No row is" if not counts.group else "Every row is"
            raise DataError(
                f"{which} in the group that {values['facet']!r} makes; choose another value or "
                "threshold."
            )
        found = measures(counts)
        rows = [(METRICS[key], found[key], _MEANINGS[key]) for key in wanted if key in found]
        labels = sorted(counts.labels, key=lambda label: -sum(counts.labels[label]))[:20]
        traces = [
            bars(labels, [counts.labels[v][1] / counts.group for v in labels], name="Group"),
            bars(labels, [counts.labels[v][0] / counts.advantaged for v in labels], name="Others"),
        ]
        text = (
            f"{counts.group:,} rows are in the group, {counts.advantaged:,} are not; "
            f"{counts.left_out:,} without a label or a facet are left out. "
            f"{counts.positive[1] / counts.group:.1%} of the group and "
            f"{counts.positive[0] / counts.advantaged:.1%} of the others have a positive outcome."
        )
        return [
            Section("Bias metrics", text, table=Table(("Metric", "Value", "Meaning"), rows)),
            Section(
                "Labels by group",
                figure=figure(traces, x=values["label"], y="Share", barmode="group"),
            ),
        ], counts.advantaged + counts.group + counts.left_out


@dataclass
class Counts:
    """Rows by group: pairs are (others, group)."""

    labels: dict[str, list[int]]
    """By label; two labels, positive and not, when a threshold says what is positive."""
    positive: list[int]
    subgroups: dict[Any, list[list[int]]]
    """By subgroup: pairs of rejected rows, and of accepted rows."""
    left_out: int

    @property
    def advantaged(self) -> int:
        """Rows of the others."""
        return sum(pair[0] for pair in self.labels.values())

    @property
    def group(self) -> int:
        """Rows of the group in question."""
        return sum(pair[1] for pair in self.labels.values())


def measures(counts: Counts) -> dict[str, float]:
    """Every measure by its short name; CDDL only where there are subgroups.

    A divergence is infinite where the group never has a label that the others have.
    """
    n_a, n_d = counts.advantaged, counts.group
    p_a = [pair[0] / n_a for pair in counts.labels.values()]
    p_d = [pair[1] / n_d for pair in counts.labels.values()]
    middle = [(one + other) / 2 for one, other in zip(p_a, p_d, strict=True)]
    gaps = [abs(one - other) for one, other in zip(p_a, p_d, strict=True)]
    found = {
        "CI": (n_a - n_d) / (n_a + n_d),
        "DPL": counts.positive[0] / n_a - counts.positive[1] / n_d,
        "JS": (_divergence(p_a, middle) + _divergence(p_d, middle)) / 2,
        "KL": _divergence(p_a, p_d),
        "LP": math.sqrt(sum(gap**2 for gap in gaps)),
        "TVD": sum(gaps) / 2,
        "KS": max(gaps),
    }
    if counts.subgroups:
        total = weighted = 0.0
        for rejected, accepted in counts.subgroups.values():
            size = sum(rejected) + sum(accepted)
            weighted += size * (_share(rejected) - _share(accepted))
            total += size
        found["CDDL"] = weighted / total
    return found


def _share(pair: list[int]) -> float:
    return pair[1] / sum(pair) if sum(pair) else 0.0


def _divergence(one: list[float], other: list[float]) -> float:
    total = 0.0
    for p, q in zip(one, other, strict=True):
        if p > 0:
            if q == 0:
                return math.inf
            total += p * math.log(p / q)
    return total


def _wanted(values: Values) -> list[str]:
    asked = [str(metric).upper() for metric in values["metrics"] or METRICS]
    for metric in asked:
        if metric not in METRICS:
            raise ParameterError("metrics", f"Metrics: {metric!r} is none of {', '.join(METRICS)}.")
    if values["metrics"] and "CDDL" in asked and values["group_variable"] is None:
        raise ParameterError("group_variable", "Subgroups: CDDL needs a column that makes them.")
    return asked


def _condition(what: str, values: Values, column: Column) -> str:
    """SQL that is true for positive outcomes, or for the group."""
    shown = name(column.name)
    if values[f"{what}_by"] == _BY_THRESHOLD:
        limit = values[f"{what}_threshold"]
        if limit is None or not column.type.is_number:
            raise ParameterError(
                f"{what}_threshold",
                f"Column {column.name!r} is {column.type}; a threshold needs a number, and a "
                "numeric column.",
            )
        return f"{shown} > {literal(limit)}"
    given = values[f"{what}_values"]
    if not given:
        raise ParameterError(f"{what}_values", f"Give the values of {column.name!r} that count.")
    typed = [literal(typed_value(f"{what}_values", value, column)) for value in given]
    return f"{shown} IN ({', '.join(typed)})"


def _counted(relation: Relation, values: Values, positive: str, in_group: str) -> Counts:
    label, facet, third = values["label"], values["facet"], values["group_variable"]
    by_value = values["label_by"] == _BY_VALUE
    shown = f"{name(label)}::VARCHAR" if by_value else f"({positive})::VARCHAR"
    subgroup = f"{name(third)}::VARCHAR" if third else "NULL"
    answer = relation.rows(
        escaped(
            f"SELECT {shown}, ({positive}), ({in_group}), {subgroup}, count(*), "
            f"{name(label)} IS NULL OR {name(facet)} IS NULL FROM "
        )
        + "{table} GROUP BY ALL"
    )
    counts = Counts({}, [0, 0], {}, 0)
    labels: Mapping[str, list[int]] = defaultdict(lambda: [0, 0])
    subgroups: dict[Any, list[list[int]]] = defaultdict(lambda: [[0, 0], [0, 0]])
    for text, is_positive, is_group, sub, number, incomplete in answer:
        if incomplete:
            counts.left_out += number
            continue
        labels[text][is_group] += number
        counts.positive[is_group] += number if is_positive else 0
        if third:
            subgroups[sub][is_positive][is_group] += number
    if len(labels) > _MOST_LABELS:
        raise ParameterError(
            "label",
            f"Label: {label!r} has {len(labels):,} different values; choose a threshold, or a "
            "column of classes.",
        )
    counts.labels, counts.subgroups = dict(labels), dict(subgroups)
    return counts
