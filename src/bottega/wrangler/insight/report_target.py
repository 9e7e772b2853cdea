"""The report's sections about the target: its distribution, a model, what predicts it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bottega.wrangler.insight.analysis import Section, Table
from bottega.wrangler.insight.figures import bars, binned, figure, heatmap, points
from bottega.wrangler.insight.issues import Issue, issue, percent, quoted
from bottega.wrangler.insight.matrix import Learning, split
from bottega.wrangler.insight.models import boosted, class_scores, number_scores, power
from bottega.wrangler.insight.profile import ColumnProfile
from bottega.wrangler.insight.spread import robust_outliers, skewness_and_kurtosis

_FEW_IN_CLASS = 10
_IMBALANCE = 20.0
_SMALL_MINORITY = 0.01
_FREQUENT = 0.2
_SKEWED = 2.0
_HEAVY = 10.0
_OUTLIERS = 0.001
_LEAK = 0.98
_SHOWN = 20
_FEATURES = 200
_POWER_ROWS = 10_000


def target_section(found: ColumnProfile, learned: Learning) -> Section:
    """The distribution of the target, and what is difficult about it."""
    said = [f"{found.present:,} of {found.count:,} rows have a target."]
    if learned.classes:
        counts = np.bincount(learned.target, minlength=len(learned.classes))
        total = int(counts.sum())
        rows = [
            (label, int(n), percent(int(n), total))
            for label, n in zip(learned.classes, counts, strict=True)
        ]
        if learned.seen < learned.rows:
            said.append(f"Classes were counted in {learned.seen:,} rows.")
        table = Table(("Class", "Rows", "Share"), rows[:_SHOWN])
        drawn = figure(
            [bars([r[0] for r in rows[:_SHOWN]], [r[1] for r in rows[:_SHOWN]])],
            x=found.name,
            y="Rows",
        )
        found_issues = class_issues(learned.classes, counts)
    else:
        edges = [found.histogram[0].low, *(b.high for b in found.histogram)]
        drawn = figure([binned(edges, [b.count for b in found.histogram])], x=found.name, y="Rows")
        table = Table(
            ("Figure", "Value"),
            [
                ("Minimum", found.minimum),
                *((f"Quantile {key}", value) for key, value in found.quantiles.items()),
                ("Maximum", found.maximum),
                ("Mean", found.mean),
                ("Standard deviation", found.standard_deviation),
            ],
        )
        found_issues = number_issues(found, learned.target)
    if found.missing:
        said.append(f"Rows without one ({found.missing:,}) cannot be learnt from.")
    return Section(f"Target column: {found.name}", " ".join(said), drawn, table, found_issues)


def class_issues(classes: tuple[str, ...], counts: Any) -> list[Issue]:
    """What is difficult about classes.

    Args:
        classes: their names.
        counts: the rows of each.
    """
    found = []
    few = [c for c, n in zip(classes, counts, strict=True) if n < _FEW_IN_CLASS]
    if few:
        shown = ", ".join(quoted(c) for c in few[:3])
        found.append(
            issue(
                "too_few_instances_per_class",
                "high",
                f"{len(few):,} classes have fewer than {_FEW_IN_CLASS} rows: {shown}.",
            )
        )
    if len(classes) > 30:
        found.append(
            issue(
                "high_target_cardinality",
                "medium",
                f"There are {len(classes):,} classes; many models need fewer.",
            )
        )
    most, least = int(counts.max()), int(counts.min())
    minority = f"{quoted(classes[int(counts.argmin())])} has {percent(least, int(counts.sum()))}"
    if least < _SMALL_MINORITY * counts.sum():
        found.append(
            issue(
                "very_small_minority_class",
                "high",
                f"The class {minority} of the rows ({least:,}). Gather more, or leave it out.",
            )
        )
    elif most >= _IMBALANCE * least or (len(classes) == 2 and least < 0.1 * counts.sum()):
        found.append(
            issue(
                "classes_too_imbalanced",
                "medium",
                f"The class {minority} of the rows, {most / least:.1f} times fewer than "
                f"{quoted(classes[int(counts.argmax())])}. Balance the data, or weigh the classes.",
            )
        )
    return found


def number_issues(found: ColumnProfile, target: Any) -> list[Issue]:
    """What is difficult about a quantity.

    Args:
        found: its profile.
        target: its finite values in the sample.
    """
    issues = []
    if found.top_values and found.top_values[0][1] > _FREQUENT * found.present:
        value, count = found.top_values[0]
        issues.append(
            issue(
                "regression_frequent_label",
                "medium",
                f"{value} is the target of {percent(count, found.present)} of the rows.",
            )
        )
    skew, tails = skewness_and_kurtosis(target)
    if abs(skew) > _SKEWED:
        issues.append(
            issue(
                "skewed_target",
                "medium",
                f"The target is skewed ({skew:.1f}); its logarithm may be easier to learn.",
            )
        )
    if tails > _HEAVY:
        issues.append(
            issue(
                "heavy_tailed_target",
                "medium",
                f"The target has heavy tails (excess kurtosis {tails:.1f}).",
            )
        )
    outliers = int(robust_outliers(target).sum())
    if outliers > _OUTLIERS * len(target):
        issues.append(
            issue(
                "target_outliers",
                "low",
                f"{outliers:,} of {len(target):,} targets are further from the median than five "
                "robust deviations.",
            )
        )
    return issues


def model_section(learned: Learning) -> Section:
    """A model, and how well it does on rows that it has not seen."""
    train_x, test_x, train_y, test_y = split(learned, 0.2)
    model = boosted(len(learned.classes), trees=60, depth=5, threads=2).fit(train_x, train_y)
    text = (
        f"{learned.problem} with XGBoost: learnt from {len(train_y):,} rows, tried on "
        f"{len(test_y):,} others. It is a first idea of what the data can tell. "
        "Columns that name the rows are left out."
    )
    if learned.classes:
        chances = model.predict_proba(test_x)
        scores = class_scores(test_y, chances)
        names = list(learned.classes[: chances.shape[1]])
        matrix = np.zeros((len(names), len(names)), dtype=int)
        np.add.at(matrix, (test_y, chances.argmax(axis=1)), 1)
        if len(names) == 2:
            text += f" Precision, recall and F1 are those of {quoted(names[1])}."
        drawn = figure(
            [heatmap(names, names, matrix.tolist(), texttemplate="%{z}")],
            x="Predicted",
            y="True",
            xaxis={"type": "category"},
            yaxis={"type": "category", "autorange": "reversed"},
        )
    else:
        guess = model.predict(test_x)
        scores = number_scores(test_y, guess)
        some = np.linspace(0, len(test_y) - 1, min(len(test_y), 1000)).astype(int)
        drawn = figure(
            [points([float(v) for v in test_y[some]], [float(v) for v in guess[some]])],
            x="True",
            y="Predicted",
        )
    return Section("Quick model", text, drawn, Table(("Score", "Value"), list(scores.items())))


def power_section(learned: Learning) -> Section:
    """How well every feature alone predicts the target."""
    columns = list(learned.features.columns)[:_FEATURES]
    some = Learning(
        learned.features[columns].iloc[:_POWER_ROWS],
        learned.target[:_POWER_ROWS],
        learned.classes,
        learned.problem,
        learned.seen,
        learned.rows,
    )
    found = power(*split(some, 0.2), len(learned.classes))
    ranked = sorted(found.items(), key=lambda pair: -pair[1])
    issues = [
        issue(
            "target_leakage",
            "high",
            f"{column!r} alone predicts the target almost perfectly ({value:.3f}). Is it known "
            "before the target is? If not, drop it.",
        )
        for column, value in ranked
        if value >= _LEAK
    ]
    shown = ranked[:_SHOWN][::-1]
    drawn = figure(
        [bars([c for c, _ in shown], [v for _, v in shown], across=True)], x="Prediction power"
    )
    text = (
        "How well each column alone predicts the target on rows that the model has not seen: "
        f"{'2 AUC - 1' if learned.classes else 'R2'}, from 0 (not at all) to 1 (perfectly)."
    )
    if len(columns) < len(learned.features.columns):
        text += f" Only the first {_FEATURES} columns were looked at."
    table = Table(("Column", "Prediction power"), ranked)
    return Section("Feature summary", text, drawn, table, issues)
