"""Real tables to tune XGBoost on, small enough for thousands of trainings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import xgboost

from bottega.tuning.spaces import ContinuousRange, IntegerRange, Range

SPACE: tuple[Range, ...] = (
    ContinuousRange("eta", 0.1, 0.5, "Linear"),
    IntegerRange("max_depth", 1, 10, "Linear"),
    ContinuousRange("min_child_weight", 1.0, 120.0, "Auto"),
    ContinuousRange("subsample", 0.5, 1.0, "Linear"),
    ContinuousRange("colsample_bytree", 0.5, 1.0, "Linear"),
    ContinuousRange("lambda", 1e-3, 1000.0, "Auto"),
    ContinuousRange("alpha", 1e-3, 1000.0, "Auto"),
    ContinuousRange("gamma", 0.0, 5.0, "Linear"),
)
"""The ranges that SageMaker recommends for XGBoost, but that those which begin at 0 and reach far
begin just above it, so that they can be searched by their logarithm."""


@dataclass(frozen=True)
class Problem:
    """Rows to train on and rows to judge by."""

    train: Any
    validation: Any
    objective: str
    metric: str
    maximize: bool


Load = Callable[[Path], tuple[pandas.DataFrame, Any]]
Judge = Callable[[int, float], bool]
"""Of a round, from 1, and the metric after it, whether to go on."""


def _churn(data: Path) -> tuple[pandas.DataFrame, Any]:
    frame = pandas.read_csv(data / "telco-churn" / "Telco-Customer-Churn.csv")
    frame["TotalCharges"] = pandas.to_numeric(frame["TotalCharges"], errors="coerce")
    return frame.drop(columns=["customerID", "Churn"]), frame["Churn"] == "Yes"


def _adult(data: Path) -> tuple[pandas.DataFrame, Any]:
    file = data / "adult-census" / "adult-train.csv.gz"
    frame = pandas.read_csv(file, header=None, skipinitialspace=True)
    return frame.drop(columns=14), frame[14].str.startswith(">50K")


def _abalone(data: Path) -> tuple[pandas.DataFrame, Any]:
    frame = pandas.read_csv(data / "abalone" / "abalone.csv", header=None)
    return frame.drop(columns=8), frame[8]


def _fraud(data: Path) -> tuple[pandas.DataFrame, Any]:
    frame = pandas.read_csv(data / "vehicle-insurance-fraud" / "carclaims.csv")
    return frame.drop(columns=["FraudFound"]), frame["FraudFound"] == "Yes"


def _electricity(data: Path) -> tuple[pandas.DataFrame, Any]:
    frame = pandas.read_csv(data / "electricity" / "elec.csv.gz")
    return frame.drop(columns=["class"]), frame["class"]


_TABLES: dict[str, tuple[Load, str, str]] = {
    "telco-churn": (_churn, "binary:logistic", "auc"),
    "adult-census": (_adult, "binary:logistic", "auc"),
    "abalone": (_abalone, "reg:squarederror", "rmse"),
    "vehicle-insurance-fraud": (_fraud, "binary:logistic", "auc"),
    "electricity": (_electricity, "binary:logistic", "logloss"),
}
NAMES = tuple(_TABLES)


@cache
def problem(name: str, data: Path, rows: int) -> Problem:
    """A table, of which ``rows`` drawn at random are trained on and as many judged by."""
    load, objective, metric = _TABLES[name]
    features, label = load(data)
    for column in features.columns:
        if not pandas.api.types.is_numeric_dtype(features[column]):
            features[column] = features[column].astype("category").cat.codes
    table, target = features.to_numpy(dtype=np.float32), label.to_numpy(dtype=np.float32)
    chosen = np.random.default_rng(0).permutation(len(table))
    first, second = chosen[:rows], chosen[rows : 2 * rows]
    return Problem(
        train=xgboost.DMatrix(table[first], label=target[first]),
        validation=xgboost.DMatrix(table[second], label=target[second]),
        objective=objective,
        metric=metric,
        maximize=metric == "auc",
    )


class _Watch(xgboost.callback.TrainingCallback):
    def __init__(self, judge: Judge) -> None:
        self.course: list[float] = []
        self._judge = judge

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        (values,) = evals_log["validation"].values()
        self.course.append(float(values[-1]))
        return not self._judge(epoch + 1, self.course[-1])


def train(found: Problem, parameters: dict[str, Any], rounds: int, judge: Judge) -> list[float]:
    """The metric of the rows to judge by after each round, until ``judge`` has seen enough."""
    watch = _Watch(judge)
    xgboost.train(
        {
            **parameters,
            "objective": found.objective,
            "eval_metric": found.metric,
            "tree_method": "hist",
            "max_bin": 64,
            "nthread": 1,
            "seed": 0,
        },
        found.train,
        rounds,
        evals=[(found.validation, "validation")],
        verbose_eval=False,
        callbacks=[watch],
    )
    return watch.course
