"""Histogram and scatter plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import NUMBERS, SCALARS, TIMES, ColumnType
from bottega.wrangler.errors import DataError
from bottega.wrangler.insight.analysis import PREFIX, Analysis, Section
from bottega.wrangler.insight.asking import sample_frame
from bottega.wrangler.insight.bins import Binning
from bottega.wrangler.insight.figures import bars, binned, figure, points
from bottega.wrangler.insight.profile import ColumnProfile, binning_of, profile
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Values

if TYPE_CHECKING:
    import pandas as pd

    from bottega.wrangler.engine.relation import Relation

_GROUPS = 12
_FACETS = 9
_BARS = 30
_POINTS = 5000
REST = "(other)"
MISSING = "(missing)"
_COLOUR = Parameter(
    "color_by", "column", "Color by", "Tells rows apart by this column's values.", types=SCALARS
)
_FACET = Parameter(
    "facet_by", "column", "Facet by", "Draws a plot for each value of this column.", types=SCALARS
)


class Histogram(Analysis):
    operator = PREFIX + "histogram_0.1"
    name = "Histogram"
    sentence = "Counts the values of a column, in bins or one by one, over all rows."
    parameters = (
        Parameter(
            "x_axis", "column", "X axis", "Whose values are counted.", required=True, types=SCALARS
        ),
        _COLOUR,
        _FACET,
    )
    words = ("distribution", "bar chart")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        column = values["x_axis"]
        (found,) = profile(relation, [column])
        colours = _shown(relation, values["color_by"], _GROUPS)
        facets = _shown(relation, values["facet_by"], _FACETS)
        binning = binning_of(found.type, found.minimum, found.maximum)
        bucket = _bucket(found, binning)
        # What is named in the query is named by place, so that no column's name is in the way.
        answer = relation.rows(
            escaped(
                f"SELECT f, g, b, count(*) FROM (SELECT {_group(values['facet_by'], facets)} AS f, "
                f"{_group(values['color_by'], colours)} AS g, {bucket} AS b FROM "
            )
            + "{table}) WHERE b IS NOT NULL GROUP BY ALL"
        )
        counts: dict[str, dict[str, list[tuple[Any, int]]]] = {}
        for facet, group, place, number in answer:
            counts.setdefault(facet, {}).setdefault(group, []).append((place, number))
        sections = []
        for facet in _in_order(counts, facets):
            groups = counts[facet]
            traces = [_trace(found, binning, groups[g], g) for g in _in_order(groups, colours)]
            drawn = figure(traces, x=column, y="Rows", barmode="stack", bargap=0.02)
            title = f"{values['facet_by']}: {facet}" if values["facet_by"] else column
            sections.append(Section(title, _about(found), figure=drawn))
        return sections or [Section(column, "There is no value to draw.")], found.count


def _about(found: ColumnProfile) -> str:
    left_out = []
    if found.missing:
        left_out.append(f"{found.missing:,} missing values are left out")
    if found.type.is_number and found.invalid:
        left_out.append(f"{found.invalid:,} infinite values are left out")
    return f"{'; '.join(left_out)}." if left_out else ""


def _bucket(found: ColumnProfile, binning: Binning | None) -> str:
    """SQL for the place of a value on the axis, as text."""
    column = name(found.name)
    if binning is not None:
        return f"({binning.of(column)})::VARCHAR"
    return _group(found.name, [str(_sql_text(v)) for v, _ in found.top_values[:_BARS]], "NULL")


def _trace(
    found: ColumnProfile, binning: Binning | None, counted: list[tuple[Any, int]], label: str
) -> dict[str, Any]:
    if binning is not None:
        places = [(float(place), number) for place, number in counted]
        return binned(binning.edges, binning.counts(places), label)
    order = {str(_sql_text(v)): i for i, (v, _) in enumerate(found.top_values)}
    ordered = sorted(counted, key=lambda one: order.get(one[0], len(order)))
    return bars([v for v, _ in ordered], [n for _, n in ordered], name=label)


def _shown(relation: Relation, column: str | None, most: int) -> list[str]:
    """The values of a column that get a group of their own, as the engine writes them."""
    if column is None:
        return []
    (found,) = profile(relation, [column])
    return [str(_sql_text(value)) for value, _ in found.top_values[:most]]


def _sql_text(value: Any) -> Any:
    """A value as the engine writes it."""
    return str(value).lower() if isinstance(value, bool) else value


def _group(column: str | None, shown: list[str], missing: str = literal(MISSING)) -> str:
    """SQL for the group of a row: one of the texts, the rest, or missing."""
    if column is None:
        return "''"
    text = f"{name(column)}::VARCHAR"
    among = ", ".join(map(literal, shown)) or "NULL"
    return (
        f"CASE WHEN {name(column)} IS NULL THEN {missing} "
        f"WHEN {text} IN ({among}) THEN {text} ELSE {literal(REST)} END"
    )


def _in_order(found: dict[str, Any], shown: list[str]) -> list[str]:
    known = [value for value in shown if value in found]
    return known + sorted(key for key in found if key not in known)


class ScatterPlot(Analysis):
    operator = PREFIX + "scatter_plot_0.1"
    name = "Scatter plot"
    sentence = "Draws rows by two columns, of large tables a sample of about 5,000."
    parameters = (
        Parameter(
            "x_axis",
            "column",
            "X axis",
            "From left to right.",
            required=True,
            types=NUMBERS | TIMES,
        ),
        Parameter(
            "y_axis",
            "column",
            "Y axis",
            "From bottom to top.",
            required=True,
            types=NUMBERS | TIMES,
        ),
        _COLOUR,
        _FACET,
    )
    words = ("points", "relationship")

    def sections(self, relation: Relation, values: Values) -> tuple[list[Section], int]:
        x, y = values["x_axis"], values["y_axis"]
        wanted = [x, y, values["color_by"], values["facet_by"]]
        columns = list(dict.fromkeys(c for c in wanted if c is not None))
        frame, rows = sample_frame(relation, columns, _POINTS)
        frame = frame.dropna(subset=[x, y])
        if frame.empty:
            raise DataError(f"No row has a value in both {x!r} and {y!r}.")
        colour = _labels(frame, values["color_by"], _GROUPS)
        facet = _labels(frame, values["facet_by"], _FACETS)
        text = f"{len(frame):,} of {rows:,} rows." if len(frame) < rows else ""
        sections = []
        for title, part in frame.groupby(facet, sort=False):
            traces = [
                points(
                    _plain(group[x], relation.schema.type(x)),
                    _plain(group[y], relation.schema.type(y)),
                    str(label),
                    marker={"size": 5, "opacity": 0.6},
                )
                for label, group in part.groupby(colour.loc[part.index], sort=False)
            ]
            heading = f"{values['facet_by']}: {title}" if values["facet_by"] else f"{y} by {x}"
            sections.append(Section(heading, text, figure=figure(traces, x=x, y=y)))
        return sections, len(frame)


def _plain(series: pd.Series, kind: ColumnType) -> list[Any]:
    if kind.is_time:
        return [value.isoformat() for value in series]
    return [float(value) for value in series]


def _labels(frame: pd.DataFrame, column: str | None, most: int) -> pd.Series:
    import pandas as pd

    if column is None:
        return pd.Series("", index=frame.index)
    texts = frame[column].map(str, na_action="ignore").astype("object")
    common = texts.value_counts().index[:most]
    return texts.where(texts.isin(common) | texts.isna(), REST).fillna(MISSING)
