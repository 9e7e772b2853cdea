"""The operation that weighs parameters."""

from __future__ import annotations

from bottega.context import Context
from bottega.features.experiments.catalogue import catalogue_of
from bottega.registry import operation
from bottega.specs.generated.experiments import (
    GetParameterImportanceRequest,
    GetParameterImportanceResponse,
)
from bottega.tracking.catalogue import RunSearch


@operation("GetParameterImportance", service="bottega")
def get_parameter_importance(
    context: Context, request: GetParameterImportanceRequest
) -> GetParameterImportanceResponse:
    """How much each parameter explains of a metric over the runs that match."""
    search = RunSearch(request["ExperimentIds"], filter=request.get("Filter", ""))
    with catalogue_of(context) as catalogue:
        found = catalogue.importances(search, request["Metric"])
    return {
        "Importances": [{"Param": name, "Importance": share} for name, share in found.shares],
        "Runs": found.runs,
        "Method": found.method,
    }
