"""Whole jobs of Linear Learner on small made data."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from scipy import sparse

RNG = np.random.default_rng(7)
ROWS, WIDTH = 600, 4
FEATURES = (RNG.normal(size=(ROWS, WIDTH)) * [1, 20, 0.1, 1] + [0, 300, -2, 5]).astype("f4")
TRUE = np.array([2.0, 0.05, -8.0, 0.0])
NUMBERS = FEATURES @ TRUE + 30 + RNG.normal(scale=0.3, size=ROWS)
CHANCES = 1 / (1 + np.exp(-(NUMBERS - np.median(NUMBERS))))
BINARY = (RNG.random(ROWS) < CHANCES).astype(int)
CLASSES = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.2, 0.6]))
TRAIN, REST = slice(0, 400), slice(400, None)

SMALL = {"mini_batch_size": 50}
REGRESSOR = {"predictor_type": "regressor", **SMALL}
CLASSIFIER = {"predictor_type": "binary_classifier", **SMALL}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": 3, **SMALL}

Jobs = Any


def parts(labels: np.ndarray, *names: str) -> dict[str, Any]:
    """The training rows as the first channel, the rest as the others."""
    found: dict[str, Any] = {"train": (FEATURES[TRAIN], labels[TRAIN])}
    return {**found, **dict.fromkeys(names, (FEATURES[REST], labels[REST]))}


@pytest.mark.parametrize(
    "loss",
    [
        "squared_loss",
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ],
)
def test_every_loss_of_regression_finds_the_line(jobs: Jobs, loss: str) -> None:
    done = jobs.run(
        {**REGRESSOR, "loss": loss, "epochs": 30}, **parts(NUMBERS, "validation", "test")
    )
    assert done.metric("test rmse") < 0.45
    predicted = done.outputs(FEATURES[REST])["score"]
    rmse = float(np.sqrt(np.mean((predicted - NUMBERS[REST]) ** 2)))
    assert done.metric("test rmse") == pytest.approx(rmse, rel=1e-3)
    name = "mse" if loss == "squared_loss" else loss
    assert done.metric(f"test {name}_objective") > 0


def test_a_quantile_is_predicted(jobs: Jobs) -> None:
    noisy = FEATURES[:, 0] + RNG.exponential(size=ROWS) * 2
    done = jobs.run(
        {**REGRESSOR, "loss": "quantile_loss", "quantile": 0.9, "epochs": 40},
        train=(FEATURES, noisy),
    )
    below = (noisy < done.outputs(FEATURES)["score"]).mean()
    assert below == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
def test_two_classes(jobs: Jobs, optimizer: str, loss: str) -> None:
    values = {**CLASSIFIER, "loss": loss, "optimizer": optimizer}
    values |= {"binary_classifier_model_selection_criteria": "loss_function"}
    done = jobs.run(values, **parts(BINARY, "validation", "test"))
    best = ((CHANCES > 0.5) == BINARY)[REST].mean()
    accuracy = done.metric("test binary_classification_accuracy")
    assert accuracy > best - 0.05
    outputs = done.outputs(FEATURES[REST])
    assert (outputs["predicted_label"] == BINARY[REST]).mean() == pytest.approx(accuracy)
    if loss == "logistic":
        assert outputs["score"].min() >= 0
        assert outputs["score"].max() <= 1
        assert np.abs(outputs["score"] - CHANCES[REST]).mean() < 0.1
    else:
        assert outputs["score"].min() < -1
        assert outputs["score"].max() > 1


def test_several_classes(jobs: Jobs) -> None:
    done = jobs.run({**MULTICLASS, "accuracy_top_k": 2}, **parts(CLASSES, "validation", "test"))
    assert done.metric("test multiclass_accuracy") > 0.88
    for name in (
        "multiclass_top_k_accuracy_2",
        "dcg",
        "macro_f_1.000",
        "macro_recall",
        "macro_precision",
        "multiclass_balanced_accuracy",
    ):
        assert 0.85 < done.metric(f"test {name}") <= 1
    outputs = done.outputs(FEATURES[REST])
    assert outputs["score"].shape == (200, 3)
    np.testing.assert_allclose(outputs["score"].sum(axis=1), 1)
    found = (outputs["predicted_label"] == CLASSES[REST]).mean()
    assert found == pytest.approx(done.metric("test multiclass_accuracy"))
    loss = -np.log(outputs["score"][np.arange(200), CLASSES[REST]]).mean()
    assert done.metric("test multiclass_log_loss") == pytest.approx(loss, rel=1e-4)
    assert done.metric("test multiclass_cross_entropy_objective") == pytest.approx(loss, rel=1e-4)


def metrics_lines(log: str) -> list[dict[str, Any]]:
    return [
        json.loads(line.removeprefix("#metrics "))
        for line in log.splitlines()
        if line.startswith("#metrics ")
    ]


def test_the_log_is_that_of_sagemaker(jobs: Jobs) -> None:
    done = jobs.run({**CLASSIFIER, "epochs": 2}, **parts(BINARY, "validation"))
    objective = "binary_classification_cross_entropy_objective"
    for line in (
        rf"\[.+ INFO \d+\] #quality_metric: host=algo-1, epoch=0, train {objective} <loss>=\S+",
        rf"\[.+\] #quality_metric: host=algo-1, epoch=1, validation {objective} <loss>=\S+",
        rf"#early_stopping_criteria_metric: host=algo-1, epoch=1, criteria={objective}, value=\d",
        r"\[.+\] #progress_metric: host=algo-1, completed 50 % of epochs",
        r"\[.+\] #progress_metric: host=algo-1, completed 100 % of epochs",
        r"\[.+\] #throughput_metric: host=algo-1, train throughput=\S+ records/second",
        rf"\[.+\] #quality_metric: host=algo-1, validation {objective} <loss>=\S+",
        r"\[.+\] #quality_metric: host=algo-1, validation binary_f_1.000 <score>=\S+",
        r"\[.+\] #quality_metric: host=algo-1, train roc_auc_score <score>=\S+",
        r'\[.+\] Best model found for hyperparameters: \{"optimizer": "adam", ',
    ):
        assert re.search(line, done.log), line
    found = metrics_lines(done.log)
    assert len(found) == 64
    dimensions = [item["Dimensions"] for item in found]
    assert [item["model"] for item in dimensions] == [*range(32)] * 2
    assert {item["epoch"] for item in dimensions} == {0, 1}
    assert {item["Algorithm"] for item in dimensions} == {"Linear Learner"}
    values = [item["Metrics"][f"validation_{objective}"]["sum"] for item in found[32:]]
    # The best of the models is what the line of the epoch says.
    assert min(values) == pytest.approx(done.metric(f"validation {objective}", epoch=1))
    assert len(set(values)) == 32


def test_one_model_in_a_tuning_job(jobs: Jobs) -> None:
    done = jobs.run(
        {**REGRESSOR, "epochs": 1, "_tuning_objective_metric": "validation:mse"},
        **parts(NUMBERS, "validation"),
    )
    assert [item["Dimensions"]["model"] for item in metrics_lines(done.log)] == [0]
    assert done.metric("validation mse") == pytest.approx(done.metric("validation rmse") ** 2)


def test_given_settings_are_kept(jobs: Jobs) -> None:
    done = jobs.run(
        {**REGRESSOR, "learning_rate": 0.03, "wd": 0.002, "l1": 0.001, "num_models": 3},
        **parts(NUMBERS),
    )
    facts = json.loads(done.log.rpartition("hyperparameters: ")[2].splitlines()[0])
    assert (facts["learning_rate"], facts["wd"], facts["l1"]) == (0.03, 0.002, 0.001)
    assert facts["lr_scheduler_step"] == 8
    assert done.model.linear.hyperparameters == facts


def test_the_best_model_is_chosen_by_validation(jobs: Jobs) -> None:
    """Rows that have nothing in common with their labels: what regularises most is the best."""
    noise = RNG.normal(size=(60, 40))
    labels = RNG.normal(size=60)
    done = jobs.run(
        {**REGRESSOR, "epochs": 30, "early_stopping_patience": 30},
        train=(noise[:30], labels[:30]),
        validation=(noise[30:], labels[30:]),
    )
    facts = done.model.linear.hyperparameters
    values = [
        item["Metrics"]["validation_mse_objective"]["sum"] for item in metrics_lines(done.log)
    ]
    assert done.metric("validation mse") == pytest.approx(min(values), rel=1e-4)
    best = int(np.argmin(values)) % 32
    assert facts["model"] == best


def test_early_stopping(jobs: Jobs) -> None:
    done = jobs.run(
        {**REGRESSOR, "epochs": 100, "early_stopping_patience": 2, "early_stopping_tolerance": 0.5},
        **parts(NUMBERS, "validation"),
    )
    assert 3 <= done.epochs < 20
    done = jobs.run(
        {**REGRESSOR, "epochs": 8, "early_stopping_patience": 9}, **parts(NUMBERS, "validation")
    )
    assert done.epochs == 8


def test_early_stopping_looks_at_given_criteria(jobs: Jobs) -> None:
    done = jobs.run(
        {**CLASSIFIER, "epochs": 3, "binary_classifier_model_selection_criteria": "f1"},
        **parts(BINARY, "validation"),
    )
    found = re.findall(r"epoch=(\d), criteria=f1, value=(\S+)", done.log)
    assert [epoch for epoch, _ in found] == ["0", "1", "2"]
    best = max(float(value) for _, value in found)
    assert done.metric("validation binary_f_1.000") == pytest.approx(best)


@pytest.mark.parametrize(
    ("criterion", "values", "metric"),
    [
        ("f_beta", {"f_beta": 3}, "recall"),
        ("precision_at_target_recall", {"target_recall": 0.97}, "recall"),
        ("recall_at_target_precision", {"target_precision": 0.97}, "precision"),
    ],
)
def test_the_threshold_follows_the_criterion(
    jobs: Jobs, criterion: str, values: dict[str, float], metric: str
) -> None:
    done = jobs.run(
        {**CLASSIFIER, **values, "binary_classifier_model_selection_criteria": criterion},
        **parts(BINARY, "validation"),
    )
    assert done.metric(f"validation {metric}") >= 0.9
    linear = done.model.linear
    assert linear.threshold != pytest.approx(0.5, abs=0.01)
    outputs = done.outputs(FEATURES)
    np.testing.assert_array_equal(
        outputs["predicted_label"], (outputs["score"] > linear.threshold).astype(int)
    )


@pytest.mark.parametrize("criterion", ["cross_entropy_loss", "loss_function"])
@pytest.mark.parametrize("loss", ["logistic", "hinge_loss"])
def test_criteria_that_are_losses_leave_the_threshold(
    jobs: Jobs, criterion: str, loss: str
) -> None:
    done = jobs.run(
        {**CLASSIFIER, "loss": loss, "binary_classifier_model_selection_criteria": criterion},
        **parts(BINARY, "validation"),
    )
    assert done.model.linear.threshold == (0.5 if loss == "logistic" else 0)


def test_a_target_out_of_reach_is_said(jobs: Jobs) -> None:
    values = {
        **CLASSIFIER,
        "binary_classifier_model_selection_criteria": "recall_at_target_precision",
        "target_precision": 0.999,
    }
    labels = RNG.integers(0, 2, ROWS)
    labels[REST.start :] = 0
    labels[-1] = 1
    features = np.where(np.arange(ROWS)[:, None] == ROWS - 1, 0.5, FEATURES - FEATURES.mean(axis=0))
    done = jobs.run(
        {**values, "num_models": 1},
        train=(features[TRAIN], labels[TRAIN]),
        validation=(features[REST], labels[REST]),
    )
    precision = done.metric("validation precision")
    assert ("No threshold reaches the target" in done.log) == (precision < 0.999)


def test_rare_rows_of_class_1_can_weigh_more(jobs: Jobs) -> None:
    rare = (np.quantile(NUMBERS, 0.9) < NUMBERS).astype(int)
    rare[RNG.random(ROWS) < 0.1] = 0
    by_loss = {**CLASSIFIER, "binary_classifier_model_selection_criteria": "loss_function"}
    recalls = {}
    for weight in ("1.0", "balanced", "20"):
        done = jobs.run({**by_loss, "positive_example_weight_mult": weight}, train=(FEATURES, rare))
        recalls[weight] = done.metric("train recall")
        found = done.model.linear.hyperparameters["positive_example_weight_mult"]
        expected = (rare == 0).sum() / rare.sum() if weight == "balanced" else float(weight)
        assert found == pytest.approx(expected)
    assert recalls["1.0"] < recalls["balanced"] <= recalls["20"]
    done = jobs.run({**CLASSIFIER, "positive_example_weight_mult": "auto"}, train=(FEATURES, rare))
    assert done.metric("train binary_classification_accuracy") > 0.93


def test_balanced_classes(jobs: Jobs) -> None:
    rare = np.digitize(NUMBERS + RNG.normal(size=ROWS), np.quantile(NUMBERS, [0.05, 0.9]))
    plain = jobs.run(MULTICLASS, train=(FEATURES, rare))
    balanced = jobs.run(
        {**MULTICLASS, "balance_multiclass_weights": "true"}, train=(FEATURES, rare)
    )
    name = "train multiclass_balanced_accuracy"
    assert balanced.metric(name) > plain.metric(name)


def test_dense_and_sparse_records_and_csv_give_the_same_model(jobs: Jobs) -> None:
    holes = np.where(RNG.random(FEATURES.shape) < 0.5, 0, FEATURES - [0, 300, -2, 5]).astype("f4")
    labels = (holes @ TRUE > 0).astype(int)
    values = {**CLASSIFIER, "epochs": 3, "unbias_data": "true"}
    form = {
        "csv": jobs.run(values, train=(holes, labels)),
        "records": jobs.run(values, recordio=True, train=(holes, labels)),
        "sparse": jobs.run(values, recordio=True, train=(sparse.csr_matrix(holes), labels)),
    }
    np.testing.assert_array_equal(form["csv"].weights, form["records"].weights)
    np.testing.assert_allclose(form["csv"].weights, form["sparse"].weights, rtol=5e-3, atol=1e-4)
    # Without being asked, sparse rows are not shifted; the result is as good.
    plain = jobs.run(CLASSIFIER, recordio=True, train=(sparse.csr_matrix(holes), labels))
    assert plain.metric("train binary_classification_accuracy") > 0.97


def test_sparse_validation_of_dense_training(jobs: Jobs) -> None:
    folder = jobs.with_data(REGRESSOR, recordio=True, **parts(NUMBERS, "validation"))
    again = jobs.with_data(
        REGRESSOR,
        recordio=True,
        train=(FEATURES[TRAIN], NUMBERS[TRAIN]),
        validation=(sparse.csr_matrix(FEATURES[REST]), NUMBERS[REST]),
    )
    first, second = jobs.train(folder), jobs.train(again)
    assert first.metric("validation mse") == pytest.approx(
        second.metric("validation mse"), rel=1e-3
    )


def test_the_same_data_give_the_same_bytes(jobs: Jobs) -> None:
    files = [
        (jobs.run(CLASSIFIER, **parts(BINARY, "validation")).folder.root / "model/model_algo-1")
        for _ in range(2)
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_l1_leaves_out_what_does_not_matter(jobs: Jobs) -> None:
    noise = np.column_stack([FEATURES, RNG.normal(size=(ROWS, 10))])
    done = jobs.run({**REGRESSOR, "l1": 0.3, "epochs": 40}, train=(noise, NUMBERS))
    assert (done.weights[4:14] == 0).all()
    assert (done.weights[[0, 2]] != 0).all()


def test_data_that_are_not_scaled(jobs: Jobs) -> None:
    values = {
        **REGRESSOR,
        "normalize_data": "false",
        "unbias_data": "false",
        "normalize_label": "false",
        "unbias_label": "false",
        "epochs": 60,
        "early_stopping_patience": 60,
    }
    plain = (FEATURES - FEATURES.mean(axis=0)) / FEATURES.std(axis=0)
    labels = (NUMBERS - NUMBERS.mean()) / NUMBERS.std()
    done = jobs.run(values, train=(plain, labels))
    assert done.metric("train mse") < 0.05


def test_no_bias(jobs: Jobs) -> None:
    values = {**REGRESSOR, "use_bias": "false", "epochs": 20}
    done = jobs.run(values, train=(FEATURES, FEATURES @ TRUE))
    assert done.weights[-1] == 0
    assert done.metric("train rmse") < 1


def test_features_that_never_vary(jobs: Jobs) -> None:
    fixed = np.column_stack([FEATURES, np.full(ROWS, 1e6), np.zeros(ROWS)])
    done = jobs.run(REGRESSOR, train=(fixed, NUMBERS))
    assert (done.weights[4:6] == 0).all()
    assert done.metric("train rmse") < 0.6


def test_labels_that_never_vary(jobs: Jobs) -> None:
    done = jobs.run({**REGRESSOR, "epochs": 20}, train=(FEATURES, np.full(ROWS, 5.0)))
    np.testing.assert_allclose(done.outputs(FEATURES)["score"], 5, atol=0.1)


def test_fewer_rows_than_a_batch(jobs: Jobs) -> None:
    done = jobs.run({**REGRESSOR, "mini_batch_size": 5000}, train=(FEATURES[:3], NUMBERS[:3]))
    assert done.epochs >= 4
    done = jobs.run(REGRESSOR, train=(FEATURES[:1], NUMBERS[:1]))
    assert done.outputs(FEATURES[:1])["score"][0] == pytest.approx(NUMBERS[0], abs=0.5)


def test_scales_come_from_the_first_rows(jobs: Jobs) -> None:
    """A single row says nothing about deviations, so that nothing is scaled."""
    done = jobs.run(
        {**REGRESSOR, "num_point_for_scaler": 10, "epochs": 40}, train=(FEATURES, NUMBERS)
    )
    assert done.metric("train rmse") < 1


def test_num_calibration_samples(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    from bottega.algorithms.linear_learner import selection

    seen: list[int] = []

    def watched(margins: Any, labels: Any, settings: Any) -> Any:
        seen.append(labels.size)
        return real(margins, labels, settings)

    real = selection.calibrate
    monkeypatch.setattr(selection, "calibrate", watched)
    jobs.run({**CLASSIFIER, "epochs": 1, "num_calibration_samples": 77}, train=(FEATURES, BINARY))
    assert seen == [77] * 32


def test_memory_limits_the_number_of_models(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    from bottega.algorithms.linear_learner import preparation

    monkeypatch.setattr(preparation, "_memory", lambda: 4 * 24 * 5 * 6)
    done = jobs.run({**REGRESSOR, "epochs": 1}, train=(FEATURES, NUMBERS))
    assert "6 models are trained instead of 32" in done.log
    assert len(metrics_lines(done.log)) == 6
    monkeypatch.setattr(preparation, "_memory", lambda: 100)
    folder = jobs.with_data({**REGRESSOR, "num_models": 2}, train=(FEATURES, NUMBERS))
    assert "Use fewer features, classes or models" in jobs.refused(folder)


def test_some_models_may_diverge(jobs: Jobs) -> None:
    """Of several models with the same huge rate only strong penalties keep one in bounds."""
    values = {**REGRESSOR, "optimizer": "sgd", "learning_rate": 3.0, "momentum": 0}
    done = jobs.run(values, train=(FEATURES, NUMBERS), validation=(FEATURES, NUMBERS))
    assert np.isfinite(done.weights).all()
