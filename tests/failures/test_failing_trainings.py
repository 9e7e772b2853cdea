"""Trainings that fail as users report it, each run in earnest, and what the studio says of them.

With BOTTEGA_CAPTURE_FAILURES set what they leave is kept for the quick tests of the rules.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.sdk.session import connect
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.failure_cases import FailureCase, capture, failure_cases

CASES = failure_cases(Path(__file__).parent / "trainings")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    """A daemon to which all trainings are sent at once."""
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as started:
        bucket, role = started.config.bucket, started.config.role_arn
        s3, sagemaker = started.client("s3"), started.client("sagemaker")
        for case in CASES:
            for key, body in case.objects().items():
                s3.put_object(Bucket=bucket, Key=key, Body=body)
            sagemaker.create_training_job(**case.request(bucket, role))
        yield started


def ended(daemon: TestDaemon, name: str) -> dict:
    client = daemon.client("sagemaker")

    def over() -> dict | None:
        job = client.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] not in ("InProgress", "Stopping") else None

    return eventually(over, f"{name} ends", timeout=120)


def log_of(daemon: TestDaemon, name: str) -> list[str]:
    client = daemon.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    streams = client.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    events = client.get_log_events(
        logGroupName=group,
        logStreamName=streams["logStreams"][0]["logStreamName"],
        startFromHead=True,
    )
    return [event["message"] for event in events["events"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_failure_gets_its_cause(daemon: TestDaemon, case: FailureCase):
    job = ended(daemon, case.job)
    assert job["TrainingJobStatus"] != "Completed"
    call = connect(daemon.home).client.call
    answer = call("bottega", "ExplainJobFailure", {"JobKind": "Training", "JobName": case.job})
    case.check(answer)
    if "BOTTEGA_CAPTURE_FAILURES" in os.environ:
        capture(case, job.get("FailureReason", ""), log_of(daemon, case.job))
    evidence = answer["Cause"]["Evidence"]
    if "LogStreamName" in evidence:  # the place that it names has it
        lines = call(
            "bottega",
            "ReadLogLines",
            {
                "LogGroupName": answer["LogGroupName"],
                "LogStreamName": evidence["LogStreamName"],
                "FirstLine": evidence["Line"],
                "MaxLines": 1,
            },
        )["Lines"]
        assert lines[0]["Message"] == evidence["Text"]


def test_there_are_twenty_known_causes_at_least():
    assert len({case.cause for case in CASES} - {"Unknown"}) >= 20
    assert len([case for case in CASES if case.cause != "Unknown"]) >= 20
