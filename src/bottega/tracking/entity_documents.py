"""Experiments, trials and trial components as SageMaker shows them: with ARNs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.config import Config
from bottega.identifiers import sagemaker_arn
from bottega.tracking.experiments import Document, EntityKind

ARN_TYPES: Mapping[EntityKind, str] = {
    "Experiment": "experiment",
    "Trial": "experiment-trial",
    "TrialComponent": "experiment-trial-component",
}
_ONLY_SEARCHED = ("Tags", "Parents", "TrialComponentSummaries")
"""Members that Search shows and Describe does not."""


def arn_of(config: Config, kind: EntityKind, name: str) -> str:
    """The ARN of an entity, in lower case as all are."""
    return sagemaker_arn(config.region, config.account, ARN_TYPES[kind], name)


def entity_of(config: Config, arn: str) -> tuple[EntityKind, str] | None:
    """The kind and name that an ARN of this studio says; None for one of another resource."""
    for kind in ARN_TYPES:
        prefix = arn_of(config, kind, "")
        if arn.lower().startswith(prefix):
            return kind, arn[len(prefix) :]
    return None


def described(config: Config, kind: EntityKind, document: Document) -> dict[str, Any]:
    """An entity as its Describe operation shows it."""
    shown = _with_arn(config, kind, document)
    return {member: value for member, value in shown.items() if member not in _ONLY_SEARCHED}


def searched(config: Config, kind: EntityKind, document: Document) -> dict[str, Any]:
    """An entity as Search shows it."""
    shown = _with_arn(config, kind, document)
    tags = shown.pop("Tags", {})
    if tags:
        shown["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    if "TrialComponentSummaries" in shown:
        shown["TrialComponentSummaries"] = [
            _simple(config, each) for each in shown["TrialComponentSummaries"]
        ]
    return shown


def _simple(config: Config, component: Document) -> dict[str, Any]:
    shown = _with_arn(config, "TrialComponent", component)
    if "Source" in shown:
        shown["TrialComponentSource"] = shown["Source"]
    members = ("TrialComponentName", "TrialComponentArn", "TrialComponentSource", "CreationTime")
    return {member: shown[member] for member in (*members, "CreatedBy") if member in shown}


def _with_arn(config: Config, kind: EntityKind, document: Document) -> dict[str, Any]:
    name = f"{kind}Name"
    arn = arn_of(config, kind, document[name])
    shown: dict[str, Any] = {name: document[name], f"{kind}Arn": arn, **document}
    shown.pop("RunId", None)
    if "Metrics" in document:
        source = document.get("Source", {}).get("SourceArn", arn)
        shown["Metrics"] = [{**metric, "SourceArn": source} for metric in document["Metrics"]]
    return shown
