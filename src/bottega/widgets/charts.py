"""Curves as SVG, without a library: what a saved notebook shows."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bottega.widgets.wording import number

WIDTH, HEIGHT, PAD = 260, 110, 8

Points = Sequence[tuple[float, float]]


def curve(name: str, points: Points) -> str:
    """A chart of one metric: above it its name with the last value, and its range."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = min(ys), max(ys)

    def at(x: float, y: float) -> str:
        across = (x - xs[0]) / ((xs[-1] - xs[0]) or 1)
        up = (y - low) / (high - low) if high > low else 0.5
        return f"{PAD + across * (WIDTH - 2 * PAD):.1f},{HEIGHT - PAD - up * (HEIGHT - 40):.1f}"

    title = html.escape(f"{name}: {number(ys[-1])}")
    spoken = html.escape(
        f"{name}, {len(points)} values from {number(ys[0])} to {number(ys[-1])}", quote=True
    )
    line = (
        f'<circle cx="{at(*points[0]).split(",")[0]}" cy="{at(*points[0]).split(",")[1]}" r="3" '
        'fill="#1976d2"/>'
        if len(points) == 1
        else f'<polyline points="{" ".join(at(x, y) for x, y in points)}" fill="none" '
        'stroke="#1976d2" stroke-width="1.5"/>'
    )
    return (
        f'<svg role="img" aria-label="{spoken}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">'
        f'<text x="{PAD}" y="14" font-size="12" fill="currentColor">{title}</text>'
        f'<text x="{PAD}" y="27" font-size="10" fill="currentColor" opacity="0.7">'
        f"{number(low)} … {number(high)}</text>{line}</svg>"
    )


def best_so_far(name: str, values: Points, best: Points) -> str:
    """A chart of a search: a dot for each trial that has ended, and the best so far as steps.

    Args:
        name: of the objective.
        values: (how many trials had ended, objective).
        best: (how many trials had ended, best objective by then); not empty.
    """
    ys = [y for _, y in [*values, *best]]
    low, high = min(ys), max(ys)
    last = max(x for x, _ in best)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - 1) / ((last - 1) or 1)
        up = (y - low) / (high - low) if high > low else 0.5
        return PAD + across * (WIDTH - 2 * PAD), HEIGHT - PAD - up * (HEIGHT - 40)

    corners: list[tuple[float, float]] = []
    for x, y in best:
        at = place(x, y)
        if corners:
            corners.append((at[0], corners[-1][1]))
        corners.append(at)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="currentColor" opacity="0.5"/>'
        for x, y in (place(*point) for point in values)
    )
    title = html.escape(f"Best {name}: {number(best[-1][1])}")
    spoken = html.escape(
        f"The best {name} over {len(best)} trials, from {number(best[0][1])} to "
        f"{number(best[-1][1])}",
        quote=True,
    )
    return (
        f'<svg role="img" aria-label="{spoken}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">'
        f'<text x="{PAD}" y="14" font-size="12" fill="currentColor">{title}</text>'
        f'<text x="{PAD}" y="27" font-size="10" fill="currentColor" opacity="0.7">'
        f"{number(low)} … {number(high)}</text>{dots}"
        f'<polyline points="{line}" fill="none" stroke="#1976d2" stroke-width="1.5"/></svg>'
    )
