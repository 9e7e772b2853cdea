"""Small models and how good they are: the quick models, and single features as predictors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.wrangler.insight.matrix import SEED

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]


def boosted(classes: int, trees: int, depth: int, threads: int = 1) -> Any:
    """An untrained XGBoost model; a regression when there are no classes.

    Small models are faster with one thread.
    """
    import xgboost

    settings = {
        "n_estimators": trees,
        "max_depth": depth,
        "learning_rate": 0.2,
        "random_state": SEED,
        "n_jobs": threads,
        "tree_method": "hist",
    }
    return xgboost.XGBClassifier(**settings) if classes else xgboost.XGBRegressor(**settings)


def class_scores(truth: Array, chances: Array) -> dict[str, float]:
    """How good the chances of classes are; each score by its name.

    Args:
        truth: numbers of classes.
        chances: (rows, classes).
    """
    from sklearn import metrics

    guess = chances.argmax(axis=1)
    two = chances.shape[1] == 2
    average = "binary" if two else "macro"
    common = {"average": average, "zero_division": 0.0}
    return {
        "Accuracy": float(metrics.accuracy_score(truth, guess)),
        "Balanced accuracy": float(metrics.balanced_accuracy_score(truth, guess)),
        "AUC" if two else "AUC (one against the rest)": auc(truth, chances),
        "Precision": float(metrics.precision_score(truth, guess, **_positive(two), **common)),
        "Recall": float(metrics.recall_score(truth, guess, **_positive(two), **common)),
        "F1": float(metrics.f1_score(truth, guess, **_positive(two), **common)),
    }


def _positive(two: bool) -> dict[str, int]:
    # Classes are numbered by frequency: of two, the rarer one is what one looks for.
    return {"pos_label": 1} if two else {}


def auc(truth: Array, chances: Array) -> float:
    """The area under the ROC curve; of several classes, the mean of each against the rest."""
    from sklearn.metrics import roc_auc_score

    found = []
    for number in range(1 if chances.shape[1] == 2 else 0, chances.shape[1]):
        is_one = truth == number
        if 0 < is_one.sum() < len(truth):
            found.append(float(roc_auc_score(is_one, chances[:, number])))
    return float(np.mean(found)) if found else 0.5


def number_scores(truth: Array, guess: Array) -> dict[str, float]:
    """How good a regression is; each score by its name."""
    from sklearn import metrics

    squared = float(metrics.mean_squared_error(truth, guess))
    return {
        "R2": float(metrics.r2_score(truth, guess)),
        "MSE": squared,
        "RMSE": squared**0.5,
        "MAE": float(metrics.mean_absolute_error(truth, guess)),
        "Max error": float(metrics.max_error(truth, guess)),
        "Median absolute error": float(metrics.median_absolute_error(truth, guess)),
    }


def power(
    train_x: pd.DataFrame, test_x: pd.DataFrame, train_y: Array, test_y: Array, classes: int
) -> dict[str, float]:
    """How well each feature alone predicts the target: 0 not at all, 1 perfectly.

    Of classes 2 AUC - 1, of quantities R2, both not below 0, of a small boosted model that has seen
    the training rows, on the test rows.
    """
    found = {}
    for column in train_x.columns:
        one, other = train_x[[column]].to_numpy(), test_x[[column]].to_numpy()
        model = boosted(classes, trees=20, depth=3).fit(one, train_y)
        if classes:
            score = 2 * auc(test_y, model.predict_proba(other)) - 1
        else:
            score = number_scores(test_y, model.predict(other))["R2"]
        found[column] = max(0.0, score)
    return found
