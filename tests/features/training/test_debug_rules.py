"""What CreateTrainingJob refuses of the Debugger and the profiler, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.studio import Studio
from bottega.testing.debugging import CUSTOM_IMAGE, DebuggingStudio, rule


@pytest.fixture(scope="module")
def studio() -> Iterator[DebuggingStudio]:
    studio = Studio.temporary(preload=False)
    yield DebuggingStudio(studio)  # without controllers: nothing runs
    studio.close()


def hook(**members: Any) -> dict[str, Any]:
    return {"DebugHookConfig": {"S3OutputPath": "s3://BUCKET/d", **members}}


def rules(*found: dict[str, Any], profiler: bool = False) -> dict[str, Any]:
    return {f"{'Profiler' if profiler else 'Debug'}RuleConfigurations": list(found)}


def with_bucket(value: Any, bucket: str) -> Any:
    if isinstance(value, dict):
        return {key: with_bucket(one, bucket) for key, one in value.items()}
    if isinstance(value, list):
        return [with_bucket(one, bucket) for one in value]
    return value.replace("BUCKET", bucket) if isinstance(value, str) else value


def collection(**parameters: str) -> dict[str, Any]:
    return {"CollectionName": "weights", "CollectionParameters": parameters}


REFUSED = [
    (rules(rule("Overfitt")), "Overfit"),
    (rules(rule("Overfit", ratio="1")), "ratio"),
    (rules(rule("Overfit", patience="many")), "patience"),
    (rules({**rule("x"), "RuleParameters": {}}), "no rule_to_invoke"),
    (rules(rule("One", "Overfit"), rule("One", "Overtraining")), "two rules"),
    (rules(rule("Overfit"), rule("Overfit")), "two rules"),
    (rules(rule("Overfit", action_json="[{")), "action_json"),
    (rules(rule("Mine", "Mine", CUSTOM_IMAGE, source_s3_uri="s3://BUCKET/gone.py")), "not exist"),
    (rules(rule("Mine", "Mine", CUSTOM_IMAGE, source_s3_uri="gone.py")), "not exist"),
    (rules(rule("SimilarAcrossRuns", other_trial="nobody")), "no place of other tensors"),
    (rules({**rule("Overfit"), "S3OutputPath": "s3://gone-bucket/x"}), "gone-bucket"),
    (rules(rule("Overfit"), profiler=True), "Overfit"),
    (rules(rule("StepOutlier", stddev="x"), profiler=True), "stddev"),
    (hook(S3OutputPath="s3://gone-bucket/x"), "gone-bucket"),
    (hook(LocalPath="/tmp/tensors"), "under /opt/ml"),
    (hook(LocalPath="/opt/ml/../tensors"), "under /opt/ml"),
    (hook(LocalPath="/opt/ml/model"), "usual place"),
    (hook(HookParameters={"save_interval": "often"}), "save_interval"),
    (hook(CollectionConfigurations=[collection(reductions="middle")]), "middle"),
    (hook(CollectionConfigurations=[collection(include_regex="(")]), "weights"),
    (
        {
            "ProfilerConfig": {
                "S3OutputPath": "s3://BUCKET/p",
                "ProfilingIntervalInMilliseconds": 150,
            }
        },
        "100, 200, 500",
    ),
    ({"TensorBoardOutputConfig": {"S3OutputPath": "s3://gone-bucket/x"}}, "gone-bucket"),
]


@pytest.mark.parametrize(("members", "reason"), REFUSED)
def test_it_says_what_is_wrong(
    studio: DebuggingStudio, members: dict[str, Any], reason: str
) -> None:
    request = with_bucket(members, studio.bucket)
    with pytest.raises(ValidationException, match=reason):
        studio.create("refused", **request)
    jobs = studio.call("ListTrainingJobs")["TrainingJobSummaries"]
    assert [one["TrainingJobName"] for one in jobs if one["TrainingJobName"] == "refused"] == []


def test_what_the_sdk_sends_is_taken(studio: DebuggingStudio) -> None:
    """Lists and numbers as texts, JSON that is none, and rules that only measure."""
    output = f"s3://{studio.bucket}/d"
    profiling = {
        "DetailedProfilingConfig": '{"StartStep": 5, "NumSteps": 1, }',
        "DataloaderProfilingConfig": '{"StartStep": 7, "NumSteps": 1, "MetricsRegex": ".*", }',
        "LocalPath": "/opt/ml/output/profiler",
        "RotateMaxFileSizeInBytes": "10485760",
    }
    studio.create(
        "taken",
        DebugHookConfig={"S3OutputPath": output, "HookParameters": {"save_interval": "10"}},
        DebugRuleConfigurations=[rule("Overfit", patience="2.0"), rule("CreateXgboostReport")],
        ProfilerConfig={"S3OutputPath": output, "ProfilingParameters": profiling},
        ProfilerRuleConfigurations=[
            rule("ProfilerReport-1732", "ProfilerReport", StepOutlier_stddev="4")
        ],
    )
    job = studio.describe("taken")
    assert job["ProfilingStatus"] == "Enabled"
    assert job["ProfilerConfig"]["ProfilingParameters"] == profiling
    assert [one["RuleEvaluationStatus"] for one in job["DebugRuleEvaluationStatuses"]] == [
        *("InProgress", "InProgress")
    ]


def test_a_check_says_the_same(studio: DebuggingStudio) -> None:
    request = {
        "TrainingJobName": "checked",
        "RoleArn": studio.role,
        "AlgorithmSpecification": {"TrainingImage": "python", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{studio.bucket}/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **rules(rule("Overfitt")),
    }
    found = studio.call("CheckTrainingJob", "bottega", Request=request)["Findings"]
    assert any("Overfitt" in one["Message"] for one in found), found
