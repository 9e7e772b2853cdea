"""``kill -9`` of the daemon at bad moments: nothing acknowledged is lost, nothing is left
behind.
"""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import botocore.exceptions
import pytest

from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.requests import channel, code_archive, script_job, training_job

COUNTING = """
import sys, time
for n in range(%d):
    print("line", n, flush=True)
    time.sleep(%f)
open("/opt/ml/model/done", "w").write("yes")
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path / "h", tracking=False) as daemon:
        yield daemon


def put_script(daemon: TestDaemon, text: str, key: str = "code/sourcedir.tar.gz") -> str:
    bucket = daemon.config.bucket
    archive = code_archive(train__py=text)
    daemon.client("s3").put_object(Bucket=bucket, Key=key, Body=archive)
    return f"s3://{bucket}/{key}"


def start_script(daemon: TestDaemon, name: str, text: str, **changes) -> None:
    config = daemon.config
    request = script_job(name, config.bucket, config.role_arn, put_script(daemon, text), **changes)
    daemon.client("sagemaker").create_training_job(**request)


def status(daemon: TestDaemon, name: str) -> str:
    job = daemon.client("sagemaker").describe_training_job(TrainingJobName=name)
    return job["TrainingJobStatus"]


def log_lines(daemon: TestDaemon, name: str) -> list[str]:
    logs = daemon.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    try:
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    except logs.exceptions.ResourceNotFoundException:
        return []
    lines: list[str] = []
    for stream in streams["logStreams"]:
        token: dict[str, str] = {}
        while True:
            page = logs.get_log_events(
                logGroupName=group,
                logStreamName=stream["logStreamName"],
                startFromHead=True,
                **token,
            )
            if not page["events"]:
                break
            lines += [event["message"] for event in page["events"]]
            token = {"nextToken": page["nextForwardToken"]}
    return lines


def counted(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("line ")]


def test_a_job_survives_the_daemon_with_its_log_whole_and_once(fresh: TestDaemon):
    start_script(fresh, "long", COUNTING % (300, 0.01))
    eventually(lambda: counted(log_lines(fresh, "long")), "the first line")
    fresh.kill()
    time.sleep(0.5)  # the job goes on with nobody there
    fresh.start()
    eventually(lambda: status(fresh, "long") == "Completed", "the job completes")
    assert counted(log_lines(fresh, "long")) == [f"line {n}" for n in range(300)]
    job = fresh.client("sagemaker").describe_training_job(TrainingJobName="long")
    statuses = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def test_a_job_that_ends_while_nobody_is_there(fresh: TestDaemon):
    start_script(fresh, "short", COUNTING % (20, 0.02))
    eventually(lambda: counted(log_lines(fresh, "short")), "the first line")
    fresh.kill()
    time.sleep(2)
    fresh.start()
    eventually(lambda: status(fresh, "short") == "Completed", "the job completes")
    assert len(counted(log_lines(fresh, "short"))) == 20


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_killed_soon_after_the_create(fresh: TestDaemon, delay: float):
    start_script(fresh, "early", COUNTING % (5, 0.05))
    time.sleep(delay)
    fresh.restart()
    eventually(lambda: status(fresh, "early") == "Completed", "the job completes")
    assert counted(log_lines(fresh, "early")) == [f"line {n}" for n in range(5)]


def test_no_acknowledged_create_is_lost(fresh: TestDaemon):
    config = fresh.config
    uri = put_script(fresh, COUNTING % (1, 0.0))
    acknowledged: list[str] = []
    lock = threading.Lock()

    def create(number: int) -> None:
        name = f"burst-{number:02d}"
        request = script_job(name, config.bucket, config.role_arn, uri)
        try:
            fresh.client("sagemaker").create_training_job(**request)
        except (botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError):
            return  # refused or cut off: not acknowledged
        with lock:
            acknowledged.append(name)

    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        for number in range(30):
            pool.submit(create, number)
        eventually(lambda: len(acknowledged) >= 5, "some are acknowledged")
        fresh.kill()
    fresh.start()
    for name in acknowledged:
        eventually(lambda name=name: status(fresh, name) == "Completed", f"{name} completes")
    stored = fresh.client("sagemaker").list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    assert set(acknowledged) <= {job["TrainingJobName"] for job in stored}


def test_a_deployment_survives_the_daemon(fresh: TestDaemon):
    config = fresh.config
    bucket, role = config.bucket, config.role_arn
    sagemaker = fresh.client("sagemaker")
    fresh.client("s3").put_object(
        Bucket=bucket, Key="d/train.csv", Body=b"\n".join(b"%d,%d" % (n % 2, n) for n in range(50))
    )
    sagemaker.create_training_job(
        **training_job(
            "m",
            bucket,
            role,
            "xgboost",
            HyperParameters={"num_round": "5"},
            InputDataConfig=[channel("train", f"s3://{bucket}/d", "text/csv")],
        )
    )
    eventually(lambda: status(fresh, "m") == "Completed", "the job completes")
    uri = f"s3://{bucket}/output/m/output/model.tar.gz"
    sagemaker.create_model(
        ModelName="m",
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": "xgboost", "ModelDataUrl": uri},
    )
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    fresh.restart()
    sagemaker, runtime = fresh.client("sagemaker"), fresh.client("sagemaker-runtime")

    def in_service() -> bool:
        return sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"

    eventually(in_service, "the endpoint comes into service")

    def answer() -> bytes:
        reply = runtime.invoke_endpoint(EndpointName="e", ContentType="text/csv", Body=b"7")
        return reply["Body"].read()

    before = answer()
    fresh.restart()
    runtime = fresh.client("sagemaker-runtime")
    assert answer() == before  # adopted: it answers as soon as the daemon does
    sagemaker = fresh.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="e")

    def gone() -> bool:
        return not sagemaker.list_endpoints()["Endpoints"]

    eventually(gone, "the endpoint is deleted")
    assert fresh.stop() == 0
    eventually(lambda: not fresh.processes(), "no process is left")


@pytest.mark.slow
def test_200_jobs_queued_at_once_all_finish_in_order(fresh: TestDaemon):
    config = fresh.config
    uri = put_script(fresh, "print('line x')")
    names = [f"queued-{n:03d}" for n in range(200)]
    sagemaker = fresh.client("sagemaker")
    for name in names:
        sagemaker.create_training_job(**script_job(name, config.bucket, config.role_arn, uri))
    paginator = sagemaker.get_paginator("list_training_jobs")

    def finished() -> list[dict]:
        jobs = [
            job
            for page in paginator.paginate(StatusEquals="Completed", MaxResults=100)
            for job in page["TrainingJobSummaries"]
        ]
        return jobs if len(jobs) == 200 else []

    eventually(finished, "all jobs complete", timeout=150)
    starts = [
        sagemaker.describe_training_job(TrainingJobName=name)["TrainingStartTime"] for name in names
    ]
    # Two slots may swap neighbours, nothing more: jobs are served in the order they came.
    positions = sorted(range(200), key=starts.__getitem__)
    assert max(abs(place - n) for place, n in enumerate(positions)) <= 4
