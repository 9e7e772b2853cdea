"""Multicollinearity: columns that say the same."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import NUMBERS, SCALARS
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.insight.analyses.target_leakage import PROBLEM
from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.asking import sample_frame
from bottega.wrangler.insight.figures import bars, figure
from bottega.wrangler.insight.issues import issue
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    import numpy as np

    from bottega.wrangler.engine.relation import Relation

VIF, PCA, LASSO = (
    "Variance inflation factors",
    "Principal component analysis",
    "Lasso feature selection",
)
_ROWS = 100_000
_LASSO_ROWS = 20_000
_CLIPPED = 50.0
_HIGH = 5.0


class Multicollinearity(Analysis):
    # The name in files is misspelt.
    operator = PREFIX + "multicolinearity_0.1"  # codespell:ignore
    name = "Multicollinearity"
    sentence = "Shows which numeric columns follow from each other."
    parameters = (
        Parameter("analysis", "choice", "Analysis", "How.", default=VIF, choices=(VIF, PCA, LASSO)),
        Parameter(
            "target",
            "column",
            "Target",
            "What Lasso predicts.",
            types=SCALARS,
            when=("analysis", (LASSO,)),
        ),
        Parameter(**{**vars(PROBLEM), "when": ("analysis", (LASSO,))}),
    )
    words = ("VIF", "correlation", "redundant")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        if values["analysis"] == LASSO:
            return self._lasso(relation, values)
        from bottega.wrangler.insight.matrix import encoded

        columns = relation.schema.of_type(NUMBERS)
        if len(columns) < 2:
            raise DataError("Multicollinearity needs two numeric columns at least.")
        frame, _ = sample_frame(relation, columns, _ROWS)
        complete = encoded(frame, relation.schema, columns).dropna()
        spread = complete.std()
        kept = [c for c in columns if spread[c] > 1e-12 * max(1.0, complete[c].abs().max())]
        if len(kept) < 2 or len(complete) <= len(kept):
            raise DataError(
                f"Only {len(complete):,} rows have a value in every numeric column, and "
                f"{len(kept)} of the columns vary; that is too little. Impute or drop columns "
                "with many missing values first."
            )
        z = ((complete[kept] - complete[kept].mean()) / spread[kept]).to_numpy()
        left_out = [c for c in columns if c not in kept]
        note = f" Constant and left out: {', '.join(left_out)}." if left_out else ""
        note = f"Computed from {len(complete):,} rows without missing values.{note}"
        section = _factors(z, kept, note) if values["analysis"] == VIF else _components(z, note)
        return [section], len(complete)

    @staticmethod
    def _lasso(relation: Relation, values: Values) -> tuple[list[Section], int]:
        import numpy as np
        import pandas as pd
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LassoCV, LogisticRegression

        from bottega.wrangler.insight.matrix import SEED, learning

        if values["target"] is None:
            raise ParameterError("target", "Target is missing: Lasso needs a column to predict.")
        numeric = [c for c in relation.schema.of_type(NUMBERS) if c != values["target"]]
        if not numeric:
            raise DataError("Lasso needs a numeric column beside the target.")
        learned = learning(relation, values["target"], values["problem_type"], _LASSO_ROWS, numeric)
        features = learned.features
        features = features.fillna(features.median()).fillna(0.0)
        spread = features.std().replace(0.0, 1.0)
        z = (features - features.mean()) / spread
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            if learned.classes:
                model: Any = LogisticRegression(
                    l1_ratio=1.0, solver="saga", C=0.1, max_iter=300, random_state=SEED
                )
            else:
                model = LassoCV(cv=3, random_state=SEED, max_iter=2000)
            model.fit(z, learned.target)
        weights = np.abs(np.atleast_2d(model.coef_)).max(axis=0)
        table = pd.Series(weights, index=numeric).sort_values(ascending=False, kind="stable")
        drawn = figure(
            [bars(list(table.index[::-1]), [float(v) for v in table[::-1]], across=True)],
            x="Absolute coefficient",
        )
        text = (
            "Of scaled columns, missing values as the median. What has 0 adds nothing to the "
            f"others. The target was taken as {learned.problem}."
        )
        rows = [(c, float(v)) for c, v in table.items()]
        return [
            Section("Lasso coefficients", text, drawn, Table(("Column", "Coefficient"), rows))
        ], learned.seen


def _factors(z: np.ndarray[Any, Any], names: list[str], note: str) -> Section:
    import numpy as np

    correlation = np.corrcoef(z, rowvar=False)
    # Columns that follow exactly from others make it singular: their factor is without bound.
    factors = []
    for number in range(len(names)):
        others = np.delete(np.arange(len(names)), number)
        weights, *_ = np.linalg.lstsq(
            correlation[np.ix_(others, others)], correlation[others, number], rcond=None
        )
        explained = float(correlation[others, number] @ weights)
        factors.append(min(_CLIPPED, 1 / max(1 - explained, 1 / _CLIPPED)))
    found = [
        issue(
            "multicollinearity",
            "medium",
            f"{column!r} follows from the other columns (variance inflation factor "
            f"{'50 or more' if factor >= _CLIPPED else f'{factor:.1f}'}).",
        )
        for column, factor in zip(names, factors, strict=True)
        if factor > _HIGH
    ]
    order = sorted(range(len(names)), key=lambda i: -factors[i])
    table = Table(("Column", "Variance inflation factor"), [(names[i], factors[i]) for i in order])
    drawn = figure(
        [
            bars(
                [names[i] for i in reversed(order)],
                [factors[i] for i in reversed(order)],
                across=True,
            )
        ],
        x="Variance inflation factor",
    )
    text = f"1 is independent of the others, more than 5 is high, 50 is the most shown. {note}"
    return Section(VIF, text, drawn, table, found)


def _components(z: np.ndarray[Any, Any], note: str) -> Section:
    import numpy as np

    singular = np.linalg.svd(z, compute_uv=False)
    share = singular**2 / np.sum(singular**2)
    rows = [
        (number, float(value), float(part), float(total))
        for number, (value, part, total) in enumerate(
            zip(singular, share, np.cumsum(share), strict=True), 1
        )
    ]
    drawn = figure(
        [bars([r[0] for r in rows], [r[2] for r in rows])], x="Component", y="Share of variance"
    )
    text = (
        "Of columns with mean 0 and deviation 1. Equal values mean independent columns; values "
        f"near 0 mean that some columns follow from others. {note}"
    )
    columns = ("Component", "Singular value", "Share of variance", "Together")
    return Section(PCA, text, drawn, Table(columns, rows))
