"""Tuning with the SDK's HyperparameterTuner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from abalone import abalone_rows, as_csv
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

INSTANCE = "ml.m5.large"


@pytest.fixture(scope="module")
def channels(session: Any, shared_data: Path) -> dict[str, TrainingInput]:
    rows, bucket = abalone_rows(shared_data, 300), session.default_bucket()
    uris = {
        name: session.upload_string_as_file_body(as_csv(part), bucket, f"tuning/{name}/{name}.csv")
        for name, part in (("train", rows[:200]), ("validation", rows[200:]))
    }
    return {name: TrainingInput(uri, content_type="text/csv") for name, uri in uris.items()}


def tuner_of(session: Any, role: str, jobs: int, **settings: Any) -> HyperparameterTuner:
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    estimator = Estimator(image, role, 1, INSTANCE, sagemaker_session=session)
    estimator.set_hyperparameters(num_round=5, objective="reg:squarederror")
    return HyperparameterTuner(
        estimator,
        "validation:rmse",
        {"eta": ContinuousParameter(0.05, 0.9), "max_depth": IntegerParameter(2, 6)},
        objective_type="Minimize",
        max_jobs=jobs,
        max_parallel_jobs=2,
        **settings,
    )


def test_tune_and_deploy_the_best(session: Any, role: str, channels: Any, timed: Any) -> None:
    tuner = tuner_of(session, role, 6, strategy="Bayesian", random_seed=1)
    with timed("HyperparameterTuner.fit of 6 jobs"):
        tuner.fit(channels)
    described = tuner.describe()
    assert described["HyperParameterTuningJobStatus"] == "Completed"
    assert described["TrainingJobStatusCounters"]["Completed"] == 6
    assert tuner.best_training_job() == described["BestTrainingJob"]["TrainingJobName"]
    table = tuner.analytics().dataframe()
    assert len(table) == 6
    assert table["FinalObjectiveValue"].min() == pytest.approx(
        described["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    )
    best = tuner.best_estimator()
    assert set(best.hyperparameters()) >= {"eta", "max_depth", "num_round"}
    predictor = tuner.deploy(1, INSTANCE, serializer=CSVSerializer())
    assert predictor.predict([0, 0.455, 0.365, 0.095, 0.514, 0.2245, 0.101, 0.15])
    predictor.delete_model()
    predictor.delete_endpoint()
    attached = HyperparameterTuner.attach(tuner.latest_tuning_job.name, sagemaker_session=session)
    assert attached.best_training_job() == tuner.best_training_job()
    later = attached.transfer_learning_tuner()
    assert later.warm_start_config is not None


def test_stopping_a_search(session: Any, role: str, channels: Any) -> None:
    tuner = tuner_of(session, role, 100, strategy="Random")
    tuner.fit(channels, wait=False, job_name="stopped-search")
    tuner.stop_tuning_job()
    tuner.wait()
    assert tuner.describe()["HyperParameterTuningJobStatus"] == "Stopped"
