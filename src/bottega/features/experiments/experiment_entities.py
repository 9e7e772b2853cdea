"""The operations on experiments."""

from __future__ import annotations

from typing import Any, cast

from bottega.context import Context
from bottega.features.experiments.catalogue import experiments_of
from bottega.features.experiments.entities import (
    chosen,
    page,
    tags_of,
    user_of,
)
from bottega.registry import operation
from bottega.specs.generated.experiments import (
    CreateExperimentRequest,
    CreateExperimentResponse,
    DeleteExperimentRequest,
    DeleteExperimentResponse,
    DescribeExperimentRequest,
    DescribeExperimentResponse,
    ListExperimentsRequest,
    ListExperimentsResponse,
    UpdateExperimentRequest,
    UpdateExperimentResponse,
)
from bottega.tracking.entity_documents import arn_of, described
from bottega.tracking.experiments import NewEntity

_SHOWN = ("DisplayName", "Description")
_SUMMARY = (
    "ExperimentArn",
    "ExperimentName",
    "DisplayName",
    "CreationTime",
    "LastModifiedTime",
)


@operation("CreateExperiment", note="An experiment is one of MLflow's, with the same name.")
def create_experiment(
    context: Context, request: CreateExperimentRequest
) -> CreateExperimentResponse:
    """Make an experiment, which is also one of MLflow's."""
    name = request["ExperimentName"]
    document = {**chosen(request, _SHOWN), "CreatedBy": context.caller.user_context}
    entity = NewEntity("Experiment", name, document, tags_of(request), user=user_of(context.caller))
    with experiments_of(context) as experiments:
        experiments.create(entity)
    return {"ExperimentArn": arn_of(context.ports.config, "Experiment", name)}


@operation("DescribeExperiment")
def describe_experiment(
    context: Context, request: DescribeExperimentRequest
) -> DescribeExperimentResponse:
    """Everything that is known of an experiment."""
    with experiments_of(context) as experiments:
        found = experiments.describe("Experiment", request["ExperimentName"])
    answer: Any = described(context.ports.config, "Experiment", found)
    return cast(DescribeExperimentResponse, answer)


@operation("UpdateExperiment")
def update_experiment(
    context: Context, request: UpdateExperimentRequest
) -> UpdateExperimentResponse:
    """Change an experiment's display name or description."""
    name = request["ExperimentName"]
    changes = {**chosen(request, _SHOWN), "LastModifiedBy": context.caller.user_context}
    with experiments_of(context) as experiments:
        experiments.update("Experiment", name, changes)
    return {"ExperimentArn": arn_of(context.ports.config, "Experiment", name)}


@operation("DeleteExperiment", note="MLflow marks the experiment as deleted and keeps it.")
def delete_experiment(
    context: Context, request: DeleteExperimentRequest
) -> DeleteExperimentResponse:
    """Delete an experiment that has no trials."""
    name = request["ExperimentName"]
    with experiments_of(context) as experiments:
        experiments.delete("Experiment", name)
    return {"ExperimentArn": arn_of(context.ports.config, "Experiment", name)}


@operation("ListExperiments")
def list_experiments(context: Context, request: ListExperimentsRequest) -> ListExperimentsResponse:
    """One page of the experiments, whoever made them."""
    found, token = page(context, "ListExperiments", "Experiment", request, [])
    config = context.ports.config
    answer: Any = {
        "ExperimentSummaries": [
            chosen(described(config, "Experiment", each), _SUMMARY) for each in found
        ]
    }
    if token:
        answer["NextToken"] = token
    return cast(ListExperimentsResponse, answer)
