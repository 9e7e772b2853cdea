"""Feature correlation: how closely pairs of columns go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottega.wrangler.columns import SCALARS
from bottega.wrangler.errors import DataError
from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.asking import sample_frame
from bottega.wrangler.insight.figures import figure, heatmap
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_ROWS = 20_000
_COLUMNS = 50
_PAIRS = 20


class FeatureCorrelation(Analysis):
    operator = PREFIX + "feature_correlation_0.1"
    name = "Feature correlation"
    sentence = "Shows how closely each pair of columns goes together, from about 20,000 rows."
    parameters = (
        Parameter(
            "correlation_type",
            "choice",
            "Correlation type",
            "Linear: Pearson's r of numbers, the correlation ratio of a number and a category, "
            "Cramér's V of categories. Non-linear: Spearman's rank correlation of numbers, else "
            "the mutual information as a share of the smaller entropy, numbers in ten bins.",
            default="linear",
            choices=("linear", "non-linear"),
        ),
    )
    words = ("Pearson", "Spearman", "mutual information", "heatmap")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        from bottega.wrangler.insight.correlation import association, comparable

        usable = relation.schema.of_type(SCALARS)
        frame, _ = sample_frame(relation, usable[:_COLUMNS], _ROWS)
        columns = comparable(frame, relation)
        if len(columns) < 2:
            raise DataError("Correlation needs two columns that vary; texts with few values count.")
        linear = values["correlation_type"] == "linear"
        names = list(columns)
        matrix = [[1.0] * len(names) for _ in names]
        for i, one in enumerate(names):
            for j in range(i):
                matrix[i][j] = matrix[j][i] = association(columns[one], columns[names[j]], linear)
        drawn = figure(
            [heatmap(names, names, matrix, zmin=-1, zmax=1)], yaxis={"autorange": "reversed"}
        )
        pairs = sorted(
            ((matrix[i][j], names[j], names[i]) for i in range(len(names)) for j in range(i)),
            key=lambda pair: -abs(pair[0]) if pair[0] == pair[0] else 0,
        )[:_PAIRS]
        left_out = [c for c in usable if c not in columns]
        text = f"Computed from {len(frame):,} rows, for each pair from those that have both."
        if left_out:
            text += f" Left out, as constant or with too many different texts: {_few(left_out)}."
        table = Table(("Column", "Column", "Correlation"), [(a, b, v) for v, a, b in pairs])
        return [
            Section("Correlation", text, drawn),
            Section("The closest pairs", table=table),
        ], len(frame)


def _few(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
