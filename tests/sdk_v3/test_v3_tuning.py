"""``HyperparameterTuner`` over ``ModelTrainer``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sagemaker.core import image_uris
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter
from sagemaker.core.resources import HyperParameterTuningJob, TrainingJob
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import InputData, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

REGION = "us-east-1"
SKLEARN = image_uris.retrieve("sklearn", REGION, version="1.2-1")
XGBOOST = image_uris.retrieve("xgboost", REGION, version="1.7-1")

TRIAL = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--kind")
parser.add_argument("--epochs", type=int)
given, _ = parser.parse_known_args()
print(f"loss: {(given.rate - 0.5) ** 2 + (given.kind == 'worse')};")
"""


def test_a_script(tmp_path: Path, timed: Any) -> None:
    (tmp_path / "train.py").write_text(TRIAL)
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(source_dir=str(tmp_path), entry_script="train.py"),
        base_job_name="trial",
        hyperparameters={"epochs": 3},
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="loss",
        metric_definitions=[{"Name": "loss", "Regex": "loss: ([0-9.e-]+);"}],
        objective_type="Minimize",
        strategy="Random",
        random_seed=7,
        hyperparameter_ranges={
            "rate": ContinuousParameter(0.0, 1.0),
            "kind": CategoricalParameter(["better", "worse"]),
        },
        max_jobs=4,
        max_parallel_jobs=2,
        base_tuning_job_name="script",
    )
    with timed("4 trials"):
        tuner.tune()
    job = tuner.latest_tuning_job
    job.refresh()
    assert job.hyper_parameter_tuning_job_status == "Completed"
    counters = job.training_job_status_counters
    assert (counters.completed, counters.in_progress, counters.non_retryable_error) == (4, 0, 0)
    best = TrainingJob.get(tuner.best_training_job())
    (metric,) = best.final_metric_data_list
    listed = job.get_all_training_jobs()
    values = [trial.final_hyper_parameter_tuning_job_objective_metric.value for trial in listed]
    assert len(values) == 4
    assert metric.value == pytest.approx(min(values))
    assert best.hyper_parameters["epochs"] == "3"
    table = tuner.analytics().dataframe()
    assert len(table) == 4
    assert table["FinalObjectiveValue"].min() == pytest.approx(min(values))


def test_a_built_in_algorithm(session: Any, shared_data: Path, tmp_path: Path, timed: Any) -> None:
    rows = (shared_data / "abalone" / "abalone.libsvm").read_text().splitlines(keepends=True)
    channels = []
    for name, part in (("train", rows[:600]), ("validation", rows[600:900])):
        (tmp_path / f"{name}.libsvm").write_text("".join(part))
        uri = session.upload_data(str(tmp_path / f"{name}.libsvm"), key_prefix=f"tune/{name}")
        channels.append(InputData(channel_name=name, data_source=uri, content_type="text/libsvm"))
    trainer = ModelTrainer(
        training_image=XGBOOST,
        base_job_name="boost",
        hyperparameters={"objective": "reg:squarederror", "num_round": 5},
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="validation:rmse",
        objective_type="Minimize",
        hyperparameter_ranges={
            "eta": ContinuousParameter(0.05, 0.9, scaling_type="Logarithmic"),
            "max_depth": IntegerParameter(2, 6),
        },
        max_jobs=3,
        max_parallel_jobs=1,
        early_stopping_type="Auto",
    )
    with timed("3 trials of XGBoost"):
        tuner.tune(inputs=channels)
    assert tuner.describe().hyper_parameter_tuning_job_status == "Completed"
    name = tuner.latest_tuning_job.hyper_parameter_tuning_job_name
    assert name in [
        found.hyper_parameter_tuning_job_name for found in HyperParameterTuningJob.get_all()
    ]
    best = TrainingJob.get(tuner.best_training_job())
    assert 2 <= int(best.hyper_parameters["max_depth"]) <= 6
    assert best.tuning_job_arn == tuner.latest_tuning_job.hyper_parameter_tuning_job_arn


def test_stop(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import time\ntime.sleep(600)\n")
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(source_dir=str(tmp_path), entry_script="train.py"),
        base_job_name="endless",
    )
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name="loss",
        metric_definitions=[{"Name": "loss", "Regex": "loss: ([0-9.e-]+);"}],
        hyperparameter_ranges={"rate": ContinuousParameter(0.0, 1.0)},
        max_jobs=4,
        max_parallel_jobs=2,
    )
    tuner.tune(wait=False)
    tuner.stop_tuning_job()
    tuner.latest_tuning_job.wait(poll=1)
    assert tuner.describe().hyper_parameter_tuning_job_status == "Stopped"
