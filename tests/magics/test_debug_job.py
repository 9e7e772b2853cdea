"""``%debug_job``: what the rules of a job found, and its tensors."""

from __future__ import annotations

from bottega.testing.daemon import eventually

RULES = {
    "DebugRuleConfigurations": [
        {
            "RuleConfigurationName": "Flat",
            "RuleEvaluatorImage": "sagemaker-debugger-rules:latest",
            "RuleParameters": {"rule_to_invoke": "LossNotDecreasing", "num_steps": "10"},
        }
    ]
}
KEPT = (
    *("RoleArn", "AlgorithmSpecification", "InputDataConfig", "OutputDataConfig"),
    *("ResourceConfig", "StoppingCondition"),
)


def watched(sagemaker, like: str, name: str) -> None:
    """Train as another job did, without learning anything, under a rule; wait for its last word."""
    before = sagemaker.describe_training_job(TrainingJobName=like)
    request = {member: before[member] for member in KEPT}
    request["AlgorithmSpecification"].pop("MetricDefinitions", None)
    collection = {"CollectionName": "metrics", "CollectionParameters": {"save_interval": "1"}}
    sagemaker.create_training_job(
        **request,
        TrainingJobName=name,
        HyperParameters={"num_round": "30", "eta": "0"},
        DebugHookConfig={
            "S3OutputPath": before["OutputDataConfig"]["S3OutputPath"],
            "CollectionConfigurations": [collection],
        },
        **RULES,
    )

    def settled() -> bool:
        found = sagemaker.describe_training_job(TrainingJobName=name)
        statuses = found["DebugRuleEvaluationStatuses"]
        return found["TrainingJobStatus"] == "Completed" and all(
            status["RuleEvaluationStatus"] not in ("InProgress", "Stopping") for status in statuses
        )

    eventually(settled, "the rule has had its last word", timeout=60)


def test_it_shows_what_the_rules_found_and_gives_the_tensors(daemon, shell, run):
    run("%train xgboost --target target --data iris --name plain --hp num_round 2")
    watched(daemon.client("sagemaker"), "plain", "watched")
    (shown,) = run("%debug_job watched --into trial").bundles
    assert "Debugger of watched (Completed): 1 rule: 1 found issues" in shown["text/plain"]
    assert "What to do:" in shown["text/plain"]
    trial = shell.user_ns["trial"]
    assert "train-rmse" in trial.tensor_names(collection="metrics")

    # Of the last job, which has no rules and saves no tensors.
    (shown,) = run("%debug_job").bundles
    assert "started without rules" in shown["text/plain"]
    assert "the training job 'plain' saves no tensors" in run("%debug_job plain --into t").refusal
    assert "t" not in shell.user_ns


def test_a_wrong_word_is_refused(run):
    assert "There is no training job 'gone'" in run("%debug_job gone").refusal
    assert (
        "--into no-name: that is no name of a variable"
        in run("%debug_job gone --into no-name").refusal
    )
    text = run("%debug_job -h").text
    assert "usage: %debug_job" in text
    assert "bottega.debugger.create_trial" in text
