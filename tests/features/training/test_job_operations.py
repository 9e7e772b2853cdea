"""Operations on training jobs below the wire; no controller runs, so nothing moves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import (
    BottegaError,
    ResourceInUse,
    ResourceNotFound,
    SerializationException,
    ValidationException,
)
from bottega.features.training.entities import KIND, TrainingJob
from bottega.storage.metadata import ResourceQuery
from bottega.studio import Studio
from bottega.testing.requests import XGBOOST_IMAGE, channel, training_job

BUCKET = "sagemaker-us-east-1-000000000000"


@pytest.fixture
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False)
    bucket = opened.ports.config.bucket
    opened.ports.objects.put(bucket, "train/a.csv", b"1,2\n")
    yield opened
    opened.close()


def call(studio: Studio, operation: str, **request: Any) -> Any:
    return studio.registry.call("sagemaker", operation, request, studio.owner("sdk"))


def request_for(studio: Studio, name: str = "job", **changes: Any) -> dict[str, Any]:
    config = studio.ports.config
    base = {
        "HyperParameters": {"num_round": "3"},
        "InputDataConfig": [channel("train", f"s3://{config.bucket}/train", "text/csv")],
    }
    return training_job(name, config.bucket, config.role_arn, **{**base, **changes})


def create(studio: Studio, name: str = "job", **changes: Any) -> str:
    return call(studio, "CreateTrainingJob", **request_for(studio, name, **changes))[
        "TrainingJobArn"
    ]


def move(studio: Studio, name: str, *to: str) -> None:
    for status in to:
        studio.ports.store.modify(
            KIND, name, lambda r, status=status: TrainingJob(r).moved(status, 50.0).resource
        )


def test_what_was_asked_for_is_shown(studio: Studio):
    arn = create(studio, "My-Job", Environment={"A": "1"})
    job = call(studio, "DescribeTrainingJob", TrainingJobName="My-Job")
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:training-job/my-job"
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("InProgress", "Starting")
    assert job["Environment"] == {"A": "1"}
    assert job["StoppingCondition"]["MaxRuntimeInSeconds"] == 3600
    assert job["LastModifiedTime"] >= job["CreationTime"]
    assert all(step["StatusMessage"] for step in job["SecondaryStatusTransitions"])
    names = {item["Name"] for item in job["AlgorithmSpecification"]["MetricDefinitions"]}
    assert {"train:rmse", "validation:rmse", "validation:logloss"} <= names
    assert job["OutputDataConfig"]["KmsKeyId"] == ""
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/My-Job/output/model.tar.gz")


def test_a_job_without_a_stopping_condition_gets_a_day(studio: Studio):
    request = request_for(studio)
    del request["StoppingCondition"]
    call(studio, "CreateTrainingJob", **request)
    job = call(studio, "DescribeTrainingJob", TrainingJobName="job")
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}


def test_stopping_is_asked_for_once_and_only_while_it_runs(studio: Studio):
    create(studio)
    call(studio, "StopTrainingJob", TrainingJobName="job")
    call(studio, "StopTrainingJob", TrainingJobName="job")
    job = call(studio, "DescribeTrainingJob", TrainingJobName="job")
    assert job["TrainingJobStatus"] == "Stopping"
    move(studio, "job", "Stopped")
    with pytest.raises(ValidationException, match="is in status Stopped"):
        call(studio, "StopTrainingJob", TrainingJobName="job")


def test_only_an_ended_job_can_be_deleted(studio: Studio):
    create(studio)
    with pytest.raises(ResourceInUse, match="is in status InProgress"):
        call(studio, "DeleteTrainingJob", TrainingJobName="job")
    move(studio, "job", "Downloading", "Training", "Completed")
    call(studio, "DeleteTrainingJob", TrainingJobName="job")
    with pytest.raises(ResourceNotFound):
        call(studio, "DeleteTrainingJob", TrainingJobName="job")


@pytest.mark.parametrize("operation", ["DescribeTrainingJob", "StopTrainingJob"])
def test_an_unknown_job(studio: Studio, operation: str):
    with pytest.raises(ValidationException, match=r"^Requested resource not found\.$"):
        call(studio, operation, TrainingJobName="none")


def test_a_name_is_given_once(studio: Studio):
    arn = create(studio)
    with pytest.raises(ResourceInUse, match="already exists") as caught:
        create(studio)
    assert arn in caught.value.message


def test_lists_in_pages(studio: Studio):
    for number in range(7):
        create(studio, f"job-{number}")
    first = call(studio, "ListTrainingJobs", MaxResults=3, SortBy="Name", SortOrder="Descending")
    names = [item["TrainingJobName"] for item in first["TrainingJobSummaries"]]
    assert names == ["job-6", "job-5", "job-4"]
    more = {"MaxResults": 3, "SortBy": "Name", "SortOrder": "Descending"}
    second = call(studio, "ListTrainingJobs", NextToken=first["NextToken"], **more)
    assert second["TrainingJobSummaries"][0]["TrainingJobName"] == "job-3"
    with pytest.raises(ValidationException):
        call(studio, "ListTrainingJobs", NextToken=first["NextToken"], SortBy="CreationTime")
    with pytest.raises(ValidationException):
        call(studio, "ListTrainingJobs", NextToken="made up")


def spec(**changes: Any) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {
            "TrainingImage": XGBOOST_IMAGE,
            "TrainingInputMode": "File",
            **changes,
        }
    }


def resources(**changes: Any) -> dict[str, Any]:
    base = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return {"ResourceConfig": {**base, **changes}}


def train(**changes: Any) -> dict[str, Any]:
    source = channel("train", f"s3://{BUCKET}/train", "text/csv")
    return {"InputDataConfig": [{**source, **changes}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    (spec(TrainingImage="sagemaker-data-wrangler-container"), "it trains nothing"),
    (spec(TrainingImage="763104351884.dkr.ecr.us-east-1.amazonaws.com/x:1"), "does not run here"),
    (spec(AlgorithmName="xgboost"), "exactly one of TrainingImage and AlgorithmName"),
    (spec(TrainingImage=""), "exactly one of TrainingImage and AlgorithmName"),
    (spec(MetricDefinitions=[{"Name": "a", "Regex": "(a)"}]), "can't override the metric"),
    (resources(InstanceCount=0), "InstanceCount is 0; it must be at least 1"),
    (
        {"StoppingCondition": {"MaxRuntimeInSeconds": 2_419_201}},
        "MaxRuntimeInSeconds is 2419201; it must be at most",
    ),
    (train(CompressionType="Gzip"), "CompressionType must be None in File mode"),
    (train(RecordWrapperType="RecordIO"), "RecordWrapperType must be None in File mode"),
    (train(InputMode="FastFile", CompressionType="Gzip"), "must be None in FastFile mode"),
    (
        train(InputMode="Pipe", ContentType="application/x-sagemaker-model"),
        "a model for incremental training needs InputMode File",
    ),
    (train(ChannelName="code", InputMode="Pipe"), "a program is read from files"),
    (
        {
            "InputDataConfig": [
                *train(InputMode="Pipe")["InputDataConfig"],
                channel("train_0", f"s3://{BUCKET}/train"),
            ]
        },
        "'train_0' is called like a pipe of the channel 'train'",
    ),
    (
        {"InputDataConfig": [channel("train", "s3://a/b", AttributeNames=["a"])]},
        "AttributeNames are for AugmentedManifestFile",
    ),
    (
        {
            "InputDataConfig": [
                channel("train", "s3://a/b", mode="FastFile", S3DataType="ManifestFile")
            ]
        },
        "FastFile mode supports S3Prefix only; S3DataType is ManifestFile",
    ),
    (
        {
            "InputDataConfig": [
                channel("train", "s3://a/b", mode="Pipe", S3DataType="AugmentedManifestFile")
            ]
        },
        "AugmentedManifestFile needs AttributeNames",
    ),
    (
        {
            "InputDataConfig": [
                channel(
                    "train",
                    f"s3://{BUCKET}/train/a.csv",
                    mode="Pipe",
                    S3DataType="AugmentedManifestFile",
                    AttributeNames=["source-ref"],
                )
            ]
        },
        "line 1 of the augmented manifest .* must be a JSON object",
    ),
    (train(ChannelName=".."), "A channel cannot be called"),
    (
        {"InputDataConfig": train()["InputDataConfig"] * 2},
        "Duplicate channel name: train",
    ),
    (
        {"InputDataConfig": [channel("train", f"s3://{BUCKET}/none")]},
        f'No S3 objects found under S3 URL "s3://{BUCKET}/none"',
    ),
    ({"InputDataConfig": [channel("train", "s3://nowhere/x")]}, "No S3 objects found"),
    (
        {"InputDataConfig": [channel("train", "s3://a/b", S3DataType="AugmentedManifestFile")]},
        "AugmentedManifestFile can only be used if the channel's input mode is Pipe; it is File",
    ),
    ({"InputDataConfig": [channel("other", "s3://a/b")]}, "needs a channel 'train'; given: other"),
    ({"HyperParameters": {"num_round": "0"}}, r"num_round: 0 is not in \[1"),
    ({"HyperParameters": {"num_round": "3", "eta": "7"}}, r"eta: 7 is not in \[0,1\]"),
    ({"HyperParameters": {"num_round": "3", "etta": "1"}}, "Did you mean eta"),
    ({"HyperParameters": {}}, "num_round"),
    (
        {"OutputDataConfig": {"S3OutputPath": "s3://nowhere/x"}},
        "the bucket 'nowhere' does not exist",
    ),
    (
        {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/c", "LocalPath": "/etc"}},
        "must be a folder under /opt/ml",
    ),
    (
        {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/c", "LocalPath": "/opt/ml/./"}},
        "must be a folder under /opt/ml",
    ),
    (
        {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/c", "LocalPath": "/opt/ml/input/"}},
        "which the job needs for other files",
    ),
    ({"Environment": {"A": "half\0"}}, "has a NUL"),
    ({"Environment": {"A": "\ud800"}}, "half a surrogate"),
    ({"TrainingJobName": "../../etc/passwd"}, "regular expression pattern"),
    ({"TrainingJobName": "x" * 64}, "length less than or equal to 63"),
    ({"RoleArn": "not-an-arn"}, "at 'roleArn' failed"),
]


@pytest.mark.parametrize(("changes", "text"), REFUSED)
def test_what_could_not_run_is_refused_and_leaves_no_trace(
    studio: Studio, changes: dict[str, Any], text: str
):
    with pytest.raises((ValidationException, SerializationException), match=text):
        call(studio, "CreateTrainingJob", **{**request_for(studio), **changes})
    assert not studio.ports.store.page(ResourceQuery(KIND), limit=1).resources


def test_a_framework_image_needs_a_program(studio: Studio):
    with pytest.raises(BottegaError, match="runs a script"):
        create(studio, **spec(TrainingImage="scikit-learn"), HyperParameters={})
