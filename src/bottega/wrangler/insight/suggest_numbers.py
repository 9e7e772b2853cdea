"""Steps for columns of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bottega.wrangler.columns import NUMBERS
from bottega.wrangler.insight.asking import sample_frame
from bottega.wrangler.insight.matrix import encoded
from bottega.wrangler.insight.profile import ColumnProfile
from bottega.wrangler.insight.suggestion import Suggestion

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

_ROWS = 20_000
_LEAST_ROWS = 30
_COLUMNS = 15
_STRONG = 0.99
_FAR = 5.0
_NORMAL = 1.349  # the interquartile range of a normal distribution with deviation 1
_SKEWED = 0.25


def derivation_steps(relation: Relation, found: ColumnProfile) -> Iterator[Suggestion]:
    """Steps for a column that nearly follows from others."""
    close = closest_relation(relation, found.name)
    if close is not None:
        yield from _derivation(found, close)


def number_steps(found: ColumnProfile) -> Iterator[Suggestion]:
    """Steps that make a column of numbers ready for a model."""
    if found.kind == "binary":
        return
    yield from _outliers(found)
    yield from _logarithm(found)
    spread = found.standard_deviation
    if spread and spread > 0 and (found.maximum > 10 or found.minimum < -10):
        yield Suggestion(
            "Scale to mean 0 and deviation 1",
            f"Values from {found.minimum:,.6g} to {found.maximum:,.6g}; many models need columns "
            "of one size.",
            "Process numeric",
            "Scale values",
            {
                "scaler": "Standard scaler",
                "standard_scaler_input_column": [found.name],
                "standard_scaler_center": True,
                "standard_scaler_scale": True,
            },
        )


def _outliers(found: ColumnProfile) -> Iterator[Suggestion]:
    quantiles = found.quantiles
    if not quantiles:
        return
    middle = quantiles["0.5"]
    spread = (quantiles["0.75"] - quantiles["0.25"]) / _NORMAL
    far = max(found.maximum - middle, middle - found.minimum)
    if spread > 0 and far > _FAR * spread:
        extreme = found.maximum if found.maximum - middle == far else found.minimum
        yield Suggestion(
            "Clip outliers",
            f"{extreme:,.6g} is {far / spread:,.0f} robust deviations from the median "
            f"{middle:,.6g}.",
            "Handle outliers",
            "Robust standard deviation numeric outliers",
            {"input_column": [found.name], "fix_method": "Clip", "standard_deviations": 4},
        )


def _logarithm(found: ColumnProfile) -> Iterator[Suggestion]:
    spread, middle = found.standard_deviation, found.quantiles.get("0.5")
    if not spread or middle is None or found.mean is None or found.minimum < 0:
        return
    skew = (found.mean - middle) / spread
    if skew > _SKEWED and found.distinct > 10:
        yield Suggestion(
            "Take the logarithm",
            f"Skewed to the right: the mean {found.mean:,.6g} lies {skew:.2f} deviations above the "
            f"median {middle:,.6g}.",
            "Process numeric",
            "Logarithm",
            {"input_column": [found.name], "add_one": found.minimum < 1},
        )


@dataclass(frozen=True)
class Close:
    """What a column nearly is.

    Attributes:
        formula: Spark SQL.
        words: the same for people.
        r: the correlation with it.
    """

    formula: str
    words: str
    r: float


def closest_relation(relation: Relation, column: str) -> Close | None:
    """The numeric column, or the product of two, that a column nearly follows from; None when its
    correlation with none of them is 0.99 or more. Looks at about 20,000 rows and 15 columns.
    """
    others = [c for c in relation.schema.of_type(NUMBERS) if c != column][:_COLUMNS]
    if not others:
        return None
    frame, _ = sample_frame(relation, [column, *others], _ROWS)
    table = encoded(frame, relation.schema, [column, *others])
    goal = table[column].to_numpy()
    values = {c: table[c].to_numpy() for c in others}
    best: Close | None = None
    for one in others:
        r, slope, shift = _fitted(values[one], goal)
        if abs(r) >= _STRONG and (best is None or abs(r) > abs(best.r) + 1e-6):
            formula, words = _line(f"{_name(one)}", one, slope, shift)
            best = Close(formula, words, r)
    if best is not None:
        return best
    for one, other in combinations(others, 2):
        r, slope, shift = _fitted(values[one] * values[other], goal)
        if abs(r) >= _STRONG and (best is None or abs(r) > abs(best.r) + 1e-6):
            product, words = f"{_name(one)} * {_name(other)}", f"{one} × {other}"
            if abs(slope - 1) > 0.02:
                product, words = _line(product, words, slope, shift)
            best = Close(product, words, r)
    return best


def _line(term: str, words: str, slope: float, shift: float) -> tuple[str, str]:
    size = abs(shift) > 1e-6 * max(1.0, abs(slope))
    slope, shift = float(f"{slope:.6g}"), float(f"{shift:.6g}")
    formula = term if slope == 1 else f"{slope!r} * {term}"
    said = words if slope == 1 else f"{slope:.4g} × {words}"
    if size and shift:
        sign = "+" if shift > 0 else "-"
        return f"{formula} {sign} {abs(shift)!r}", f"{said} {sign} {abs(shift):.4g}"
    return formula, said


def _fitted(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    goal: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[float, float, float]:
    """Correlation, slope and shift of a line; zeros where there is too little to tell."""
    with np.errstate(over="ignore", invalid="ignore"):
        both = np.isfinite(values) & np.isfinite(goal)
        x, y = values[both], goal[both]
        if len(x) < _LEAST_ROWS:
            return 0.0, 0.0, 0.0
        dx, dy = x - x.mean(), y - y.mean()
        spread_x, spread_y = float((dx**2).sum()), float((dy**2).sum())
        if not (0 < spread_x < np.inf and 0 < spread_y < np.inf):
            return 0.0, 0.0, 0.0
        together = float((dx * dy).sum())
    slope = together / spread_x
    return together / (spread_x * spread_y) ** 0.5, slope, float(y.mean() - slope * x.mean())


def _name(column: str) -> str:
    """A column in a formula."""
    plain = column.isidentifier() and column.isascii()
    return column if plain else "`" + column.replace("`", "``") + "`"


def _derivation(found: ColumnProfile, close: Close) -> Iterator[Suggestion]:
    said = f"{found.name} ≈ {close.words} (r = {_short(close.r)})."
    if found.missing:
        yield Suggestion(
            "Derive the missing values",
            f"{said} {found.missing:,} values are missing.",
            "Custom formula",
            "Custom formula",
            {
                "formula": f"coalesce({_name(found.name)}, {close.formula})",
                "output_column": found.name,
            },
        )
        return
    yield Suggestion(
        "Drop the column, which follows from others",
        said,
        "Manage columns",
        "Drop column",
        {"column_to_drop": [found.name]},
    )
    yield Suggestion(
        "Keep the difference",
        f"{said} What it adds is the difference.",
        "Custom formula",
        "Custom formula",
        {
            "formula": f"{_name(found.name)} - ({close.formula})",
            "output_column": f"{found.name}_difference",
        },
    )


def _short(r: float) -> str:
    """A correlation that is not called 1 when it is not."""
    return f"{r:.3f}" if abs(r) < 0.9995 or abs(r) > 1 - 1e-9 else f"{np.trunc(r * 1e6) / 1e6:.6f}"
