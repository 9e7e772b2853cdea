"""Image Classification through unmodified boto3 on real images: train, go on, deploy, predict."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from bottega.algorithms import registry
from bottega.algorithms.readers.images import ImageItem, write_image_records
from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
RECORDIO = "application/x-recordio"
CLASSES = ("airplane", "frog")
PARAMETERS = {
    "num_classes": "2",
    "num_training_samples": "120",
    "num_layers": "20",
    "image_shape": "3,12,12",
    "resize": "14",
    "augmentation_type": "crop",
    "epochs": "6",
    "mini_batch_size": "20",
    "learning_rate": "0.05",
}


def pictures(data: Path, part: str, count: int) -> list[ImageItem]:
    found = []
    for label, name in enumerate(CLASSES):
        for path in sorted((data / "cifar10-sample" / part / name).iterdir())[:count]:
            found.append(
                ImageItem(path.name, path.read_bytes(), np.array([label], dtype=np.float32))
            )
    return found


def wait(sagemaker: Any, name: str) -> dict[str, Any]:
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 170}
    )
    job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def unpacked(s3: Any, uri: str, folder: Path) -> Path:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    archive = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.slow
def test_train_go_on_deploy_predict(daemon: TestDaemon, shared_data: Path, tmp_path: Path):
    environment = daemon.environment()
    bucket, role = environment["BOTTEGA_BUCKET"], environment["BOTTEGA_ROLE_ARN"]
    s3, sagemaker = daemon.client("s3"), daemon.client("sagemaker")
    test = pictures(shared_data, "test", 20)
    for name, items in (("train", pictures(shared_data, "train", 60)), ("validation", test)):
        stream = io.BytesIO()
        write_image_records(stream, items)
        s3.put_object(Bucket=bucket, Key=f"{name}/{name}.rec", Body=stream.getvalue())
    channels = [
        channel(name, f"s3://{bucket}/{name}", RECORDIO) for name in ("train", "validation")
    ]
    sagemaker.create_training_job(
        **training_job(
            "pictures", bucket, role, IMAGE, HyperParameters=PARAMETERS, InputDataConfig=channels
        )
    )
    job = wait(sagemaker, "pictures")
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert {"train:accuracy", "validation:accuracy"} <= set(metrics)
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    folder = unpacked(s3, uri, tmp_path / "model")
    described = json.loads((folder / "image-classification-symbol.json").read_text())
    # The sky is blue and frogs are not; half of all would be chance.
    assert described["validation_accuracy"] >= 0.6

    more = PARAMETERS | {"epochs": "1", "learning_rate": "0"}
    model = channel("model", uri, "application/x-sagemaker-model")
    sagemaker.create_training_job(
        **training_job(
            "more", bucket, role, IMAGE, HyperParameters=more, InputDataConfig=[*channels, model]
        )
    )
    goes_on = {i["MetricName"]: i["Value"] for i in wait(sagemaker, "more")["FinalMetricDataList"]}
    # The weights are those of before, and only the statistics of normalisation moved.
    assert goes_on["validation:accuracy"] >= 0.5

    daemon.deploy("pictures", IMAGE, uri)
    runtime = daemon.client("sagemaker-runtime")

    def ask(body: bytes, **headers: str) -> bytes:
        answer = runtime.invoke_endpoint(EndpointName="pictures", Body=body, **headers)
        found: bytes = answer["Body"].read()
        return found

    algorithm = registry.algorithm("image-classification")
    local = algorithm.load(folder, {})
    right = 0
    for item in test:
        found = json.loads(ask(item.data, ContentType="application/x-image"))
        expected = json.loads(algorithm.predict(local, item.data, "image/jpeg", "")[0])
        assert found == pytest.approx(expected, abs=1e-5)
        right += int(np.argmax(found)) == int(item.label[0])
    assert right / len(test) == pytest.approx(described["validation_accuracy"], abs=1e-4)

    line = ask(test[0].data, ContentType="image/jpeg", Accept="application/jsonlines")
    assert len(json.loads(line)["prediction"]) == 2
    for body, content_type, status in (
        (test[0].data[:200], "image/jpeg", 400),
        (b"{}", "application/json", 415),
    ):
        with pytest.raises(ClientError) as caught:
            ask(body, ContentType=content_type)
        assert caught.value.response["OriginalStatusCode"] == status

    sagemaker.delete_endpoint(EndpointName="pictures")
    sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="pictures", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
