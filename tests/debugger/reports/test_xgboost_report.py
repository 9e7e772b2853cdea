"""The report on an XGBoost training, of what real trainings saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.metrics import accuracy_score, mean_absolute_error, roc_auc_score

from bottega.debugger.reports import xgboost_report
from bottega.debugger.reports.training import ReportedTraining
from bottega.debugger.reports.xgboost_numbers import numbers_of
from bottega.debugger.tensors.trial import Trial
from bottega.testing.rule_trials import trial_of_steps

TRAINING = ReportedTraining(
    "boosted", "Completed", 10.0, 20.0, ("algo-1",), "ml.m5.large", {"max_depth": "<3>"}
)


def trained(data: tuple[Any, Any], parameters: Mapping[str, object]) -> tuple[Trial, Any, Any]:
    """A training's trial, with labels and predictions of its last saved step."""
    import xgboost

    features, labels = data
    half = len(labels) // 2
    training = xgboost.DMatrix(features[:half], labels[:half])
    validation = xgboost.DMatrix(features[half:], labels[half:])
    steps: list[dict[str, Any]] = []

    class Record(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            step = {
                f"{name}-{metric}": values[-1]
                for name, metrics in evals_log.items()
                for metric, values in metrics.items()
            }
            step["labels"], step["predictions"] = validation.get_label(), model.predict(validation)
            for kind in ("weight", "gain"):
                for feature, score in model.get_score(importance_type=kind).items():
                    step[f"feature_importance/{kind}/{feature}"] = score
            if epoch == 0:
                step["hyperparameters/objective"] = parameters["objective"]
            steps.append(step)
            return False

    xgboost.train(
        {"nthread": 1, "seed": 0, **parameters},
        training,
        8,
        evals=[(training, "train"), (validation, "validation")],
        callbacks=[Record()],
        verbose_eval=False,
    )
    return trial_of_steps(steps), steps[-1]["labels"], steps[-1]["predictions"]


def test_two_classes(tmp_path: Path) -> None:
    data = make_classification(400, 8, random_state=0)
    trial, labels, scores = trained(data, {"objective": "binary:logistic"})
    written = xgboost_report.write(trial, TRAINING, tmp_path)
    assert sorted(map(str, written)) == sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    found = numbers_of(trial)
    assert (found.kind, found.objective, found.step) == ("classification", "binary:logistic", 7)
    accuracy = accuracy_score(labels, scores > 0.5)
    assert found.parts["ClassificationReport"]["accuracy"] == pytest.approx(accuracy)
    assert found.parts["ROC"]["auc"] == pytest.approx(roc_auc_score(labels, scores))
    matrix = np.array(found.parts["ConfusionMatrix"]["matrix"])
    assert np.trace(matrix) / matrix.sum() == pytest.approx(accuracy)
    assert found.parts["LabelDistribution"] == {
        str(one): int((labels == one).sum()) for one in (0, 1)
    }
    assert found.parts["IterativeAccuracy"]["1"]["steps"] == list(range(8))
    html = (tmp_path / "xgboost_report.html").read_text()
    assert "<script" not in html
    assert "&lt;3&gt;" in html
    for anchor in ("metrics", "featureimportance", "confusionmatrix", "roc", "iterativeaccuracy"):
        assert f'id="{anchor}"' in html
    nbformat.validate(nbformat.read(tmp_path / "xgboost_report.ipynb", as_version=4))


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_three_classes(objective: str) -> None:
    data = make_classification(400, 8, n_informative=4, n_classes=3, random_state=0)
    trial, labels, predictions = trained(data, {"objective": objective, "num_class": 3})
    found = numbers_of(trial)
    guessed = predictions.argmax(axis=1) if predictions.ndim > 1 else predictions
    accuracy = found.parts["ClassificationReport"]["accuracy"]
    assert accuracy == pytest.approx(accuracy_score(labels, guessed))
    assert found.parts["ClassificationReport"]["classes"].keys() == {"0", "1", "2"}
    assert "ROC" not in found.parts


def test_a_regression(tmp_path: Path) -> None:
    data = make_regression(400, 8, random_state=0)
    trial, labels, predictions = trained(data, {"objective": "reg:squarederror"})
    xgboost_report.write(trial, TRAINING, tmp_path)
    residuals = json.loads((tmp_path / "xgboost-reports/Residuals.json").read_text())
    assert residuals["mae"] == pytest.approx(mean_absolute_error(labels, predictions), rel=1e-5)
    assert sum(residuals["counts"]) == len(labels)
    errors = json.loads((tmp_path / "xgboost-reports/ErrorPerLabelBin.json").read_text())
    assert sum(errors["samples"]) == len(labels)
    whole = sum(
        error * count
        for error, count in zip(errors["mean_absolute_error"], errors["samples"], strict=True)
        if error is not None
    )
    assert whole / len(labels) == pytest.approx(residuals["mae"])
    html = (tmp_path / "xgboost_report.html").read_text()
    assert 'id="errorperlabelbin"' in html
    assert 'id="confusionmatrix"' not in html


def test_a_training_that_saved_little_says_what_is_missing(tmp_path: Path) -> None:
    trial = trial_of_steps([{"train-rmse": 1.0}, {"train-rmse": 0.5}])
    xgboost_report.write(trial, TRAINING, tmp_path)
    html = (tmp_path / "xgboost_report.html").read_text()
    assert "did not save: FeatureImportance, labels and predictions" in html
    nothing = trial_of_steps([])
    xgboost_report.write(nothing, TRAINING, tmp_path / "nothing")
    assert (tmp_path / "nothing/xgboost_report.html").is_file()


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    trial = trial_of_steps([{"train-rmse": 1.0, "feature_importance/gain/a": 1.0}])
    xgboost_report.write(trial, TRAINING, tmp_path)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    xgboost_report.write(trial, TRAINING, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == first
