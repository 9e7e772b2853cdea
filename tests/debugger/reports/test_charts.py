"""Charts are well-formed SVG and HTML, whatever the numbers are."""

from __future__ import annotations

import math
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.reports.charts import (
    MOST_POINTS,
    Line,
    bar_list,
    box_plot,
    heat_table,
    histogram,
    line_chart,
    nice_ticks,
    stacked_bar,
)
from bottega.debugger.reports.profiler_sections import counted

ANY = st.floats(-1e12, 1e12) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0])


def parsed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{html}</div>")


@given(st.lists(ANY, max_size=30))
@settings(max_examples=40, deadline=None)
def test_any_line_is_drawn_inside_its_paper(values: list[float]) -> None:
    html = line_chart([Line("<a>", range(len(values)), values)], x_label="x & y", y_label="y")
    tree = parsed(html)
    drawn = [path.get("d", "") for path in tree.iter("path")]
    assert bool(drawn) == any(map(math.isfinite, values))
    assert "nan" not in html
    assert "inf" not in html
    for path in drawn:
        for point in path.replace("h0", "").replace("L", "M").split("M")[1:]:
            x, y = map(float, point.split())
            assert 0 <= x <= 720
            assert 0 <= y <= 220


def test_long_lines_are_thinned() -> None:
    html = line_chart([Line("a", range(10_000), range(10_000))], x_label="x", y_label="y")
    (path,) = parsed(html).iter("path")
    assert path.get("d", "").count("L") < MOST_POINTS


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
@settings(max_examples=40, deadline=None)
def test_a_histogram_counts_each_value_once(values: list[float]) -> None:
    edges, counts = counted(values)
    assert sum(counts) == len(values)
    assert len(edges) == len(counts) + 1
    assert edges == sorted(edges)
    tree = parsed(histogram(edges, counts, x_label="x", mark=edges[0]))
    assert len(list(tree.iter("rect"))) == len(counts)


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: box_plot([("a<b", [0, 10, 20, 120, 130])], x_label="percent"),
        lambda: bar_list([("a", 0.0, "none"), ('"b"', 3.0, "three")]),
        lambda: bar_list([]),
        lambda: stacked_bar([("a", 0.0), ("b", 0.0)]),
        lambda: heat_table([[1, 0], [0, 0]], ["x", "<y>"], corner="true"),
    ],
)
def test_other_charts_are_well_formed(drawn: Callable[[], str]) -> None:
    assert len(parsed(drawn())) >= 1


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
@settings(max_examples=60, deadline=None)
def test_ticks_are_few_and_inside(low: float, width: float) -> None:
    ticks = nice_ticks(low, low + width)
    assert 1 <= len(ticks) <= 10
    room = width * 1e-6 + abs(low) * 1e-9
    assert all(low - room <= tick <= low + width + room for tick in ticks)
