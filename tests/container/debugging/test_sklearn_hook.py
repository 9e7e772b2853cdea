"""scikit-learn's hook: what estimators have learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bottega.debugger import ModeKeys, Trial, create_trial
from bottega.testing.job_folder import JobFolder

SCRIPT = """
import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.base import BaseEstimator

random = np.random.default_rng(0)
X = random.normal(size=(60, 3))
y = (X[:, 0] > 0).astype(int)
StandardScaler().fit(X)                                       # no step
make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)  # step 0
network = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
import warnings
warnings.simplefilter("ignore")
network.fit(X, X[:, 1])                                       # steps 1 to 3
online = SGDRegressor(random_state=0)
for _ in range(2):
    online.partial_fit(X, y)                                  # steps 4, 5
GradientBoostingRegressor(n_estimators=2).fit(X, y)           # steps 6, 7
HistGradientBoostingClassifier(max_iter=2, early_stopping=True).fit(X, y)
search = GridSearchCV(RandomForestClassifier(5, random_state=0), {"max_depth": [1, 2]}, cv=2)
search.fit(X, y=y)


class Mine(BaseEstimator):
    def fit(self, X, y=None):
        self.coef_ = np.ones(2)
        return self


Mine().fit(X)
try:
    LogisticRegression().fit(X, y[:3])
except ValueError:
    pass
LogisticRegression(C=2.0).fit(X, y)
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder: Path = tmp_path_factory.mktemp("sklearn") / "ml"
    job = JobFolder(folder, {"sagemaker_program": "train.py"}, image="sklearn")
    job.source({"train.py": SCRIPT})
    names = ("losses", "weights", "biases", "feature_importance", "labels", "hyperparameters")
    job.config(
        "debughookconfig",
        {
            "S3OutputPath": "s3://b/p",
            "HookParameters": {"save_interval": "1"},
            "CollectionConfigurations": [{"CollectionName": name} for name in names],
        },
    )
    done = job.run()
    assert done.returncode == 0, done.stderr
    assert "Debugger:" not in done.stderr
    return create_trial(folder / "output" / "tensors")


def test_what_learns_in_a_pipeline(trial: Trial) -> None:
    assert trial.tensor("LogisticRegression/coef_").shape(0) == (1, 3)
    assert trial.tensor("labels").value(0).sum() > 0
    assert "LogisticRegression/intercept_" in trial.tensor_names(collection="biases")


def test_the_course_of_a_loss_is_steps(trial: Trial) -> None:
    losses = trial.tensor("loss").values("TRAIN")
    assert {1, 2, 3, 6, 7} <= losses.keys()
    assert losses[3] < losses[1]
    assert trial.tensor("MLPRegressor/coefs_/0").steps("TRAIN") == [3]
    assert trial.tensor("MLPRegressor/coefs_/0").shape(3, "TRAIN") == (3, 4)
    assert trial.tensor("loss").steps(ModeKeys.EVAL)


def test_each_part_of_the_data_is_a_step(trial: Trial) -> None:
    first, second = (trial.tensor("SGDRegressor/coef_").value(step) for step in (4, 5))
    assert not np.array_equal(first, second)


def test_the_best_of_a_search_and_its_importances(trial: Trial) -> None:
    names = [
        name
        for name in trial.tensor_names(collection="feature_importance")
        if name.startswith("feature_importance/gain/f")
    ]
    step = trial.tensor(names[0]).steps()[-1]
    assert sum(float(trial.tensor(name).value(step)) for name in names) == pytest.approx(1.0)


def test_estimators_of_the_script_and_after_a_failure(trial: Trial) -> None:
    assert trial.tensor("Mine/coef_").values()[trial.tensor("Mine/coef_").steps()[0]].tolist() == [
        *(1.0, 1.0)
    ]
    last = trial.steps()[-1]
    assert trial.tensor("hyperparameters/C").value(last) == 2.0
