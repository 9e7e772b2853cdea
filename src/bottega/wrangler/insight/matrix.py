"""A table as numbers, for models that look at a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.insight.analysis import FEATURES, MANY_CLASSES
from bottega.wrangler.insight.asking import sample_frame

if TYPE_CHECKING:
    from bottega.wrangler.engine.relation import Relation

Problem = Literal["Classification", "Regression"]
SEED = 42
_CATEGORIES = 255
_LEAST_ROWS = 20
_MICROS_OF_A_DAY = 86_400_000_000.0


@dataclass(frozen=True)
class Learning:
    """What a model learns from.

    Attributes:
        features: float columns; NaN where missing. Texts are numbered by frequency.
        target: whole numbers of classes, or floats.
        classes: the names of the classes; empty for a regression.
        problem: which of the two.
        seen: rows of the sample, those without a target too.
        rows: of the whole table.
    """

    features: pd.DataFrame
    target: np.ndarray[Any, Any]
    classes: tuple[str, ...]
    problem: Problem
    seen: int
    rows: int


def numbers(series: pd.Series, kind: ColumnType) -> np.ndarray[Any, Any]:
    """A column as floats: moments as days since 1970, texts as ranks of their frequency (beyond
    255 different ones, all the same), infinity as missing."""
    if kind.is_time:
        # By whole microseconds, as the calendar of nanoseconds ends in 2262.
        micros = series.to_numpy(dtype="datetime64[us]")
        return np.where(np.isnat(micros), np.nan, micros.astype("int64") / _MICROS_OF_A_DAY)
    if kind is ColumnType.STRING:
        order = series.value_counts().index[:_CATEGORIES]
        codes = series.map({value: number for number, value in enumerate(order)})
        rest = series.notna() & codes.isna()
        return np.asarray(codes.astype("float64").mask(rest, float(_CATEGORIES)))
    values = series.to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def encoded(frame: pd.DataFrame, schema: Schema, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a frame as floats."""
    return pd.DataFrame({c: numbers(frame[c], schema.type(c)) for c in columns})


def learning(
    relation: Relation,
    target: str,
    problem: Problem | None,
    limit: int,
    features: Sequence[str] | None = None,
) -> Learning:
    """A sample of a table, ready to learn a column from the others.

    Args:
        relation: the table.
        target: what is to be learnt.
        problem: found out when None: texts, booleans and at most 100 different numbers are
            classes.
        limit: rows of the sample, about.
        features: the columns to learn from; all that a model can take when None.

    Raises:
        FlowError: the target has another type, too few values or a single one; there are no
            features.
    """
    schema = relation.schema
    chosen = [
        c for c in (schema.of_type(FEATURES) if features is None else features) if c != target
    ]
    if not chosen:
        raise DataError("There is no other column to predict the target from.")
    frame, rows = sample_frame(relation, [*chosen, target], limit)
    problem = problem or detected(frame[target], schema.type(target))
    seen = len(frame)
    classes: tuple[str, ...] = ()
    if problem == "Regression":
        if not schema.type(target).is_number:
            raise ParameterError(
                "problem_type",
                f"Column {target!r} is {schema.type(target)}, not a number: a regression cannot "
                "learn it. Choose Classification, or parse it as a number first.",
            )
        values = numbers(frame[target], schema.type(target))
        kept = np.isfinite(values)
        goal = values[kept]
    else:
        labels = frame[target]
        kept = labels.notna().to_numpy()
        names = labels[kept].map(_label)
        order = (
            names.value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
        )
        classes = tuple(map(str, order.index))
        codes = dict(zip(classes, range(len(classes)), strict=True))
        goal = names.map(codes).to_numpy("int64")
    if len(classes) > MANY_CLASSES:
        raise DataError(
            f"Column {target!r} has {len(classes):,} different values in the sample; at most "
            f"{MANY_CLASSES} can be classes. Choose Regression if they are quantities, or group "
            "rare ones first."
        )
    if len(goal) < _LEAST_ROWS or len(np.unique(goal)) < 2:
        raise DataError(
            f"Column {target!r} has {len(goal):,} values, {len(np.unique(goal)):,} of them "
            f"different; a model needs {_LEAST_ROWS} and 2."
        )
    table = encoded(frame, schema, chosen)[kept].reset_index(drop=True)
    return Learning(table, goal, classes, problem, seen, rows)


def detected(target: pd.Series, kind: ColumnType) -> Problem:
    """Whether a column holds classes or quantities."""
    if not kind.is_number:
        return "Classification"
    return "Regression" if target.nunique() > MANY_CLASSES else "Classification"


def _label(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def split(
    learned: Learning, share: float
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Training and test features, training and test targets; classes keep their shares, and those
    with a single row are left out."""
    from sklearn.model_selection import train_test_split

    features, target = learned.features, learned.target
    classes = learned.problem == "Classification"
    if classes:
        counts = np.bincount(target)
        kept = counts[target] > 1
        # The classes come by frequency, so those that stay keep their numbers.
        features, target = features[kept], target[kept]
        if len(np.unique(target)) < 2:
            raise DataError("Fewer than two classes have more than one row; there is no model.")
    least = max(2, len(np.unique(target))) if classes else 2
    held_out = max(math.ceil(len(target) * share), least)
    if len(target) - held_out < least:
        raise DataError("There are too few rows for so many classes; there is no model.")
    train_x, test_x, train_y, test_y = train_test_split(
        features,
        target,
        test_size=held_out,
        random_state=SEED,
        stratify=target if classes else None,
    )
    return train_x, test_x, train_y, test_y
