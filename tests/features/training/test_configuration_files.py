"""What a host finds in ``/opt/ml/input/config`` for the Debugger."""

from __future__ import annotations

from typing import Any

from bottega.features.training.entities import TrainingJob
from bottega.features.training.launch import config_files
from bottega.storage.metadata import Resource

DEFAULTS = {
    "DebugHookConfig": {"S3OutputPath": "s3://b/d", "CollectionConfigurations": []},
    "ProfilerConfig": {"S3OutputPath": "s3://b/d", "DisableProfiler": False},
}
"""What version 2 of the SDK sends with every job."""


def files(**body: Any) -> dict[str, Any]:
    whole = {
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
        **body,
    }
    job = TrainingJob(Resource("TrainingJob", "j", "arn", "InProgress", 10.0, 10.0, whole))
    return config_files(job, "algo-1")


def test_nobody_who_wants_nothing_gets_a_hook() -> None:
    assert not [name for name in files() if name.startswith(("debug", "profiler"))]
    found = files(**DEFAULTS)
    assert "debughookconfig.json" not in found
    assert found["profilerconfig.json"]["DisableProfiler"] is True


def test_the_hook_saves_what_the_rules_need() -> None:
    rule = {
        "RuleConfigurationName": "gradients",
        "RuleEvaluatorImage": "image",
        "RuleParameters": {"rule_to_invoke": "VanishingGradient"},
    }
    weights = {"CollectionName": "weights", "CollectionParameters": {"save_interval": "7"}}
    hook = {"S3OutputPath": "s3://b/d", "CollectionConfigurations": [weights]}
    found = files(DebugHookConfig=hook, DebugRuleConfigurations=[rule])["debughookconfig.json"]
    assert found["CollectionConfigurations"] == [
        weights,
        {"CollectionName": "gradients", "CollectionParameters": {"save_interval": "500"}},
    ]
    own = {"CollectionName": "gradients", "CollectionParameters": {"save_interval": "1"}}
    hook = {"S3OutputPath": "s3://b/d", "CollectionConfigurations": [own]}
    found = files(DebugHookConfig=hook, DebugRuleConfigurations=[rule])["debughookconfig.json"]
    assert found["CollectionConfigurations"] == [own]


def test_a_profile_that_is_asked_for_is_wanted() -> None:
    asked = {**DEFAULTS["ProfilerConfig"], "ProfilingIntervalInMilliseconds": 500}
    assert files(ProfilerConfig=asked)["profilerconfig.json"]["DisableProfiler"] is False
