"""Linear Learner through unmodified boto3: RecordIO and CSV in, metrics, an endpoint, every format
of requests and answers."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import WaiterError

from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
RECORDIO = "application/x-recordio-protobuf"
RNG = np.random.default_rng(8)
FEATURES = RNG.normal(size=(900, 5)).astype(np.float32) * [1, 10, 0.1, 1, 1]
LABELS = (FEATURES @ [1, 0.2, -9, 0, 0.5] + RNG.normal(size=900) > 0).astype(int)
PARAMETERS = {
    "predictor_type": "binary_classifier",
    "feature_dim": "5",
    "mini_batch_size": "100",
    "binary_classifier_model_selection_criteria": "f1",
    "use_bias": "True",
}


def records(features: np.ndarray, labels: np.ndarray | None = None) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, features, labels)
    return buffer.getvalue()


def table(*columns: np.ndarray) -> str:
    buffer = io.StringIO()
    np.savetxt(buffer, np.column_stack(columns), delimiter=",", fmt="%.9g")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def job(plain_daemon: TestDaemon) -> dict[str, Any]:
    """A training job that has completed."""
    environment = plain_daemon.environment()
    bucket, role = environment["BOTTEGA_BUCKET"], environment["BOTTEGA_ROLE_ARN"]
    s3, sagemaker = plain_daemon.client("s3"), plain_daemon.client("sagemaker")
    for name, body in (
        ("train/rows.pbr", records(FEATURES[:600], LABELS[:600])),
        ("validation/rows.csv", table(LABELS[600:750], FEATURES[600:750]).encode()),
        ("test/rows.csv", table(LABELS[750:], FEATURES[750:]).encode()),
    ):
        s3.put_object(Bucket=bucket, Key=f"linear/{name}", Body=body)
    sagemaker.create_training_job(
        **training_job(
            "linear-1",
            bucket,
            role,
            IMAGE,
            HyperParameters=PARAMETERS,
            InputDataConfig=[
                channel("train", f"s3://{bucket}/linear/train", RECORDIO),
                channel("validation", f"s3://{bucket}/linear/validation", "text/csv"),
                channel("test", f"s3://{bucket}/linear/test", "text/csv"),
            ],
        )
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="linear-1", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName="linear-1")
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    return found


def test_metrics(job: dict[str, Any]) -> None:
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics["validation:binary_classification_accuracy"] > 0.85
    assert metrics["test:binary_f_beta"] > 0.85
    assert metrics["test:roc_auc_score"] > 0.92
    assert 0 < metrics["train:objective_loss"] < 0.69
    assert metrics["train:progress"] > 0
    definitions = job["AlgorithmSpecification"]["MetricDefinitions"]
    assert "validation:objective_loss" in {item["Name"] for item in definitions}


def test_the_artifact(plain_daemon: TestDaemon, job: dict[str, Any], tmp_path: Path) -> None:
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    raw = plain_daemon.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        tar.extractall(tmp_path, filter="data")
    with np.load(tmp_path / "model_algo-1") as model:
        margins = (FEATURES[750:] @ model["weights"] + model["bias"])[:, 0]
        cut = json.loads(model["model.json"])["cut"]
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    accuracy = ((margins > cut) == LABELS[750:]).mean()
    assert accuracy == pytest.approx(metrics["test:binary_classification_accuracy"])


def test_an_endpoint_in_every_format(plain_daemon: TestDaemon, job: dict[str, Any]) -> None:
    plain_daemon.deploy("linear", IMAGE, job["ModelArtifacts"]["S3ModelArtifacts"])
    runtime = plain_daemon.client("sagemaker-runtime")

    def ask(body: bytes | str, content_type: str, accept: str = "application/json") -> bytes:
        answer = runtime.invoke_endpoint(
            EndpointName="linear", ContentType=content_type, Accept=accept, Body=body
        )
        found: bytes = answer["Body"].read()
        return found

    rows = FEATURES[750:760]
    instances = [{"features": row.tolist()} for row in rows]
    keyed = [
        {"data": {"features": {"keys": [0, 1, 2, 3, 4], "shape": [5], "values": row.tolist()}}}
        for row in rows
    ]
    expected = json.loads(ask(json.dumps({"instances": instances}), "application/json"))
    first = expected["predictions"][0]
    assert set(first) == {"score", "predicted_label"}
    assert 0 <= first["score"] <= 1
    assert first["predicted_label"] in (0, 1)
    labels = [item["predicted_label"] for item in expected["predictions"]]
    assert (np.array(labels) == LABELS[750:760]).sum() >= 7
    for body, content_type in (
        (json.dumps({"instances": keyed}), "application/json"),
        ("".join(json.dumps(item) + "\n" for item in instances), "application/jsonlines"),
        (table(rows), "text/csv"),
        (records(rows), RECORDIO),
    ):
        found = json.loads(ask(body, content_type))["predictions"]
        for one, other in zip(found, expected["predictions"], strict=True):
            assert one == pytest.approx(other, rel=1e-5)
    lines = ask(table(rows), "text/csv", "application/jsonlines").splitlines()
    assert json.loads(lines[0]) == pytest.approx(first, rel=1e-5)
    answer = ask(records(rows), RECORDIO, RECORDIO)
    record = decode_record(answer[8 : 8 + int.from_bytes(answer[4:8], "little")])
    assert record.labels["score"].tolist() == pytest.approx([first["score"]], rel=1e-5)
    with pytest.raises(runtime.exceptions.ModelError, match="have 4 features"):
        ask(table(rows[:, :4]), "text/csv")


def test_a_wrong_setting_and_wrong_data(plain_daemon: TestDaemon, job: dict[str, Any]) -> None:
    sagemaker = plain_daemon.client("sagemaker")
    bucket = plain_daemon.environment()["BOTTEGA_BUCKET"]
    train = channel("train", f"s3://{bucket}/linear/train", RECORDIO)

    def request(name: str, **changes: str) -> dict[str, Any]:
        return training_job(
            name,
            bucket,
            job["RoleArn"],
            IMAGE,
            HyperParameters={**PARAMETERS, **changes},
            InputDataConfig=[train],
        )

    sagemaker.create_training_job(**request("linear-2", feature_dim="6"))
    with pytest.raises(WaiterError, match='"Failed"'):
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(
            TrainingJobName="linear-2", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
    found = sagemaker.describe_training_job(TrainingJobName="linear-2")
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("ClientError: ")
    assert "has 5 features where 6 are expected, by feature_dim" in found["FailureReason"]
    with pytest.raises(sagemaker.exceptions.ClientError, match="Hyperparameter loss: squared_loss"):
        sagemaker.create_training_job(**request("linear-3", loss="squared_loss"))
