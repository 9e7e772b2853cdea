"""Debugged training jobs in tests: a script that saves tensors, and a studio that runs it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from bottega.features.debugger import actions
from bottega.jobs.debugging.configuration import rule_configurations
from bottega.jobs.debugging.evaluations import RuleEvaluation
from bottega.ports import Ports
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.requests import SKLEARN_IMAGE, code_archive, script_job

RULES_IMAGE = "895741380848.dkr.ecr.us-west-2.amazonaws.com/sagemaker-debugger-rules:latest"
CUSTOM_IMAGE = (
    "840043622174.dkr.ecr.us-west-2.amazonaws.com/sagemaker-debugger-rule-evaluator:latest"
)
PATIENCE_SECONDS = 120.0

LOSSES = """\
import json, os, pathlib, sys, time
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.writer import FolderSink, TensorWriter

root = pathlib.Path(os.environ.get("BOTTEGA_ML_ROOT", "/opt/ml"))
values = json.loads(json.loads((root / "input/config/hyperparameters.json").read_text())["losses"])
pause = float(os.environ.get("PAUSE", "0"))
writer = TensorWriter(FolderSink(root / "output/tensors"))
losses = Collection("losses")
losses.tensor_names.add("loss")
writer.collections([losses])
for step, value in enumerate(values):
    opened = writer.step(step, ModeKeys.TRAIN, step)
    opened.add("loss", float(value))
    opened.close()
    print("step", step, flush=True)
    time.sleep(pause)
while os.environ.get("GO_ON"):
    time.sleep(0.05)
"""
"""A training that saves the losses that its hyperparameter ``losses`` lists."""


def rule(name: str, rule: str = "", image: str = RULES_IMAGE, **parameters: str) -> dict[str, Any]:
    """A member of DebugRuleConfigurations or ProfilerRuleConfigurations.

    Args:
        name: its RuleConfigurationName, and the rule unless another one is named.
    """
    return {
        "RuleConfigurationName": name,
        "RuleEvaluatorImage": image,
        "RuleParameters": {"rule_to_invoke": rule or name, **parameters},
    }


def fired_rule(
    ports: Ports, training: str, *wanted: Mapping[str, str]
) -> tuple[Resource, RuleEvaluation]:
    """A training job, and its rule Overfit, which has fired; nothing was done for that yet.

    Args:
        wanted: the rule's actions, as ``action_json`` lists them.
    """
    body = {
        "TrainingJobName": training,
        "RoleArn": ports.config.role_arn,
        "OutputDataConfig": {"S3OutputPath": f"s3://{ports.config.bucket}/o"},
        "DebugRuleConfigurations": [rule("Overfit", action_json=json.dumps(list(wanted)))],
    }
    job = ports.store.create(
        Resource("TrainingJob", training, f"arn:{training}", "InProgress", 1.0, 1.0, body=body)
    )
    (found,) = rule_configurations(body)
    begun = RuleEvaluation.begin(ports.config, job, found, 1.0)
    fired = begun.moved("IssuesFound", 2.0, "it fired").with_private(
        actions=actions.planned(found, training),
        result={"findings": [{"Time": 2.0, "Message": "much"}]},
    )
    return job, RuleEvaluation(ports.store.create(fired.resource))


class DebuggingStudio:
    """A studio that runs debugged jobs."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.ports = studio.ports
        config = studio.ports.config
        self.bucket, self.role = config.bucket, config.role_arn
        code = f"s3://{self.bucket}/code/losses.tar.gz"
        self.ports.objects.put(self.bucket, "code/losses.tar.gz", code_archive(train__py=LOSSES))
        self.code = code

    @classmethod
    @contextmanager
    def opened(cls, **settings: Any) -> Iterator[Self]:
        """One over a home of its own.

        Args:
            settings: of the studio.
        """
        studio = Studio.temporary(**{"preload": False, "stop_grace_seconds": 5.0, **settings})
        try:
            studio.start()
            yield cls(studio)
        finally:
            studio.close()

    def call(self, operation: str, service: str = "sagemaker", **request: Any) -> Any:
        """Call an operation as the studio's owner."""
        return self.studio.registry.call(service, operation, request, self.studio.owner("sdk"))

    def create(
        self,
        name: str,
        losses: Sequence[float] = (),
        *,
        environment: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """Create a job that saves these losses.

        Args:
            environment: ``PAUSE``, the seconds after each step; ``GO_ON``: it never ends.
            members: further ones of the request.
        """
        request = script_job(
            name,
            self.bucket,
            self.role,
            self.code,
            HyperParameters={"losses": str(list(losses))},
            Environment=dict(environment or {}),
            **members,
        )
        request["AlgorithmSpecification"]["TrainingImage"] = SKLEARN_IMAGE
        self.call("CreateTrainingJob", **request)

    def describe(self, name: str) -> Any:
        """DescribeTrainingJob."""
        return self.call("DescribeTrainingJob", TrainingJobName=name)

    def debugger(self, name: str) -> Any:
        """DescribeTrainingJobDebugger."""
        return self.call("DescribeTrainingJobDebugger", "bottega", TrainingJobName=name)

    def status(self, name: str, rule: str) -> Any:
        """The entry of a rule in DescribeTrainingJob."""
        job = self.describe(name)
        entries = [
            *job.get("DebugRuleEvaluationStatuses", ()),
            *job.get("ProfilerRuleEvaluationStatuses", ()),
        ]
        return next(one for one in entries if one["RuleConfigurationName"] == rule)

    def stands(self, name: str, rule: str, *statuses: str) -> Any:
        """Wait until a rule is in one of these statuses; returns its entry."""
        return until(
            lambda: (
                found
                if (found := self.status(name, rule))["RuleEvaluationStatus"] in statuses
                else None
            ),
            f"{rule} of {name} is one of {statuses}",
            lambda: self.status(name, rule),
        )

    def ended(self, name: str) -> Any:
        """Wait until a job has ended; returns its description."""
        return until(
            lambda: (
                job
                if (job := self.describe(name))["TrainingJobStatus"]
                in ("Completed", "Failed", "Stopped")
                else None
            ),
            f"{name} has ended",
            lambda: self.describe(name),
        )

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix, without it."""
        found = self.ports.objects.each(self.bucket, prefix)
        return [one.key[len(prefix) :] for one in found]


def until(condition: Callable[[], Any], what: str, present: Callable[[], Any] = lambda: "") -> Any:
    """Wait until a condition gives something, and return it.

    Raises:
        AssertionError: it did not in time; says what was waited for, and what there is.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"still not: {what}; it is {present()}")
