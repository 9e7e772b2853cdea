"""Charts as SVG and HTML that need no script: their colours are the page's, light or dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from bottega.thinning import thinned

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 40
COLOURS = 8
"""How many colours there are: --c0 to --c7."""
MOST_POINTS = 400
"""Of one line in a chart."""


@dataclass(frozen=True)
class Line:
    """One line of a chart: its name in the legend, and its points."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    dashed: bool = False


@dataclass(frozen=True)
class _Scale:
    """From numbers to places on the paper."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def line_chart(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    y_range: tuple[float, float] | None = None,
) -> str:
    """Lines over a common axis. Points that are no finite numbers leave a gap.

    Args:
        lines: what to draw, at least one point in all.
        x_label: what the horizontal axis is, with its unit.
        y_label: likewise.
        y_range: what the vertical axis has to show at least.
    """
    finite = [
        (x, y) for line in lines for x, y in zip(line.xs, line.ys, strict=True) if math.isfinite(y)
    ]
    if not finite:
        return '<p class="empty">There is nothing to draw.</p>'
    ys = [y for _, y in finite] + list(y_range or ())
    across = _scale([x for x, _ in finite], LEFT, WIDTH - RIGHT, around=0.0)
    up = _scale(ys, HEIGHT - BOTTOM, TOP, around=0.0 if y_range else 0.05)
    parts = [_axes(across, up, x_label, y_label)]
    for number, line in enumerate(lines):
        places = thinned(line.ys, MOST_POINTS)
        points = [(across(line.xs[at]), line.ys[at]) for at in places]
        drawn = _path([(x, up(y) if math.isfinite(y) else None) for x, y in points])
        style = ' stroke-dasharray="5 4"' if line.dashed else ""
        parts.append(
            f'<path class="line" style="stroke:var(--c{number % COLOURS})"{style} d="{drawn}">'
            f"<title>{escape(line.name)}</title></path>"
        )
    return _svg(parts, f"{y_label} over {x_label}") + _legend([line.name for line in lines])


def histogram(
    edges: Sequence[float], counts: Sequence[int], *, x_label: str, mark: float | None = None
) -> str:
    """Columns between edges, one more edge than columns.

    Args:
        edges: in order.
        counts: how many values are between two edges.
        x_label: what the values are, with their unit.
        mark: a value to draw a line at.
    """
    across = _scale(list(edges), LEFT, WIDTH - RIGHT, around=0.0)
    up = _scale([0.0, float(max(counts, default=0) or 1)], HEIGHT - BOTTOM, TOP, around=0.0)
    parts = [_axes(across, up, x_label, "count")]
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        left, right, top = across(low), across(high), up(count)
        width, height = max(0.5, right - left - 1), max(0.0, HEIGHT - BOTTOM - top)
        parts.append(
            f'<rect class="column" x="{left}" y="{top}" width="{width:.1f}" height="{height:.1f}">'
            f"<title>{number(low)} to {number(high)}: {count:,}</title></rect>"
        )
    if mark is not None and edges[0] <= mark <= edges[-1]:
        at = across(mark)
        parts.append(
            f'<line class="mark" x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            f'<text class="mark" x="{at + 4}" y="{TOP + 10}">{number(mark)}</text>'
        )
    return _svg(parts, f"distribution of {x_label}")


def box_plot(boxes: Sequence[tuple[str, Sequence[float]]], *, x_label: str) -> str:
    """One row for each: a box from the 25th to the 75th percentile with the median, whiskers to
    the 5th and 95th.

    Args:
        boxes: name, and the five percentiles in order.
        x_label: what the values are, of 0 to 100.
    """
    row, left = 26, 180
    bottom = row * len(boxes) + TOP
    across = _Scale(0, 100, left, WIDTH - RIGHT)
    parts = []
    for value in range(0, 101, 20):
        at = across(value)
        parts.append(
            f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP}" y2="{bottom}"/>'
            f'<text class="x" x="{at}" y="{bottom + 14}">{value}</text>'
        )
    for place, (name, percentiles) in enumerate(boxes):
        middle = TOP + row * place + row / 2
        p5, p25, p50, p75, p95 = (across(min(100.0, max(0.0, one))) for one in percentiles)
        told = ", ".join(
            f"p{share} {number(one)}"
            for share, one in zip((5, 25, 50, 75, 95), percentiles, strict=True)
        )
        parts.append(
            f"<g><title>{escape(name)}: {told}</title>"
            f'<text class="y" x="{left - 8}" y="{middle + 4}">{escape(name[:26])}</text>'
            f'<line class="whisker" x1="{p5}" x2="{p95}" y1="{middle}" y2="{middle}"/>'
            f'<rect class="column" x="{p25}" y="{middle - 8}" width="{max(1, p75 - p25):.1f}" '
            f'height="16"/>'
            f'<line class="median" x1="{p50}" x2="{p50}" y1="{middle - 8}" y2="{middle + 8}"/></g>'
        )
    label = f'<text class="x" x="{(left + WIDTH) / 2}" y="{bottom + 30}">{escape(x_label)}</text>'
    return _svg([*parts, label], x_label, height=bottom + 36)


def bar_list(rows: Iterable[tuple[str, float, str]], *, largest: float | None = None) -> str:
    """Names with horizontal bars, as long as their values, and a text behind each.

    Args:
        rows: name, value (not negative) and text.
        largest: the value of a full bar; that of the largest row without.
    """
    every = list(rows)
    full = largest or max((value for _, value, _ in every), default=0) or 1
    items = "".join(
        f'<div class="name" title="{escape(name)}">{escape(name)}</div>'
        f'<div class="track"><div class="bar" style="width:{100 * min(value / full, 1):.2f}%">'
        f'</div></div><div class="told">{escape(text)}</div>'
        for name, value, text in every
    )
    return f'<div class="bars">{items}</div>'


def stacked_bar(parts: Sequence[tuple[str, float]]) -> str:
    """One bar of several parts, with their percentages below.

    Args:
        parts: name and value (not negative) of each.
    """
    total = sum(value for _, value in parts) or 1
    pieces = "".join(
        f'<div style="width:{100 * value / total:.2f}%;background:var(--c{place % COLOURS})" '
        f'title="{escape(name)}: {100 * value / total:.1f} %"></div>'
        for place, (name, value) in enumerate(parts)
    )
    names = [f"{name} {100 * value / total:.1f} %" for name, value in parts]
    return f'<div class="stack">{pieces}</div>' + _legend(names)


def heat_table(rows: Sequence[Sequence[float]], names: Sequence[str], *, corner: str) -> str:
    """A matrix as a table whose cells are the darker, the larger their part of the row is.

    Args:
        rows: the numbers.
        names: of rows and columns.
        corner: what rows and columns are.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = []
    for name, row in zip(names, rows, strict=True):
        total = sum(row) or 1
        cells = "".join(
            f'<td class="heat" style="background:color-mix(in srgb, var(--c0) '
            f'{85 * value / total:.0f}%, transparent)" title="{100 * value / total:.1f} % of '
            f'{escape(name)}">{number(value)}</td>'
            for value in row
        )
        body.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        f'<div class="scroll"><table class="heat"><thead><tr><th class="corner">{escape(corner)}'
        f"</th>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def number(value: float) -> str:
    """A number for a person.

    >>> number(1234567), number(0.00012345), number(3.14159), number(20.0)
    ('1,234,567', '0.000123', '3.14', '20')
    """
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def short(value: float) -> str:
    """A number for an axis, where there is little room.

    >>> short(1_500_000), short(2000), short(0.25)
    ('1.5 M', '2,000', '0.25')
    """
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / (1e3 if letter == 'k' else limit):.3g} {letter}"
    return number(value)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from about one end to the other.

    >>> nice_ticks(0, 0.9)
    [0.0, 0.2, 0.4, 0.6, 0.8]
    """
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.75)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{at * step:.12g}") for at in range(first, last + 1)]


def _scale(values: Sequence[float], start: float, end: float, around: float) -> _Scale:
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(low) / 10 or 0.5
        low, high = low - half, high + half
    room = around * (high - low)
    return _Scale(low - room, high + room, start, end)


def _axes(across: _Scale, up: _Scale, x_label: str, y_label: str) -> str:
    bottom = HEIGHT - BOTTOM
    parts = []
    for value in nice_ticks(up.low, up.high, 4):
        at = up(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>'
            f'<text class="y" x="{LEFT - 6}" y="{at + 4}">{short(value)}</text>'
        )
    parts += [
        f'<text class="x" x="{across(value)}" y="{bottom + 15}">{short(value)}</text>'
        for value in nice_ticks(across.low, across.high, 7)
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="x" x="{middle}" y="{HEIGHT - 6}">{escape(x_label)}</text>')
    centre = (TOP + bottom) / 2
    parts.append(
        f'<text class="x" transform="rotate(-90 12 {centre})" x="12" y="{centre}">'
        f"{escape(y_label)}</text>"
    )
    return "".join(parts)


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    parts, down = [], False
    for x, y in points:
        if y is None:
            down = False
            continue
        parts.append(f"{'L' if down else 'M'}{x:g} {y:g}")
        down = True
    # A single point is a dot, as lines have round ends.
    return "".join(parts) + ("h0" if len(parts) == 1 else "")


def _svg(parts: Iterable[str], label: str, height: float = HEIGHT) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _legend(names: Sequence[str]) -> str:
    items = "".join(
        f'<span><i style="background:var(--c{place % COLOURS})"></i>{escape(name)}</span>'
        for place, name in enumerate(names)
    )
    return f'<div class="legend">{items}</div>'
