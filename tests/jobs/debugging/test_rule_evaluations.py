"""The processing jobs that stand for the evaluation of rules."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bottega.config import Config
from bottega.jobs.debugging.configuration import rule_configurations
from bottega.jobs.debugging.evaluations import (
    FINAL,
    RuleEvaluation,
    evaluation_name,
    first_statuses,
    with_statuses,
)
from bottega.storage.metadata import Resource
from bottega.testing.debugging import rule

CONFIG = Config(home=Path("/nowhere"))
BODY = {
    "TrainingJobName": "job",
    "RoleArn": "arn:aws:iam::000000000000:role/r",
    "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
    "DebugRuleConfigurations": [rule("One", "Overfit"), rule("Two", "Overtraining")],
}
TRAINING = Resource("TrainingJob", "job", "arn:job", "InProgress", 5.0, 5.0, body=BODY)


@given(
    st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True),
    st.text(min_size=1, max_size=256),
)
def test_every_name_can_be_that_of_a_processing_job(training: str, name: str) -> None:
    found = evaluation_name(training, 1.5, name)
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", found)
    assert found == found.lower()
    assert found != evaluation_name(training, 2.5, name)


def test_statuses_are_in_the_order_of_the_rules() -> None:
    first = first_statuses(CONFIG, "job", 5.0, BODY)["DebugRuleEvaluationStatuses"]
    assert [one["RuleConfigurationName"] for one in first] == ["One", "Two"]
    one, two = (
        RuleEvaluation.begin(CONFIG, TRAINING, each, 6.0) for each in rule_configurations(BODY)
    )
    described = Resource(
        "TrainingJob",
        "job",
        "arn:job",
        "InProgress",
        5.0,
        5.0,
        body={**BODY, "DebugRuleEvaluationStatuses": first},
    )
    assert one.as_status()["RuleEvaluationJobArn"] == first[0]["RuleEvaluationJobArn"]
    moved = with_statuses(described, {"Two": two.moved("IssuesFound", 9.0, "details")})
    assert [each["RuleEvaluationStatus"] for each in moved.body["DebugRuleEvaluationStatuses"]] == [
        "InProgress",
        "IssuesFound",
    ]
    assert moved.body["DebugRuleEvaluationStatuses"][1]["LastModifiedTime"] == 9.0
    assert with_statuses(described, {}) is described


@given(st.lists(st.sampled_from([*sorted(FINAL), "InProgress", "Stopping"]), max_size=6))
def test_what_has_ended_stays(statuses: list[str]) -> None:
    (each, _) = rule_configurations(BODY)
    evaluation = RuleEvaluation.begin(CONFIG, TRAINING, each, 6.0)
    for status in statuses:
        before = evaluation
        evaluation = evaluation.moved(status, 7.0)
        if before.ended:
            assert evaluation == before
        else:
            assert evaluation.status == status
    assert ("ProcessingEndTime" in evaluation.resource.body) is evaluation.ended
