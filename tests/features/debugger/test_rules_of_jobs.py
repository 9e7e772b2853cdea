"""Rules of training jobs, evaluated while the jobs run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.events import RuleNotified
from bottega.testing.debugging import CUSTOM_IMAGE, DebuggingStudio, rule, until

FLAT = [1.0] * 40
LOSS_BELOW = """\
from smdebug.rules.rule import Rule

class LossBelow(Rule):
    def __init__(self, base_trial, limit):
        super().__init__(base_trial)
        self.limit = float(limit)

    def invoke_at_step(self, step):
        loss = float(self.base_trial.tensor("loss").value(step))
        print("looking at", loss)
        if loss > 100:
            raise ArithmeticError("a loss beyond all measure")
        return loss < self.limit
"""


@pytest.fixture(scope="module")
def studio() -> Iterator[DebuggingStudio]:
    with DebuggingStudio.opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def mixed(studio: DebuggingStudio) -> Any:
    """A job with a rule that fires, one that does not, one of a user's own, one that fails."""
    studio.ports.objects.put(studio.bucket, "rules/below.py", LOSS_BELOW.encode())
    source = f"s3://{studio.bucket}/rules/below.py"
    studio.create(
        "mixed",
        [*FLAT, 0.1, 200.0],
        DebugRuleConfigurations=[
            rule("Losses", "LossNotDecreasing", num_steps="5"),
            rule("Exploding", "ExplodingTensor", collection_names="losses"),
            rule("Below", "LossBelow", CUSTOM_IMAGE, source_s3_uri=source, limit="0.5"),
            rule("Fails", "LossBelow", CUSTOM_IMAGE, source_s3_uri=source, limit="0"),
        ],
    )
    first = studio.describe("mixed")["DebugRuleEvaluationStatuses"]
    assert [one["RuleConfigurationName"] for one in first] == [
        *("Losses", "Exploding", "Below", "Fails")
    ]
    assert {one["RuleEvaluationStatus"] for one in first} <= {"InProgress"}
    studio.ended("mixed")
    studio.stands("mixed", "Exploding", "IssuesFound", "Error", "NoIssuesFound", "Stopped")
    return studio.describe("mixed")


def statuses(job: Any) -> dict[str, str]:
    return {
        one["RuleConfigurationName"]: one["RuleEvaluationStatus"]
        for one in job["DebugRuleEvaluationStatuses"]
    }


def test_each_rule_comes_to_its_own_end(studio: DebuggingStudio, mixed: Any) -> None:
    assert mixed["TrainingJobStatus"] == "Completed"
    assert statuses(mixed) == {
        "Losses": "IssuesFound",
        "Exploding": "NoIssuesFound",
        "Below": "IssuesFound",
        "Fails": "Error",
    }
    assert studio.status("mixed", "Below")["StatusDetails"] == (
        "RuleEvaluationConditionMet: Evaluation of the rule LossBelow at step 40 resulted in the "
        "condition being met"
    )
    failed = studio.status("mixed", "Fails")["StatusDetails"]
    assert failed == "ArithmeticError: a loss beyond all measure (below.py, line 12)"


def test_an_evaluation_is_a_processing_job(studio: DebuggingStudio, mixed: Any) -> None:
    arn = studio.status("mixed", "Losses")["RuleEvaluationJobArn"]
    name = arn.rpartition("/")[2]
    evaluation = studio.call("DescribeProcessingJob", ProcessingJobName=name)
    assert evaluation["ProcessingJobArn"] == arn
    assert evaluation["ProcessingJobStatus"] == "Completed"
    assert evaluation["TrainingJobArn"] == mixed["TrainingJobArn"]
    assert studio.call("ListProcessingJobs")["ProcessingJobSummaries"] == []
    failed = studio.status("mixed", "Fails")["RuleEvaluationJobArn"].rpartition("/")[2]
    told = studio.call("DescribeProcessingJob", ProcessingJobName=failed)
    assert told["ProcessingJobStatus"] == "Failed"
    assert told["FailureReason"].startswith("ArithmeticError")


def test_the_tensors_are_in_the_store(studio: DebuggingStudio, mixed: Any) -> None:
    keys = studio.keys("output/mixed/debug-output/")
    assert "index/000000000/000000000041_worker_0.json" in keys
    assert "events/000000000041/000000000041_worker_0.tfevents" in keys
    assert "training_job_end.ts" in keys
    assert not [key for key in keys if "draft" in key]


def test_all_of_it_is_described(studio: DebuggingStudio, mixed: Any) -> None:
    def described() -> Any:
        return studio.call("DescribeTrainingJobDebugger", "bottega", TrainingJobName="mixed")

    # Its process ends a moment after what it has to say last.
    until(lambda: described()["EvaluatorStatus"] == "Ended", "the evaluator ends")
    told = described()
    losses, _, below, _ = told["Rules"]
    assert (losses["Kind"], below["Kind"]) == ("Debugger", "Custom")
    assert losses["Description"]
    parameters = {one["Name"]: (one["Value"], one["IsDefault"]) for one in losses["Parameters"]}
    assert parameters["num_steps"] == ("5", False)
    assert parameters["diff_percent"] == ("0.1", True)
    (finding,) = losses["Findings"]
    assert finding["Tensors"] == ["loss"]
    assert finding["Message"]
    assert finding["Advice"]
    assert below["Findings"][0]["Step"] == 40
    assert (told["LastStep"], told["StepCount"], told["TensorCount"]) == (41, 42, 1)
    (collection,) = [one for one in told["Collections"] if one["Name"] == "losses"]
    assert collection["TensorCount"] == 1
    assert told["ProfilingStatus"] == "Disabled"


