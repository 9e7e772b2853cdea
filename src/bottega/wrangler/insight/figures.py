"""Figures of Plotly's as plain mappings, without colours: who draws them knows the theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bottega.wrangler.insight.asking import cell

Figure = dict[str, Any]


def figure(traces: Sequence[dict[str, Any]], *, x: str = "", y: str = "", **layout: Any) -> Figure:
    """A figure with titles at its axes."""
    axes: dict[str, Any] = {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}
    for key in ("xaxis", "yaxis"):
        axes[key] |= layout.pop(key, {})
    return {"data": list(traces), "layout": {**axes, "showlegend": len(traces) > 1, **layout}}


def bars(
    labels: Sequence[Any], heights: Sequence[Any], *, name: str = "", across: bool = False
) -> dict[str, Any]:
    """Bars, lying when ``across``."""
    values, names = [cell(h) for h in heights], [str(label) for label in labels]
    trace = {"type": "bar", "name": name}
    if across:
        return {**trace, "orientation": "h", "x": values, "y": names}
    return {**trace, "x": names, "y": values}


def binned(edges: Sequence[Any], counts: Sequence[int], name: str = "") -> dict[str, Any]:
    """Bars that fill their bins.

    Args:
        edges: numbers, or moments as texts; one more than there are counts.
        counts: the bars' heights.
        name: what the legend says.
    """
    trace: dict[str, Any] = {"type": "bar", "name": name, "y": list(counts)}
    if edges and isinstance(edges[0], str):
        return {**trace, "x": list(edges[:-1]), "offset": 0}
    lows, highs = edges[:-1], edges[1:]
    return {
        **trace,
        "x": [(low + high) / 2 for low, high in zip(lows, highs, strict=True)],
        "width": [high - low for low, high in zip(lows, highs, strict=True)],
        "customdata": [[low, high] for low, high in zip(lows, highs, strict=True)],
        "hovertemplate": "%{customdata[0]} – %{customdata[1]}: %{y}<extra></extra>",
    }


def points(xs: Sequence[Any], ys: Sequence[Any], name: str = "", **trace: Any) -> dict[str, Any]:
    """Points at places."""
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": name,
        "x": [cell(x) for x in xs],
        "y": [cell(y) for y in ys],
        **trace,
    }


def line(xs: Sequence[Any], ys: Sequence[Any], name: str = "", **trace: Any) -> dict[str, Any]:
    """A line through places."""
    return {**points(xs, ys, name), "type": "scatter", "mode": "lines", **trace}


def heatmap(
    rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Any]], **trace: Any
) -> dict[str, Any]:
    """A matrix with names; the first row is on top if the axis says ``autorange: reversed``."""
    return {
        "type": "heatmap",
        "x": list(columns),
        "y": list(rows),
        "z": [[cell(value) for value in row] for row in cells],
        **trace,
    }
