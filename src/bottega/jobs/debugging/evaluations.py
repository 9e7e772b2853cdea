"""The processing jobs that stand for the evaluation of rules.

SageMaker evaluates each rule in a processing job of its own, which is managed: lists leave it out,
DescribeProcessingJob and StopProcessingJob know it by the name in RuleEvaluationJobArn. Here one
process evaluates all rules of a training, and a small resource stands for each rule's job. Its
``body`` is what DescribeProcessingJob shows; its ``private`` part is the Debugger's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bottega.config import Config
from bottega.identifiers import sagemaker_arn
from bottega.jobs.debugging.configuration import (
    STATUSES,
    RuleConfiguration,
    place,
    rule_configurations,
    rule_output_uri,
)
from bottega.storage.metadata import Resource

KIND = "RuleEvaluation"

PROCESSING_STATUS: Mapping[str, str] = {
    "InProgress": "InProgress",
    "NoIssuesFound": "Completed",
    "IssuesFound": "Completed",
    "Error": "Failed",
    "Stopping": "Stopping",
    "Stopped": "Stopped",
}
"""The ProcessingJobStatus for each RuleEvaluationStatus."""
FINAL = frozenset({"NoIssuesFound", "IssuesFound", "Error", "Stopped"})
"""The RuleEvaluationStatuses that stay."""

_LONGEST_NAME = 63
_LONGEST_DETAILS = 1024


def evaluation_name(training: str, created: float, rule: str) -> str:
    """The name of the processing job: ``<training-job prefix>-<rulename>-<hash>``.

    In lower case, so that it is the name in the ARN, too, where people take it from.

    Args:
        created: when the training job was created, as a later one may have its name.
        rule: the RuleConfigurationName.
    """
    digest = hashlib.sha256(f"{training}\0{created}\0{rule}".encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", rule).strip("-")[:26].strip("-") or "Rule"
    room = _LONGEST_NAME - len(readable) - len(digest) - 2
    return f"{training[:room].rstrip('-')}-{readable}-{digest}".lower()


def first_statuses(
    config: Config, name: str, created: float, body: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """The members of DescribeTrainingJob that say how rules stand, for a job that begins.

    Args:
        name: the training job's.
        body: the request, or what Describe shows of the job.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for rule in rule_configurations(body):
        evaluation = evaluation_name(name, created, rule.name)
        found.setdefault(STATUSES[rule.member], []).append(
            {
                "RuleConfigurationName": rule.name,
                "RuleEvaluationJobArn": sagemaker_arn(
                    config.region, config.account, "processing-job", evaluation
                ),
                "RuleEvaluationStatus": "InProgress",
                "LastModifiedTime": created,
            }
        )
    return found


@dataclass(frozen=True)
class RuleEvaluation:
    """One rule's evaluation over its resource. Methods that change something return a new one."""

    resource: Resource

    @classmethod
    def begin(
        cls, config: Config, training: Resource, rule: RuleConfiguration, now: float
    ) -> RuleEvaluation:
        """The evaluation of a rule whose training was just created, or got the rule just now."""
        body = training.body
        name = evaluation_name(training.name, training.created, rule.name)
        arn = sagemaker_arn(config.region, config.account, "processing-job", name)
        uri = rule_output_uri(body, rule)
        document = rule.document
        shown = {
            "ProcessingJobName": name,
            "ProcessingJobArn": arn,
            "ProcessingJobStatus": "InProgress",
            "ProcessingInputs": [
                _input(input_name, place(body, root, part), path)
                for input_name, root, part, path in _sources(body)
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "output",
                        "AppManaged": False,
                        "S3Output": {
                            "S3Uri": uri,
                            "LocalPath": document.get(
                                "LocalPath", "/opt/ml/processing/output/rule"
                            ),
                            "S3UploadMode": "Continuous",
                        },
                    }
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": document.get("InstanceType", "ml.t3.medium"),
                    "VolumeSizeInGB": document.get("VolumeSizeInGB") or 1,
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
            "AppSpecification": {"ImageUri": document["RuleEvaluatorImage"]},
            "Environment": dict(rule.parameters),
            "RoleArn": body["RoleArn"],
            "CreationTime": now,
            "ProcessingStartTime": now,
            "TrainingJobArn": training.arn,
        }
        private = {"training": training.name, "rule": rule.name, "status": "InProgress"}
        return cls(Resource(KIND, name, arn, "InProgress", now, now, body=shown, private=private))

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def rule(self) -> str:
        """RuleConfigurationName."""
        return str(self.resource.private["rule"])

    @property
    def status(self) -> str:
        """RuleEvaluationStatus."""
        return str(self.resource.private["status"])

    @property
    def details(self) -> str:
        """StatusDetails; empty for none."""
        return str(self.resource.private.get("details", ""))

    @property
    def ended(self) -> bool:
        return self.status in FINAL

    @property
    def result(self) -> Mapping[str, Any]:
        """What the evaluator said of it last."""
        found: Mapping[str, Any] = self.resource.private.get("result", {})
        return found

    @property
    def actions(self) -> list[dict[str, Any]]:
        """What was done because it fired: one entry for each action, in order."""
        return [dict(one) for one in self.resource.private.get("actions", ())]

    def with_private(self, **values: Any) -> RuleEvaluation:
        private = {**self.resource.private, **values}
        return RuleEvaluation(replace(self.resource, private=private))

    def moved(self, status: str, now: float, details: str = "") -> RuleEvaluation:
        """With another RuleEvaluationStatus; one that stays is not left any more."""
        if self.ended or (status == self.status and details == self.details):
            return self
        shown = PROCESSING_STATUS[status]
        body = {**self.resource.body, "ProcessingJobStatus": shown}
        if status in FINAL:
            body["ProcessingEndTime"] = now
        if status == "Error":
            body["FailureReason"] = details[:_LONGEST_DETAILS]
        elif details:
            body["ExitMessage"] = details[:_LONGEST_DETAILS]
        changed = self.with_private(status=status, details=details[:_LONGEST_DETAILS], changed=now)
        return RuleEvaluation(replace(changed.resource, status=shown, body=body))

    def as_status(self) -> dict[str, Any]:
        """Its entry in DescribeTrainingJob."""
        entry: dict[str, Any] = {
            "RuleConfigurationName": self.rule,
            "RuleEvaluationJobArn": self.resource.arn,
            "RuleEvaluationStatus": self.status,
            "LastModifiedTime": self.resource.private.get("changed", self.resource.created),
        }
        if self.details:
            entry["StatusDetails"] = self.details
        return entry


def _sources(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """What an evaluation reads: input's name, S3OutputPath, part of the output, path inside."""
    for member, part in (
        ("DebugHookConfig", "debug-output"),
        ("ProfilerConfig", "profiler-output"),
    ):
        if root := body.get(member, {}).get("S3OutputPath"):
            short = part.partition("-")[0]
            yield f"{short}-input", root, part, f"/opt/ml/processing/input/{short}"


def _input(name: str, uri: str, path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def with_statuses(resource: Resource, evaluations: Mapping[str, RuleEvaluation]) -> Resource:
    """A training job whose description says how its rules stand.

    Args:
        evaluations: by RuleConfigurationName; a rule without one stands as it did.
    """
    body = dict(resource.body)
    for member in STATUSES.values():
        if entries := body.get(member):
            body[member] = [
                evaluations[entry["RuleConfigurationName"]].as_status()
                if entry["RuleConfigurationName"] in evaluations
                else entry
                for entry in entries
            ]
    return resource if body == resource.body else replace(resource, body=body)
