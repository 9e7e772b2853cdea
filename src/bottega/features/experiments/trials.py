"""The operations on trials."""

from __future__ import annotations

from typing import Any, cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.experiments.catalogue import experiments_of
from bottega.features.experiments.entities import (
    chosen,
    page,
    tags_of,
)
from bottega.registry import operation
from bottega.specs.generated.experiments import (
    CreateTrialRequest,
    CreateTrialResponse,
    DeleteTrialRequest,
    DeleteTrialResponse,
    DescribeTrialRequest,
    DescribeTrialResponse,
    ListTrialsRequest,
    ListTrialsResponse,
    UpdateTrialRequest,
    UpdateTrialResponse,
)
from bottega.tracking.entity_documents import arn_of, described
from bottega.tracking.experiments import NewEntity

_SUMMARY = ("TrialArn", "TrialName", "DisplayName", "CreationTime", "LastModifiedTime")


@operation("CreateTrial")
def create_trial(context: Context, request: CreateTrialRequest) -> CreateTrialResponse:
    """Make a trial of an experiment."""
    name = request["TrialName"]
    document = {
        **chosen(request, ("DisplayName", "MetadataProperties")),
        "CreatedBy": context.caller.user_context,
    }
    entity = NewEntity(
        "Trial", name, document, tags_of(request), experiment=request["ExperimentName"]
    )
    with experiments_of(context) as experiments:
        experiments.create(entity)
    return {"TrialArn": arn_of(context.ports.config, "Trial", name)}


@operation("DescribeTrial")
def describe_trial(context: Context, request: DescribeTrialRequest) -> DescribeTrialResponse:
    """Everything that is known of a trial."""
    with experiments_of(context) as experiments:
        found = experiments.describe("Trial", request["TrialName"])
    answer: Any = described(context.ports.config, "Trial", found)
    return cast(DescribeTrialResponse, answer)


@operation("UpdateTrial")
def update_trial(context: Context, request: UpdateTrialRequest) -> UpdateTrialResponse:
    """Change a trial's display name."""
    name = request["TrialName"]
    changes = {
        **chosen(request, ("DisplayName",)),
        "LastModifiedBy": context.caller.user_context,
    }
    with experiments_of(context) as experiments:
        experiments.update("Trial", name, changes)
    return {"TrialArn": arn_of(context.ports.config, "Trial", name)}


@operation("DeleteTrial")
def delete_trial(context: Context, request: DeleteTrialRequest) -> DeleteTrialResponse:
    """Delete a trial that has no components."""
    name = request["TrialName"]
    with experiments_of(context) as experiments:
        experiments.delete("Trial", name)
    return {"TrialArn": arn_of(context.ports.config, "Trial", name)}


@operation("ListTrials")
def list_trials(context: Context, request: ListTrialsRequest) -> ListTrialsResponse:
    """One page of the trials: all, those of an experiment, or those a component belongs to."""
    filters = []
    with experiments_of(context) as experiments:
        if "ExperimentName" in request and "TrialComponentName" in request:
            raise ValidationException(
                "ListTrials takes ExperimentName or TrialComponentName, not both. Leave one out."
            )
        if "ExperimentName" in request:
            found = experiments.describe("Experiment", request["ExperimentName"])
            filters.append({"Name": "ExperimentName", "Value": found["ExperimentName"]})
        if "TrialComponentName" in request:
            name = request["TrialComponentName"]
            experiments.tags("TrialComponent", name)  # it has to be there
            property = "TrialComponentSummaries.TrialComponentName"
            filters.append({"Name": property, "Value": name})
    trials, token = page(context, "ListTrials", "Trial", request, filters)
    config = context.ports.config
    answer: Any = {
        "TrialSummaries": [chosen(described(config, "Trial", each), _SUMMARY) for each in trials]
    }
    if token:
        answer["NextToken"] = token
    return cast(ListTrialsResponse, answer)
