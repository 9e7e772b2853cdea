"""K-Means through unmodified boto3 on real data: CSV and RecordIO in, metrics, an endpoint in every
format."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import WaiterError

from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"
RECORDIO = "application/x-recordio-protobuf"
CSV = "text/csv;label_size=0"
PARAMETERS = {"k": "5", "feature_dim": "2", "eval_metrics": '["msd","ssd"]', "epochs": "3"}
BEST_SSD = 44448.46
"""The least that five centres of these rows can have."""


def records(rows: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, rows)
    return buffer.getvalue()


def table(rows: np.ndarray) -> str:
    return pd.DataFrame(rows).to_csv(index=False, header=False)


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> np.ndarray:
    frame = pd.read_csv(shared_data / "mall-customers" / "Mall_Customers.csv")
    return frame.iloc[:, -2:].to_numpy(np.float32)


def finished(daemon: TestDaemon, name: str) -> dict[str, Any]:
    sagemaker = daemon.client("sagemaker")
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    return found


@pytest.fixture(scope="module")
def job(plain_daemon: TestDaemon, rows: np.ndarray) -> dict[str, Any]:
    """A training job that has completed: a file of each kind, one of them through a pipe."""
    bucket, role = plain_daemon.config.bucket, plain_daemon.config.role_arn
    s3 = plain_daemon.client("s3")
    s3.put_object(Bucket=bucket, Key="kmeans/train/rows.pbr", Body=records(rows))
    s3.put_object(Bucket=bucket, Key="kmeans/test/rows.csv", Body=table(rows).encode())
    train = channel(
        "train", f"s3://{bucket}/kmeans/train", RECORDIO, S3DataDistributionType="ShardedByS3Key"
    )
    plain_daemon.client("sagemaker").create_training_job(
        **training_job(
            "kmeans-1",
            bucket,
            role,
            IMAGE,
            HyperParameters=PARAMETERS,
            InputDataConfig=[
                {**train, "InputMode": "Pipe"},
                channel("test", f"s3://{bucket}/kmeans/test", CSV),
            ],
        )
    )
    found = finished(plain_daemon, "kmeans-1")
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    return found


def test_metrics(job: dict[str, Any]) -> None:
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics["test:ssd"] == pytest.approx(BEST_SSD, rel=1e-5)
    assert metrics["test:msd"] == pytest.approx(BEST_SSD / 200, rel=1e-5)
    assert metrics["train:msd"] == pytest.approx(BEST_SSD / 200, rel=1e-5)


def test_the_artifact(
    plain_daemon: TestDaemon, job: dict[str, Any], rows: np.ndarray, tmp_path: Path
) -> None:
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    raw = plain_daemon.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        tar.extractall(tmp_path, filter="data")
    with np.load(tmp_path / "model_algo-1") as model:
        centers = model["centers"]
    distances = ((rows[:, None] - centers[None]) ** 2).sum(axis=2)
    assert distances.min(axis=1).sum() == pytest.approx(BEST_SSD, rel=1e-4)


def test_an_endpoint_in_every_format(
    plain_daemon: TestDaemon, job: dict[str, Any], rows: np.ndarray
) -> None:
    plain_daemon.deploy("kmeans", IMAGE, job["ModelArtifacts"]["S3ModelArtifacts"])
    runtime = plain_daemon.client("sagemaker-runtime")

    def ask(body: bytes | str, content_type: str, accept: str = "application/json") -> bytes:
        answer = runtime.invoke_endpoint(
            EndpointName="kmeans", ContentType=content_type, Accept=accept, Body=body
        )
        assert answer["ContentType"] == accept
        found: bytes = answer["Body"].read()
        return found

    lines = ask(table(rows), "text/csv", "text/csv").decode().splitlines()
    found = np.array([line.split(",") for line in lines], dtype=float)
    assert (found[:, 1] ** 2).sum() == pytest.approx(BEST_SSD, rel=1e-4)
    assert sorted(np.bincount(found[:, 0].astype(int))) == [22, 23, 35, 39, 81]

    instances = [{"features": row.tolist()} for row in rows[:3]]
    keyed = [
        {"data": {"features": {"keys": [0, 1], "shape": [2], "values": row.tolist()}}}
        for row in rows[:3]
    ]
    for body, content_type in (
        (json.dumps({"instances": instances}), "application/json"),
        (json.dumps({"instances": keyed}), "application/json"),
        ("".join(json.dumps(item) + "\n" for item in instances), "application/jsonlines"),
        (table(rows[:3]), CSV),
        (records(rows[:3]), RECORDIO),
    ):
        answer = json.loads(ask(body, content_type))["predictions"]
        assert [list(item) for item in answer] == [["closest_cluster", "distance_to_cluster"]] * 3
        np.testing.assert_allclose([list(item.values()) for item in answer], found[:3], rtol=1e-5)
    answer = ask(records(rows[:1]), RECORDIO, RECORDIO)
    record = decode_record(answer[8 : 8 + int.from_bytes(answer[4:8], "little")])
    assert record.labels["distance_to_cluster"].tolist() == pytest.approx(found[0, 1:].tolist())
    with pytest.raises(runtime.exceptions.ModelError, match="have 3 features"):
        ask("1,2,3", "text/csv")


def test_a_wrong_setting_and_wrong_data(plain_daemon: TestDaemon, job: dict[str, Any]) -> None:
    sagemaker = plain_daemon.client("sagemaker")
    bucket = plain_daemon.config.bucket
    train = channel("train", f"s3://{bucket}/kmeans/test", CSV)

    def request(name: str, **changes: str) -> dict[str, Any]:
        return training_job(
            name,
            bucket,
            job["RoleArn"],
            IMAGE,
            HyperParameters={**PARAMETERS, **changes},
            InputDataConfig=[train],
        )

    sagemaker.create_training_job(**request("kmeans-2", k="201"))
    with pytest.raises(WaiterError, match='"Failed"'):
        finished(plain_daemon, "kmeans-2")
    found = sagemaker.describe_training_job(TrainingJobName="kmeans-2")
    assert found["FailureReason"].startswith("ClientError: ")
    assert "k is 201, and the channel train has only 200 rows" in found["FailureReason"]
    with pytest.raises(sagemaker.exceptions.ClientError, match="Hyperparameter local_lloyd_tol"):
        sagemaker.create_training_job(**request("kmeans-3", local_lloyd_tol="2"))
