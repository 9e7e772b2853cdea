"""The one list of analyses."""

from __future__ import annotations

import importlib
import inspect
from functools import cache

from bottega.nearest import ending
from bottega.wrangler.errors import FlowError
from bottega.wrangler.insight.analysis import Analysis

MODULES = (
    "report",
    "table_summary",
    "charts",
    "quick_model",
    "target_leakage",
    "multicollinearity",
    "feature_correlation",
    "bias",
    "time_series",
    "duplicate_rows",
    "custom_visualization",
)
"""Modules of ``analyses``, in the order of the list that people choose from."""


@cache
def analyses() -> tuple[Analysis, ...]:
    """Every analysis, in the list's order."""
    found: list[Analysis] = []
    for module_name in MODULES:
        module = importlib.import_module(f"bottega.wrangler.insight.analyses.{module_name}")
        for value in vars(module).values():
            if (
                inspect.isclass(value)
                and issubclass(value, Analysis)
                and not inspect.isabstract(value)
                and value.__module__ == module.__name__
            ):
                found.append(value())
    return tuple(found)


def analysis_of(operator: str) -> Analysis:
    """The analysis that a VISUALIZATION node stands for.

    Raises:
        FlowError: it is unknown; the message names the nearest.
    """
    known = {analysis.operator: analysis for analysis in analyses()}
    try:
        return known[operator]
    except KeyError:
        raise FlowError(
            f"The analysis {operator!r} is unknown{ending(operator, list(known))}"
        ) from None
