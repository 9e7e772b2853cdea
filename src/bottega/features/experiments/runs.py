"""The operation that searches runs."""

from __future__ import annotations

from bottega.context import Context
from bottega.features.experiments.catalogue import catalogue_of
from bottega.features.experiments.overview import shown
from bottega.registry import operation
from bottega.specs.generated.experiments import SearchRunsRequest, SearchRunsResponse
from bottega.tracking.catalogue import RunSearch

PAGE_SIZE = 50


@operation("SearchRuns", service="bottega")
def search_runs(context: Context, request: SearchRunsRequest) -> SearchRunsResponse:
    """One window of the runs of some experiments: filtered, sorted and counted by the tracker."""
    search = RunSearch(
        experiment_ids=request["ExperimentIds"],
        filter=request.get("Filter", ""),
        sort_by=request.get("SortBy", ""),
        ascending=request.get("SortOrder") == "Ascending",
        offset=request.get("Offset", 0),
        limit=request.get("MaxResults", PAGE_SIZE),
        metrics=request.get("Metrics"),
        params=request.get("Params"),
        tags=request.get("Tags", []),
    )
    with catalogue_of(context) as catalogue:
        found = catalogue.search(search)
    return {"Runs": [shown(run) for run in found.runs], "Total": found.total}
