"""The operations on trial components."""

from __future__ import annotations

from typing import Any, cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.experiments.catalogue import experiments_of
from bottega.features.experiments.entities import (
    chosen,
    page,
    tags_of,
    user_of,
)
from bottega.registry import operation
from bottega.specs.generated.experiments import (
    CreateTrialComponentRequest,
    CreateTrialComponentResponse,
    DeleteTrialComponentRequest,
    DeleteTrialComponentResponse,
    DescribeTrialComponentRequest,
    DescribeTrialComponentResponse,
    ListTrialComponentsRequest,
    ListTrialComponentsResponse,
    UpdateTrialComponentRequest,
    UpdateTrialComponentResponse,
)
from bottega.tracking.entity_documents import arn_of, described
from bottega.tracking.experiments import NewEntity

_MEMBERS = (
    "DisplayName",
    "Status",
    "StartTime",
    "EndTime",
    "Parameters",
    "InputArtifacts",
    "OutputArtifacts",
)
_REMOVALS = ("ParametersToRemove", "InputArtifactsToRemove", "OutputArtifactsToRemove")
_SUMMARY = (
    "TrialComponentName",
    "TrialComponentArn",
    "DisplayName",
    "Status",
    "StartTime",
    "EndTime",
    "CreationTime",
    "CreatedBy",
    "LastModifiedTime",
    "LastModifiedBy",
)
_FILTERS = {
    "ExperimentName": "Parents.ExperimentName",
    "TrialName": "Parents.TrialName",
    "SourceArn": "Source.SourceArn",
}


@operation(
    "CreateTrialComponent", note="A component is a run of MLflow's; its parameters are params."
)
def create_trial_component(
    context: Context, request: CreateTrialComponentRequest
) -> CreateTrialComponentResponse:
    """Make a component, which is also a run of MLflow's."""
    name = request["TrialComponentName"]
    document = {
        **chosen(request, (*_MEMBERS, "MetadataProperties")),
        "CreatedBy": context.caller.user_context,
    }
    entity = NewEntity(
        "TrialComponent", name, document, tags_of(request), user=user_of(context.caller)
    )
    with experiments_of(context) as experiments:
        experiments.create(entity)
    return {"TrialComponentArn": arn_of(context.ports.config, "TrialComponent", name)}


@operation("DescribeTrialComponent")
def describe_trial_component(
    context: Context, request: DescribeTrialComponentRequest
) -> DescribeTrialComponentResponse:
    """Everything that is known of a component, by its name or ARN."""
    name = request["TrialComponentName"].rpartition("/")[2]
    with experiments_of(context) as experiments:
        found = experiments.describe("TrialComponent", name)
    answer: Any = described(context.ports.config, "TrialComponent", found)
    return cast(DescribeTrialComponentResponse, answer)


@operation("UpdateTrialComponent")
def update_trial_component(
    context: Context, request: UpdateTrialComponentRequest
) -> UpdateTrialComponentResponse:
    """Change a component: its maps are merged with the request's, and keys removed from them."""
    name = request["TrialComponentName"]
    changes = {
        **chosen(request, (*_MEMBERS, *_REMOVALS)),
        "LastModifiedBy": context.caller.user_context,
    }
    with experiments_of(context) as experiments:
        experiments.update("TrialComponent", name, changes)
    return {"TrialComponentArn": arn_of(context.ports.config, "TrialComponent", name)}


@operation("DeleteTrialComponent", note="MLflow marks the run as deleted and keeps it.")
def delete_trial_component(
    context: Context, request: DeleteTrialComponentRequest
) -> DeleteTrialComponentResponse:
    """Delete a component that belongs to no trial."""
    name = request["TrialComponentName"]
    with experiments_of(context) as experiments:
        experiments.delete("TrialComponent", name)
    return {"TrialComponentArn": arn_of(context.ports.config, "TrialComponent", name)}


@operation("ListTrialComponents")
def list_trial_components(
    context: Context, request: ListTrialComponentsRequest
) -> ListTrialComponentsResponse:
    """One page of the components: all, or those of an experiment, a trial or a source."""
    given = chosen(request, tuple(_FILTERS))
    if len(given) > 1:
        raise ValidationException(
            f"ListTrialComponents takes one of {', '.join(_FILTERS)}; here are "
            f"{' and '.join(given)}. Leave out all but one."
        )
    with experiments_of(context) as experiments:
        if "ExperimentName" in given:
            found = experiments.describe("Experiment", given["ExperimentName"])
            given["ExperimentName"] = found["ExperimentName"]
        if "TrialName" in given:
            experiments.tags("Trial", given["TrialName"])  # it has to be there
    filters = [{"Name": _FILTERS[member], "Value": value} for member, value in given.items()]
    components, token = page(context, "ListTrialComponents", "TrialComponent", request, filters)
    config = context.ports.config
    summaries = []
    for each in components:
        summary = chosen(described(config, "TrialComponent", each), _SUMMARY)
        if "Source" in each:
            summary["TrialComponentSource"] = each["Source"]
        summaries.append(summary)
    answer: Any = {"TrialComponentSummaries": summaries}
    if token:
        answer["NextToken"] = token
    return cast(ListTrialComponentsResponse, answer)
