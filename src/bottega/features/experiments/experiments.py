"""The operations on experiments as a whole."""

from __future__ import annotations

from bottega.context import Context
from bottega.features.experiments.catalogue import catalogue_of
from bottega.registry import operation
from bottega.specs.generated.experiments import (
    ListRunColumnsRequest,
    ListRunColumnsResponse,
    ListTrackedExperimentsRequest,
    ListTrackedExperimentsResponse,
    TrackedExperiment,
)
from bottega.tracking.catalogue import ExperimentOverview

PAGE_SIZE = 50


@operation("ListTrackedExperiments", service="bottega")
def list_tracked_experiments(
    context: Context, request: ListTrackedExperimentsRequest
) -> ListTrackedExperimentsResponse:
    """One window of the experiments, most recently used first."""
    with catalogue_of(context) as catalogue:
        found = catalogue.experiments(
            request.get("Filter", ""),
            offset=request.get("Offset", 0),
            limit=request.get("MaxResults", PAGE_SIZE),
        )
    return {"Experiments": [_shown(item) for item in found.experiments], "Total": found.total}


def _shown(experiment: ExperimentOverview) -> TrackedExperiment:
    shown: TrackedExperiment = {
        "ExperimentId": experiment.experiment_id,
        "Name": experiment.name,
        "Runs": experiment.runs,
    }
    if experiment.created is not None:
        shown["CreationTime"] = experiment.created
    if experiment.updated is not None:
        shown["LastUpdateTime"] = experiment.updated
    return shown


@operation("ListRunColumns", service="bottega")
def list_run_columns(context: Context, request: ListRunColumnsRequest) -> ListRunColumnsResponse:
    """The names of what the runs of some experiments have."""
    with catalogue_of(context) as catalogue:
        found = catalogue.columns(request["ExperimentIds"])
    return {
        "Metrics": list(found.metrics),
        "Params": list(found.params),
        "Tags": list(found.tags),
    }
