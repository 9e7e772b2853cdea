"""The Debugger through unmodified boto3: rules over XGBoost trainings, and kills in the middle."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import psutil
import pytest

import bottega
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.debugging import LOSSES, rule
from bottega.testing.message_servers import MailServer, serving
from bottega.testing.requests import channel, code_archive, script_job, training_job

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"


def rows(daemon: TestDaemon) -> str:
    """Few rows of labels that follow from nothing, for trainings that learn them by heart."""
    random = numpy.random.default_rng(3)
    text = "".join(
        ",".join([str(int(random.integers(0, 2))), *(f"{x:.4f}" for x in random.normal(size=5))])
        + "\n"
        for _ in range(200)
    )
    bucket = daemon.config.bucket
    daemon.client("s3").put_object(Bucket=bucket, Key="noise/rows.csv", Body=text.encode())
    return f"s3://{bucket}/noise/rows.csv"


def xgboost_job(daemon: TestDaemon, name: str, **changes: Any) -> dict[str, Any]:
    uri = rows(daemon)
    config = daemon.config
    return training_job(
        name,
        config.bucket,
        config.role_arn,
        IMAGE,
        HyperParameters={
            "objective": "binary:logistic",
            "num_round": "60",
            "max_depth": "6",
            "eval_metric": "logloss",
        },
        InputDataConfig=[
            channel("train", uri, "text/csv"),
            channel("validation", uri.replace("rows", "other"), "text/csv"),
        ],
        DebugHookConfig={
            "S3OutputPath": f"s3://{config.bucket}/debug",
            "CollectionConfigurations": [
                {
                    "CollectionName": name,
                    "CollectionParameters": {"save_interval": "2"},
                }
                for name in ("metrics", "feature_importance")
            ],
        },
        **changes,
    )


def ended(daemon: TestDaemon, name: str) -> Any:
    """Wait until a job and its rules have come to an end; returns its description."""
    sagemaker = daemon.client("sagemaker")

    def found() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        entries = [
            *job.get("DebugRuleEvaluationStatuses", ()),
            *job.get("ProfilerRuleEvaluationStatuses", ()),
        ]
        over = job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped")
        going = [
            one for one in entries if one["RuleEvaluationStatus"] in ("InProgress", "Stopping")
        ]
        return job if over and not going else None

    return eventually(found, f"{name} and its rules have ended")


def statuses(job: Any) -> dict[str, str]:
    return {
        one["RuleConfigurationName"]: one["RuleEvaluationStatus"]
        for one in job["DebugRuleEvaluationStatuses"]
    }


def test_rules_over_an_xgboost_training(plain_daemon: TestDaemon) -> None:
    sagemaker = plain_daemon.client("sagemaker")
    s3 = plain_daemon.client("s3")
    bucket = plain_daemon.config.bucket
    rows(plain_daemon)
    random = numpy.random.default_rng(4)
    other = "".join(
        ",".join([str(int(random.integers(0, 2))), *(f"{x:.4f}" for x in random.normal(size=5))])
        + "\n"
        for _ in range(200)
    )
    s3.put_object(Bucket=bucket, Key="noise/other.csv", Body=other.encode())
    sagemaker.create_training_job(
        **xgboost_job(
            plain_daemon,
            "noise-1",
            DebugRuleConfigurations=[
                rule("Overfit", ratio_threshold="0.1"),
                rule(
                    "LossNotDecreasing", use_losses_collection="False", tensor_regex="train-logloss"
                ),
                rule("CreateXgboostReport"),
            ],
            ProfilerConfig={
                "S3OutputPath": f"s3://{bucket}/debug",
                "ProfilingIntervalInMilliseconds": 100,
            },
            ProfilerRuleConfigurations=[rule("ProfilerReport")],
        )
    )
    job = ended(plain_daemon, "noise-1")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert statuses(job) == {
        "Overfit": "IssuesFound",
        "LossNotDecreasing": "NoIssuesFound",
        "CreateXgboostReport": "NoIssuesFound",
    }
    keys = [
        one["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="debug/")
        for one in page["Contents"]
    ]
    output = "debug/noise-1/rule-output"
    assert f"{output}/CreateXgboostReport/xgboost_report.html" in keys
    assert f"{output}/ProfilerReport/profiler-output/profiler-report.html" in keys
    assert "debug/noise-1/debug-output/training_job_end.ts" in keys
    # A job that has ended is not updated any more; one that runs is, in other tests.
    with pytest.raises(sagemaker.exceptions.ClientError, match="InProgress"):
        sagemaker.update_training_job(
            TrainingJobName="noise-1", ProfilerConfig={"DisableProfiler": True}
        )


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path / "h", tracking=False) as daemon:
        yield daemon


def flat_job(daemon: TestDaemon, name: str, steps: int, told: str = "", **environment: str) -> None:
    """A job that saves losses, falling until the 30th last, and has a rule that stops it there.

    Args:
        told: whom the rule mails, too.
    """
    config = daemon.config
    body = code_archive(train__py=LOSSES)
    daemon.client("s3").put_object(Bucket=config.bucket, Key="code/losses.tar.gz", Body=body)
    losses = [1 / (step + 1) for step in range(steps)] + [1.0] * 30
    wanted = [{"name": "stoptraining", "training_job_prefix": name}]
    if told:
        wanted.append({"name": "email", "endpoint": told})
    actions = json.dumps(wanted)
    daemon.client("sagemaker").create_training_job(
        **script_job(
            name,
            config.bucket,
            config.role_arn,
            f"s3://{config.bucket}/code/losses.tar.gz",
            HyperParameters={"losses": str(losses)},
            Environment=environment,
            DebugRuleConfigurations=[
                rule("Losses", "LossNotDecreasing", num_steps="5", action_json=actions),
                rule("Exploding", "ExplodingTensor", collection_names="losses"),
            ],
        )
    )


def found(daemon: TestDaemon, name: str) -> dict[str, Any]:
    """What the rules of a job found, by their names."""
    session = bottega.connect(daemon.home)
    told = session.client.call("bottega", "DescribeTrainingJobDebugger", {"TrainingJobName": name})
    return {one["RuleConfigurationName"]: one for one in told["Rules"]}


def evaluator(daemon: TestDaemon, name: str, attempt: int = 0) -> Any:
    """The process that evaluates a job's rules; None before there is one."""
    for folder in (daemon.home / "work" / "debugger").glob(f"{name}.*/supervisor.{attempt}"):
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            host = json.loads((folder / "hosts.json").read_text())["algo-1"]
            return psutil.Process(host["pid"])
    return None