def test_rules_are_told_though_tensors_are_damaged(studio: DebuggingStudio) -> None:
    studio.create("damaged", FLAT, DebugRuleConfigurations=[rule("Losses", "LossNotDecreasing")])
    studio.ended("damaged")
    studio.stands("damaged", "Losses", "IssuesFound")
    index = "output/damaged/debug-output/index/000000000/000000000099_worker_0.json"
    studio.ports.objects.put(studio.bucket, index, b"{")
    told = studio.call("DescribeTrainingJobDebugger", "bottega", TrainingJobName="damaged")
    assert [one["Status"] for one in told["Rules"]] == ["IssuesFound"]
    place = f"s3://{studio.bucket}/{index}"
    assert told["TensorsMessage"].startswith(f"The tensors cannot be read: {place} is not an index")
    assert "TensorCount" not in told


def test_what_a_rule_prints_is_in_a_log(studio: DebuggingStudio, mixed: Any) -> None:
    streams = studio.call(
        "DescribeLogStreams",
        "logs",
        logGroupName="/aws/sagemaker/ProcessingJobs",
        logStreamNamePrefix="mixed-rules/",
    )
    (stream,) = streams["logStreams"]
    events = studio.call(
        "GetLogEvents",
        "logs",
        logGroupName="/aws/sagemaker/ProcessingJobs",
        logStreamName=stream["logStreamName"],
    )
    assert "looking at 1.0" in [event["message"] for event in events["events"]]


def test_courses_and_names_are_read(studio: DebuggingStudio, mixed: Any) -> None:
    names = studio.call("ListTensorNames", "bottega", TrainingJobName="mixed")
    (tensor,) = names["Tensors"]
    assert tensor == {
        "Name": "loss",
        "Collections": ["losses"],
        "Modes": ["TRAIN"],
        "StepCount": 42,
        "FirstStep": 0,
        "LastStep": 41,
    }
    told = studio.call(
        "GetTensorCourses", "bottega", TrainingJobName="mixed", Collection="losses", MaxPoints=10
    )
    (course,) = told["Courses"]
    assert (course["TensorName"], course["Mode"], course["PointCount"]) == ("loss", "TRAIN", 42)
    assert len(course["Values"]) <= 10
    assert {0.1, 200.0} <= {round(value, 6) for value in course["Values"]}
    none = studio.call(
        "ListTensorNames", "bottega", TrainingJobName="mixed", Regex="^nothing", Collection="losses"
    )
    assert none == {"Tensors": [], "TensorCount": 0}
    with pytest.raises(ValidationException, match="regular expression"):
        studio.call("ListTensorNames", "bottega", TrainingJobName="mixed", Regex="(")
    with pytest.raises(ValidationException, match="NextToken"):
        studio.call("ListTensorNames", "bottega", TrainingJobName="mixed", NextToken="x")


def test_a_rule_stops_its_training_and_tells_somebody(studio: DebuggingStudio) -> None:
    heard: list[RuleNotified] = []
    studio.ports.events.subscribe(
        lambda event: heard.append(event) if isinstance(event, RuleNotified) else None
    )
    actions = json.dumps(
        [
            {"name": "stoptraining", "training_job_prefix": "endless"},
            {"name": "email", "endpoint": "a@b.co"},
        ]
    ).replace('"', '\\"')
    studio.create(
        "endless",
        FLAT,
        environment={"GO_ON": "1"},
        DebugRuleConfigurations=[
            rule("Losses", "LossNotDecreasing", num_steps="5", action_json=actions)
        ],
    )
    assert studio.ended("endless")["TrainingJobStatus"] == "Stopped"
    assert studio.status("endless", "Losses")["RuleEvaluationStatus"] == "IssuesFound"

    def done() -> Any:
        found = studio.debugger("endless")["Rules"][0]["Actions"]
        return found if {one["Outcome"] for one in found} == {"Done"} else None

    told = until(done, "both actions are done")
    assert [(one["Name"], one["Target"]) for one in told] == [
        ("StopTraining", "endless"),
        ("Email", "a@b.co"),
    ]
    assert told[0]["Message"] == "stopped the training job endless"
    assert [(one.job, one.rule, one.address) for one in heard] == [("endless", "Losses", "a@b.co")]


def test_an_evaluation_can_be_stopped_alone(studio: DebuggingStudio) -> None:
    studio.create(
        "alone",
        [1.0, 0.5],
        environment={"GO_ON": "1"},
        DebugRuleConfigurations=[rule("ExplodingTensor", collection_names="losses")],
    )
    until(lambda: studio.debugger("alone").get("LastStep") == 1, "its steps are there")
    name = studio.status("alone", "ExplodingTensor")["RuleEvaluationJobArn"].rpartition("/")[2]
    studio.call("StopProcessingJob", ProcessingJobName=name)
    studio.stands("alone", "ExplodingTensor", "Stopped")
    assert studio.describe("alone")["TrainingJobStatus"] == "InProgress"
    studio.call("StopTrainingJob", TrainingJobName="alone")
    studio.ended("alone")
    assert studio.status("alone", "ExplodingTensor")["RuleEvaluationStatus"] == "Stopped"


def test_a_deleted_job_takes_its_evaluations_along(studio: DebuggingStudio, mixed: Any) -> None:
    studio.create(
        "brief", [1.0], DebugRuleConfigurations=[rule("AllZero", collection_names="losses")]
    )
    studio.ended("brief")
    name = studio.status("brief", "AllZero")["RuleEvaluationJobArn"].rpartition("/")[2]
    studio.call("DeleteTrainingJob", TrainingJobName="brief")
    with pytest.raises(ValidationException, match="Could not find"):
        studio.call("DescribeProcessingJob", ProcessingJobName=name)
    work = studio.ports.config.home / "work" / "debugger"
    until(lambda: not list(work.glob("brief.*")), "its evaluation is gone")
