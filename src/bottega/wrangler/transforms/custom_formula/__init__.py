"""Custom formula: a column from an expression of Spark SQL."""

from __future__ import annotations

from bottega.wrangler.transforms.custom_formula.step import CustomFormula

__all__ = ["CustomFormula"]
