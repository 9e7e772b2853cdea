"""The report of a job's rules: what it knows, when it ends, and what a monitor tells of it."""

from __future__ import annotations

import threading

import pytest

from bottega.errors import ResourceNotFound
from bottega.sdk.session import Session
from bottega.sdk.training_job import TrainingJob
from bottega.widgets import DebuggerReport, JobMonitor

FROM_JOB = (
    *("RoleArn", "AlgorithmSpecification", "InputDataConfig", "OutputDataConfig"),
    *("ResourceConfig", "StoppingCondition"),
)


@pytest.fixture(scope="module")
def watched(studio: Session, trained: TrainingJob) -> TrainingJob:
    """A training that learns nothing, with a rule that sees it and one that does not."""
    before = trained.describe()
    output = before["OutputDataConfig"]["S3OutputPath"]
    specification = {
        name: value
        for name, value in before["AlgorithmSpecification"].items()
        if name != "MetricDefinitions"  # the algorithm has its own
    }
    studio.client.call(
        "sagemaker",
        "CreateTrainingJob",
        {name: before[name] for name in FROM_JOB}
        | {
            "TrainingJobName": "watched",
            "AlgorithmSpecification": specification,
            "HyperParameters": {"num_round": "30", "eta": "0"},
            "DebugHookConfig": {
                "S3OutputPath": output,
                "CollectionConfigurations": [
                    {"CollectionName": name, "CollectionParameters": {"save_interval": "1"}}
                    for name in ("metrics", "losses")
                ],
            },
            "DebugRuleConfigurations": [
                {
                    "RuleConfigurationName": name,
                    "RuleEvaluatorImage": "sagemaker-debugger-rules:latest",
                    "RuleParameters": {"rule_to_invoke": rule, **more},
                }
                for name, rule, more in (
                    ("Flat", "LossNotDecreasing", {"num_steps": "10"}),
                    ("TreeDepth", "TreeDepth", {"depth": "60"}),
                )
            ],
        },
    )
    return studio.job("watched")


def test_it_follows_a_job_and_its_rules_to_the_end(studio: Session, watched: TrainingJob):
    report = DebuggerReport(watched)
    report.wait_for_end()
    assert report.view.ended
    assert not report.is_live
    flat, depth = report.rules
    assert (flat["RuleConfigurationName"], flat["Status"]) == ("Flat", "IssuesFound")
    assert flat["Findings"][0]["Step"] >= 10
    assert flat["Findings"][0]["Advice"]
    assert depth["Status"] == "NoIssuesFound"
    assert "train-rmse" in {course["TensorName"] for course in report.courses}

    text = report.standing_alone()["text/plain"]
    assert "Debugger of watched (Completed): 2 rules: 1 found issues, 1 found none" in text
    assert "What to do:" in text
    assert "<svg" in report.standing_alone()["text/html"]
    assert DebuggerReport("watched", studio=studio).rules == report.rules
    assert [t for t in threading.enumerate() if t.name.startswith("monitor ")] == []


def test_a_monitor_tells_what_the_rules_of_its_job_found(watched: TrainingJob):
    DebuggerReport(watched).wait_for_end()
    monitor = JobMonitor(watched)
    assert [rule["Status"] for rule in monitor.rules] == ["IssuesFound", "NoIssuesFound"]
    assert "IssuesFound: Flat" in repr(monitor)


def test_a_job_without_rules_says_how_to_ask_for_some(trained: TrainingJob):
    report = DebuggerReport(trained)
    assert not report.is_live
    assert report.rules == []
    assert "started without rules" in repr(report)
    assert JobMonitor(trained).rules == []


def test_a_job_that_is_not_there(studio: Session):
    with pytest.raises(ResourceNotFound, match="There is no training job 'gone'"):
        DebuggerReport("gone", studio=studio)
