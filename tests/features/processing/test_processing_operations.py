"""The operations on processing jobs, below the wire: what is kept, what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import ResourceInUse, ResourceNotFound, ValidationException
from bottega.features.processing.entities import KIND, ProcessingJob
from bottega.studio import Studio
from bottega.testing.requests import processing_input, processing_job, processing_outputs

COMMAND = ["python3", "/opt/ml/processing/input/code/script.py"]
WRANGLER = "sagemaker-data-wrangler-container"


class Bench:
    """A studio whose controllers stand still."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.config = studio.ports.config
        studio.ports.objects.put(self.config.bucket, "raw/a.csv", b"1\n")

    def call(self, operation: str, **request: Any) -> Any:
        return self.studio.registry.call("sagemaker", operation, request, self.studio.owner("sdk"))

    def create(self, name: str = "job", command: list[str] | None = None, **changes: Any) -> Any:
        request = processing_job(
            name, self.config.bucket, self.config.role_arn, COMMAND if command is None else command
        )
        return self.call("CreateProcessingJob", **{**request, **changes})


@pytest.fixture
def bench() -> Iterator[Bench]:
    studio = Studio.temporary(isolation="process", preload=False, docker="off")
    yield Bench(studio)
    studio.close()


def test_a_job_is_described_as_it_was_asked_for(bench: Bench):
    inputs = [processing_input("data", f"s3://{bench.config.bucket}/raw")]
    outputs = processing_outputs(result=f"s3://{bench.config.bucket}/out")
    created = bench.create(ProcessingInputs=inputs, ProcessingOutputConfig=outputs)
    job = bench.call("DescribeProcessingJob", ProcessingJobName="job")
    assert job["ProcessingJobArn"] == created["ProcessingJobArn"]
    assert job["ProcessingJobArn"].endswith(":processing-job/job")
    assert (job["ProcessingInputs"], job["ProcessingOutputConfig"]) == (inputs, outputs)
    assert job["ProcessingJobStatus"] == "InProgress"
    assert job["CreationTime"] <= job["LastModifiedTime"]
    assert "phase" not in job
    with pytest.raises(ResourceInUse, match="names must be unique"):
        bench.create()


def test_a_job_that_has_not_begun_stops_when_it_is_told(bench: Bench):
    bench.create()
    bench.call("StopProcessingJob", ProcessingJobName="job")
    bench.call("StopProcessingJob", ProcessingJobName="job")
    job = bench.call("DescribeProcessingJob", ProcessingJobName="job")
    assert job["ProcessingJobStatus"] == "Stopping"


def test_jobs_are_listed_by_time_status_and_name(bench: Bench):
    for name in ("one", "two", "three"):
        bench.create(name)
        time.sleep(0.01)  # what is of one moment is listed by name
    bench.call("StopProcessingJob", ProcessingJobName="two")

    def names(**filters: Any) -> list[str]:
        found = bench.call("ListProcessingJobs", **filters)["ProcessingJobSummaries"]
        return [job["ProcessingJobName"] for job in found]

    assert names() == ["one", "two", "three"]
    assert names(SortOrder="Descending") == ["three", "two", "one"]
    assert names(StatusEquals="Stopping") == ["two"]
    assert names(NameContains="t", SortBy="Name", SortOrder="Ascending") == ["three", "two"]
    page = bench.call("ListProcessingJobs", MaxResults=2)
    assert len(page["ProcessingJobSummaries"]) == 2
    rest = bench.call("ListProcessingJobs", MaxResults=2, NextToken=page["NextToken"])
    assert [job["ProcessingJobName"] for job in rest["ProcessingJobSummaries"]] == ["three"]


def test_a_job_that_runs_is_not_deleted(bench: Bench):
    bench.create()
    with pytest.raises(ResourceInUse, match="job is in status InProgress; stop it and wait"):
        bench.call("DeleteProcessingJob", ProcessingJobName="job")
    with pytest.raises(ResourceNotFound, match="Could not find requested job with name: nobody"):
        bench.call("DeleteProcessingJob", ProcessingJobName="nobody")
    bench.studio.ports.store.modify(
        KIND, "job", lambda job: ProcessingJob(job).moved("Failed", 1.0).resource
    )
    bench.call("DeleteProcessingJob", ProcessingJobName="job")
    assert bench.call("ListProcessingJobs")["ProcessingJobSummaries"] == []
    bench.create()


def test_what_the_program_manages_needs_no_folder_and_no_data(bench: Bench):
    source = {"S3Uri": f"s3://{bench.config.bucket}/none", "S3DataType": "S3Prefix"}
    target = {"S3Uri": f"s3://{bench.config.bucket}/out", "S3UploadMode": "EndOfJob"}
    bench.create(
        ProcessingInputs=[{"InputName": "data", "AppManaged": True, "S3Input": source}],
        ProcessingOutputConfig={
            "Outputs": [{"OutputName": "o", "AppManaged": True, "S3Output": target}]
        },
    )
    job = ProcessingJob(bench.studio.ports.store.get(KIND, "job"))
    assert (job.inputs, job.outputs) == ([], [])


