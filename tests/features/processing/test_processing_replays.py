"""DescribeProcessingJobReplay: what a job had, as far as it is still there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.processing.entities import KIND
from bottega.studio import Studio
from bottega.testing.requests import processing_input, processing_job

COMMAND = ["python3", "/opt/ml/processing/input/code/clean.py"]


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    """A studio whose controllers do not run."""
    opened = Studio.temporary(isolation="process", preload=False)
    yield opened
    opened.close()


def call(studio: Studio, service: str, operation: str, **request: Any) -> Any:
    return studio.registry.call(service, operation, request, studio.owner("sdk"))


def put(studio: Studio, key: str, body: bytes = b"1,2\n") -> None:
    studio.ports.objects.put(studio.ports.config.bucket, key, body)


def ended(studio: Studio, name: str, private: dict[str, Any] | None = None, **changes: Any) -> None:
    config = studio.ports.config
    request = processing_job(name, config.bucket, config.role_arn, COMMAND, **changes)
    call(studio, "sagemaker", "CreateProcessingJob", **request)
    now = studio.ports.clock.now()

    def failed(resource: Any) -> Any:
        body = {**resource.body, "ProcessingStartTime": now}
        kept = resource.private if private is None else private
        return replace(resource, status="Failed", body=body, private=kept)

    studio.ports.store.modify(KIND, name, failed)


def replay(studio: Studio, name: str, **request: Any) -> Any:
    request = {"ProcessingJobName": name, **request}
    return call(studio, "bottega", "DescribeProcessingJobReplay", **request)


def test_it_has_files_variables_data_and_folders(studio: Studio) -> None:
    bucket = studio.ports.config.bucket
    put(studio, "all/a.csv")
    put(studio, "all/deep/b.csv", b"3,4,5\n")
    output = {"S3Uri": f"s3://{bucket}/out", "S3UploadMode": "EndOfJob"}
    ended(
        studio,
        "all",
        ProcessingInputs=[processing_input("rows", f"s3://{bucket}/all/")],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "clean",
                    "S3Output": {**output, "LocalPath": "/opt/ml/processing/out"},
                }
            ]
        },
        Environment={"LEVEL": "high", "HF_TOKEN": "hush-1", "DB_PASSWORD": "hush-2"},
    )
    found = replay(studio, "all")
    assert (found["HostName"], found["Image"]) == ("algo-1", "scikit-learn")
    assert found["Command"] == COMMAND
    assert found["Folders"] == ["processing/out"]
    files = {name: json.loads(text) for name, text in found["Files"].items()}
    assert files["config/resourceconfig.json"]["current_host"] == "algo-1"
    assert files["config/processingjobconfig.json"]["Environment"] == {"LEVEL": "high"}
    assert found["Variables"]["LEVEL"] == "high"
    assert found["Variables"]["PROCESSING_JOB_NAME"] == "all"
    assert found["Secrets"] == ["DB_PASSWORD", "HF_TOKEN"]
    assert "hush" not in json.dumps(found)
    assert not [name for name in found["Variables"] if name.startswith(("AWS_", "MLFLOW_"))]
    (one,) = found["Channels"]
    assert one["Folder"] == "processing/input/rows"
    assert [item["Path"] for item in one["Objects"]] == ["a.csv", "deep/b.csv"]
    assert one["TotalBytes"] == 10
    assert found["Notes"] == []
    put(studio, "all/a.csv", b"9,9\n")
    assert replay(studio, "all")["Notes"] == [
        "The channel rows has files that were written anew since the job ran: a.csv."
    ]


def test_each_host_has_its_part(studio: Studio) -> None:
    bucket = studio.ports.config.bucket
    for name in ("a", "b"):
        put(studio, f"parts/{name}.csv")
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    source = {"S3DataDistributionType": "ShardedByS3Key"}
    ended(
        studio,
        "parts",
        ProcessingResources={"ClusterConfig": cluster},
        ProcessingInputs=[processing_input("rows", f"s3://{bucket}/parts/", **source)],
    )
    found = replay(studio, "parts", HostName="algo-2")
    assert [item["Path"] for item in found["Channels"][0]["Objects"]] == ["b.csv"]
    assert "algo-2 is alone" in found["Notes"][0]
    with pytest.raises(ValidationException, match="has no host 'algo-3'"):
        replay(studio, "parts", HostName="algo-3")


def test_what_cannot_be_replayed_says_why(studio: Studio) -> None:
    config = studio.ports.config
    request = processing_job("runs", config.bucket, config.role_arn, COMMAND)
    call(studio, "sagemaker", "CreateProcessingJob", **request)
    ended(studio, "contained", {"docker": True})
    ended(studio, "flow")
    repository = "sagemaker-data-wrangler-container:5.x"
    image = {"ImageUri": f"663277389841.dkr.ecr.us-east-1.amazonaws.com/{repository}"}

    def wrangling(resource: Any) -> Any:
        return replace(resource, body={**resource.body, "AppSpecification": image})

    studio.ports.store.modify(KIND, "flow", wrangling)
    for name, reason in (
        ("nobody", "Could not find requested job"),
        ("runs", "when it has ended"),
        ("contained", "container of the image"),
        ("flow", "ran a flow"),
    ):
        with pytest.raises(ValidationException, match=reason):
            replay(studio, name)
