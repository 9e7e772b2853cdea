"""The report's sections about columns and about rows unlike the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.insight.analysis import Section, Table
from bottega.wrangler.insight.figures import bars, binned, figure
from bottega.wrangler.insight.issues import percent, quoted
from bottega.wrangler.insight.matrix import SEED
from bottega.wrangler.insight.patterns import patterns
from bottega.wrangler.insight.profile import ColumnProfile
from bottega.wrangler.insight.spread import robust_outliers, skewness_and_kurtosis

_ANOMALIES = 10
_LEAST_FOR_ANOMALIES = 50
_ANOMALOUS = 3.0
_ROBUST = 1.4826  # the deviation of a normal distribution, from its median absolute deviation


def anomaly_scores(table: pd.DataFrame) -> Any:
    """A score for each row, negative for anomalous ones; None for fewer than 50 rows.

    An isolation forest over all columns, missing values as the median. What is set apart more
    easily than the usual row by more than three robust deviations is anomalous.
    """
    varied = [c for c in table if table[c].nunique() > 1]
    if len(table) < _LEAST_FOR_ANOMALIES or not varied:
        return None
    from sklearn.ensemble import IsolationForest

    filled = table[varied].fillna(table[varied].median())
    forest = IsolationForest(n_estimators=100, random_state=SEED).fit(filled)
    ease = forest.score_samples(filled)
    middle = np.median(ease)
    spread = _ROBUST * np.median(np.abs(ease - middle))
    return ease - (middle - _ANOMALOUS * spread)


def anomalies_section(frame: pd.DataFrame, scores: Any) -> Section:
    """The rows that are least like the others."""
    if scores is None:
        return Section("Anomalous rows", "There are too few rows, or no column varies.")
    worst = np.argsort(scores, kind="stable")[:_ANOMALIES]
    rows = [
        (float(scores[i]), *(None if pd.isna(v) else v for v in frame.iloc[i].tolist()))
        for i in worst
    ]
    text = (
        f"{int((scores < 0).sum()):,} of the {len(scores):,} rows that were looked at have a "
        "negative score. The lowest:"
    )
    return Section("Anomalous rows", text, table=Table(("Score", *frame.columns), rows))


def feature_section(found: ColumnProfile, frame: pd.DataFrame) -> Section:
    """What one column is like, by its profile and a sample."""
    about = "" if found.distinct_exact else "about "
    said = [
        f"{found.kind.capitalize()} ({found.type}).",
        f"{percent(found.missing, found.count)} missing, "
        f"{percent(found.invalid, found.count)} invalid, {about}{found.distinct:,} different.",
    ]
    rows: list[tuple[str, Any]] = []
    drawn = None
    if found.histogram:
        edges = [found.histogram[0].low, *(b.high for b in found.histogram)]
        drawn = figure([binned(edges, [b.count for b in found.histogram])], y="Rows")
    elif found.top_values:
        values, counts = zip(*found.top_values[:20], strict=True)
        drawn = figure([bars([quoted(v, 30)[1:-1] for v in values], counts)], y="Rows")
    if found.type.is_number and found.present:
        rows = _number_rows(found, frame)
    elif found.type is ColumnType.STRING and found.present:
        shapes = patterns(frame[found.name].dropna())
        rows = [(one.text, f"{one.count:,}, such as {quoted(one.example)}") for one in shapes]
    columns = ("Pattern", "Rows") if found.type is ColumnType.STRING else ("Figure", "Value")
    table = Table(columns, rows) if rows else None
    return Section(found.name, " ".join(said), drawn, table, found.issues)


def _number_rows(found: ColumnProfile, frame: pd.DataFrame) -> list[tuple[str, Any]]:
    values = frame[found.name].to_numpy(dtype="float64", na_value=np.nan)
    values = values[np.isfinite(values)]
    rows: list[tuple[str, Any]] = [
        ("Minimum", found.minimum),
        ("Median", found.quantiles.get("0.5")),
        ("Maximum", found.maximum),
        ("Mean", found.mean),
        ("Standard deviation", found.standard_deviation),
    ]
    if len(values) > 2 and values.min() < values.max():
        outliers = int(robust_outliers(values).sum())
        skewness, kurtosis = skewness_and_kurtosis(values)
        rows += [
            ("Outliers", percent(outliers, len(values))),
            ("Skewness", skewness),
            ("Kurtosis", kurtosis),
        ]
    return rows