def test_an_unknown_job_is_told_as_sagemaker_does(bench: Bench):
    for operation in ("DescribeProcessingJob", "StopProcessingJob"):
        with pytest.raises(ValidationException) as refusal:
            bench.call(operation, ProcessingJobName="nobody")
        assert refusal.value.message == "Could not find requested job with name: nobody"


def entry(**source: Any) -> dict[str, Any]:
    return processing_input("data", "s3://{bucket}/raw", **source)


def app(**members: Any) -> dict[str, Any]:
    return {"AppSpecification": {"ImageUri": "python", "ContainerEntrypoint": COMMAND, **members}}


def out(path: str = "/opt/ml/processing/out", uri: str = "s3://{bucket}/out") -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": "o", "S3Output": target}]}


def cluster(**members: Any) -> dict[str, Any]:
    config = {"VolumeSizeInGB": 1, "InstanceType": "ml.m5.large", "InstanceCount": 1, **members}
    return {"ProcessingResources": {"ClusterConfig": config}}


NOWHERE = {"InputName": "data", "DatasetDefinition": {"LocalPath": "/opt/ml/processing/x"}}
SPARK = "173754725891.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.3-cpu-py39-v1.2"
FEATURES = {"Outputs": [{"OutputName": "o", "FeatureStoreOutput": {"FeatureGroupName": "g"}}]}


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        (
            app(ImageUri="nginx"),
            "AppSpecification.ImageUri: .*'nginx' does not run here.*run by Docker, but the setting"
            " docker is off",
        ),
        (app(ImageUri="kmeans"), "kmeans runs no program of yours"),
        ({"AppSpecification": {"ImageUri": "python"}}, "ContainerEntrypoint is missing"),
        (app(ImageUri=WRANGLER), "runs a flow and no program of yours"),
        (app(ContainerArguments=["a\0b"]), "has a NUL"),
        ({"Environment": {"A": "\0"}}, "the value of A has a NUL"),
        (cluster(InstancePreferences=[{"InstanceType": "ml.m5.large"}]), "InstancePreferences"),
        (
            {"ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 1}}},
            "ClusterConfig.InstanceCount is required",
        ),
        ({"ProcessingInputs": [NOWHERE]}, "DatasetDefinition reads from Athena or Redshift"),
        ({"ProcessingInputs": [{"InputName": "data"}]}, "S3Input is missing"),
        ({"ProcessingInputs": [entry(S3InputMode="Pipe")]}, "S3InputMode Pipe is not supported"),
        (
            {"ProcessingInputs": [entry(S3CompressionType="Gzip")]},
            "S3CompressionType Gzip can be used only if S3InputMode is Pipe; it is File. Use None",
        ),
        (app(ImageUri=SPARK), "PySparkProcessor and SparkJarProcessor do not work yet. Use Script"),
        (app(ContainerEntrypoint=["smspark-submit", "x.py"]), "there is no Spark engine here"),
        ({"ProcessingInputs": [entry(LocalPath="/data")]}, "must be a folder below /opt/ml/proc"),
        ({"ProcessingInputs": [entry(LocalPath="/opt/ml/processing/../x")]}, "must be a folder"),
        ({"ProcessingInputs": [entry(LocalPath="/opt/ml/processing/")]}, "must be a folder"),
        ({"ProcessingInputs": [entry(LocalPath="")]}, "LocalPath is missing"),
        ({"ProcessingInputs": [entry(), entry()]}, "the name 'data' is used 2 times"),
        (
            {"ProcessingInputs": [entry(S3Uri="s3://{bucket}/none")]},
            'No S3 objects found under S3 URL "s3://.*/none"',
        ),
        ({"ProcessingInputs": [entry(S3Uri="s3://nobody/x")]}, "No S3 objects found"),
        ({"ProcessingOutputConfig": FEATURES}, "FeatureStoreOutput is not supported"),
        ({"ProcessingOutputConfig": out("/tmp/x")}, "must be a folder below"),
        ({"ProcessingOutputConfig": out(uri="s3://nobody/x")}, "bucket 'nobody' does not exist"),
        (
            {
                "ProcessingInputs": [entry(LocalPath="/opt/ml/processing/x")],
                "ProcessingOutputConfig": out("/opt/ml/processing/x/y"),
            },
            "output 'o' is that of input 'data', or inside it",
        ),
        (
            {
                "ProcessingInputs": [entry(LocalPath="/opt/ml/processing/x/y")],
                "ProcessingOutputConfig": out("/opt/ml/processing/x"),
            },
            "input 'data' is that of output 'o', or inside it",
        ),
    ],
)
def test_what_could_not_run_is_refused_and_leaves_no_trace(
    bench: Bench, changes: dict[str, Any], because: str
):
    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{bucket}", bench.config.bucket)
        if isinstance(value, dict):
            return {key: filled(part) for key, part in value.items()}
        return [filled(part) for part in value] if isinstance(value, list) else value

    with pytest.raises(ValidationException, match=because):
        bench.create(**filled(changes))
    assert bench.call("ListProcessingJobs")["ProcessingJobSummaries"] == []
