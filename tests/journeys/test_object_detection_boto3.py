"""Object Detection through unmodified boto3 on photographs of blood cells: train, go on from the
model with an augmented manifest, deploy, predict."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/object-detection:1"
KIND = "image/jpeg"
CLASSES = ("RBC", "WBC", "Platelets")
PARAMETERS = {
    "num_classes": "3",
    "num_training_samples": "4",
    "base_network": "resnet-50",
    "use_pretrained_model": "0",
    "mini_batch_size": "2",
    "epochs": "2",
    "learning_rate": "0.002",
}


def annotation(file: Path) -> dict[str, Any]:
    """A Pascal VOC file as SageMaker wants it."""
    found = []
    for each in ElementTree.parse(file).getroot().iter("object"):
        left, top, right, bottom = (
            int(each.findtext(f"bndbox/{side}", "0")) for side in ("xmin", "ymin", "xmax", "ymax")
        )
        if right > left and bottom > top:
            found.append(
                {
                    "class_id": CLASSES.index(each.findtext("name", "")),
                    "left": left,
                    "top": top,
                    "width": right - left,
                    "height": bottom - top,
                }
            )
    return {
        "file": f"{file.stem}.jpg",
        "image_size": [{"width": 640, "height": 480, "depth": 3}],
        "annotations": found,
        "categories": [{"class_id": k, "name": name} for k, name in enumerate(CLASSES)],
    }


def wait(sagemaker: Any, name: str) -> dict[str, Any]:
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
    )
    job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.slow
def test_train_go_on_deploy_predict(daemon: TestDaemon, shared_data: Path):
    environment = daemon.environment()
    bucket, role = environment["BOTTEGA_BUCKET"], environment["BOTTEGA_ROLE_ARN"]
    s3, sagemaker = daemon.client("s3"), daemon.client("sagemaker")
    cells = shared_data / "bccd"
    lines: dict[str, list[str]] = {}
    for part, source, count in (("train", "train", 4), ("validation", "test", 2)):
        for name in (cells / "ImageSets/Main" / f"{source}.txt").read_text().split()[:count]:
            note = annotation(cells / "Annotations" / f"{name}.xml")
            image = f"{part}/{name}.jpg"
            s3.upload_file(str(cells / "JPEGImages" / f"{name}.jpg"), bucket, image)
            s3.put_object(
                Bucket=bucket, Key=f"{part}_annotation/{name}.json", Body=json.dumps(note)
            )
            row = {"source-ref": f"s3://{bucket}/{image}", "bounding-box": note}
            lines.setdefault(part, []).append(json.dumps(row) + "\n")
    names = ("train", "validation", "train_annotation", "validation_annotation")
    sagemaker.create_training_job(
        **training_job(
            "cells",
            bucket,
            role,
            IMAGE,
            HyperParameters=PARAMETERS,
            InputDataConfig=[channel(name, f"s3://{bucket}/{name}/", KIND) for name in names],
        )
    )
    job = wait(sagemaker, "cells")
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert {"validation:mAP", "train:cross_entropy", "train:smooth_l1"} <= set(metrics)
    assert 0 <= metrics["validation:mAP"] <= 1
    assert metrics["train:progress"] == 100
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    archive = s3.get_object(Bucket=bucket, Key=uri.removeprefix(f"s3://{bucket}/"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = sorted(tar.getnames())
    assert files == ["hyperparams.json", "model_algo_1-0000.params", "model_algo_1-symbol.json"]

    manifests = []
    for part, rows in lines.items():
        s3.put_object(Bucket=bucket, Key=f"{part}.manifest", Body="".join(rows))
        manifests.append(
            channel(
                part,
                f"s3://{bucket}/{part}.manifest",
                "application/x-recordio",
                mode="Pipe",
                records=True,
                S3DataType="AugmentedManifestFile",
                AttributeNames=["source-ref", "bounding-box"],
            )
        )
    sagemaker.create_training_job(
        **training_job(
            "more-cells",
            bucket,
            role,
            IMAGE,
            HyperParameters={**PARAMETERS, "epochs": "1"},
            InputDataConfig=[*manifests, channel("model", uri, "application/x-sagemaker-model")],
        )
    )
    wait(sagemaker, "more-cells")

    daemon.deploy("cells", IMAGE, uri, attempts=180)
    runtime = daemon.client("sagemaker-runtime")
    first = (cells / "ImageSets/Main/test.txt").read_text().split()[0]
    body = (cells / "JPEGImages" / f"{first}.jpg").read_bytes()

    def ask(accept: str, kind: str = KIND) -> Any:
        answer = runtime.invoke_endpoint(
            EndpointName="cells", ContentType=kind, Accept=accept, Body=body
        )
        return json.loads(answer["Body"].read())

    rows = ask("application/json")["prediction"]
    assert all(len(row) == 6 for row in rows)
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    assert ask("application/jsonlines", "application/x-image") == {"prediction": rows}
    pixels = ask("application/json;annotation=1")
    assert pixels["image_size"] == [{"width": 640, "height": 480, "depth": 3}]
    assert [row["score"] for row in pixels["annotations"]] == [row[1] for row in rows]
    with pytest.raises(ClientError, match="is no JPEG or PNG"):
        runtime.invoke_endpoint(EndpointName="cells", ContentType=KIND, Body=b"no image")

    sagemaker.delete_endpoint(EndpointName="cells")
    sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="cells", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
