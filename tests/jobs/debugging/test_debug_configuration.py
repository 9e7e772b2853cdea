"""What a request asks of the Debugger, and of nobody who did not ask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.jobs.debugging import configuration
from bottega.jobs.debugging.configuration import (
    Action,
    ActionsRefused,
    RuleConfiguration,
    actions_of,
    hook_of,
    is_debugged,
    profile_uri,
    profiler_of,
    rule_configurations,
    rule_output_uri,
    tensors_uri,
)
from bottega.testing.debugging import rule


def body(**members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": "job",
        "OutputDataConfig": {"S3OutputPath": "s3://b/out/"},
        **members,
    }


def test_what_the_sdk_sends_with_every_job_is_nothing_to_do() -> None:
    always = body(
        DebugHookConfig={"S3OutputPath": "s3://b/d", "CollectionConfigurations": []},
        ProfilerConfig={"S3OutputPath": "s3://b/d", "DisableProfiler": False},
    )
    assert not is_debugged(always)
    assert hook_of(always) is None
    assert profiler_of(always) is None
    assert configuration.profiling_status(always) == "Disabled"


def test_collections_of_rules_come_to_those_of_the_request() -> None:
    asked = body(
        DebugHookConfig={
            "S3OutputPath": "s3://b/d",
            "CollectionConfigurations": [
                {"CollectionName": "metrics", "CollectionParameters": {"save_interval": "9"}}
            ],
        },
        DebugRuleConfigurations=[rule("CreateXgboostReport"), rule("LossNotDecreasing")],
    )
    hook = hook_of(asked)
    assert hook is not None
    found = {
        one["CollectionName"]: one["CollectionParameters"]
        for one in hook["CollectionConfigurations"]
    }
    assert found["metrics"] == {"save_interval": "9"}
    assert {"predictions", "labels", "feature_importance", "losses"} <= found.keys()
    assert hook["LocalPath"] == "/opt/ml/output/tensors"


def test_a_rule_without_a_hook_configuration_saves_beside_the_model() -> None:
    asked = body(DebugRuleConfigurations=[rule("LossNotDecreasing")])
    assert tensors_uri(asked) == "s3://b/out/job/debug-output"
    (found,) = rule_configurations(asked)
    assert rule_output_uri(asked, found) == "s3://b/out/job/rule-output/LossNotDecreasing"


def test_profiles_have_their_place() -> None:
    asked = body(
        ProfilerConfig={"S3OutputPath": "s3://b/p/"},
        ProfilerRuleConfigurations=[rule("StepOutlier")],
    )
    assert profile_uri(asked) == "s3://b/p/job/profiler-output"
    profiler = profiler_of(asked)
    assert profiler is not None
    assert profiler["ProfilingIntervalInMilliseconds"] == 500
    off = body(ProfilerConfig={"DisableProfiler": True, "ProfilingIntervalInMilliseconds": 100})
    assert profiler_of(off) is None


@pytest.mark.parametrize(
    ("document", "member", "kind"),
    [
        (rule("Overfit"), "DebugRuleConfigurations", "Debugger"),
        (rule("x", "StepOutlier"), "DebugRuleConfigurations", "Profiler"),
        (rule("ProfilerReport"), "ProfilerRuleConfigurations", "Profiler"),
        (rule("Mine", source_s3_uri="s3://b/m.py"), "DebugRuleConfigurations", "Custom"),
    ],
)
def test_kinds_of_rules(document: Any, member: str, kind: str) -> None:
    assert RuleConfiguration(member, document).kind == kind


def test_other_trials_come_in_their_order() -> None:
    document = rule(
        "SimilarAcrossRuns",
        other_trial_10="s3://b/k",
        other_trial_2="s3://b/c, s3://b/d",
        threshold="1",
    )
    found = RuleConfiguration("DebugRuleConfigurations", document)
    assert found.other_trials == ["s3://b/c", "s3://b/d", "s3://b/k"]
    assert found.own_parameters == {"threshold": "1"}


actions = st.lists(
    st.one_of(
        st.builds(
            lambda prefix: {"name": "stoptraining", "training_job_prefix": prefix}, st.text()
        ),
        st.builds(
            lambda name, to: {"name": name, "endpoint": to},
            st.sampled_from(["email", "sms", "SMS"]),
            st.text(st.characters(exclude_characters='\\"', exclude_categories=["Cs"]), min_size=1)
            .map(str.strip)
            .filter(bool),
        ),
    ),
    max_size=4,
)


@given(actions, st.booleans())
def test_actions_are_read_as_they_are_and_as_the_sdk_escapes_them(
    wanted: list[dict[str, str]], escaped: bool
) -> None:
    if any('"' in text or "\\" in text for one in wanted for text in one.values()):
        escaped = False  # nobody could tell which quotes are meant
    text = json.dumps(wanted, ensure_ascii=not escaped)
    if escaped:
        if "\\" in text:
            return
        text = text.replace('"', '\\"')
    document = rule("Overfit", action_json=text)
    found = actions_of(RuleConfiguration("DebugRuleConfigurations", document), "job")
    names = {"stoptraining": "StopTraining", "email": "Email", "sms": "SMS"}
    assert found == [
        Action(
            names[one["name"].lower()],  # type: ignore[arg-type]
            one["endpoint"] if "endpoint" in one else one["training_job_prefix"] or "job",
        )
        for one in wanted
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("3", "no list"),
        ('["x"]', "no action"),
        ('[{"name": "page"}]', "no action 'page'"),
        ('[{"name": "sms"}]', "no endpoint"),
    ],
)
def test_other_actions_are_refused(text: str, reason: str) -> None:
    found = RuleConfiguration("DebugRuleConfigurations", rule("Overfit", action_json=text))
    with pytest.raises(ActionsRefused, match=reason):
        actions_of(found, "job")


def test_a_stalled_training_can_be_stopped_by_its_rule() -> None:
    document = rule("StalledTrainingRule", stop_training_on_fire="True")
    found = RuleConfiguration("DebugRuleConfigurations", document)
    assert actions_of(found, "job") == [Action("StopTraining", "job")]
