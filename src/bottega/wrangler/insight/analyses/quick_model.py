"""Quick model: how well a random forest predicts a column, and from what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottega.wrangler.columns import SCALARS
from bottega.wrangler.insight.analysis import MANY_CLASSES, PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.figures import bars, figure
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_ROWS = 20_000
_TREES = 60
_SHOWN = 20


class QuickModel(Analysis):
    operator = PREFIX + "quick_model_0.1"
    name = "Quick model"
    sentence = (
        "Trains a random forest on 70% of at most about 20,000 rows, and shows how well it does on "
        "the rest and what it looks at."
    )
    parameters = (
        Parameter(
            "label",
            "column",
            "Label",
            f"What is predicted; a number with more than {MANY_CLASSES} different values is a "
            "regression.",
            required=True,
            types=SCALARS,
        ),
    )
    words = ("importance", "F1", "random forest", "gini")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        from bottega.wrangler.insight.matrix import SEED, learning, split
        from bottega.wrangler.insight.models import class_scores, number_scores

        label = values["label"]
        learned = learning(relation, label, None, _ROWS)
        train_x, test_x, train_y, test_y = split(learned, 0.3)
        train_x, test_x = train_x.fillna(-1e9), test_x.fillna(-1e9)
        kind = RandomForestClassifier if learned.classes else RandomForestRegressor
        model = kind(_TREES, min_samples_leaf=2, random_state=SEED, n_jobs=2)
        # Two threads add the trees' votes in any order, and sums of floats depend on it.
        model.fit(train_x, train_y).set_params(n_jobs=1)
        if learned.classes:
            scores = class_scores(test_y, model.predict_proba(test_x))
            headline = f"F1 is {scores['F1']:.3f} on {len(test_y):,} rows that it had not seen."
        else:
            scores = number_scores(test_y, model.predict(test_x))
            headline = f"MSE is {scores['MSE']:.4g} on {len(test_y):,} rows that it had not seen."
        pairs = zip(train_x.columns, model.feature_importances_, strict=True)
        ranked = sorted(pairs, key=lambda pair: -pair[1])[:_SHOWN]
        names, heights = [n for n, _ in reversed(ranked)], [float(h) for _, h in reversed(ranked)]
        drawn = figure([bars(names, heights, across=True)], x="Gini importance")
        return [
            Section(
                "Score",
                f"{learned.problem} of {label}. {headline}",
                table=Table(("Score", "Value"), list(scores.items())),
            ),
            Section("Feature importance", "The importances add up to 1.", figure=drawn),
        ], learned.seen
