"""Numbers that describe a series: in SQL, and as exported Python.

Missing and infinite values are left out before. The first eight are the minimal set that tsfresh
is known for, with its names; variance and standard deviation divide by the number of values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bottega.wrangler.pandas_code import PandasCode

FINITE = '''
def finite(values):
    """The finite numbers of a series, in their order."""
    numbers = np.array([] if values is None else values, dtype="float64")
    return numbers[np.isfinite(numbers)]
'''


@dataclass(frozen=True)
class Feature:
    """One number. Of no values it is missing, except the length."""

    sentence: str
    sql: str
    """Of the lists ``v``, the values, and ``d``, the changes from one to the next, and of their
    mean ``m``."""
    python: str
    """Of the array ``v``, which has a value."""
    frame: str = ""
    """Of ``windows``, a frame with the values of a window in each row."""
    window: str = ""
    """An aggregate of the column ``x``, which can be windowed."""
    least: int = 1
    """How many values it needs."""


_VARIES = "list_max(v) > list_min(v)"
_CENTRED = "list_sum(list_transform(v, lambda x: (x - m) ** {0})) / len(v)"
_SECOND, _THIRD, _FOURTH = (_CENTRED.format(power) for power in (2, 3, 4))

FEATURES: dict[str, Feature] = {
    "sum_values": Feature(
        "The sum.", "list_sum(v)", "v.sum()", "windows.sum(axis=1, min_count=1)", "sum(x)"
    ),
    "median": Feature(
        "The median.", "list_median(v)", "np.median(v)", "windows.median(axis=1)", "median(x)"
    ),
    "mean": Feature("The mean.", "m", "v.mean()", "windows.mean(axis=1)", "avg(x)"),
    "length": Feature(
        "How many values there are.",
        "len(v)",
        "len(v)",
        "windows.count(axis=1)",
        "count(x)",
        least=0,
    ),
    "standard_deviation": Feature(
        "The standard deviation.",
        "list_stddev_pop(v)",
        "v.std()",
        "windows.std(axis=1, ddof=0)",
        "stddev_pop(x)",
    ),
    "variance": Feature(
        "The variance.",
        "list_var_pop(v)",
        "v.var()",
        "windows.var(axis=1, ddof=0)",
        "var_pop(x)",
    ),
    "maximum": Feature(
        "The largest value.", "list_max(v)", "v.max()", "windows.max(axis=1)", "max(x)"
    ),
    "minimum": Feature(
        "The smallest value.", "list_min(v)", "v.min()", "windows.min(axis=1)", "min(x)"
    ),
    "root_mean_square": Feature(
        "The root of the mean square.",
        "sqrt(list_sum(list_transform(v, lambda x: x * x)) / len(v))",
        "np.sqrt((v * v).mean())",
    ),
    "absolute_maximum": Feature(
        "The largest absolute value.",
        "list_max(list_transform(v, lambda x: abs(x)))",
        "np.abs(v).max()",
    ),
    "abs_energy": Feature(
        "The sum of squares.", "list_sum(list_transform(v, lambda x: x * x))", "(v * v).sum()"
    ),
    "absolute_sum_of_changes": Feature(
        "The sum of absolute changes from one value to the next.",
        "coalesce(list_sum(list_transform(d, lambda x: abs(x))), 0)",
        "np.abs(np.diff(v)).sum()",
    ),
    "mean_abs_change": Feature(
        "The mean absolute change.",
        "list_avg(list_transform(d, lambda x: abs(x)))",
        "np.abs(np.diff(v)).mean()",
        least=2,
    ),
    "mean_change": Feature(
        "The mean change.",
        "(v[-1] - v[1]) / (len(v) - 1)",
        "(v[-1] - v[0]) / (len(v) - 1)",
        least=2,
    ),
    "cid_ce": Feature(
        "The complexity: the root of the sum of squared changes.",
        "sqrt(coalesce(list_sum(list_transform(d, lambda x: x * x)), 0))",
        "np.sqrt((np.diff(v) ** 2).sum())",
    ),
    "first_value": Feature("The first value.", "v[1]", "v[0]"),
    "last_value": Feature("The last value.", "v[-1]", "v[-1]"),
    "first_location_of_maximum": Feature(
        "Where the largest value first is, from 0 to 1.",
        "(list_position(v, list_max(v)) - 1) / len(v)",
        "v.argmax() / len(v)",
    ),
    "first_location_of_minimum": Feature(
        "Where the smallest value first is, from 0 to 1.",
        "(list_position(v, list_min(v)) - 1) / len(v)",
        "v.argmin() / len(v)",
    ),
    "number_of_peaks": Feature(
        "How many values are larger than both their neighbours.",
        "len(list_filter(range(2, len(d) + 1), lambda i: d[i - 1] > 0 AND d[i] < 0))",
        "((v[1:-1] > v[:-2]) & (v[1:-1] > v[2:])).sum()",
    ),
    "number_of_sign_changes": Feature(
        "How often values go from positive to others, or back.",
        "len(list_filter(range(2, len(v) + 1), lambda i: (v[i - 1] > 0) <> (v[i] > 0)))",
        "(np.diff(v > 0)).sum()",
    ),
    "linear_trend_slope": Feature(
        "The slope of the straight line through the values, per row.",
        "list_sum(list_transform(v, lambda x, i: (i - (len(v) + 1) / 2) * (x - m))) "
        "* 12 / (len(v)::DOUBLE * (len(v)::DOUBLE ** 2 - 1))",
        "np.dot(np.arange(len(v)) - (len(v) - 1) / 2, v - v.mean())"
        " * 12 / (len(v) * (len(v) ** 2 - 1))",
        least=2,
    ),
    "autocorrelation_lag_1": Feature(
        "How alike each value and the next are; missing for a constant series.",
        f"CASE WHEN {_VARIES} THEN list_sum(list_transform(range(2, len(v) + 1), "
        f"lambda i: (v[i] - m) * (v[i - 1] - m))) / (len(v) - 1) / ({_SECOND}) END",
        "((v[1:] - v.mean()) * (v[:-1] - v.mean())).mean() / v.var()"
        " if v.max() > v.min() else np.nan",
        least=2,
    ),
    "skewness": Feature(
        "The skewness; missing for a constant series.",
        f"CASE WHEN {_VARIES} THEN {_THIRD} / ({_SECOND}) ** 1.5 END",
        "((v - v.mean()) ** 3).mean() / v.var() ** 1.5 if v.max() > v.min() else np.nan",
    ),
    "kurtosis": Feature(
        "The kurtosis, 0 for a normal distribution; missing for a constant series.",
        f"CASE WHEN {_VARIES} THEN {_FOURTH} / ({_SECOND}) ** 2 - 3 END",
        "((v - v.mean()) ** 4).mean() / v.var() ** 2 - 3 if v.max() > v.min() else np.nan",
    ),
    "quantile_25": Feature(
        "The quantile at a quarter.",
        "list_aggregate(v, 'quantile_cont', 0.25)",
        "np.quantile(v, 0.25)",
    ),
    "quantile_75": Feature(
        "The quantile at three quarters.",
        "list_aggregate(v, 'quantile_cont', 0.75)",
        "np.quantile(v, 0.75)",
    ),
    "ratio_of_distinct_values": Feature(
        "Distinct values divided by values.",
        "len(list_distinct(v)) / len(v)",
        "len(np.unique(v)) / len(v)",
    ),
}
_NAMES = tuple(FEATURES)
_SORTING = ("quantile_25", "quantile_75", "ratio_of_distinct_values")
STRATEGIES: dict[str, tuple[str, ...]] = {
    "Minimal subset": _NAMES[:8],
    "Efficient subset": tuple(name for name in _NAMES if name not in _SORTING),
    "All features": _NAMES,
    "Manual subset": (),
}


def chosen(strategy: str, manual: Sequence[str] | None) -> list[str]:
    """The names of a strategy's features."""
    return list(STRATEGIES[strategy] or manual or ())


