"""Training with the SDK's estimators: built-in algorithms, waiting, logs, attaching, failing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from abalone import abalone_rows, arrays, as_csv, eventually
from botocore.exceptions import ClientError
from sagemaker import KMeans, LinearLearner, image_uris
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.debugger import (
    CollectionConfig,
    DebuggerHookConfig,
    ProfilerConfig,
    Rule,
    TensorBoardOutputConfig,
    rule_configs,
)
from sagemaker.estimator import Estimator
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.inputs import TrainingInput

INSTANCE = "ml.m5.large"


@pytest.fixture(scope="module")
def train_uri(session: Any, shared_data: Path) -> str:
    bucket = session.default_bucket()
    body = as_csv(abalone_rows(shared_data))
    return str(session.upload_string_as_file_body(body, bucket, "estimators/train.csv"))


@pytest.fixture(scope="module")
def channels(train_uri: str) -> dict[str, TrainingInput]:
    return {"train": TrainingInput(train_uri, content_type="text/csv")}


def booster(session: Any, role: str, **arguments: Any) -> Estimator:
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    hyperparameters = {"num_round": 8, "objective": "reg:squarederror", "max_depth": 3}
    return Estimator(
        image,
        role,
        1,
        INSTANCE,
        sagemaker_session=session,
        **{"hyperparameters": hyperparameters, **arguments},
    )


def test_fit_with_all_logs(
    session: Any, role: str, channels: Any, timed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = booster(session, role)
    with timed("the first fit, of a daemon that is just there"):
        estimator.fit(channels, logs="All")
    capsys.readouterr()
    with timed("fit of a job of less than a second"):
        estimator.fit(channels, logs="All")
    said = capsys.readouterr().out
    assert "Completed - Training job completed" in said
    assert "[7]" in said
    assert "train-rmse" in said
    job = estimator.latest_training_job.describe()
    assert job["TrainingJobStatus"] == "Completed"
    assert estimator.model_data == job["ModelArtifacts"]["S3ModelArtifacts"]
    assert estimator.model_data.endswith("/output/model.tar.gz")


def test_fit_without_logs_and_attach(
    session: Any, role: str, channels: Any, timed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = booster(session, role)
    with timed("fit(logs='None')"):
        estimator.fit(channels, logs="None", job_name="attached-to")
    assert "train-rmse" not in capsys.readouterr().out
    attached = Estimator.attach("attached-to", sagemaker_session=session)
    assert attached.model_data == estimator.model_data
    assert attached.hyperparameters()["num_round"] == "8"
    attached.logs()
    assert "train-rmse" in capsys.readouterr().out


def test_wait_for_a_job_that_was_only_started(
    session: Any, role: str, channels: Any, timed: Any
) -> None:
    estimator = booster(session, role)
    with timed("fit(wait=False)"):
        estimator.fit(channels, wait=False)
    with timed("describe of a job that has just begun"):
        assert estimator.latest_training_job.describe()["TrainingJobStatus"] != "Failed"
    with timed("wait(logs=False)"):
        estimator.latest_training_job.wait(logs=False)
    assert estimator.latest_training_job.describe()["TrainingJobStatus"] == "Completed"


def test_metrics_as_a_table(session: Any, role: str, channels: Any) -> None:
    estimator = booster(session, role)
    estimator.fit(channels, logs="None")
    name = estimator.latest_training_job.name
    table = eventually(
        lambda: estimator.training_job_analytics.dataframe(force_refresh=True),
        lambda frame: len(frame) > 0,
    )
    assert set(table["metric_name"]) == {"train:rmse"}
    assert 0 < float(table["value"].iloc[-1]) < 10
    again = TrainingJobAnalytics(name, ["train:rmse"], session).dataframe()
    assert list(again["value"]) == list(table["value"])


def test_debugger_and_profiler_configurations_are_kept(
    session: Any, role: str, channels: Any
) -> None:
    output = f"s3://{session.default_bucket()}/debugger"
    estimator = booster(
        session,
        role,
        debugger_hook_config=DebuggerHookConfig(
            s3_output_path=output,
            hook_parameters={"save_interval": "5"},
            collection_configs=[CollectionConfig("metrics")],
        ),
        profiler_config=ProfilerConfig(s3_output_path=output),
        tensorboard_output_config=TensorBoardOutputConfig(s3_output_path=output),
        rules=[Rule.sagemaker(rule_configs.loss_not_decreasing())],
    )
    estimator.fit(channels, logs="None")
    job = estimator.latest_training_job.describe()
    assert job["TrainingJobStatus"] == "Completed"
    assert job["DebugHookConfig"]["S3OutputPath"] == output
    assert job["DebugHookConfig"]["HookParameters"] == {"save_interval": "5"}
    assert job["DebugRuleConfigurations"][0]["RuleConfigurationName"] == "LossNotDecreasing"
    assert job["ProfilerConfig"]["S3OutputPath"] == output
    assert job["TensorBoardOutputConfig"]["S3OutputPath"] == output
    folder = f"{output}/{estimator.latest_training_job.name}"
    assert estimator.latest_job_debugger_artifacts_path() == f"{folder}/debug-output"
    assert estimator.latest_job_profiler_artifacts_path() == f"{folder}/profiler-output"
    assert estimator.latest_job_tensorboard_artifacts_path() == f"{folder}/tensorboard-output"


def test_a_failing_job_says_why(session: Any, role: str, channels: Any, timed: Any) -> None:
    text = {"train": TrainingInput(channels["train"].config["DataSource"]["S3DataSource"]["S3Uri"])}
    estimator = booster(session, role, hyperparameters={"num_round": 2, "objective": "reg:nothing"})
    with (
        timed("fit that fails"),
        pytest.raises((UnexpectedStatusException, ClientError), match="reg:nothing"),
    ):
        estimator.fit(text)


def test_stopping_a_job(session: Any, role: str, channels: Any) -> None:
    estimator = booster(session, role, hyperparameters={"num_round": 200_000})
    estimator.fit(channels, wait=False)
    name = estimator.latest_training_job.name
    session.stop_training_job(name)
    session.wait_for_job(name)
    assert session.describe_training_job(name)["TrainingJobStatus"] == "Stopped"


def test_linear_learner_on_a_record_set(
    session: Any, role: str, shared_data: Path, timed: Any
) -> None:
    features, labels = arrays(abalone_rows(shared_data))
    learner = LinearLearner(
        role, 1, INSTANCE, predictor_type="regressor", epochs=3, sagemaker_session=session
    )
    records = learner.record_set(features, labels)
    assert records.num_records == len(labels)
    with timed("LinearLearner.fit(record_set)"):
        learner.fit(records, mini_batch_size=100, logs=False)
    job = learner.latest_training_job.describe()
    assert job["TrainingJobStatus"] == "Completed"
    assert job["HyperParameters"]["feature_dim"] == "8"


def test_kmeans_on_a_record_set(session: Any, role: str, shared_data: Path, timed: Any) -> None:
    features, _ = arrays(abalone_rows(shared_data))
    clusters = KMeans(role, 1, INSTANCE, k=4, sagemaker_session=session)
    with timed("KMeans.fit(record_set)"):
        clusters.fit(clusters.record_set(features), mini_batch_size=200, logs=False)
    assert clusters.latest_training_job.describe()["TrainingJobStatus"] == "Completed"
