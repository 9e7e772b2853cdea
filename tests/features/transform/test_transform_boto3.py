"""Batch transform as an unmodified boto3 sees it, through a real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.hosting import archive
from bottega.testing.transform import LINES, transform_request

QUICK = {"Delay": 1, "MaxAttempts": 60}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as started:
        bucket = started.config.bucket
        s3 = started.client("s3")
        s3.put_object(Bucket=bucket, Key="m.tar.gz", Body=archive({"code/inference.py": LINES}))
        s3.put_object(Bucket=bucket, Key="in/a.csv", Body=b"1,2\n3,4\n")
        started.client("sagemaker").create_model(
            ModelName="lines",
            PrimaryContainer={"Image": "python", "ModelDataUrl": f"s3://{bucket}/m.tar.gz"},
            ExecutionRoleArn=started.config.role_arn,
        )
        yield started


@pytest.fixture(scope="module")
def sagemaker(daemon: TestDaemon) -> Any:
    return daemon.client("sagemaker")


def request(daemon: TestDaemon, name: str, **changes: Any) -> dict[str, Any]:
    bucket = daemon.config.bucket
    source, target = f"s3://{bucket}/in/", f"s3://{bucket}/out"
    return transform_request(name, "lines", source, target, content_type="text/csv", **changes)


def test_a_job_from_its_request_to_its_result(daemon: TestDaemon, sagemaker: Any) -> None:
    arn = sagemaker.create_transform_job(**request(daemon, "first"))["TransformJobArn"]
    waiter = sagemaker.get_waiter("transform_job_completed_or_stopped")
    waiter.wait(TransformJobName="first", WaiterConfig=QUICK)
    job = sagemaker.describe_transform_job(TransformJobName="first")
    assert (job["TransformJobStatus"], job["TransformJobArn"]) == ("Completed", arn)
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    result = daemon.client("s3").get_object(Bucket=daemon.config.bucket, Key="out/a.csv.out")
    assert result["Body"].read() == b"<1,2>\n<3,4>\n"
    streams = daemon.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix="first/"
    )
    assert streams["logStreams"][0]["logStreamName"].startswith("first/i-")
    listed = sagemaker.list_transform_jobs(StatusEquals="Completed")["TransformJobSummaries"]
    assert [summary["TransformJobName"] for summary in listed] == ["first"]


def test_stopping_a_job(daemon: TestDaemon, sagemaker: Any) -> None:
    sagemaker.create_transform_job(**request(daemon, "second"))
    sagemaker.stop_transform_job(TransformJobName="second")

    def stopped() -> bool:
        job = sagemaker.describe_transform_job(TransformJobName="second")
        return bool(job["TransformJobStatus"] == "Stopped")

    eventually(stopped, "the job is stopped")


def test_a_refusal_says_where(daemon: TestDaemon, sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="MaxPayloadInMB is 200"):
        sagemaker.create_transform_job(**request(daemon, "third", MaxPayloadInMB=200))
    with pytest.raises(ClientError, match="must be unique"):
        sagemaker.create_transform_job(**request(daemon, "first"))
