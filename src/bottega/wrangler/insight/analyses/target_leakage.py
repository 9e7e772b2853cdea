"""Target leakage: columns that know the target too well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import SCALARS
from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section, Table
from bottega.wrangler.insight.figures import bars, figure
from bottega.wrangler.insight.issues import Issue, issue
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation
    from bottega.wrangler.insight.matrix import Learning

PROBLEM = Parameter(
    "problem_type",
    "choice",
    "Problem type",
    "Whether the target is classes or a quantity; found out from its values when empty.",
    choices=("Classification", "Regression"),
)
_ROWS = 1000
_FOLDS = 3
_LEAK = 0.95


class TargetLeakage(Analysis):
    operator = PREFIX + "target_leakage_0.1"
    name = "Target leakage"
    sentence = (
        "Predicts the target from each column alone, on about 1,000 rows: a column that does so "
        "almost perfectly may contain what is only known afterwards."
    )
    parameters = (
        Parameter("target", "column", "Target", "What is predicted.", required=True, types=SCALARS),
        PROBLEM,
        Parameter(
            "max_features",
            "integer",
            "Max features",
            "Looks at so many columns, from the left.",
            default=20,
            minimum=1,
            maximum=1000,
        ),
    )
    words = ("leak", "AUC", "R2")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        from bottega.wrangler.insight.matrix import learning

        target = values["target"]
        usable = [c for c in relation.schema.of_type(SCALARS) if c != target]
        chosen = usable[: values["max_features"]]
        learned = learning(relation, target, values["problem_type"], _ROWS, chosen)
        metric = "AUC" if learned.classes else "R2"
        scores = {c: self._score(learned, c) for c in learned.features.columns}
        ranked = sorted(scores.items(), key=lambda pair: -pair[1])
        useless = 0.5 if learned.classes else 0.0
        found = [_leak(column, metric, score) for column, score in ranked if score >= _LEAK]
        table = Table(
            ("Column", metric, "Meaning"),
            [(column, score, _meaning(score, useless)) for column, score in ranked],
        )
        names, heights = [c for c, _ in reversed(ranked)], [s for _, s in reversed(ranked)]
        text = (
            f"Cross-validated {metric} of a model that sees one column only. 1 may be a leak, "
            f"{useless:g} and less is useless. The target was taken as {learned.problem}."
        )
        if len(chosen) < len(usable):
            text += f" {len(usable) - len(chosen):,} columns were not looked at."
        drawn = figure([bars(names, heights, across=True)], x=metric)
        return [Section("Prediction by one column", text, drawn, table, found)], learned.seen

    @staticmethod
    def _score(learned: Learning, column: str) -> float:
        import numpy as np
        from sklearn.model_selection import KFold, StratifiedKFold

        from bottega.wrangler.insight.matrix import SEED
        from bottega.wrangler.insight.models import auc, boosted, number_scores

        values = learned.features[[column]].to_numpy()
        target = learned.target
        folds: Any = KFold(_FOLDS, shuffle=True, random_state=SEED)
        if learned.classes:
            common = np.bincount(target) >= _FOLDS
            kept = common[target]
            values, target = values[kept], target[kept]
            folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=SEED)
            if common.sum() < 2:
                return 0.5
        found = []
        for train, test in folds.split(values, target):
            model = boosted(len(learned.classes), trees=20, depth=3)
            model.fit(values[train], target[train])
            if learned.classes:
                found.append(auc(target[test], model.predict_proba(values[test])))
            else:
                found.append(number_scores(target[test], model.predict(values[test]))["R2"])
        return float(np.mean(found))


def _meaning(score: float, useless: float) -> str:
    if score >= _LEAK:
        return "Possible leakage"
    return "Useless" if score <= useless else "Usable"


def _leak(column: str, metric: str, score: float) -> Issue:
    return issue(
        "target_leakage",
        "high",
        f"{column!r} alone predicts the target with {metric} {score:.3f}. Is it known before the "
        "target is? If not, drop it.",
    )
