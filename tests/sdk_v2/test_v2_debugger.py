"""The Debugger and the profiler with the SDK's estimators: rules, actions, summaries, updates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from abalone import abalone_rows, as_csv, eventually
from sagemaker import image_uris
from sagemaker.debugger import (
    CollectionConfig,
    DebuggerHookConfig,
    FrameworkProfile,
    ProfilerConfig,
    ProfilerRule,
    Rule,
    rule_configs,
)
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

INSTANCE = "ml.m5.large"


@pytest.fixture(scope="module")
def channels(session: Any, shared_data: Path) -> dict[str, TrainingInput]:
    bucket = session.default_bucket()
    body = as_csv(abalone_rows(shared_data, 300))
    uri = str(session.upload_string_as_file_body(body, bucket, "debugger/train.csv"))
    channel = TrainingInput(uri, content_type="text/csv")
    return {"train": channel, "validation": channel}


def booster(session: Any, role: str, rounds: int, **arguments: Any) -> Estimator:
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    hyperparameters = {
        "num_round": rounds,
        "objective": "reg:squarederror",
        "max_depth": 3,
        "nthread": 1,
    }
    return Estimator(
        image,
        role,
        1,
        INSTANCE,
        sagemaker_session=session,
        hyperparameters=hyperparameters,
        **arguments,
    )


def test_a_rule_stops_a_training_that_somebody_waits_for(
    session: Any, role: str, channels: Any, timed: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    output = f"s3://{session.default_bucket()}/debugger"
    actions = rule_configs.ActionList(
        rule_configs.StopTraining(), rule_configs.Email("somebody@example.com")
    )
    estimator = booster(
        session,
        role,
        200_000,
        debugger_hook_config=DebuggerHookConfig(
            s3_output_path=output,
            collection_configs=[CollectionConfig("metrics", {"save_interval": "5"})],
        ),
        profiler_config=ProfilerConfig(s3_output_path=output),
        rules=[
            # No loss comes down so much in so few rounds for long.
            Rule.sagemaker(
                rule_configs.loss_not_decreasing(),
                rule_parameters={"num_steps": "2", "diff_percent": "30"},
                actions=actions,
            ),
            Rule.sagemaker(rule_configs.overfit(), name="Overfit"),
            ProfilerRule.sagemaker(rule_configs.ProfilerReport()),
        ],
    )
    with timed("fit that a rule stops"):
        estimator.fit(channels, logs="All")
    assert "LossNotDecreasing: IssuesFound" in capsys.readouterr().out
    job = estimator.latest_training_job
    assert job.describe()["TrainingJobStatus"] == "Stopped"

    def summary() -> Any:
        found = job.rule_job_summary()
        going = [one for one in found if one["RuleEvaluationStatus"] == "InProgress"]
        return None if going else found

    found = {
        one["RuleConfigurationName"].partition("-")[0]: one for one in eventually(summary, bool)
    }
    report, losses = found["ProfilerReport"], found["LossNotDecreasing"]
    assert report["RuleEvaluationStatus"] == "NoIssuesFound"
    assert losses["StatusDetails"].startswith("RuleEvaluationConditionMet: Evaluation of the rule")
    assert found["Overfit"]["RuleEvaluationStatus"] == "NoIssuesFound"
    artifacts = estimator.latest_job_debugger_artifacts_path()
    bucket, _, prefix = artifacts.removeprefix("s3://").partition("/")
    keys = session.list_s3_files(bucket, prefix)
    assert f"{prefix}/training_job_end.ts" in keys
    written = session.list_s3_files(bucket, f"debugger/{job.name}/rule-output")
    assert any(key.endswith("profiler-report.html") for key in written)


def test_profiling_is_changed_while_a_job_runs(session: Any, role: str, channels: Any) -> None:
    output = f"s3://{session.default_bucket()}/debugger"
    estimator = booster(
        session,
        role,
        200_000,
        profiler_config=ProfilerConfig(
            s3_output_path=output, framework_profile_params=FrameworkProfile()
        ),
    )
    estimator.fit(channels, wait=False)
    job = estimator.latest_training_job
    assert job.describe()["ProfilingStatus"] == "Enabled"
    estimator.disable_profiling()
    assert job.describe()["ProfilingStatus"] == "Disabled"
    estimator.enable_default_profiling()
    assert job.describe()["ProfilingStatus"] == "Enabled"
    estimator.update_profiler(
        system_monitor_interval_millis=100,
        rules=[ProfilerRule.sagemaker(rule_configs.OverallSystemUsage())],
    )
    described = job.describe()
    assert described["ProfilerConfig"]["ProfilingIntervalInMilliseconds"] == 100
    (status,) = described["ProfilerRuleEvaluationStatuses"]
    assert status["RuleConfigurationName"] == "OverallSystemUsage"
    samples = f"debugger/{job.name}/profiler-output/system"
    eventually(lambda: session.list_s3_files(session.default_bucket(), samples), bool)
    session.stop_training_job(job.name)
    eventually(lambda: job.describe()["TrainingJobStatus"], lambda it: it == "Stopped")
    eventually(
        lambda: job.rule_job_summary()[0]["RuleEvaluationStatus"], lambda it: it == "NoIssuesFound"
    )


def test_a_rule_of_the_users_own(session: Any, role: str, channels: Any, tmp_path: Path) -> None:
    source = tmp_path / "errors.py"
    source.write_text(
        "from smdebug.rules.rule import Rule\n\n"
        "class ErrorAbove(Rule):\n"
        "    def __init__(self, base_trial, limit=1.0):\n"
        "        super().__init__(base_trial)\n"
        "        self.limit = float(limit)\n\n"
        "    def invoke_at_step(self, step):\n"
        "        value = self.base_trial.tensor('train-rmse').value(step)\n"
        "        return float(value) > self.limit\n"
    )
    estimator = booster(
        session,
        role,
        5,
        debugger_hook_config=DebuggerHookConfig(
            s3_output_path=f"s3://{session.default_bucket()}/debugger",
            collection_configs=[CollectionConfig("metrics", {"save_interval": "1"})],
        ),
        rules=[
            Rule.custom(
                name="ErrorAbove",
                image_uri="840043622174.dkr.ecr.us-east-1.amazonaws.com/"
                "sagemaker-debugger-rule-evaluator:latest",
                instance_type="ml.t3.medium",
                volume_size_in_gb=10,
                source=str(source),
                rule_to_invoke="ErrorAbove",
                rule_parameters={"limit": "0.001"},
            )
        ],
    )
    estimator.fit(channels, logs="None")
    job = estimator.latest_training_job
    eventually(
        lambda: job.rule_job_summary()[0]["RuleEvaluationStatus"], lambda it: it != "InProgress"
    )
    (status,) = job.rule_job_summary()
    assert status["RuleEvaluationStatus"] == "IssuesFound", status
