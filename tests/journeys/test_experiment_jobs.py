"""Jobs are trial components, and nothing that was acknowledged is lost to a kill; through boto3."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.hosting import archive
from bottega.testing.processes import command_line
from bottega.testing.requests import (
    channel,
    code_archive,
    processing_input,
    processing_job,
    processing_outputs,
    script_job,
)
from bottega.testing.transform import LINES, transform_request

COUNT = """
for n in range(4):
    print(f"score={n * 0.5};", flush=True)
"""
COPY = "cp -r /opt/ml/processing/input/rows/. /opt/ml/processing/copied/"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, preload=False) as started:
        bucket = started.config.bucket
        s3 = started.client("s3")
        s3.put_object(Bucket=bucket, Key="code.tar.gz", Body=code_archive(train__py=COUNT))
        s3.put_object(Bucket=bucket, Key="rows/a.csv", Body=b"1\n2\n")
        yield started


def client(daemon: TestDaemon) -> Any:
    return daemon.client("sagemaker", read_timeout=120, retries={"max_attempts": 8})


def component(daemon: TestDaemon, name: str, status: str) -> Any:
    """The component of this name, once it has a status."""
    sagemaker = client(daemon)

    def there() -> Any:
        try:
            shown = sagemaker.describe_trial_component(TrialComponentName=name)
        except sagemaker.exceptions.ResourceNotFound:
            return None
        primary = shown.get("Status", {}).get("PrimaryStatus")
        assert primary in ("InProgress", status, None), shown
        return shown if primary == status else None

    return eventually(there, f"{name} is {status}")


def test_a_training_job_is_a_component_of_its_trial(daemon: TestDaemon) -> None:
    sagemaker, bucket = client(daemon), daemon.config.bucket
    sagemaker.create_experiment(ExperimentName="jobs")
    sagemaker.create_trial(TrialName="jobs-trial", ExperimentName="jobs")
    request = script_job(
        "counting",
        bucket,
        daemon.config.role_arn,
        f"s3://{bucket}/code.tar.gz",
        HyperParameters={"eta": "0.5"},
        InputDataConfig=[channel("rows", f"s3://{bucket}/rows/", "text/csv")],
        ExperimentConfig={
            "ExperimentName": "jobs",
            "TrialName": "jobs-trial",
            "TrialComponentDisplayName": "Counting",
        },
    )
    request["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "score", "Regex": "score=([0-9.]+);"}
    ]
    sagemaker.create_training_job(**request)
    shown = component(daemon, "counting-aws-training-job", "Completed")
    assert shown["DisplayName"] == "Counting"
    assert shown["Parameters"]["eta"] == {"NumberValue": 0.5}
    assert shown["Parameters"]["SageMaker.InstanceCount"] == {"NumberValue": 1.0}
    assert shown["Parameters"]["SageMaker.InstanceType"]["StringValue"].startswith("ml.")
    assert shown["InputArtifacts"]["rows"] == {"Value": f"s3://{bucket}/rows/"}
    assert "SageMaker.ImageUri" in shown["InputArtifacts"]
    job = sagemaker.describe_training_job(TrainingJobName="counting")
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert shown["OutputArtifacts"]["SageMaker.ModelArtifact"] == {"Value": model}
    assert shown["Source"] == {
        "SourceArn": job["TrainingJobArn"],
        "SourceType": "SageMakerTrainingJob",
    }
    (score,) = shown["Metrics"]
    assert (score["Max"], score["Count"], score["SourceArn"]) == (1.5, 4, job["TrainingJobArn"])
    (listed,) = sagemaker.list_trial_components(TrialName="jobs-trial")["TrialComponentSummaries"]
    assert listed["TrialComponentSource"] == shown["Source"]
    by_source = {"Name": "Source.SourceArn", "Operator": "Equals", "Value": job["TrainingJobArn"]}
    found = sagemaker.search(
        Resource="ExperimentTrialComponent", SearchExpression={"Filters": [by_source]}
    )["Results"]
    parent = {"TrialName": "jobs-trial", "ExperimentName": "jobs"}
    assert [each["TrialComponent"]["Parents"] for each in found] == [[parent]]


def test_a_processing_job_of_no_experiment_is_a_component_of_no_trial(daemon: TestDaemon) -> None:
    sagemaker, bucket = client(daemon), daemon.config.bucket
    sagemaker.create_processing_job(
        **processing_job(
            "copying",
            bucket,
            daemon.config.role_arn,
            ["sh", "-c", COPY],
            ProcessingInputs=[processing_input("rows", f"s3://{bucket}/rows/")],
            ProcessingOutputConfig=processing_outputs(copied=f"s3://{bucket}/copied"),
        )
    )
    shown = component(daemon, "copying-aws-processing-job", "Completed")
    assert shown["InputArtifacts"]["rows"] == {"Value": f"s3://{bucket}/rows/"}
    assert shown["OutputArtifacts"]["copied"] == {"Value": f"s3://{bucket}/copied"}
    assert shown["Source"]["SourceType"] == "SageMakerProcessingJob"
    trials = sagemaker.list_trials(TrialComponentName="copying-aws-processing-job")
    assert trials["TrialSummaries"] == []


def test_a_job_that_fails_says_why_in_its_component(daemon: TestDaemon) -> None:
    client(daemon).create_processing_job(
        **processing_job(
            "failing", daemon.config.bucket, daemon.config.role_arn, ["sh", "-c", "exit 3"]
        )
    )
    shown = component(daemon, "failing-aws-processing-job", "Failed")
    assert "3" in shown["Status"]["Message"]


def test_a_transform_job_is_a_component(daemon: TestDaemon) -> None:
    sagemaker, bucket = client(daemon), daemon.config.bucket
    files = archive({"code/inference.py": LINES})
    daemon.client("s3").put_object(Bucket=bucket, Key="m.tar.gz", Body=files)
    sagemaker.create_model(
        ModelName="lines",
        ExecutionRoleArn=daemon.config.role_arn,
        PrimaryContainer={"Image": "python", "ModelDataUrl": f"s3://{bucket}/m.tar.gz"},
    )
    source, target = f"s3://{bucket}/rows/a.csv", f"s3://{bucket}/out"
    request = transform_request("bracketing", "lines", source, target)
    request["ExperimentConfig"] = {"ExperimentName": "brackets"}
    sagemaker.create_transform_job(**request)
    shown = component(daemon, "bracketing-aws-transform-job", "Completed")
    assert shown["InputArtifacts"]["SageMaker.TransformInput"] == {"Value": source}
    assert shown["OutputArtifacts"]["SageMaker.TransformOutput"] == {"Value": target}
    assert shown["Parameters"]["SageMaker.ModelName"] == {"StringValue": "lines"}
    (trial,) = sagemaker.list_trials(ExperimentName="brackets")["TrialSummaries"]
    assert trial["TrialName"] == "Default-Run-Group-brackets"


def kill_tracker(daemon: TestDaemon) -> None:
    """``kill -9`` of the tracking server; the daemon starts another one."""
    for process in daemon.processes():
        if "bottega.tracking.server" in command_line(process):
            process.kill()
            psutil.wait_procs([process], timeout=30)
            return
    raise AssertionError("there is no tracking server")


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["tracker", "daemon"])
def test_what_was_acknowledged_is_there_after_a_kill(daemon: TestDaemon, victim: str) -> None:
    sagemaker = client(daemon)
    name = f"killed-{victim}"
    sagemaker.create_experiment(ExperimentName=name)
    sagemaker.create_trial(TrialName=f"{name}-trial", ExperimentName=name)
    acknowledged: list[str] = []
    enough, over = threading.Event(), threading.Event()

    def create() -> None:
        for number in range(10_000):
            part = f"{name}-{number}"
            try:
                sagemaker.create_trial_component(
                    TrialComponentName=part, Parameters={"n": {"NumberValue": number}}
                )
                sagemaker.associate_trial_component(
                    TrialComponentName=part, TrialName=f"{name}-trial"
                )
            except Exception:
                if over.is_set():
                    return
                continue
            acknowledged.append(part)
            if len(acknowledged) >= 5:
                enough.set()
            if over.is_set():
                return

    writer = threading.Thread(target=create)
    writer.start()
    try:
        assert enough.wait(120)
        if victim == "daemon":
            daemon.kill()
        else:
            kill_tracker(daemon)
    finally:
        over.set()
        if victim == "daemon":
            daemon.start()
        writer.join(120)
    again = client(daemon)
    listed = {
        each["TrialComponentName"]
        for page in again.get_paginator("list_trial_components").paginate(TrialName=f"{name}-trial")
        for each in page["TrialComponentSummaries"]
    }
    assert set(acknowledged) <= listed
    for part in acknowledged[-5:]:
        shown = again.describe_trial_component(TrialComponentName=part)
        assert shown["Parameters"] == {"n": {"NumberValue": float(part.rpartition("-")[2])}}