def list_sql(source: str, expressions: Sequence[str], features: Sequence[str]) -> str:
    """A query of features of the list column ``__v`` of a source.

    Args:
        source: what stands behind FROM.
        expressions: what else is selected.
        features: their names, which the columns get.
    """
    made = [f"{of_list(key)} AS __{key}" for key in features]
    return (
        f"SELECT {', '.join([*expressions, *made])} FROM (SELECT *, list_avg(__v) AS __m, "
        "list_transform(range(2, len(__v) + 1), lambda i: __v[i] - __v[i - 1]) AS __d "
        f"FROM {source})"
    )


def of_list(key: str) -> str:
    """A feature of the list ``__v``, a DOUBLE."""
    feature = FEATURES[key]
    # The names are short above for reading; a table may have columns of these names.
    sql = re.sub(r"\b[vdm]\b", r"__\g<0>", feature.sql)
    if feature.least == 0:
        return f"({sql})::DOUBLE"
    return f"CASE WHEN len(__v) >= {feature.least} THEN {sql} END::DOUBLE"


def of_window(key: str) -> str:
    """A feature of the windowed column ``__x``, to be followed by OVER."""
    return re.sub(r"\bx\b", "__x", FEATURES[key].window)


def write_function(code: PandasCode, key: str) -> str:
    """Write the function of a feature, and return its name."""
    feature = FEATURES[key]
    code.require("import numpy as np")
    code.function("finite", FINITE)
    body = f"return float({feature.python})"
    lines = [f"def series_{key}(values):", f'    """{feature.sentence}"""']
    lines.append("    v = finite(values)")
    if feature.least:
        lines += [f"    if len(v) < {feature.least}:", "        return np.nan"]
    return code.function(f"series_{key}", "\n".join([*lines, f"    {body}"]))
