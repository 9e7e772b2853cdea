"""XGBoost's hook: the rounds of a training, in this process and as a job."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from xgboost import callback

from bottega.container.debugging.output import Output
from bottega.container.debugging.profiling import ProfilerSettings
from bottega.container.debugging.recorder import Recorder
from bottega.container.debugging.timeline import Timeline
from bottega.container.debugging.xgboost_hook import FRAMEWORK, XGBoostHook
from bottega.debugger import Trial, create_trial
from bottega.debugger.tensors.configuration import HookConfiguration
from bottega.testing.job_folder import JobFolder

METHODS = ("before_training", "before_iteration", "after_iteration", "after_training")
Hooked = Callable[..., Path]


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[Hooked]:
    """Puts a hook around the library; takes it away again."""
    container: Any = callback.CallbackContainer
    kept = {name: getattr(container, name) for name in METHODS}

    def install(*collections: str, interval: int = 1, timeline: Timeline | None = None) -> Path:
        document = {
            "HookParameters": {"save_interval": str(interval)},
            "CollectionConfigurations": [{"CollectionName": name} for name in collections],
        }
        recorder = Recorder(HookConfiguration.read(document), FRAMEWORK, Output(tmp_path))
        XGBoostHook(recorder, timeline, {"eta": 0.3, "objective": "o"}).install(callback)
        return tmp_path

    yield install
    for name, method in kept.items():
        setattr(container, name, method)


def table(rows: int = 80, classes: int = 2) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    features = random.normal(size=(rows, 3))
    return features, np.digitize(
        features[:, 0] + features[:, 1], np.linspace(-1, 1, classes + 1)[1:-1]
    )


def train(rounds: int, **parameters: Any) -> tuple[Any, Any, dict[str, Any]]:
    features, labels = table()
    data, other = (
        xgboost.DMatrix(features, labels, nthread=1),
        xgboost.DMatrix(features[:30], labels[:30], nthread=1),
    )
    history: dict[str, Any] = {}
    model = xgboost.train(
        {"objective": "binary:logistic", "nthread": 1, **(parameters or {"max_depth": 3})},
        data,
        rounds,
        evals=[(data, "train"), (other, "validation")],
        evals_result=history,
        verbose_eval=False,
    )
    return model, other, history


def values(trial: Trial, name: str) -> list[float]:
    return [float(one) for one in trial.tensor(name).values().values()]


def test_metrics_are_the_librarys(hooked: Hooked) -> None:
    folder = hooked("metrics", "losses", interval=2)
    _, _, history = train(5, eval_metric=["logloss", "auc"])
    trial = create_trial(folder)
    assert trial.steps() == [0, 2, 4]
    assert values(trial, "train-logloss") == history["train"]["logloss"][::2]
    assert values(trial, "validation-auc") == history["validation"]["auc"][::2]
    assert trial.tensor_names(collection="losses") == ["train-logloss", "validation-logloss"]


def test_predictions_labels_and_hyperparameters(hooked: Hooked) -> None:
    folder = hooked("predictions", "labels", "hyperparameters")
    model, other, _ = train(3)
    trial = create_trial(folder)
    np.testing.assert_array_equal(trial.tensor("predictions").value(2), model.predict(other))
    np.testing.assert_array_equal(trial.tensor("labels").value(0), other.get_label())
    assert trial.tensor("hyperparameters/eta").value(0) == 0.3
    assert trial.tensor("hyperparameters/objective").value(0).tolist() == ["o"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_depth": 3},
        {"booster": "dart", "rate_drop": 0.5},
        {"objective": "multi:softprob", "num_class": 2, "num_parallel_tree": 2, "subsample": 0.5},
    ],
)
def test_importances_of_a_growing_model_are_the_librarys(
    hooked: Hooked, parameters: dict[str, Any]
) -> None:
    folder = hooked("feature_importance", interval=3)
    model, _, _ = train(10, **parameters)
    check_importances(create_trial(folder), 9, model)
    for round_ in (0, 3, 6):
        check_importances(create_trial(folder), round_, model[: round_ + 1])


@pytest.mark.filterwarnings("ignore:.*manually specified the `updater`:UserWarning")
def test_a_training_that_changes_trees_shows_its_metrics(
    hooked: Hooked, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = hooked("metrics", "feature_importance", "trees")
    first, other, _ = train(4)
    changing = {"process_type": "update", "updater": "refresh", "nthread": 1}
    xgboost.train(changing, other, 4, evals=[(other, "again")], xgb_model=first, verbose_eval=False)
    trial = create_trial(folder)
    assert trial.tensor("again-logloss").steps() == [4, 5, 6, 7]
    assert trial.tensor("trees/Tree").steps() == [0, 1, 2, 3]
    assert capsys.readouterr().err == ""


def check_importances(trial: Trial, step: int, model: Any) -> None:
    """What is saved in a step are the shares of what the library says of a model."""
    for kind in ("weight", "gain", "cover", "total_gain", "total_cover"):
        scores = model.get_score(importance_type=kind)
        total = sum(scores.values())
        names = trial.tensor_names(step=step, regex=f"^feature_importance/{kind}/")
        shares = {name.rpartition("/")[2]: float(trial.tensor(name).value(step)) for name in names}
        assert shares == pytest.approx({one: score / total for one, score in scores.items()})


def test_contributions_are_the_librarys(hooked: Hooked) -> None:
    folder = hooked("full_shap", "average_shap")
    model, _, _ = train(3)
    features, labels = table()
    data = xgboost.DMatrix(features, labels, nthread=1)
    expected = model.predict(data, pred_contribs=True)
    trial = create_trial(folder)
    assert trial.tensor_names(regex="^full_shap/") == [f"full_shap/f{n}" for n in range(3)]
    for number in range(3):
        found = trial.tensor(f"full_shap/f{number}").value(2)
        np.testing.assert_allclose(found, expected[:, number], rtol=1e-5)
        average = trial.tensor(f"average_shap/f{number}").value(2)
        assert float(average) == pytest.approx(float(found.mean()), rel=1e-5)


def test_trees_are_the_librarys_table(hooked: Hooked) -> None:
    folder = hooked("trees")
    model, _, _ = train(3)
    trial, frame = create_trial(folder), model.trees_to_dataframe()
    own = frame[frame["Tree"] == 1].sort_values("Node")
    found = {name: trial.tensor(f"trees/{name}").value(1) for name in ("Node", "ID", "Feature")}
    for name, column in found.items():
        assert column.tolist() == own[name].tolist()
    np.testing.assert_allclose(trial.tensor("trees/Gain").value(1), own["Gain"], rtol=1e-4)
    leaves = trial.tensor("trees/Split").value(1)[found["Feature"] == "Leaf"]
    assert np.isnan(leaves).all()


def test_several_classes_have_several_trees_a_round(hooked: Hooked) -> None:
    folder = hooked("trees", "predictions")
    features, labels = table(classes=3)
    estimator = xgboost.XGBClassifier(n_estimators=2, max_depth=2, n_jobs=1)
    estimator.fit(features, labels)
    trial = create_trial(folder)
    assert set(trial.tensor("trees/Tree").value(1).tolist()) == {3, 4, 5}
    assert trial.tensor("predictions").shape(1) == (80, 3)


def test_estimators_cross_validation_and_linear_models(hooked: Hooked) -> None:
    folder = hooked("metrics", "feature_importance", "trees")
    features, labels = table()
    estimator = xgboost.XGBRegressor(n_estimators=2, n_jobs=1)
    estimator.fit(features, labels, eval_set=[(features, labels)], verbose=False)
    data = xgboost.DMatrix(features, labels, nthread=1)
    found = xgboost.cv({"nthread": 1}, data, 3, nfold=2, metrics="mae", as_pandas=False)
    train(2, booster="gblinear")
    trial = create_trial(folder)
    # Each training goes on counting where the one before it ended.
    assert trial.tensor("validation_0-rmse").steps() == [0, 1]
    assert trial.tensor("test-mae").steps() == [2, 3, 4]
    assert values(trial, "test-mae") == pytest.approx(found["test-mae-mean"])
    assert trial.tensor("train-logloss").steps() == [5, 6]
    assert trial.tensor_names(step=6, collection="feature_importance") == []


def test_early_stopping_and_a_model_that_goes_on(hooked: Hooked) -> None:
    folder = hooked("metrics")
    model, _, _ = train(3)
    features, labels = table()
    data = xgboost.DMatrix(features, labels, nthread=1)
    settings = {"nthread": 1, "eval_metric": "rmse"}
    xgboost.train(settings, data, 2, evals=[(data, "more")], xgb_model=model, verbose_eval=False)
    assert create_trial(folder).tensor("more-rmse").steps() == [3, 4]


def test_a_training_that_fails_does_not_keep_the_next_from_being_seen(hooked: Hooked) -> None:
    folder = hooked("metrics")
    features, labels = table()

    class Failing(callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        xgboost.train({"nthread": 1}, xgboost.DMatrix(features, labels), 2, callbacks=[Failing()])
    train(1)
    assert create_trial(folder).tensor_names() == ["train-logloss", "validation-logloss"]


def test_rounds_have_their_time(hooked: Hooked, tmp_path: Path) -> None:
    timeline = Timeline(ProfilerSettings(enabled=True), tmp_path, "n")
    hooked("metrics", timeline=timeline)
    train(3)
    timeline.flush()
    (file,) = tmp_path.rglob("*_pythontimeline.json")
    events = [one for one in json.loads(file.read_text()) if one["ph"] == "X"]
    assert [one["name"] for one in events] == ["Round:0", "Round:1", "Round:2"]
    assert [one["args"]["step_num"] for one in events] == ["0", "1", "2"]


def test_the_built_in_algorithm_as_a_job(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml", {"num_round": "6", "objective": "binary:logistic"})
    features, labels = table()
    rows = "\n".join(
        ",".join(map(str, [label, *row])) for row, label in zip(features, labels, strict=True)
    )
    job.channel("train", "text/csv", {"a.csv": rows})
    job.config(
        "debughookconfig",
        {
            "S3OutputPath": "s3://b/p",
            "LocalPath": "/opt/ml/output/tensors",
            "CollectionConfigurations": [
                {"CollectionName": "metrics", "CollectionParameters": {"save_interval": "2"}},
                {"CollectionName": "hyperparameters", "CollectionParameters": {"save_steps": "0"}},
            ],
        },
    )
    job.config("profilerconfig", {"S3OutputPath": "s3://b/p", "DisableProfiler": False})
    done = job.run()
    assert done.returncode == 0, done.stderr
    trial = create_trial(tmp_path / "ml" / "output" / "tensors")
    printed = [
        float(line.rpartition(":")[2]) for line in done.stdout.splitlines() if line.startswith("[")
    ]
    assert trial.tensor("train-logloss").steps() == [0, 2, 4]
    assert all(
        math.isclose(one, shown, abs_tol=1e-5)
        for one, shown in zip(values(trial, "train-logloss"), printed[::2], strict=True)
    )
    assert trial.tensor("hyperparameters/num_round").values() == {0: 6}
    assert trial.loaded_all_steps
    assert len(list((tmp_path / "ml" / "output" / "profiler").rglob("*.json"))) == 1