def evaluated(daemon: TestDaemon, name: str) -> bool:
    """Whether a step was shown to the rules."""
    return any("LastStep" in one for one in found(daemon, name).values())


@pytest.mark.slow
def test_a_killed_evaluation_begins_again_and_finds_everything_once(fresh: TestDaemon) -> None:
    flat_job(fresh, "killed", 60, PAUSE="0.1", GO_ON="1")
    eventually(lambda: evaluated(fresh, "killed"), "a step was shown")
    first = evaluator(fresh, "killed")
    first.kill()
    again = eventually(lambda: evaluator(fresh, "killed", 1), "it is started again")
    assert again.pid != first.pid
    job = ended(fresh, "killed")
    assert job["TrainingJobStatus"] == "Stopped"
    assert statuses(job) == {"Losses": "IssuesFound", "Exploding": "NoIssuesFound"}
    told = found(fresh, "killed")
    assert told["Losses"]["FindingCount"] == len(told["Losses"]["Findings"]) == 1
    (action,) = told["Losses"]["Actions"]
    assert action["Outcome"] == "Done"


@pytest.mark.slow
def test_a_killed_daemon_sends_what_it_was_about_to(tmp_path: Path) -> None:
    mail = MailServer()
    mail.greets.clear()
    with (
        serving(mail) as port,
        running_daemon(tmp_path / "home", smtp_url=f"smtp://127.0.0.1:{port}") as daemon,
    ):
        flat_job(daemon, "told", 40, "a@b.co", PAUSE="0.05", GO_ON="1")

        def mailed() -> Any:
            entries = found(daemon, "told")["Losses"]["Actions"]
            return next((one for one in entries if one["Name"] == "Email"), None)

        # The rule has fired, its job ends, and the mail server says nothing to anybody.
        eventually(lambda: (mailed() or {}).get("Outcome") == "InProgress", "it is being sent")
        ended(daemon, "told")
        daemon.kill()
        mail.greets.set()
        daemon.start()
        eventually(lambda: mailed()["Outcome"] == "Done", "it was sent")
        # What the killed daemon had begun was not taken: nobody was there to go on with it.
        assert len(mail.mails) == 1


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before a step", "after a step"])
def test_a_killed_daemon_goes_on_with_the_rules(fresh: TestDaemon, moment: str) -> None:
    flat_job(fresh, "orphan", 40, PAUSE="0.1", GO_ON="1")
    if moment == "after a step":
        eventually(lambda: evaluated(fresh, "orphan"), "a step was shown")
    fresh.kill()
    fresh.start()
    job = ended(fresh, "orphan")
    assert job["TrainingJobStatus"] == "Stopped"
    assert statuses(job) == {"Losses": "IssuesFound", "Exploding": "NoIssuesFound"}
    told = found(fresh, "orphan")
    assert told["Losses"]["FindingCount"] == 1
    stopped = [one for one in told["Losses"]["Actions"] if one["Name"] == "StopTraining"]
    assert [one["Outcome"] for one in stopped] == ["Done"]
    eventually(
        lambda: not list((fresh.home / "work" / "debugger").iterdir()), "nothing is left behind"
    )
