"""The operation that tells everything about one run."""

from __future__ import annotations

from bottega.context import Context
from bottega.features.experiments.catalogue import catalogue_of
from bottega.features.experiments.overview import shown
from bottega.registry import operation
from bottega.specs.generated.experiments import (
    DescribeRunRequest,
    DescribeRunResponse,
    RunArtifact,
    RunInput,
)
from bottega.tracking.catalogue import Artifact, DatasetInput


@operation("DescribeRun", service="bottega")
def describe_run(context: Context, request: DescribeRunRequest) -> DescribeRunResponse:
    """Everything that is known of one run."""
    with catalogue_of(context) as catalogue:
        found = catalogue.describe(request["RunId"])
    return {
        "Run": shown(found.run),
        "ExperimentName": found.experiment_name,
        "Artifacts": [_artifact(item) for item in found.artifacts],
        "Inputs": [_input(item) for item in found.inputs],
        "Environment": dict(found.environment),
        "LoggedModels": [model.path for model in found.models],
    }


def _artifact(artifact: Artifact) -> RunArtifact:
    known: RunArtifact = {"Path": artifact.path, "IsDirectory": artifact.is_directory}
    if artifact.size is not None:
        known["SizeBytes"] = artifact.size
    return known


def _input(dataset: DatasetInput) -> RunInput:
    known: RunInput = {"Name": dataset.name}
    if dataset.digest:
        known["Digest"] = dataset.digest
    if dataset.source:
        known["Source"] = dataset.source
    if dataset.context:
        known["Context"] = dataset.context
    return known
