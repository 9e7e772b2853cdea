"""How numbers are spread, also those whose squares are too large to be numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

_OUTLIER = 5.0


def skewness_and_kurtosis(values: Any) -> tuple[float, float]:
    """Of finite numbers that are not all the same; the kurtosis is 0 for a normal distribution."""
    from scipy import stats

    near_zero = _scaled(values)
    deviations = _scaled(near_zero - near_zero.mean())
    with np.errstate(over="ignore"):  # scipy divides by their mean to see whether it is near zero
        return float(stats.skew(deviations)), float(stats.kurtosis(deviations))


def robust_outliers(values: Any) -> Any:
    """Which finite numbers are further from the median than five robust standard deviations: those
    of the values clipped to the quantiles 0.05 and 0.95."""
    near_zero = _scaled(values)
    low, middle, high = np.quantile(near_zero, (0.05, 0.5, 0.95))
    spread = float(np.clip(near_zero, low, high).std())
    return np.abs(near_zero - middle) > _OUTLIER * spread


def _scaled(values: Any) -> Any:
    """The values as shares of the one that is furthest from zero."""
    largest = np.abs(values).max()
    return values / largest if largest else values
