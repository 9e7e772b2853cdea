"""Time series: what is trend, what is season, and what is neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottega.wrangler.columns import NUMBERS, SCALARS, TIMES
from bottega.wrangler.insight.analysis import MOST_SERIES, PREFIX, Analysis, Section, Table
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_SHOWN = 20
_PARAMETERS = (
    Parameter(
        "timestamp_column", "column", "Timestamp column", "When.", required=True, types=TIMES
    ),
    Parameter("value_column", "column", "Value column", "What.", required=True, types=NUMBERS),
    Parameter(
        "id_column",
        "column",
        "ID column",
        f"Takes its values as series of their own; the {MOST_SERIES} with the most rows are shown.",
        types=SCALARS,
    ),
    Parameter(
        "period",
        "integer",
        "Season length",
        "Values in a season, 24 for hours of a day; guessed from the timestamps when empty.",
        minimum=2,
        maximum=100_000,
    ),
)


class SeasonalTrend(Analysis):
    operator = PREFIX + "seasonal_trend_decomposition_0.1"
    name = "Seasonal-trend decomposition"
    sentence = "Takes a series apart into trend, season and rest (STL, robust)."
    parameters = _PARAMETERS
    words = ("STL", "seasonality", "time series")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        from bottega.wrangler.insight.decomposition import about, decomposed, panels, series_of

        sections, rows = [], 0
        for label, series, used in series_of(relation, values):
            parts = decomposed(series, values["period"])
            rows += used
            sections.append(Section(label, about(parts, series), figure=panels(parts)))
        return sections, rows


class AnomalyDetection(Analysis):
    operator = PREFIX + "anomaly_detection_0.1"
    name = "Time series anomaly detection"
    sentence = "Shows the values that trend and season do not explain."
    parameters = (
        *_PARAMETERS,
        Parameter(
            "threshold",
            "number",
            "Anomaly threshold",
            "A value is an anomaly when what remains of it is further from the mean of the "
            "remainders than so many of their standard deviations.",
            default=4,
            minimum=0.5,
            maximum=100,
        ),
    )
    words = ("outlier", "time series", "STL")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        import numpy as np

        from bottega.wrangler.insight.decomposition import (
            about,
            decomposed,
            marked,
            scored,
            series_of,
        )

        sections, rows = [], 0
        for label, series, used in series_of(relation, values):
            parts = decomposed(series, values["period"])
            rows += used
            scores = scored(parts.rest)
            odd = np.flatnonzero(np.abs(scores) > values["threshold"])
            worst = odd[np.argsort(-np.abs(scores[odd]), kind="stable")][:_SHOWN]
            table = Table(
                ("Timestamp", "Value", "Expected", "Standard deviations"),
                [
                    (
                        parts.times.iloc[i].isoformat(),
                        float(parts.values[i]),
                        float(parts.trend[i] + parts.season[i]),
                        float(scores[i]),
                    )
                    for i in worst
                ],
            )
            text = f"{len(odd):,} of {len(scores):,} values are anomalies. {about(parts, series)}"
            sections.append(Section(label, text, marked(parts, odd, values), table))
        return sections, rows
