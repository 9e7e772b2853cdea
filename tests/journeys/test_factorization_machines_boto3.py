"""Factorization Machines through unmodified boto3 on real data: sparse RecordIO in, metrics, an
endpoint in every format."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import WaiterError
from sklearn.datasets import load_svmlight_file

from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "174872318107.dkr.ecr.us-west-2.amazonaws.com/factorization-machines:1"
RECORDIO = "application/x-recordio-protobuf"
WIDTH = 127
PARAMETERS = {
    "feature_dim": str(WIDTH),
    "num_factors": "8",
    "predictor_type": "binary_classifier",
    "epochs": "20",
    "mini_batch_size": "100",
    "linear_lr": "0.01",
    "factors_lr": "0.01",
}


def records(rows: Any, labels: Any = None) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, rows, labels)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def parts(shared_data: Path) -> dict[str, tuple[Any, Any]]:
    """Mushrooms to train and to test on, and which are poisonous."""
    return {
        name: load_svmlight_file(
            str(shared_data / "agaricus" / f"agaricus.txt.{name}"),
            n_features=WIDTH,
            dtype=np.float32,
            zero_based=True,
        )
        for name in ("train", "test")
    }


def finished(daemon: TestDaemon, name: str) -> dict[str, Any]:
    sagemaker = daemon.client("sagemaker")
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    return found


@pytest.fixture(scope="module")
def job(plain_daemon: TestDaemon, parts: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """A training job that has completed."""
    bucket, role = plain_daemon.config.bucket, plain_daemon.config.role_arn
    s3 = plain_daemon.client("s3")
    for name, part in parts.items():
        s3.put_object(Bucket=bucket, Key=f"fm/{name}/rows.pbr", Body=records(*part))
    s3.put_object(Bucket=bucket, Key="fm/csv/rows.csv", Body=b"1,2,3\n")
    plain_daemon.client("sagemaker").create_training_job(
        **training_job(
            "fm-1",
            bucket,
            role,
            IMAGE,
            HyperParameters=PARAMETERS,
            InputDataConfig=[
                channel("train", f"s3://{bucket}/fm/train", RECORDIO),
                channel("test", f"s3://{bucket}/fm/test", RECORDIO),
            ],
        )
    )
    found = finished(plain_daemon, "fm-1")
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    return found


def test_metrics(job: dict[str, Any]) -> None:
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics["test:binary_classification_accuracy"] > 0.998
    assert metrics["test:binary_f_beta"] > 0.998
    assert metrics["test:binary_classification_cross_entropy"] < 0.05
    assert metrics["train:binary_classification_accuracy"] > 0.99


def test_the_artifact(
    plain_daemon: TestDaemon,
    job: dict[str, Any],
    parts: dict[str, tuple[Any, Any]],
    tmp_path: Path,
) -> None:
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    raw = plain_daemon.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        tar.extractall(tmp_path, filter="data")
    with np.load(tmp_path / "model_algo-1") as model:
        bias, linear, factors = model["bias"], model["linear"], model["factors"]
    rows, labels = parts["test"]
    table = rows.toarray()
    margins = bias + table @ linear
    margins += 0.5 * (((table @ factors) ** 2).sum(axis=1) - table**2 @ (factors**2).sum(axis=1))
    assert ((margins >= 0) == labels).mean() > 0.998


def test_an_endpoint_in_every_format(
    plain_daemon: TestDaemon, job: dict[str, Any], parts: dict[str, tuple[Any, Any]]
) -> None:
    plain_daemon.deploy("fm", IMAGE, job["ModelArtifacts"]["S3ModelArtifacts"])
    runtime = plain_daemon.client("sagemaker-runtime")

    def ask(body: bytes | str, content_type: str, accept: str = "application/json") -> bytes:
        answer = runtime.invoke_endpoint(
            EndpointName="fm", ContentType=content_type, Accept=accept, Body=body
        )
        found: bytes = answer["Body"].read()
        return found

    rows, labels = parts["test"]
    rows, labels = rows[:10], labels[:10]
    instances = [{"features": row.tolist()} for row in rows.toarray()]
    keyed = [
        {
            "data": {
                "features": {
                    "keys": row.indices.tolist(),
                    "shape": [WIDTH],
                    "values": row.data.tolist(),
                }
            }
        }
        for row in rows
    ]
    expected = json.loads(ask(records(rows), RECORDIO))["predictions"]
    assert [item["predicted_label"] for item in expected] == labels.tolist()
    assert all(0 <= item["score"] <= 1 for item in expected)
    for body, content_type in (
        (json.dumps({"instances": instances}), "application/json"),
        (json.dumps({"instances": keyed}), "application/json"),
        ("".join(json.dumps(item) + "\n" for item in keyed), "application/jsonlines"),
        (records(rows.toarray()), RECORDIO),
    ):
        found = json.loads(ask(body, content_type))["predictions"]
        for one, other in zip(found, expected, strict=True):
            assert one == pytest.approx(other, rel=1e-4)
    lines = ask(records(rows), RECORDIO, "application/jsonlines").splitlines()
    assert [json.loads(line)["predicted_label"] for line in lines] == labels.tolist()
    answer = ask(records(rows), RECORDIO, RECORDIO)
    record = decode_record(answer[8 : 8 + int.from_bytes(answer[4:8], "little")])
    assert record.labels["score"].tolist() == pytest.approx([expected[0]["score"]], rel=1e-4)
    with pytest.raises(runtime.exceptions.ModelError, match="text/csv is not supported"):
        ask("1,2,3", "text/csv")


def test_a_wrong_setting_and_wrong_data(plain_daemon: TestDaemon, job: dict[str, Any]) -> None:
    sagemaker = plain_daemon.client("sagemaker")
    bucket = plain_daemon.config.bucket

    def request(name: str, train: dict[str, Any], **changes: str) -> dict[str, Any]:
        return training_job(
            name,
            bucket,
            job["RoleArn"],
            IMAGE,
            HyperParameters={**PARAMETERS, **changes},
            InputDataConfig=[train],
        )

    train = channel("train", f"s3://{bucket}/fm/train", RECORDIO)
    table = channel("train", f"s3://{bucket}/fm/csv", "text/csv")
    for name, source, changes, reason in (
        ("fm-2", train, {"feature_dim": "99"}, "feature_dim is 99"),
        ("fm-3", table, {}, "The content type 'text/csv' of the channel train cannot be read"),
    ):
        sagemaker.create_training_job(**request(name, source, **changes))
        with pytest.raises(WaiterError, match='"Failed"'):
            finished(plain_daemon, name)
        found = sagemaker.describe_training_job(TrainingJobName=name)
        assert found["FailureReason"].startswith(f"ClientError: {reason}")
    with pytest.raises(sagemaker.exceptions.ClientError, match="Hyperparameter predictor_type"):
        sagemaker.create_training_job(**request("fm-4", train, predictor_type="ranker"))
