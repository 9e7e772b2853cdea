"""Asynchronous inference as an unmodified boto3 sees it, through a daemon that is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from bottega.testing.async_inference import SCRIPT
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.hosting import archive

QUICK = {"Delay": 1, "MaxAttempts": 60}
# The model keeps a list of what it was asked, and answers no more than a file allows.
NOTING = """    asked = os.path.join(model, "asked.txt")
    allowed = os.path.join(model, "allowed.txt")
    while open(asked, "a+").tell() >= int(open(allowed).read()) * len("request 00\\n"):
        time.sleep(0.02)
    with open(asked, "a") as notes:
        notes.write(text + "\\n")
    return f"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False, preload=False, isolation="process") as started:
        yield started


def deploy(daemon: TestDaemon, name: str) -> None:
    bucket = daemon.config.bucket
    files = {
        "answer": str(daemon.home),
        "code/inference.py": SCRIPT.replace("    return f", NOTING),
    }
    daemon.client("s3").put_object(Bucket=bucket, Key="m.tar.gz", Body=archive(files))
    sagemaker = daemon.client("sagemaker")
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": "python", "ModelDataUrl": f"s3://{bucket}/m.tar.gz"},
        ExecutionRoleArn=daemon.config.role_arn,
    )
    variant = {
        "VariantName": "v",
        "ModelName": name,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    output = {"S3OutputPath": f"s3://{bucket}/out", "S3FailurePath": f"s3://{bucket}/failed"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant],
        AsyncInferenceConfig={"OutputConfig": output},
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICK)


def allow(daemon: TestDaemon, answers: int) -> None:
    """Let the model answer so many requests, counted from the first."""
    written = daemon.home / "allowed.new"
    written.write_text(str(answers))
    written.replace(daemon.home / "allowed.txt")


def keys(daemon: TestDaemon, prefix: str) -> list[str]:
    pages = daemon.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=daemon.config.bucket, Prefix=prefix)
    return [item["Key"] for page in found for item in page.get("Contents", ())]


def test_every_acknowledged_request_is_answered_once_whatever_is_killed(
    daemon: TestDaemon,
) -> None:
    asked = daemon.home / "asked.txt"
    allow(daemon, 15)
    deploy(daemon, "killed")
    runtime = daemon.client("sagemaker-runtime")
    places: dict[str, str] = {}
    for number in range(60):
        told = runtime.invoke_endpoint_async(
            EndpointName="killed",
            Body=f"request {number:02}".encode(),
            ContentType="text/plain",
            InferenceId=f"id-{number}",
        )
        assert told["ResponseMetadata"]["HTTPStatusCode"] == 202
        assert told["InferenceId"] == f"id-{number}"
        places[told["OutputLocation"]] = f"request {number:02}"
        assert told["FailureLocation"].endswith("-error.out")
    eventually(lambda: len(keys(daemon, "out/")) >= 5, "some are answered")
    before = len(keys(daemon, "out/"))
    daemon.restart()
    assert before < 60
    again = len(keys(daemon, "out/"))
    allow(daemon, 45)
    eventually(lambda: len(keys(daemon, "out/")) > again, "it goes on")
    daemon.restart()
    assert len(keys(daemon, "out/")) < 60
    allow(daemon, 1000)
    eventually(lambda: len(keys(daemon, "out/")) == 60, "all are answered")

    s3 = daemon.client("s3")
    bucket = daemon.config.bucket
    assert {f"s3://{bucket}/{key}" for key in keys(daemon, "out/")} == set(places)
    for place, text in places.items():
        key = place.removeprefix(f"s3://{bucket}/")
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        assert body.endswith(f": {text}")
    assert keys(daemon, "failed/") == []
    # Only what was under way at a kill was asked twice.
    asked_of = Counter(asked.read_text().splitlines())
    assert set(asked_of) == set(places.values())
    assert asked_of.total() - 60 <= 2 * 8

    daemon.client("sagemaker").delete_endpoint(EndpointName="killed")


def test_an_endpoint_that_is_not_there(daemon: TestDaemon) -> None:
    with pytest.raises(ClientError) as caught:
        daemon.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName="absent", InputLocation="s3://b/k"
        )
    assert caught.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint absent of account 000000000000 not found.",
    }
